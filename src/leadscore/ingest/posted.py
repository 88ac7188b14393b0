"""The facts of one lead, as somebody states them, mapped like those of an export.

They are named as the mapping names our columns, and pass through the same readers and rules. A
value that breaks a rule is refused in every case, since whoever states it can mend it at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from leadscore.errors import UserError
from leadscore.ingest.mapping.entries import map_rows, table_of
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import Batch
from leadscore.settings.mapping import Mapping as Entry
from leadscore.settings.memory import lead_keys, stored_fields
from leadscore.settings.settings import Settings
from leadscore.tables import NOT_HELD, TABLES
from leadscore.times import format_us
from leadscore.wording import listed, shortened

Value = str | int | float | bool | None
Row = Mapping[str, Value]
TIMES = ("event_at", "available_at")
LONGEST_TEXT = 10_000  # characters
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all but tabs and ends of lines


class PostedFactsError(UserError):
    """Facts that cannot be taken as they are."""


def posted_columns(table: str, settings: Settings) -> list[str]:
    """What the rows of a table may state: what the mapping fills, and the two times."""
    mapped: set[str] = set()
    for entry in settings.mapping:
        if entry.table == table:
            mapped |= entry.targets()
    columns = table_of(table, settings).columns
    always = {column.name for column in columns if column.required or column.default is not None}
    names = [column.name for column in columns]
    return [*(name for name in names if name in always | mapped), *TIMES]


def read_personal_hash(settings: Settings, store: Path) -> PersonalHash:
    """What hashes accounts and contacts as ingest hashed those of the store; nothing, without keys."""
    return PersonalHash.of_store(store) if lead_keys(settings) else PersonalHash(b"")


def read_posted(
    facts: Mapping[str, Sequence[Row]],
    settings: Settings,
    *,
    personal: PersonalHash,
    as_of_us: int,
) -> dict[str, pa.Table]:
    """The rows of one lead as ingest would store them, of every canonical table.

    Args:
        facts: the rows by table; `leads` has one, and all have its `lead_id`.
        settings: of the project.
        personal: hashes accounts and contacts (see `read_personal_hash`).
        as_of_us: the moment before which all of them must be known, except plans.

    Raises:
        PostedFactsError: says what cannot be read, where, and why.
    """
    staged = {}
    for table, rows in facts.items():
        if rows:
            staged[table] = _read_table(table, rows, settings, personal)
    _check_dates(staged, as_of_us)
    tables = {}
    for name in TABLES:
        schema = table_of(name, settings).schema()
        rows = staged[name].select(schema.names) if name in staged else schema.empty_table()
        tables[name] = _without_copies(rows.cast(schema))
    return tables | _as_first_export(tables, settings, as_of_us)


def _read_table(
    table: str,
    rows: Sequence[Row],
    settings: Settings,
    personal: PersonalHash,
) -> pa.Table:
    """The staged rows of a table."""
    _check_columns(table, rows, settings)
    names = sorted({name for row in rows for name in row})
    columns = {name: pa.array([_as_text(row.get(name)) for row in rows]) for name in names}
    lines = np.arange(1, len(rows) + 1)
    source = next(entry.source for entry in settings.mapping if entry.table == "leads")
    entry = Entry(source=source, table=table, columns={name: name for name in names})  # type: ignore[arg-type]
    reader = Reader(
        source=source,
        file=table,
        zone=settings.timezone,
        dates=None,
        decimal=".",
        personal=personal,
        may_ask=False,
    )
    mapped = map_rows(lines, Texts(Batch(lines, pa.table(columns))), entry, settings, reader)
    if mapped.rejects.num_rows:
        raise PostedFactsError("; ".join(_describe(row) for row in mapped.rejects.to_pylist()))
    return mapped.rows


def _check_columns(table: str, rows: Sequence[Row], settings: Settings) -> None:
    known = posted_columns(table, settings)
    unknown = sorted({name for row in rows for name in row} - set(known))
    if unknown:
        raise PostedFactsError(f"{table} has no {listed(unknown)}; it may state {listed(known)}")
    for line, row in enumerate(rows, start=1):
        if row.get("event_at") in {None, ""}:
            raise PostedFactsError(f"{table}, row {line}: event_at is missing")


def _as_text(value: Value) -> str:
    """A value as it would stand in an export; missing is ""."""
    if value is None:
        return ""
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    text = str(value).strip()
    _refuse_half_characters(text)
    if CONTROLS.search(text):
        raise PostedFactsError(f"{shortened(text)} has control characters")
    if len(text) > LONGEST_TEXT:
        raise PostedFactsError(f"{shortened(text)} is longer than {LONGEST_TEXT:,} characters")
    return text


def _refuse_half_characters(text: str) -> None:
    """Refuse what JSON can state, and no text can hold: half of a character that takes two codes."""
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise PostedFactsError(f"{shortened(text)} has half a character") from e


def _describe(reject: Mapping[str, object]) -> str:
    """A broken rule, with where it was broken."""
    place = f"{reject['table']}, row {reject['line']}: {reject['column']}"
    if reject["rule"] == "required":
        return f"{place} is missing"
    return f"{place} cannot be {shortened(reject['value'])} (rule {reject['rule']})"


def _without_copies(rows: pa.Table) -> pa.Table:
    """Rows that are stated twice, once."""
    names = rows.schema.names
    return rows.group_by(names, use_threads=False).aggregate([]).select(names).cast(rows.schema)


def _as_first_export(
    tables: Mapping[str, pa.Table],
    settings: Settings,
    as_of_us: int,
) -> dict[str, pa.Table]:
    """Leads and changes as ingest stores those of the first export that has a lead.

    A field with a change of before that export was unknown at creation; one that is known from its
    export on has its value as a change (see `differences.observed_changes`).
    """
    (lead,) = tables["leads"].to_pylist()
    changed = set(tables["changes"]["field"].to_pylist())
    seen_us = as_of_us - 1
    observed = []
    for name, field in stored_fields(settings).items():
        if name in changed:
            lead[name] = None
        elif field.known_from == "export" and lead.get(name) is not None:
            observed.append(
                {
                    "lead_id": lead["lead_id"],
                    "field": name,
                    "value": str(lead[name]),
                    "seq": 0,
                    "event_us": seen_us,
                    "available_us": seen_us,
                }
            )
    changes = tables["changes"]
    observed_rows = pa.Table.from_pylist(observed, schema=changes.schema)
    return {
        "leads": pa.Table.from_pylist([lead], schema=tables["leads"].schema),
        "changes": pa.concat_tables([changes, observed_rows]),
    }


def _check_dates(staged: Mapping[str, pa.Table], as_of_us: int) -> None:
    """Refuse what ingest rejects: facts from before the lead, and facts from after the export."""
    created_us = staged["leads"]["from_us"][0].as_py()
    for table, rows in staged.items():
        for row in rows.to_pylist():
            when = format_us(row["event_us"])
            if row["event_us"] < created_us:
                raise PostedFactsError(f"{table}: {when} is before the lead was created")
            is_plan = row.get("outcome") in NOT_HELD
            if row["available_us"] >= as_of_us and not is_plan:
                raise PostedFactsError(
                    f"{table}: {when} is not before {format_us(as_of_us)}, the moment of the score"
                )
