"""Applies mapping entries to batches: a table's rows, made from the rows of a source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.breaks import Breaks
from leadscore.ingest.mapping.columns import build_before, build_column, build_money
from leadscore.ingest.mapping.event_times import build_times, earliest_moments
from leadscore.ingest.mapping.selected import SelectedRows
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, Words, hash_texts
from leadscore.ingest.readers.batch import FILE
from leadscore.settings.mapping import BEFORE, STAGE_NOW, Mapping
from leadscore.settings.memory import lead_keys, stored_fields
from leadscore.settings.settings import Settings
from leadscore.tables import PERSONAL, TABLES, Column, Table

BEFORE_COLUMN = pa.field("before", pa.string())
PLACE = [pa.field("line", pa.int64()), pa.field("extra", pa.int64())]
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: it spreads the bits


@dataclass(frozen=True)
class Mapped:
    """What an entry made of a batch: staged `rows`, and `rejects` in the shape of `ROW_REJECTS`.

    `selected` and `refused` count rows. `lead_ids` are those of all selected rows.
    """

    rows: pa.Table
    rejects: pa.Table
    selected: int
    refused: int
    lead_ids: pa.Array


def table_of(name: str, settings: Settings) -> Table:
    """A table's columns; `leads` also has the settings' fields and keys."""
    table = TABLES[name]
    if name != "leads":
        return table

    built_in = {column.name for column in table.columns}
    columns = list(table.columns)
    for key, field in settings.fields.items():
        if key not in built_in:
            columns.append(Column(key, field.type))
    columns += [Column(key, "text") for key in lead_keys(settings)]
    return Table(name, tuple(columns))


def staged_schema(name: str, settings: Settings) -> pa.Schema:
    """A staged row: the table's columns, its line, and `extra`, a number for its other values.

    Leads also have from_us, the earliest moment that their creation can mean, and hashes of their
    personal columns; where the mapping gives them, `stage_now`, and `before` of stages and changes.
    """
    fields = [field.with_nullable(True) for field in table_of(name, settings).schema()]
    fields += side_fields(name, settings)
    if name == "leads":
        if _gives_stage_now(settings):
            fields.append(pa.field(STAGE_NOW, pa.string()))
        fields.append(pa.field("from_us", pa.int64()))
        fields += [pa.field(f"{column}_hash", pa.string()) for column in PERSONAL]
    return pa.schema(fields)


def side_fields(name: str, settings: Settings) -> list[pa.Field]:
    """What staged rows have beside their table's columns: their place, and what was before them."""
    has_before = name in BEFORE and settings.gives_before(name)
    return [*PLACE, BEFORE_COLUMN] if has_before else PLACE


def _gives_stage_now(settings: Settings) -> bool:
    return STAGE_NOW in settings.mapped_of_leads()


def map_rows(
    lines: np.ndarray,
    texts: Texts,
    entry: Mapping,
    settings: Settings,
    reader: Reader,
) -> Mapped:
    """Rows that an entry selected, mapped; a row is refused by the first rule that it breaks."""
    selected = _select(lines, texts, entry, settings, reader)
    columns = _build_columns(selected)

    schema = staged_schema(entry.table, settings)
    arrays = [columns[field.name].cast(field.type) for field in schema]
    rows = pa.table(arrays, schema=schema)

    files = pa.repeat(reader.file, texts.n)
    if reader.rows_name_file:
        files = texts.columns[FILE]
    lead_ids = columns["lead_id"]
    rejects = selected.breaks.rejects(entry, files, lines, lead_ids, selected.closes())
    refused = selected.breaks.refused
    if refused.any():
        rows = rows.filter(pa.array(~refused))
    return Mapped(rows, rejects, texts.n, int(refused.sum()), lead_ids)


def map_fields(
    texts: Texts,
    entry: Mapping,
    settings: Settings,
    reader: Reader,
) -> dict[str, pa.Array]:
    """The fields and keys of leads that an entry fills, and the two times of their creation.

    A value that breaks a rule is missing.
    """
    selected = _select(np.arange(texts.n), texts, entry, settings, reader)
    fields = stored_fields(settings)
    columns = {}
    for column in selected.table.columns:
        if column.name in fields and column.name != "amount":
            columns[column.name] = build_column(selected, column)
    times = build_times(selected)
    created = {"event_us": times.event_us, "available_us": times.available_us}
    return columns | build_money(selected) | created


def changed_numbers(
    texts: Texts,
    entry: Mapping,
    settings: Settings,
    reader: Reader,
) -> dict[str, pa.Array]:
    """What an entry of `changes` gives to fields that are numbers, by the source's columns."""
    fields = settings.lead_fields().items()
    numbers = {name for name, field in fields if field.type == "number"}
    selected = _select(np.arange(texts.n), texts, entry, settings, reader)
    words = Words.of(selected.text("field"))
    is_number = words.mask([word in numbers for word in words.texts])
    chosen = texts.select(entry.where) & ~texts.any(entry.where_not) & is_number

    columns = [entry.columns[name] for name in ("value", "before") if name in entry.columns]
    return {column: texts.columns[column].filter(pa.array(chosen)) for column in columns}


def _select(
    lines: np.ndarray,
    texts: Texts,
    entry: Mapping,
    settings: Settings,
    reader: Reader,
) -> SelectedRows:
    breaks = Breaks(settings.validation, np.zeros(texts.n, dtype=bool))
    table = table_of(entry.table, settings)
    return SelectedRows(entry, table, settings, reader, lines, texts, breaks)


def _build_columns(selected: SelectedRows) -> dict[str, pa.Array]:
    """All columns of the staged rows (n,), refused rows among them."""
    columns: dict[str, pa.Array] = {}
    for column in selected.table.columns:
        if column.name == "amount":
            columns |= build_money(selected)
        elif column.name != "currency":
            columns[column.name] = build_column(selected, column)

    times = build_times(selected)
    columns["event_us"] = times.event_us
    columns["available_us"] = times.available_us
    columns["line"] = pa.array(selected.lines)
    columns["extra"] = _number_extra(selected)

    columns["before"] = build_before(selected)
    columns[STAGE_NOW] = selected.text(STAGE_NOW)

    if selected.table.name == "leads":
        columns["from_us"] = earliest_moments(selected, times.event_us)
        for name in PERSONAL:
            hashes = selected.reader.personal.hash(name, selected.text(name))
            columns[f"{name}_hash"] = hashes
    return columns


def _number_extra(selected: SelectedRows) -> pa.Array:
    """A number (n,) for the selecting and translated columns, in which duplicates must agree."""
    entry = selected.entry
    names = {*entry.where, *entry.where_not, *entry.values}
    total = np.zeros(selected.texts.n, dtype=np.uint64)
    for name in sorted(names):
        words = selected.texts.words(name)
        hashes = hash_texts(words.texts)
        total = total * HASH_FACTOR + hashes[words.codes]
    return pa.array(total.view(np.int64))
