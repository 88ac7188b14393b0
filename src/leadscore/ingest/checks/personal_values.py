"""Values that look personal: addresses and numbers that belong in a personal column, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.sql import union_sql
from leadscore.ingest.staged import Staged
from leadscore.wording import counted

EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
PHONE = (
    r"^\s*(\+|00)[1-9][\d ()/.-]{6,}\d\s*$"
    r"|^\s*\(?0\d{1,5}\)?[ /-]\d[\d ()/-]{3,}\d\s*$"
    r"|^\s*\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\s*$"
)
STREET = (
    r"(?i)^\s*\d+\w?,?\s+([\w'.-]+\s+){1,4}"
    r"(street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|way)\b"
    r"|(?i)(stra(ss|ß)e|str\.|gasse|allee|straat|laan)\s*\d+|(?i)\b(weg|platz)\s+\d+"
    r"|(?i)\b\d+\w?,?\s+(rue|avenue|boulevard|chemin)\s|(?i)\b(calle|via|rua)\s+.*\d"
)
KINDS = {
    "an e-mail address": (EMAIL, "map it to `email` instead: only a hash of it is stored"),
    "a phone number": (PHONE, "map it to `phone` instead: only a hash of it is stored"),
    "a street address": (STREET, "leave it out, or give only its town or region"),
}


def warn_of_personal_values(staged: Staged) -> list[str]:
    """A warning for each text field with values that look personal; the values are not in it."""
    warnings: list[str] = []
    for name, field in staged.settings.fields.items():
        if field.type == "text":
            warnings += _warn_of_field(name, staged)
    return warnings


def _warn_of_field(name: str, staged: Staged) -> Iterator[str]:
    values = _read_values(name, staged)
    for kind, (pattern, cure) in KINDS.items():
        matches = pc.match_substring_regex(values, pattern)
        n = pc.sum(matches).as_py() or 0
        if n:
            look_like = counted(n, "value that looks", "values that look")
            yield f"the field {name!r} has {look_like} like {kind}: {cure}"


def _read_values(name: str, staged: Staged) -> pa.ChunkedArray:
    """The distinct values of a field: in this export, first seen, and changed to."""
    selects = [f"SELECT value FROM changes_now WHERE field = {literal(name)}"]
    if name in staged.mapped_fields():
        value = f"SELECT {identifier(name)} AS value"
        selects += [f"{value} FROM {ACCEPTED_LEADS} AS l", f"{value} FROM leads_now"]
    values = f"SELECT DISTINCT value FROM ({union_sql(selects)}) AS t WHERE value IS NOT NULL"
    return staged.engine.query(values)["value"]
