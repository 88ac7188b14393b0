"""What the names and formats of a target must look like, so that its CRM can load the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

PLAIN = r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f])?"
API_NAME = r"[A-Za-z][A-Za-z0-9_]*"
SNAKE = r"[a-z][a-z0-9_]*"
RELATIONS = "user_id|team_id|partner_id|stage_id|company_id"  # of Odoo
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_-]*")
DATED = ("dynamics", "odoo", "pipedrive")  # the importing user's own format decides there
WITHOUT_BOM = ("odoo", "generic")
MOST_BYTES = {"salesforce": 100_000_000, "dynamics": 8_000_000}
DAY = datetime(2026, 3, 31, 23, 59, 58)  # noqa: DTZ001


@dataclass(frozen=True)
class Names:
    """How the names of a kind of target look.

    Attributes:
        field, key, object: patterns.
        words: for a message, with an example.
    """

    field: str
    key: str
    object: str
    words: str


NAMES = {
    "salesforce": Names(
        rf"{API_NAME}(?:\.{API_NAME})?", API_NAME, API_NAME, "an API name such as Score__c"
    ),
    "hubspot": Names(
        SNAKE,
        SNAKE,
        r"contacts|companies|deals|tickets|leads|\d+-\d+",
        "an internal name in lower case (lead_score), and an object contacts, deals or 2-123",
    ),
    "dynamics": Names(
        SNAKE,
        "msdyn_entityid",
        "lead|opportunity",
        "a column of msdyn_predictivescores, whose key is msdyn_entityid, and an object lead or "
        "opportunity",
    ),
    "odoo": Names(
        rf"(?!(?:{RELATIONS})$)[a-z_][a-z0-9_]*(?:/\.?id)?",
        r"\.?id",
        r"[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*",
        "a technical name (x_score, user_id/.id), a key id or .id, and an object such as crm.lead",
    ),
    "pipedrive": Names(PLAIN, PLAIN, "[a-z]+", "a name in one line, and an object such as deals"),
    "generic": Names(PLAIN, PLAIN, PLAIN, "a name in one line without blanks around it"),
}


def find_name_problems(
    kind: str,
    *,
    fields: Mapping[str, str],
    key: str | None,
    object_: str | None,
) -> Iterator[str]:
    """The names that a kind of target cannot have, in words; none for a database."""
    names = NAMES.get(kind)
    if names is None:
        return
    for column, field in fields.items():
        if field and not re.fullmatch(names.field, field):
            yield f"fields.{column} = {field!r} cannot be a field of {kind}: write {names.words}"
    if key is not None and not re.fullmatch(names.key, key):
        yield f"key = {key!r} cannot be the key of {kind}: write {names.words}"
    if object_ is not None and not re.fullmatch(names.object, object_):
        yield f"object = {object_!r} cannot be an object of {kind}: write {names.words}"


def find_format_problems(
    kind: str,
    *,
    id_prefix: str,
    bom: bool | None,
    date_format: str | None,
    max_bytes: int | None,
) -> Iterator[str]:
    """What the files of a kind of target cannot be like, in words."""
    if kind == "odoo" and not EXTERNAL_ID.fullmatch(id_prefix):
        yield f"id_prefix = {id_prefix!r}: write letters, digits and _, then one dot: leadscore.lead_"
    if bom and kind in WITHOUT_BOM:
        yield f"bom = true: files for {kind} have no byte order mark; delete the line"
    if date_format is not None and kind in NAMES:
        yield from _find_date_problem(kind, date_format)
    most = MOST_BYTES.get(kind)
    if max_bytes is not None and most is not None and max_bytes > most:
        yield f"max_bytes = {max_bytes}: {kind} takes at most {most} bytes a file"


def _find_date_problem(kind: str, pattern: str) -> Iterator[str]:
    if kind not in DATED:
        yield f"date_format: {kind} takes its own format only; delete the line"
    elif not _is_date_format(pattern):
        yield f"date_format = {pattern!r} writes no date that can be read back: write %d.%m.%Y"


def _is_date_format(pattern: str) -> bool:
    """Whether a date written so can be read again, on one line."""
    try:
        text = DAY.strftime(pattern)
        return text.isprintable() and datetime.strptime(text, pattern).date() == DAY.date()  # noqa: DTZ007
    except ValueError:
        return False
