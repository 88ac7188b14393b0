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
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.tables import PERSONAL

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
    return [entry for entry in settings.mapping if (entry.source, entry.table) == (source, "leads")]


def feeding_columns(entry: Mapping, settings: Settings) -> set[str]:
    """The source's columns that decide the value of a lead's field."""
    fields = {*settings.lead_fields(), "currency"}
    columns = {column for name, column in entry.columns.items() if name in fields}
    for column, by_value in entry.values.items():
        if any(fields & set(targets) for targets in by_value.values()):
            columns.add(column)
    return columns


def text_schema(width: int) -> pa.Schema:
    """A lead's row: id, line, the place of its entry in `entries_of`, and columns c0, c1, ..."""
    return pa.schema(ROW + [pa.field(f"c{i}", pa.string()) for i in range(width)])


def named_once(names: Sequence[str]) -> list[str]:
    """The columns whose name no other column has."""
    return [name for name, n in Counter(names).items() if n == 1]


def text_rows(
    lead_ids: pa.Array, lines: np.ndarray, entry: int, texts: Texts, columns: Iterable[str]
) -> pa.Table:
    """The text of rows that an entry selected, in the shape of `text_schema`."""
    place = pa.repeat(pa.scalar(entry, pa.int64()), texts.n)
    rows = [
        lead_ids.cast(pa.string()),
        pa.array(lines),
        place,
        *(texts.columns[name] for name in columns),
    ]
    return pa.table(rows, schema=text_schema(len(rows) - len(ROW)))


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
    engine.add_files("staged_texts", [path], schema=text_schema(len(columns)))
    entries = entries_of(source, settings)
    mapped: set[str] = set()
    for entry in entries:
        mapped |= feeding_columns(entry, settings)
    personal = _personal_columns(engine, columns, known=_declared_personal(entries, settings))

    hasher = PersonalHash.of_store(folder)
    cells = ["lead_id", "line", "entry"]
    conditions = ["1 = 0"]
    for i, name in enumerate(columns):
        cell = f"c{i}"
        if name not in mapped:
            is_hashed = _is_hashed_sql(cell, always=name in personal)
            conditions.append(is_hashed)
            cell = f"CASE WHEN {is_hashed} THEN {hasher.text_sql(cell)} ELSE {cell} END AS {cell}"
        cells.append(cell)

    sql = f"""SELECT {", ".join(cells)} FROM staged_texts
        WHERE lead_id <> '' ORDER BY lead_id, line"""
    stored = write_rows(folder, text_schema(len(columns)), engine.stream(sql, rows=BATCH_ROWS))
    hashed = f"SELECT 1 AS one FROM staged_texts WHERE {' OR '.join(conditions)} LIMIT 1"
    is_any_hashed = bool(engine.query(hashed).num_rows)
    return {"columns": list(columns), "is_hashed": is_any_hashed, **stored}


def _declared_personal(entries: Sequence[Mapping], settings: Settings) -> set[str]:
    """The columns that entries map to personal ones, such as an e-mail address."""
    declared = set()
    for entry in entries:
        for name, column in entry.columns.items():
            if name in PERSONAL and name not in settings.fields:
                declared.add(column)
    return declared


def _is_hashed_sql(column: str, *, always: bool) -> str:
    """SQL of whether a text is hashed: all of a column but the missing ones, or the long ones."""
    return f"{column} <> ''" if always else f"LENGTH({column}) > {LONG_TEXT}"


def _personal_columns(
    engine: Engine, columns: Sequence[str], *, known: Collection[str]
) -> set[str]:
    """The columns that are declared personal, or look so by their name or their values."""
    sample = engine.query(f"SELECT * FROM staged_texts ORDER BY lead_id, line LIMIT {SAMPLE_LEADS}")
    personal = set()
    for i, name in enumerate(columns):
        if name in known or looks_personal(name, sample[f"c{i}"].to_pylist()):
            personal.add(name)
    return personal
