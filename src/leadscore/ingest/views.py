"""The rows of views, as parts: a part of a view depends on its SQL and on every file it reads.

A source that a view reads is staged as text in a temporary folder. The folder goes when the ingest
ends, since the text may be personal; so if one file changes, the others of its views are staged
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.engine import Engine
from leadscore.engine.closed import ClosedDatabase, Select, SelectError
from leadscore.errors import OF_VIEWS, MissingColumnsError, UserError
from leadscore.files import hash_bytes
from leadscore.ingest.part import Part, read_part, stage_text, stored_part
from leadscore.ingest.read_by_views import lacking_columns, select_of
from leadscore.ingest.readers.batch import (
    BATCH_ROWS,
    LINE,
    Batch,
    Dialect,
    SourceFile,
    pick_columns,
    trim_columns,
    view_schema,
)
from leadscore.ingest.readers.rows import rows_of
from leadscore.ingest.readers.values import format_values, has_text, is_number
from leadscore.json_files import canonical_json
from leadscore.progress import Progress
from leadscore.settings.base import hint
from leadscore.settings.settings import Settings


@dataclass(frozen=True)
class ViewPlan:
    """What a view reads: names of sources and earlier views, and all sources behind these."""

    name: str
    select: Select
    sources: frozenset[str]

    @property
    def file(self) -> SourceFile:
        """What messages and rejects call the view."""
        return SourceFile(self.name, Path(), f"view {self.name}")


def plan_views(settings: Settings) -> dict[str, ViewPlan]:
    """The views in the order of the settings, checked.

    Raises:
        UserError: a view is no SELECT that may run, reads what does not exist, or nothing reads a
            source.
    """
    plans: dict[str, ViewPlan] = {}
    for name in settings.views:
        select = select_of(name, settings)
        known = [*settings.sources, *plans]
        for table in sorted(select.tables):
            if table not in known:
                raise UserError(
                    f"views.{name}: no source or earlier view is called {table!r}"
                    f"{hint(table, known)}"
                )

        behind: set[str] = set()
        for table in select.tables:
            behind |= plans[table].sources if table in plans else {table}
        plans[name] = ViewPlan(name, select, frozenset(behind))
    _check_all_read(settings, plans)
    return plans


def _check_all_read(settings: Settings, plans: Mapping[str, ViewPlan]) -> None:
    """Refuse a source or a view that neither a mapping entry nor a view reads."""
    read = {entry.source for entry in settings.mapping}
    for plan in plans.values():
        read |= plan.select.tables
    for name in settings.origins():
        if name not in read:
            kind = "view" if name in plans else "source"
            readers = "mapping entry or view" if plans else "mapping entry"
            raise UserError(f"no {readers} reads the {kind} {name!r}")


@dataclass(frozen=True)
class ViewRunner:
    """Views and the staged text that they read.

    Attributes:
        settings: of the project.
        plans: the views.
        texts: where the text of a file is, or will be, staged.
        scratch: folder for other temporary files.
    """

    settings: Settings
    plans: dict[str, ViewPlan]
    texts: Mapping[SourceFile, Path]
    scratch: Path

    def with_earlier(self, chosen: Sequence[ViewPlan]) -> list[ViewPlan]:
        """These views and all that they read, in the order of the settings."""
        names = {plan.name for plan in chosen}
        for plan in reversed(self.plans.values()):
            if plan.name in names:
                names |= plan.select.tables
        plans = self.plans.values()
        return [plan for plan in plans if plan.name in names]

    def stage(self, needed: Sequence[ViewPlan], progress: Progress) -> dict[str, list[Path]]:
        """The staged text of all sources behind some views, by source."""
        behind = {source for plan in needed for source in plan.sources}
        tables: dict[str, list[Path]] = {}
        files = [file for file in self.texts if file.source in behind]
        for done, file in enumerate(files):
            path = self.texts[file]
            if not path.exists():
                progress(f"reading {file.name} for views", done, len(files))
                stage_text(rows_of(file, self.settings), self.settings, path)
            tables.setdefault(file.source, []).append(path)
        for source in behind - set(tables):
            tables[source] = [self._stage_nothing(source)]
        return tables

    def _stage_nothing(self, source: str) -> Path:
        """A file without rows, in the place of an optional source that has no file."""
        path = self.scratch / f"{source}.parquet"
        schema = view_schema(self.settings.sources[source].stated_columns())
        pq.write_table(schema.empty_table(), path)
        return path

    def run(self, database: ClosedDatabase, plan: ViewPlan) -> int:
        """Keep the rows of a view as a table; returns how many there are."""
        try:
            return database.add_result(plan.name, plan.select)
        except SelectError as e:
            self._check_columns(database, plan)
            raise UserError(f"views.{plan.name}: {e}") from e

    def _check_columns(self, database: ClosedDatabase, plan: ViewPlan) -> None:
        """Refuse a view that names a column which no file of a source has, or no earlier view."""
        for table in sorted(plan.select.tables):
            names = database.schema(table).names
            missing = lacking_columns(plan.name, table, names, self.settings)
            if missing:
                files = [file.name for file in self.texts if file.source == table]
                raise MissingColumnsError(
                    table,
                    files[0] if files else f"view {table}",
                    missing=missing,
                    available=[name for name in names if name not in OF_VIEWS],
                    delimiter=None,
                    purpose=f", which views.{plan.name} reads",
                )


@dataclass(frozen=True)
class ViewReading:
    """The views of an ingest whose sources have been read.

    Attributes:
        runner: runs them.
        parts: of the sources.
        engine: runs the SQL of parts.
        folder: the store.
    """

    runner: ViewRunner
    parts: Sequence[Part]
    engine: Engine
    folder: Path

    def read(self, progress: Progress) -> list[Part]:
        """The parts of all views that mapping entries read."""
        mapped = {entry.source for entry in self.runner.settings.mapping}
        present = {part["source"] for part in self.parts}
        wanted = []
        for plan in self.runner.plans.values():
            lacks_all = plan.sources and not plan.sources & present
            if plan.name in mapped and not lacks_all:
                wanted.append(plan)
        parts = {plan.name: self._stored(plan) for plan in wanted}
        missing = [plan for plan in wanted if parts[plan.name] is None]
        if missing:
            parts |= self._read_missing(missing, progress)
        return [part for part in parts.values() if part is not None]

    def _stored(self, plan: ViewPlan) -> Part | None:
        sha256 = self._sha256(plan)
        part = stored_part(plan.file, sha256, self.runner.settings, self.folder)
        return None if part is None else part | self._of_run(plan)

    def _sha256(self, plan: ViewPlan) -> str:
        """Stands for the content of the files behind a view."""
        behind = [part for part in self.parts if part["source"] in plan.sources]
        contents = [(part["source"], part["file"], part["sha256"]) for part in behind]
        contents.sort()
        return hash_bytes(canonical_json({"files": contents}))

    def _of_run(self, plan: ViewPlan) -> dict[str, int]:
        """The time of the stalest source behind a view, for it is no fresher."""
        newest: dict[str, int] = {}
        for part in self.parts:
            modified_us = part["modified_us"]
            earlier_us = newest.get(part["source"], modified_us)
            newest[part["source"]] = max(modified_us, earlier_us)
        behind = [newest[source] for source in plan.sources if source in newest]
        latest = min(behind) if behind else max(newest.values())
        return {"modified_us": latest}

    def _read_missing(self, missing: Sequence[ViewPlan], progress: Progress) -> dict[str, Part]:
        """Run the views whose rows the store has not, and those that they read."""
        needed = self.runner.with_earlier(missing)
        tables = self.runner.stage(needed, progress)
        counts: dict[str, dict[str, Any]] = {}
        parts = {}
        with ClosedDatabase(self.runner.settings.engine, tables) as database:
            for done, plan in enumerate(needed):
                progress(f"running view {plan.name}", done, len(needed))
                names = sorted(plan.select.tables)
                rows_in = {name: database.count(name) for name in names}
                rows = self.runner.run(database, plan)
                counts[plan.name] = {"rows_in": rows_in, "rows": rows}
                if plan in missing:
                    parts[plan.name] = self._read(plan, database, counts)
        return parts

    def _read(
        self,
        plan: ViewPlan,
        database: ClosedDatabase,
        counts: Mapping[str, dict[str, Any]],
    ) -> Part:
        """The part of a view that has run, with the counts of all views behind it."""
        behind = self.runner.with_earlier([plan])
        views = {view.name: counts[view.name] for view in behind}
        part = read_part(
            RowsOfView(plan.file, database),
            self._sha256(plan),
            self.runner.settings,
            engine=self.engine,
            folder=self.folder,
            about={"views": views},
        )
        return part | self._of_run(plan)


@dataclass(frozen=True)
class RowsOfView:
    """The rows of a view, as a reading takes them."""

    file: SourceFile
    database: ClosedDatabase

    def dialect(self) -> Dialect | None:
        """None: a view is no text file."""

    def names(self, _dialect: Dialect | None) -> list[str]:
        """The columns that can be read as text."""
        schema = self.database.schema(self.file.source)
        return [field.name for field in schema if has_text(field.type)]

    def batches(self, columns: Sequence[str], _dialect: Dialect | None) -> Iterator[Batch]:
        """The named columns, batch by batch; a row's line is `_line` if the view has it."""
        schema = self.database.schema(self.file.source)
        pick_columns(self.file, schema.names, columns)
        numeric = [field.name for field in schema if is_number(field.type)]
        typed = frozenset(numeric)
        has_line = LINE in schema.names and pa.types.is_integer(schema.field(LINE).type)

        number = 1
        for rows in self.database.stream(self.file.source, rows=BATCH_ROWS):
            numbers = np.arange(number, number + rows.num_rows)
            lines = _lines(rows.column(LINE), numbers) if has_line else numbers
            texts = [self._text(rows, name) for name in columns]
            yield Batch(lines, trim_columns(texts, columns), typed=typed)
            number += rows.num_rows

    def _text(self, rows: pa.RecordBatch, name: str) -> pa.Array:
        values = rows.column(name)
        try:
            return format_values(values)
        except pa.ArrowException as e:
            raise self.file.refusal(
                f"has a column {name!r} of {values.type}, which cannot be read as text; "
                "cast it to VARCHAR"
            ) from e


def _lines(lines: pa.Array, numbers: np.ndarray) -> np.ndarray:
    """The lines of rows (n,); a row without one has its number."""
    given = lines.cast(pa.int64())
    return np.asarray(pc.coalesce(given, pa.array(numbers)))
