"""What an ingest begins with: the version before, and what every file gives."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from leadscore.engine import Engine
from leadscore.errors import (
    CorruptFileError,
    CorruptPointerError,
    NoStoreError,
    SourceFormatError,
)
from leadscore.ingest.differences.file_times import read_modified
from leadscore.ingest.part import Part, read_part
from leadscore.ingest.readers.sources import SourceFile, find_files
from leadscore.progress import Progress
from leadscore.settings.settings import Settings
from leadscore.store.version import BESIDE, StoreVersion, read_current

logger = logging.getLogger(__name__)


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


def read_parts(settings: Settings, engine: Engine, folder: Path, progress: Progress) -> list[Part]:
    """What every file of every source gives, read now or kept from an earlier ingest.

    Raises:
        SourceFormatError: a source is empty, or has several files but is ordered by line.
        UserError: a source is missing or cannot be read.
    """
    files: list[SourceFile] = []
    for name, source in settings.sources.items():
        of_source = find_files(name, source, folder=settings.input_folder)
        _check_line_order(name, of_source, settings)
        files += of_source

    parts = []
    for done, file in enumerate(files):
        progress(f"reading {file.name}", done, len(files))
        # Its time before its bytes: a file that is written meanwhile looks older, not newer.
        modified_us = read_modified(file.path)
        part = read_part(file, settings, engine=engine, folder=folder)
        parts.append(part | {"modified_us": modified_us})
    _check_not_empty(parts, settings)
    return parts


def _check_line_order(name: str, files: Collection[SourceFile], settings: Settings) -> None:
    """Refuse several files of a source whose order is that of its lines."""
    if len(files) > 1 and settings.ordered_by_line(name):
        problem = (
            f"has {len(files)} files, whose lines have no common order; map a column to sequence"
        )
        raise SourceFormatError(name, str(settings.sources[name].path), problem)


def _check_not_empty(parts: list[Part], settings: Settings) -> None:
    rows = dict.fromkeys(settings.sources, 0)
    for part in parts:
        rows[part["source"]] += part["account"]["read"]
    for name, source in settings.sources.items():
        if not rows[name]:
            raise SourceFormatError(name, str(source.path), "has a header but no rows")
