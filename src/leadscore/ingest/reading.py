"""Reads one file: maps its rows batch by batch, accounts for each, and stores them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine import Engine
from leadscore.errors import DecimalMarkError
from leadscore.ingest.account import RowAccount
from leadscore.ingest.differences.source_text import (
    entries_of,
    keep_texts,
    keeps_text,
    named_once,
    text_rows,
    text_schema,
)
from leadscore.ingest.mapping.breaks import ROW_REJECTS
from leadscore.ingest.mapping.entries import Mapped, map_rows, staged_schema, table_of
from leadscore.ingest.mapping.numbers import detect_decimal
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.ingest.readers.background import BackgroundWriter, read_ahead
from leadscore.ingest.readers.sources import (
    Batch,
    Dialect,
    SourceFile,
    detect_dialect,
    read_file,
    read_names,
)
from leadscore.ingest.sorted_rows import keep_sorted
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.tables import TABLES

IGNORED = pa.schema([("lead_id", pa.string()), ("name", pa.string())])
TEXTS = "texts"  # the staged source text of leads, beside the tables


class FileReading:
    """A file while it is read: mapped rows wait on disk until they can be sorted."""

    def __init__(
        self, file: SourceFile, settings: Settings, *, staging: Path, personal: PersonalHash
    ) -> None:
        self.file = file
        self.settings = settings
        self.staging = staging
        self.personal = personal

        self.source = settings.sources[file.source]
        self.entries = [entry for entry in settings.mapping if entry.source == file.source]
        filled = {entry.table for entry in self.entries}
        self.tables = [name for name in TABLES if name in filled]

        self.account = RowAccount(file, self.entries, list(self.source.ignore))
        self.ignored_leads: list[pa.Table] = [IGNORED.empty_table()]
        self.stated_us: int | None = None
        self.text_columns: list[str] | None = None  # None: the text of this source is not kept

    def read(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """What the file gives, its rows stored at `folder`; see `read_part` for the keys."""
        dialect = detect_dialect(self.file, self.source)
        reader = self._stage_file(dialect)

        tables = {}
        for name in self.tables:
            path = self._path_of(name)
            rows = keep_sorted(
                name, path, self.file.source, self.settings, engine=engine, folder=folder
            )
            tables[name] = self.account.of_table(name) | rows

        rejects = pa.concat_tables([ROW_REJECTS.empty_table(), *self.account.rejects])
        ignored = pa.concat_tables(self.ignored_leads)
        ignored = ignored.group_by(IGNORED.names).aggregate([]).sort_by("lead_id")
        return {
            "dialect": _describe(dialect, reader),
            "account": self.account.to_json(),
            "tables": tables,
            "texts": self.keep_texts(engine, folder),
            "decimal": reader.decimal if reader else ".",
            "rejects": write_rows(folder, ROW_REJECTS, rejects.to_batches()),
            "stated_us": self.stated_us,
            "ignored_leads": write_rows(folder, IGNORED, ignored.to_batches()),
        }

    def _stage_file(self, dialect: Dialect | None) -> Reader | None:
        """Map all batches onto disk; returns how values are written, None if there are no rows."""
        columns = self._columns_to_read(dialect)
        batches = read_file(self.file, self.source, columns=columns, dialect=dialect)
        reader: Reader | None = None
        with ExitStack() as stack:
            writers = self._open_writers(stack)
            background = stack.enter_context(BackgroundWriter())
            for batch in read_ahead(batches):
                texts = Texts(batch)
                reader = reader or self._reader(texts, batch.typed)
                self._note_export_moment(texts, reader)
                for name, rows in self._map_batch(batch, texts, reader).items():
                    background.run(writers[name].write_table, rows)
        return reader

    def _columns_to_read(self, dialect: Dialect | None) -> list[str]:
        """The columns that settings name; of leads whose text is kept, all others as well."""
        named: set[str] = set()
        for entry in self.entries:
            named |= entry.sources()
        for match in self.source.ignore.values():
            named |= set(match)
        if self.source.known_until_column:
            named.add(self.source.known_until_column)

        if keeps_text(self.file.source, self.settings):
            names = read_names(self.file, self.source, dialect=dialect)
            self.text_columns = sorted(named.union(named_once(names)))
        return self.text_columns or sorted(named)

    def _open_writers(self, stack: ExitStack) -> dict[str, pq.ParquetWriter]:
        schemas: dict[str, pa.Schema] = {}
        for table in self.tables:
            schemas[table] = staged_schema(table, self.settings)
        if self.text_columns is not None:
            schemas[TEXTS] = text_schema(len(self.text_columns))

        writers: dict[str, pq.ParquetWriter] = {}
        for name, schema in schemas.items():
            writer = pq.ParquetWriter(self._path_of(name), schema, compression="lz4")
            writers[name] = stack.enter_context(writer)
        return writers

    def _path_of(self, name: str) -> Path:
        """Where a table's mapped rows wait."""
        return self.staging / f"{name}.parquet"

    def _reader(self, texts: Texts, typed: frozenset[str]) -> Reader:
        """How the file writes values; its first rows show the decimal mark if settings do not."""
        return Reader(
            source=self.file.source,
            file=self.file.name,
            zone=self.source.timezone or self.settings.timezone,
            dates=self.source.dates,
            decimal=self.source.decimal or self._detect_decimal(texts, typed) or ".",
            personal=self.personal,
            is_only_file=self.file.name == self.source.path.as_posix(),
        )

    def _detect_decimal(self, texts: Texts, typed: frozenset[str]) -> str | None:
        numbers: set[str] = set()
        for entry in self.entries:
            numbers.update(self._number_columns(entry))

        written = {name: texts.columns[name] for name in sorted(numbers - typed)}
        stored = {name: texts.columns[name] for name in sorted(numbers & typed)}
        try:
            return detect_decimal(written, typed=stored)
        except DecimalMarkError as e:
            raise self.file.refusal(str(e)) from e

    def _number_columns(self, entry: Mapping) -> list[str]:
        """The columns of the source that an entry reads numbers from."""
        table = table_of(entry.table, self.settings)
        numbers = {column.name for column in table.columns if column.type == "number"}
        return [source_column for name, source_column in entry.columns.items() if name in numbers]

    def _note_export_moment(self, texts: Texts, reader: Reader) -> None:
        """Keep the latest moment in `known_until_column`; a bare date counts as its 00:00."""
        column = self.source.known_until_column
        if column is None:
            return

        text = texts.columns[column]
        us, ok = reader.moments(text, column)
        unread = ~ok & ~is_missing(text)
        if unread.any():
            value = text.filter(pa.array(unread))[0].as_py()
            raise self.file.refusal(
                f"its known_until_column {column!r} holds {value!r}, which is no time"
            )
        if not ok.any():
            return

        begins = reader.day_begins(text, pa.array(us)).to_numpy()
        latest = int(begins[ok].max())
        self.stated_us = latest if self.stated_us is None else max(self.stated_us, latest)

    def _map_batch(self, batch: Batch, texts: Texts, reader: Reader) -> dict[str, pa.Table]:
        """The mapped rows of a batch by table; what becomes of every row is counted."""
        candidates = self._drop_ignored(texts)
        used = np.zeros(texts.n, dtype=bool)
        rows: dict[str, list[pa.Table]] = {}
        for entry in self.entries:
            chosen = candidates & texts.select(entry.where) & ~texts.any(entry.where_not)
            used |= chosen

            lines = batch.lines[chosen]
            chosen_texts = texts.take(chosen)
            mapped = map_rows(lines, chosen_texts, entry, self.settings, reader)
            self.account.add_mapped(entry.table, mapped)
            rows.setdefault(entry.table, []).append(mapped.rows)
            if entry.table == "leads" and self.text_columns is not None:
                lead_texts = self._lead_texts(entry, lines, chosen_texts, mapped)
                rows.setdefault(TEXTS, []).append(lead_texts)

        self.account.add_batch(batch, texts, candidates=candidates, used=used)
        return {name: pa.concat_tables(tables) for name, tables in rows.items()}

    def _drop_ignored(self, texts: Texts) -> np.ndarray:
        """Which rows (n,) no ignore rule of the source matches; a row counts for its first rule."""
        candidates = np.ones(texts.n, dtype=bool)
        for rule, match in self.source.ignore.items():
            matches = texts.select(match) & candidates
            candidates &= ~matches
            self.account.ignored_by[rule] += int(matches.sum())
            self._note_ignored_leads(rule, matches, texts)
        return candidates

    def _note_ignored_leads(self, rule: str, rows: np.ndarray, texts: Texts) -> None:
        """Keep the ids of leads whose row is ignored, to ignore their facts with them."""
        for entry in self.entries:
            if entry.table != "leads" or "lead_id" not in entry.columns:
                continue
            ids = texts.columns[entry.columns["lead_id"]]
            of_leads = rows & ~is_missing(ids)
            if self._is_log(entry):
                of_leads &= texts.select(entry.where)
            ignored = ids.filter(pa.array(of_leads)).unique()
            rules = pa.repeat(pa.scalar(rule), len(ignored))
            self.ignored_leads.append(pa.table([ignored, rules], schema=IGNORED))

    def _is_log(self, leads: Mapping) -> bool:
        """Whether the source mixes leads with events, and a column's values tell them apart."""
        for entry in self.entries:
            if entry.table in {"leads", "outcomes"}:
                continue
            for column in leads.where.keys() & entry.where.keys():
                if set(leads.where[column]).isdisjoint(entry.where[column]):
                    return True
        return False

    def _lead_texts(
        self, entry: Mapping, lines: np.ndarray, texts: Texts, mapped: Mapped
    ) -> pa.Table:
        place = entries_of(self.file.source, self.settings).index(entry)
        return text_rows(mapped.lead_ids, lines, place, texts, self.text_columns or [])

    def keep_texts(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """The source text of leads as an object of the store."""
        if self.text_columns is None:
            return {"columns": [], "is_hashed": False, "rows": 0, "files": []}
        return keep_texts(
            self._path_of(TEXTS),
            self.text_columns,
            self.file.source,
            settings=self.settings,
            engine=engine,
            folder=folder,
        )


def _describe(dialect: Dialect | None, reader: Reader | None) -> str | None:
    """How a text file is written, in words; None for other files, and for files without rows."""
    if dialect is None or reader is None:
        return None
    return f"{dialect}, {reader.decimal!r} before decimals"
