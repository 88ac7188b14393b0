"""Reads one file: maps its rows batch by batch, accounts for each, and stores them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.background import BackgroundWriter, read_ahead, temporary_parquet
from leadscore.engine import Engine
from leadscore.ingest.account import RowAccount
from leadscore.ingest.differences.source_text import (
    entries_of,
    keep_texts,
    keeps_text,
    named_once,
    text_rows,
    text_schema,
)
from leadscore.ingest.file_notes import FileNotes, id_column_of
from leadscore.ingest.ignored_leads import IGNORED, IgnoredLeads
from leadscore.ingest.mapping.breaks import ROW_REJECTS
from leadscore.ingest.mapping.entries import Mapped, map_rows, staged_schema
from leadscore.ingest.mapping.export_times import latest_moment
from leadscore.ingest.mapping.one_row import RULE as KEEP
from leadscore.ingest.mapping.one_row import RowChoice
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.old_values import hint_at_old_values
from leadscore.ingest.read_by_views import sources_of_views
from leadscore.ingest.readers.batch import FILE, LINE, SOURCE, Batch, Dialect, view_schema
from leadscore.ingest.readers.rows import Rows
from leadscore.ingest.required import check_required
from leadscore.ingest.shown.rows import SHOWN_ROWS, shown_rows
from leadscore.ingest.sorted_rows import keep_sorted
from leadscore.ingest.spelling import Spelling, find_alike
from leadscore.ingest.text_for_views import text_for_views
from leadscore.ingest.value_format import ValueFormat
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.tables import TABLES

TEXTS = "texts"  # the staged source text of leads, beside the tables
SHOWN = "shown"  # what people see of leads, beside the tables
FOR_VIEWS = "for_views"  # the staged text of all rows, beside the tables
PLACE = (SOURCE, FILE, LINE)


class FileReading:
    """A file or a view while it is read: mapped rows wait on disk until they can be sorted.

    Args:
        rows: what is read.
        settings: of the project.
        staging: folder in which mapped rows wait.
        personal: hashes personal columns.
        view_text: where to write the text of all rows, for views; None for no text.
    """

    def __init__(
        self,
        rows: Rows,
        settings: Settings,
        *,
        staging: Path,
        personal: PersonalHash,
        view_text: Path | None = None,
    ) -> None:
        self.rows = rows
        self.file = rows.file
        self.settings = settings
        self.staging = staging
        self.view_text = view_text

        self.source = settings.origins()[self.file.source]
        self.entries = [entry for entry in settings.mapping if entry.source == self.file.source]
        filled = {entry.table for entry in self.entries}
        self.tables = [name for name in TABLES if name in filled]

        feeds_views = self.file.source in sources_of_views(settings)
        self.account = RowAccount(
            self.file,
            self.entries,
            list(self.source.ignore),
            feeds_views=feeds_views,
        )
        id_column = id_column_of(self.entries)
        self.notes = FileNotes(self.file.source, self.file.name, id_column)
        self.ignored_leads = IgnoredLeads(self.entries, self.source.id)
        self.format = ValueFormat(self.file, settings, self.entries, personal=personal)
        self.stated_us: int | None = None
        self.text_columns: list[str] | None = None  # None: the text of this source is not kept
        self.view_columns: list[str] = []
        self.lacking: set[str] = set()  # columns that the file may lack, and does
        self.spelling = Spelling()
        self.staying: np.ndarray | None = None  # rows yet to be read that `keep` allows
        self.shown_columns = settings.shown_columns(self.file.source)
        self.shown_path = staging / "shown.parquet"

    def read(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """What the file gives, its rows stored at `folder`; see `read_part` for the keys."""
        dialect = self.rows.dialect()
        self.notes.doubt = dialect.doubt_in_words() if dialect else None
        reader = self.stage(dialect)

        tables = {}
        for name in self.tables:
            path = self._path_of(name)
            rows = keep_sorted(
                name,
                path,
                self.file.source,
                self.settings,
                engine=engine,
                folder=folder,
            )
            tables[name] = self.account.of_table(name) | rows

        tables_of_rejects = [ROW_REJECTS.empty_table(), *self.account.rejects]
        rejects = pa.concat_tables(tables_of_rejects)
        ignored = self.ignored_leads.distinct()
        return {
            "dialect": _describe(dialect, reader),
            "account": self.account.to_json(),
            "tables": tables,
            "texts": self.keep_texts(engine, folder),
            "decimal": reader.decimal if reader else ".",
            "notes": self.notes.to_json(),
            "rejects": write_rows(folder, ROW_REJECTS, rejects.to_batches()),
            "stated_us": self.stated_us,
            "ignored_leads": write_rows(folder, IGNORED, ignored.to_batches()),
        }

    def stage(self, dialect: Dialect | None) -> Reader | None:
        """Map all batches onto disk; returns how values are written, None if there are no rows."""
        columns = self._columns_to_read(dialect)
        self.staying = self._choose_rows(columns, dialect)
        batches = self.rows.batches(self.spelling.to_file(columns), dialect)
        reader: Reader | None = None
        with ExitStack() as stack:
            writers = self._open_writers(stack)
            background = stack.enter_context(BackgroundWriter())
            for whole in map(self.spelling.rename, read_ahead(batches)):
                batch = self._drop_malformed(whole)
                self.notes.add_batch(batch)
                if not len(batch.lines) and not batch.malformed:
                    continue
                raw = Texts(batch, lacking=self.lacking)
                texts = raw.without(self.source.missing)
                reader = self.format.reader_of(texts, batch.typed, before=reader)
                self._note_export_moment(texts, reader)
                mapped = self._map_batch(batch, texts, raw, reader)
                for name, rows in mapped.items():
                    background.run(writers[name].write_table, rows)
        return reader

    def _choose_rows(self, columns: list[str], dialect: Dialect | None) -> np.ndarray | None:
        """Which rows of the file (n,) are used where `keep` allows one a lead; None without it."""
        if self.source.keep is None:
            return None
        choice = RowChoice(self.source, self.source.keep, self.entries)
        reader: Reader | None = None
        batches = self.rows.batches(self.spelling.to_file(columns), dialect)
        for batch in map(self.spelling.rename, batches):
            raw = Texts(batch, lacking=self.lacking)
            texts = raw.without(self.source.missing)
            reader = self.format.reader_of(texts, batch.typed, before=reader)
            choice.add(texts)
        return None if reader is None else choice.staying(reader)

    def _drop_others(self, candidates: np.ndarray) -> np.ndarray:
        """The candidates (n,) of the next batch without the rows that `keep` leaves out."""
        if self.staying is None:
            return candidates
        staying = self.staying[: len(candidates)]
        self.staying = self.staying[len(candidates) :]
        left_out = candidates & ~staying
        self.account.ignored_by[KEEP] += int(left_out.sum())
        left: np.ndarray = candidates & staying
        return left

    def _drop_malformed(self, batch: Batch) -> Batch:
        """The batch without the malformed rows that an ignore rule matches; these are counted."""
        if not batch.malformed_texts or not self.source.ignore:
            return batch
        rows = batch.malformed_rows()
        texts = Texts(rows, lacking=self.lacking).without(self.source.missing)
        stays = self._drop_ignored(texts)
        self.account.add_ignored(int((~stays).sum()))
        return batch.without_malformed((~stays).tolist())

    def _columns_to_read(self, dialect: Dialect | None) -> list[str]:
        """The columns that settings name; of leads whose text is kept, all others as well."""
        named = self.settings.columns_read(self.file.source)
        names: list[str] = []
        if self._reads_all():
            names = named_once(self.rows.names(dialect))
        self.spelling = Spelling.of(names, self.source.stated_columns())
        names = self.spelling.to_ours(names)
        check_required(self.file, self.source.required, names)
        self.lacking = self.source.may_lack().difference(names)
        self.notes.renamed = find_alike(self.lacking, names)
        self.notes.old_values = list(hint_at_old_values(self.entries, self.rows))

        if self.file.source in self.settings.views:
            named |= {FILE}.intersection(self.rows.names(dialect))
        if keeps_text(self.file.source, self.settings):
            shown = named.union(names)
            self.text_columns = sorted(shown - {*PLACE, *self.lacking})
        if self.view_text is not None:
            self.view_columns = [name for name in names if name not in PLACE]
            self.view_columns += sorted(self.lacking)
        return sorted(named.union(names) - self.lacking)

    def _reads_all(self) -> bool:
        """Whether more columns are needed than the settings name."""
        keeps = keeps_text(self.file.source, self.settings)
        return keeps or self.view_text is not None or bool(self.source.stated_columns())

    def _open_writers(self, stack: ExitStack) -> dict[str, pq.ParquetWriter]:
        schemas: dict[str, pa.Schema] = {}
        for table in self.tables:
            schemas[table] = staged_schema(table, self.settings)
        if self.text_columns is not None:
            schemas[TEXTS] = text_schema(len(self.text_columns))
        if self.view_text is not None:
            schemas[FOR_VIEWS] = view_schema(self.view_columns)
        if self.shown_columns:
            schemas[SHOWN] = SHOWN_ROWS

        writers: dict[str, pq.ParquetWriter] = {}
        for name, schema in schemas.items():
            path = self._path_of(name)
            file = temporary_parquet(path, schema, use_dictionary=False)
            writers[name] = stack.enter_context(file)
        return writers

    def _path_of(self, name: str) -> Path:
        """Where a table's mapped rows wait."""
        if name == FOR_VIEWS and self.view_text is not None:
            return self.view_text
        return self.staging / f"{name}.parquet"

    def _note_export_moment(self, texts: Texts, reader: Reader) -> None:
        """Keep the latest moment in `known_until_column`."""
        column = self.source.known_until_column
        if column is None:
            return
        latest = latest_moment(texts, column, reader, self.file)
        moments = [us for us in (self.stated_us, latest) if us is not None]
        self.stated_us = max(moments, default=None)

    def _map_batch(
        self,
        batch: Batch,
        texts: Texts,
        raw: Texts,
        reader: Reader,
    ) -> dict[str, pa.Table]:
        """The mapped rows of a batch by table; what becomes of every row is counted.

        `raw` are the texts with the words that stand for missing values.
        """
        self.notes.add_values(self.entries, [*self.source.ignore.values()], texts)
        candidates = self._drop_others(self._drop_ignored(texts))
        complete = self.account.reject_incomplete(batch, texts, candidates, self.source.required)
        used = np.zeros(texts.n, dtype=bool)
        rows: dict[str, list[pa.Table]] = {}
        if self.view_text is not None:
            left = batch.lines[complete]
            view_texts = texts.take(complete)
            rows[FOR_VIEWS] = [text_for_views(self.file, left, view_texts, self.view_columns)]
        for entry in self.entries:
            is_left_out = texts.any(entry.where_not)
            chosen = complete & texts.select(entry.where) & ~is_left_out
            used |= chosen

            lines = batch.lines[chosen]
            chosen_texts = texts.take(chosen)
            mapped = map_rows(lines, chosen_texts, entry, self.settings, reader)
            self.account.add_mapped(entry.table, mapped)
            self.notes.add_rejects(entry, chosen_texts, mapped.rejects)
            rows.setdefault(entry.table, []).append(mapped.rows)
            if entry.table == "leads" and self.text_columns is not None:
                lead_texts = self._lead_texts(entry, lines, raw.take(chosen), mapped)
                rows.setdefault(TEXTS, []).append(lead_texts)
            if entry.table == "leads" and self.shown_columns:
                shown = shown_rows(mapped.lead_ids, chosen_texts, self.shown_columns)
                rows.setdefault(SHOWN, []).append(shown)

        self.account.add_batch(batch, texts, candidates=candidates, complete=complete, used=used)
        return {name: pa.concat_tables(tables) for name, tables in rows.items()}

    def _drop_ignored(self, texts: Texts) -> np.ndarray:
        """Which rows (n,) no ignore rule of the source matches; a row counts for its first rule."""
        candidates = np.ones(texts.n, dtype=bool)
        for rule, match in self.source.ignore.items():
            matches = texts.select(match) & candidates
            candidates &= ~matches
            self.account.ignored_by[rule] += int(matches.sum())
            self.ignored_leads.add(rule, matches, texts)
        return candidates

    def _lead_texts(
        self,
        entry: Mapping,
        lines: np.ndarray,
        texts: Texts,
        mapped: Mapped,
    ) -> pa.Table:
        place = entries_of(self.file.source, self.settings).index(entry)
        columns = self.text_columns or []
        return text_rows(mapped.lead_ids, lines, place, texts, columns)

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
