"""Reads lists that people keep by hand, like the reps: small files, all their rows at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadscore.errors import MissingColumnsError
from leadscore.ingest.readers.batch import Batch, SourceFile
from leadscore.ingest.readers.sources import detect_dialect, find_files, read_file
from leadscore.settings.source import Source


@dataclass(frozen=True)
class ListRow:
    """A row of a list: its line in the file, and its values by column."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True)
class HandList:
    """All rows of a list, and the lines that cannot be read, as (line, what is wrong)."""

    file: SourceFile
    rows: list[ListRow]
    malformed: list[tuple[int, str]]


def read_hand_list(
    setting: str,
    path: Path,
    *,
    folder: Path,
    columns: Sequence[str],
    needed: Collection[str],
) -> HandList:
    """The list that a setting names, in the order of its file.

    The file may lack columns that are not `needed`.

    Raises:
        UserError: there is no such file.
        SourceFormatError: it cannot be read.
        MissingColumnsError: it lacks a column that is needed.
    """
    source = Source(path=path.as_posix())
    file = find_files(setting, source, folder=folder)[0]
    rows = []
    malformed = []
    for batch in _read_batches(file, source, columns, needed):
        malformed += batch.malformed
        values = batch.columns.to_pylist()
        for line, row in zip(batch.lines.tolist(), values, strict=True):
            rows.append(ListRow(line, row))
    return HandList(file, rows, malformed)


def _read_batches(
    file: SourceFile,
    source: Source,
    columns: Sequence[str],
    needed: Collection[str],
) -> list[Batch]:
    dialect = detect_dialect(file, source)
    try:
        return list(read_file(file, source, columns=columns, dialect=dialect))
    except MissingColumnsError as e:
        if set(needed) & set(e.missing):
            raise
        present = [name for name in columns if name not in e.missing]
        return list(read_file(file, source, columns=present, dialect=dialect))
