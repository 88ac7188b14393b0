"""Puts a file's mapped rows into the store, sorted by value and without exact duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier
from leadscore.ingest.mapping.entries import side_fields, staged_schema, table_of
from leadscore.ingest.mapping.once import once
from leadscore.settings.settings import Settings
from leadscore.store.objects import NOTHING, write_columns

BATCH_ROWS = 250_000
SORTED_FIRST = {"lead_id", "event_us"}


def keep_sorted(
    name: str,
    path: Path,
    source: str,
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
) -> dict[str, Any]:
    """The rows staged for a table, stored at `folder`: how many were left out, and two objects.

    Returns:
        `duplicates` and `repeated` as `once` counts them; `rows`, the table's own columns; and
        `side`, where each row came from. Leads have both in `rows`, because later steps need the
        line with the rest.
    """
    schema = staged_schema(name, settings)
    compared = _compared_columns(name, schema, source, settings)
    engine.add_files("staged", [path], schema=schema)
    sql = f"SELECT * FROM staged ORDER BY {_order_sql(compared)}, line"
    rows = engine.stream(sql, rows=BATCH_ROWS)

    counts: Counter[str] = Counter()
    schemas = [schema]
    if name != "leads":
        schemas = [table_of(name, settings).schema(), side_schema(name, settings)]
    objects = write_columns(folder, schemas, once(rows, compared, counts))
    return {
        "duplicates": counts["duplicates"],
        "repeated": counts["repeated"],
        "rows": objects[0],
        "side": objects[1] if len(objects) > 1 else NOTHING,
    }


def side_schema(name: str, settings: Settings) -> pa.Schema:
    """What the `side` of stored rows holds: where each came from, and what was before it."""
    return pa.schema(side_fields(name, settings))


def _compared_columns(name: str, schema: pa.Schema, source: str, settings: Settings) -> list[str]:
    """The columns in which duplicates are equal: all but those of a row's place in its file."""
    of_place = {"line"}
    if name == "leads" and settings.ordered_by_line(source):
        of_place |= {
            "event_us",
            "available_us",
        }  # they are the line: the first of equal rows counts
    return [column for column in schema.names if column not in of_place]


def _order_sql(columns: Sequence[str]) -> str:
    ordered = sorted(columns, key=lambda column: column not in SORTED_FIRST)
    return ", ".join(identifier(column) for column in ordered)
