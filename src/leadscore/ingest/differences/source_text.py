"""The source text of leads: every column of every row that the mapping takes for a lead.

Columns that no field is read from are kept, too, but personal ones, and long texts, only as salted
hashes: they can be compared, not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.ingest.mapping.personal import PersonalHash, looks_personal
from leadscore.ingest.mapping.words import Texts
from leadscore.settings.mapping import Mapping
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.tables import KEYS, PERSONAL

ROW = [
    pa.field("lead_id", pa.string()),
    pa.field("line", pa.int64()),
    pa.field("entry", pa.int64()),
]
SAMPLE_LEADS = 2_000  # by whose values personal columns are recognised
LONG_TEXT = 200  # characters; what is longer is prose, which may name anybody
BATCH_ROWS = 100_000


def keeps_text(source: str, settings: Settings) -> bool:
    """Whether the text of a source is kept: it has leads, and these are dated."""
    return settings.is_dated and bool(entries_of(source, settings))


def entries_of(source: str, settings: Settings) -> list[Mapping]:
    """The mapping entries that take rows of a source for leads, in order."""
    wanted = (source, "leads")
    return [entry for entry in settings.mapping if (entry.source, entry.table) == wanted]


def feeding_columns(entry: Mapping, settings: Settings) -> set[str]:
    """The source's columns that decide the value of a lead's field, or its creation."""
    fields = {*settings.lead_fields(), "currency", "event_at", "available_at"}
    columns = {column for name, column in entry.columns.items() if name in fields}
    for column, by_value in entry.values.items():
        if any(fields & set(targets) for targets in by_value.values()):
            columns.add(column)
    return columns


def key_columns(entry: Mapping, settings: Settings) -> set[str]:
    """The source's columns of the keys of leads: what they hold is stored as hashes alone."""
    keys = lead_keys(settings)
    return {column for name, column in entry.columns.items() if name in keys}


def text_schema(width: int) -> pa.Schema:
    """A lead's row: id, line, the place of its entry in `entries_of`, and columns c0, c1, ..."""
    cells = [pa.field(f"c{i}", pa.string()) for i in range(width)]
    return pa.schema(ROW + cells)


def named_once(names: Sequence[str]) -> list[str]:
    """The columns whose name no other column has."""
    counts = Counter(names)
    return [name for name, n in counts.items() if n == 1]


def text_rows(
    lead_ids: pa.Array,
    lines: np.ndarray,
    entry: int,
    texts: Texts,
    columns: Iterable[str],
) -> pa.Table:
    """The text of rows that an entry selected, in the shape of `text_schema`."""
    number = pa.scalar(entry, pa.int64())
    place = pa.repeat(number, texts.n)
    rows = [
        lead_ids.cast(pa.string()),
        pa.array(lines),
        place,
        *(texts.columns[name] for name in columns),
    ]
    width = len(rows) - len(ROW)
    return pa.table(rows, schema=text_schema(width))


def keep_texts(
    path: Path,
    columns: Sequence[str],
    source: str,
    *,
    settings: Settings,
    engine: Engine,
    folder: Path,
) -> dict[str, Any]:
    """Put the staged text of a file of a source in the store at `folder`, ordered by lead.

    Args:
        path: The staged text, in the shape of `text_schema`.
        columns: The names of its columns, in order.
        source: The source.
        settings: The project's settings.
        engine: Runs the SQL.
        folder: The store.

    Returns:
        `columns`, `is_hashed` (whether any text was hashed), `rows` and `files`.
    """
    staged_schema = text_schema(len(columns))
    engine.add_files("staged_texts", [path], schema=staged_schema)
    entries = entries_of(source, settings)
    mapped: set[str] = set().union(*(feeding_columns(entry, settings) for entry in entries))
    declared = _declared_personal(entries, settings)
    declared |= set(settings.shown_columns(source).values())
    personal = _personal_columns(engine, columns, known=declared)
    conditions = {
        f"c{i}": _is_hashed_sql(f"c{i}", always=name in personal)
        for i, name in enumerate(columns)
        if name not in mapped
    }
    schema = text_schema(len(columns))
    sql = _texts_sql(schema.names, conditions, PersonalHash.of_store(folder))
    stored = write_rows(folder, schema, engine.stream(sql, rows=BATCH_ROWS))
    is_any_hashed = _any_row(engine, conditions.values())
    return {"columns": list(columns), "is_hashed": is_any_hashed, **stored}


def _texts_sql(names: Sequence[str], conditions: dict[str, str], hasher: PersonalHash) -> str:
    """SQL of the staged text, hashed in the columns that have a condition where it holds."""
    cells = []
    for name in names:
        if name in conditions:
            hashed = hasher.text_sql(name)
            cells.append(f"CASE WHEN {conditions[name]} THEN {hashed} ELSE {name} END AS {name}")
        else:
            cells.append(name)
    return f"""SELECT {", ".join(cells)} FROM staged_texts
        WHERE lead_id <> '' ORDER BY lead_id, line"""


def _any_row(engine: Engine, conditions: Iterable[str]) -> bool:
    """Whether any of these holds for any row of the staged text."""
    where = " OR ".join(["1 = 0", *conditions])
    rows = engine.query(f"SELECT 1 AS one FROM staged_texts WHERE {where} LIMIT 1")
    return bool(rows.num_rows)


def _declared_personal(entries: Sequence[Mapping], settings: Settings) -> set[str]:
    """The columns that entries map to personal ones, such as an e-mail address."""
    declared = set()
    for entry in entries:
        for name, column in entry.columns.items():
            if name in {*PERSONAL, *KEYS} and name not in settings.fields:
                declared.add(column)
    return declared


def _is_hashed_sql(column: str, *, always: bool) -> str:
    """SQL of whether a text is hashed: all of a column but the missing ones, or the long ones."""
    return f"{column} <> ''" if always else f"LENGTH({column}) > {LONG_TEXT}"


def _personal_columns(
    engine: Engine,
    columns: Sequence[str],
    *,
    known: Collection[str],
) -> set[str]:
    """The columns that are declared personal, or look so by their name or their values."""
    sample = engine.query(f"SELECT * FROM staged_texts ORDER BY lead_id, line LIMIT {SAMPLE_LEADS}")
    personal = set()
    for i, name in enumerate(columns):
        if name in known or looks_personal(name, sample[f"c{i}"].to_pylist()):
            personal.add(name)
    return personal
