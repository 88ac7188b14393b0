"""What an ingest begins with: the version before, and what every file gives."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from leadscore.engine import Engine
from leadscore.errors import CorruptFileError, CorruptPointerError, NoStoreError, SourceFormatError
from leadscore.ingest.databases import plan_databases
from leadscore.ingest.differences.file_times import read_modified
from leadscore.ingest.part import Part, part_of_file
from leadscore.ingest.readers.sources import SourceFile, find_files
from leadscore.ingest.remote_files import plan_remote_files
from leadscore.ingest.views import ViewReading, ViewRunner, plan_views
from leadscore.locks import scratch
from leadscore.progress import Progress
from leadscore.settings.settings import Settings
from leadscore.store.version import BESIDE, StoreVersion, read_current

logger = logging.getLogger(__name__)


class Elsewhere(Protocol):
    """Rows that are not on this machine: a file of another storage, or what a database answers."""

    def file_in(self, folder: Path) -> SourceFile:
        """The file in a folder into which the rows will be copied."""

    def read(
        self,
        file: SourceFile,
        settings: Settings,
        *,
        engine: Engine,
        folder: Path,
        view_text: Path | None,
    ) -> list[Part]:
        """Copy the rows into the file, and return what they give."""


def read_before(folder: Path, *, project: str, forget_damaged: bool) -> StoreVersion | None:
    """The current version, its facts checked, or None if there is none yet.

    Raises:
        CorruptFileError: it is damaged; with `forget_damaged` it counts as absent instead.
    """
    try:
        before = read_current(folder, project=project)
        for name in (*before.manifest["tables"], *BESIDE):
            if name != "rejects":  # the one part of a version that no later ingest reads
                before.files(name)
    except NoStoreError:
        return None
    except (CorruptFileError, CorruptPointerError) as e:
        if not forget_damaged:
            raise
        logger.warning("the version before counts as absent: %s", e)
        return None
    return before


def read_parts(
    settings: Settings,
    engine: Engine,
    folder: Path,
    progress: Progress,
    *,
    before: StoreVersion | None,
) -> list[Part]:
    """What every file of every source and every view gives, read now or kept from an earlier ingest.

    A database source with a cursor goes on from the version `before`.

    Raises:
        SourceFormatError: a source is empty, or has several files but is ordered by line.
        UserError: a source is missing or cannot be read, or a view is refused or fails.
    """
    plans = plan_views(settings)
    read_by_views = {source for plan in plans.values() for source in plan.sources}
    local = _find_local_files(settings)
    elsewhere: list[Elsewhere] = _find_remote_files(settings)
    elsewhere += plan_databases(settings, before, folder, read_by_views=read_by_views)
    with scratch() as staging:
        fetched = {origin.file_in(staging): origin for origin in elsewhere}
        files = [*local, *fetched]
        texts = {}
        for number, file in enumerate(files):
            if file.source in read_by_views:
                texts[file] = staging / f"{number}.parquet"
        parts = []
        for done, file in enumerate(files):
            progress(f"reading {file.name}", done, len(files))
            read = fetched[file].read if file in fetched else _read_local
            parts += read(file, settings, engine=engine, folder=folder, view_text=texts.get(file))
        _check_not_empty(parts, settings)
        views = ViewReading(ViewRunner(settings, plans, texts, staging), parts, engine, folder)
        return parts + views.read(progress)


def _find_local_files(settings: Settings) -> list[SourceFile]:
    files = []
    for name, source in settings.sources.items():
        of_source = find_files(name, source, folder=settings.input_folder)
        _check_line_order(name, len(of_source), settings)
        files += of_source
    return files


def _find_remote_files(settings: Settings) -> list[Elsewhere]:
    files: list[Elsewhere] = []
    for name in settings.sources:
        of_source = plan_remote_files(name, settings)
        _check_line_order(name, len(of_source), settings)
        files += of_source
    return files


def _read_local(
    file: SourceFile,
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
    view_text: Path | None,
) -> list[Part]:
    # Its time before its bytes: a file that is written meanwhile looks older, not newer.
    modified_us = read_modified(file.path)
    part = part_of_file(file, settings, engine=engine, folder=folder, view_text=view_text)
    return [part | {"modified_us": modified_us}]


def _check_line_order(name: str, files: int, settings: Settings) -> None:
    """Refuse several files of a source whose order is that of its lines."""
    if files > 1 and settings.ordered_by_line(name):
        problem = f"has {files} files, whose lines have no common order; map a column to sequence"
        raise SourceFormatError(name, settings.sources[name].place(), problem)


def _check_not_empty(parts: list[Part], settings: Settings) -> None:
    rows = {name: 0 for name, source in settings.sources.items() if source.optional is None}
    for part in parts:
        if part["source"] in rows:
            rows[part["source"]] += part["account"]["read"]
    for name, read in rows.items():
        if not read:
            source = settings.sources[name]
            problem = "gives no rows" if source.is_query else "has a header but no rows"
            raise SourceFormatError(name, source.place(), problem)
