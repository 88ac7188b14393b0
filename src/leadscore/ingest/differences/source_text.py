"""The source text of leads: every column of every row that the mapping takes for a lead, whether a field or not.

Personal columns that no field is mapped to, and long texts, are kept as salted hashes: they can be compared, not read.
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
from leadscore.store.version import write_rows
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
    """Whether the text of a source is kept: it gives leads, and there is a time at which it can be known."""
    return settings.is_dated and bool(entries_of(source, settings))


def entries_of(source: str, settings: Settings) -> list[Mapping]:
    """The mapping entries that take rows of a source for leads, in order."""
    return [entry for entry in settings.mapping if (entry.source, entry.table) == (source, "leads")]


def feeding_columns(entry: Mapping, settings: Settings) -> set[str]:
    """The source's columns that decide the value of a lead's field."""
    fields = {*settings.lead_fields(), "currency"}
    direct = {column for name, column in entry.columns.items() if name in fields}
    translated = {
        column
        for column, by_value in entry.values.items()
        if any(fields & set(targets) for targets in by_value.values())
    }
    return direct | translated


def text_schema(width: int) -> pa.Schema:
    """A lead's row: its id and line, the place of its entry among `entries_of`, and its columns as c0, c1, ..."""
    return pa.schema(ROW + [pa.field(f"c{i}", pa.string()) for i in range(width)])


def named_once(names: Sequence[str]) -> list[str]:
    """The columns that can be told apart by their name."""
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
    """Put staged text in the store at `folder`, by lead; returns its columns, rows and files."""
    engine.add_files("staged_texts", [path], schema=text_schema(len(columns)))
    personal = PersonalHash.of_store(folder)
    mapped = {
        name for entry in entries_of(source, settings) for name in feeding_columns(entry, settings)
    }
    declared = {
        column
        for entry in entries_of(source, settings)
        for name, column in entry.columns.items()
        if name in PERSONAL and name not in settings.fields
    }
    hashed = _personal_columns(engine, columns, known=declared) - mapped
    chosen, hides = [], ["1 = 0"]
    for i, name in enumerate(columns):
        hide = _hide_sql(f"c{i}", always=name in hashed)
        if name in mapped:
            chosen.append(f"c{i}")
        else:
            chosen.append(
                f"CASE WHEN {hide} THEN {personal.text_sql(f'c{i}')} ELSE c{i} END AS c{i}"
            )
            hides.append(hide)
    sql = f"""SELECT {", ".join(["lead_id", "line", "entry", *chosen])} FROM staged_texts
        WHERE lead_id <> '' ORDER BY lead_id, line"""
    rows = engine.stream(sql, rows=BATCH_ROWS)
    kept = write_rows(folder, text_schema(len(columns)), rows)
    is_hashed = bool(
        engine.query(
            f"SELECT 1 AS one FROM staged_texts WHERE {' OR '.join(hides)} LIMIT 1"
        ).num_rows
    )
    return {"columns": list(columns), "is_hashed": is_hashed, **kept}


def _hide_sql(column: str, *, always: bool) -> str:
    """SQL of whether a text is hashed: all of a column but the missing ones, or the long ones."""
    return f"{column} <> ''" if always else f"LENGTH({column}) > {LONG_TEXT}"


def _personal_columns(
    engine: Engine, columns: Sequence[str], *, known: Collection[str]
) -> set[str]:
    """The columns that are declared personal, or look so by their name or their values."""
    sample = engine.query(f"SELECT * FROM staged_texts ORDER BY lead_id, line LIMIT {SAMPLE_LEADS}")
    values = {name: sample[f"c{i}"].to_pylist() for i, name in enumerate(columns)}
    return {name for name in columns if name in known or looks_personal(name, values[name])}
