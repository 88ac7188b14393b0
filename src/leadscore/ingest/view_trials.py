"""Views run outside an ingest: over the files without storing anything, over other rows, or without any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine.closed import ClosedDatabase, read_select
from leadscore.ingest.readers.batch import SourceFile, view_schema
from leadscore.ingest.readers.extract import extract_rows
from leadscore.ingest.readers.query import Query
from leadscore.ingest.readers.sources import find_files
from leadscore.ingest.views import RowsOfView, ViewRunner, plan_views
from leadscore.locks import scratch
from leadscore.progress import silent
from leadscore.settings.engine import EngineSettings
from leadscore.settings.settings import Settings


def check_views(settings: Settings, columns: Mapping[str, Sequence[str]]) -> None:
    """Run all views over sources without rows.

    Args:
        settings: with the views.
        columns: of the files of each source that has some.

    Raises:
        MissingColumnsError: a view cannot do without a column that no file has.
        UserError: a view is refused or fails.
    """
    plans = plan_views(settings)
    with scratch() as folder:
        tables: dict[str, list[Path]] = {}
        for name, source in settings.sources.items():
            names = {column.casefold(): column for column in source.stated_columns()}
            names |= {column.casefold(): column for column in columns.get(name, ())}
            path = folder / f"{name}.parquet"
            pq.write_table(view_schema(list(names.values())).empty_table(), path)
            tables[name] = [path]
        runner = ViewRunner(settings, plans, {}, folder)
        with ClosedDatabase(settings.engine, tables) as database:
            for plan in plans.values():
                runner.run(database, plan)


def preview_view(settings: Settings, name: str, columns: Sequence[str]) -> pa.Table:
    """The text of some columns of a view, run over all files and stored nowhere.

    Raises:
        UserError: a source has no file, or a view is refused or fails.
    """
    plans = plan_views(settings)
    with scratch() as folder:
        texts: dict[SourceFile, Path] = {}
        for source in sorted(plans[name].sources):
            for file in _fetch_files(source, settings, folder):
                texts[file] = folder / f"{len(texts)}.parquet"
        runner = ViewRunner(settings, plans, texts, folder)
        needed = runner.with_earlier([plans[name]])
        with ClosedDatabase(settings.engine, runner.stage(needed, silent)) as database:
            for plan in needed:
                runner.run(database, plan)
            rows = RowsOfView(plans[name].file, database)
            batches = [batch.columns for batch in rows.batches(columns, None)]
    fields = [(column, pa.string()) for column in columns]
    schema = pa.schema(fields)
    return pa.concat_tables([schema.empty_table(), *batches])


def run_select(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of a SELECT over tables, in the database that runs views.

    Raises:
        SelectError: it fails, or takes too long.
    """
    with scratch() as folder:
        paths = {}
        for name, rows in tables.items():
            paths[name] = [folder / f"{name}.parquet"]
            pq.write_table(rows, paths[name][0])
        with ClosedDatabase(EngineSettings(), paths) as database:
            select = read_select(sql)
            n = database.add_result("result_of_trial", select)
            batches = database.stream("result_of_trial", rows=max(n, 1))
            return pa.Table.from_batches(batches, schema=database.schema("result_of_trial"))


def _fetch_files(name: str, settings: Settings, folder: Path) -> list[SourceFile]:
    """The files of a source; what a database answers is kept in one, in a folder."""
    source = settings.sources[name]
    if not source.is_query:
        return find_files(name, source, folder=settings.input_folder)
    query = Query(name, source, settings.engine)
    file = SourceFile(name, folder / f"answer-{name}.parquet", query.name)
    extract_rows(query, file.path)
    return [file]
