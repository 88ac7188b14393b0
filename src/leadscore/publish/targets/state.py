"""What a target holds after a delivery, as a Parquet file beside the files that it loads."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.publish.targets.delta import Held, State
from leadscore.publish.targets.kind import Blank, Cell, Row, TargetField

STATE = "state.parquet"
KEPT = "\x00"  # stands for a cell that leaves its field as it is; no text holds it
OWN = ("lead_id", "key", "valid_until_us", "is_cleared")


def format_state(state: State) -> bytes:
    """The bytes of a state; equal states give equal bytes."""
    held = list(state.leads.values())
    keys = [lead.row.key for lead in held]
    until_us = [lead.valid_until_us for lead in held]
    are_cleared = [lead.is_cleared for lead in held]
    columns: dict[str, pa.Array] = {
        "lead_id": pa.array(list(state.leads), pa.string()),
        "key": pa.array(keys, pa.string()),
        "valid_until_us": pa.array(until_us, pa.int64()),
        "is_cleared": pa.array(are_cleared, pa.bool_()),
    }
    for place, field in enumerate(state.fields):
        cells = [_store(lead.row.cells[place]) for lead in held]
        columns[f"{field.column}:{field.name}"] = pa.array(cells, pa.string())
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def parse_state(data: bytes) -> State:
    """The state that `format_state` wrote."""
    file = pq.ParquetFile(pa.BufferReader(data))
    table = file.read(use_threads=False)
    columns = {name: table[name].to_pylist() for name in table.schema.names}
    own = {name: columns.pop(name) for name in OWN}
    fields = [_parse_field(name) for name in columns]

    leads = {}
    for at, lead in enumerate(own["lead_id"]):
        cells = [_load(column[at]) for column in columns.values()]
        row = Row(own["key"][at], tuple(cells))
        leads[lead] = Held(row, own["valid_until_us"][at], own["is_cleared"][at])
    return State(tuple(fields), leads)


def _parse_field(name: str) -> TargetField:
    column, _, target = name.partition(":")
    return TargetField(column, target)


def _store(cell: Cell) -> str | None:
    if isinstance(cell, str):
        return cell
    return KEPT if cell is Blank.KEEP else None


def _load(text: str | None) -> Cell:
    if text is None:
        return Blank.CLEAR
    return Blank.KEEP if text == KEPT else text
