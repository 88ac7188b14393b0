"""Finds the files of a source, and reads text, JSON Lines, workbooks and Parquet alike."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path, PurePath

from leadscore.errors import UserError
from leadscore.files import list_below
from leadscore.ingest.readers.batch import NOTHING_EXPECTED, Batch, Dialect, Expected, SourceFile
from leadscore.ingest.readers.csv_text import read_csv, read_csv_names
from leadscore.ingest.readers.dialect import detect_text
from leadscore.ingest.readers.json_lines import read_json_lines, read_json_names
from leadscore.ingest.readers.parquet import read_parquet, read_parquet_names
from leadscore.ingest.readers.text import read_bytes
from leadscore.ingest.readers.workbook import read_workbook, read_workbook_names
from leadscore.settings.source import Source
from leadscore.wording import listed

__all__ = [
    "Batch",
    "Dialect",
    "Expected",
    "SourceFile",
    "detect_dialect",
    "find_files",
    "is_export",
    "read_file",
    "read_names",
]

TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
ENDINGS = (*TEXT, *JSON_LINES, ".xlsx", ".parquet")
PLAIN = ".txt"  # of tables as well, but a folder may hold notes that end so
MAGICS = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a ZIP or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old or encrypted Office file",
    b"\x1f\x8b": "gzip",
    b"%PDF": "PDF",
}
EXPECTED = {".parquet": "Parquet", ".xlsx": "a ZIP or an Excel workbook"}
RECURSIVE = "**"
HIDDEN = (".", "_")  # programs that write many files put notes beside them, like _SUCCESS


def find_files(name: str, source: Source, *, folder: Path) -> list[SourceFile]:
    """The files of a source, by name: one, those that match a pattern, or those in a folder.

    A source that a database answers, or that is in another storage, has none.

    Raises:
        UserError: there is none, and the source is not optional.
    """
    if source.path is None or source.is_remote:
        return []
    path = folder / source.path
    wanted = "file"
    if path.is_file():
        paths = [path]
    elif path.is_dir():
        wanted = f"file that ends in {listed(ENDINGS)} in the folder"
        paths = [file for file in list_below(path) if is_export(file.relative_to(path))]
    elif glob.has_magic(source.path):
        wanted = "file that matches"
        paths = _match_files(PurePath(source.path), folder)
    else:
        paths = []
    if not paths and source.optional is None:
        raise UserError(
            f"source {name!r}: there is no {wanted} {path}; "
            "check `path` and `input_folder` in the settings, or give the folder with --data"
        )

    files = [SourceFile(name, path, _name(path, folder)) for path in paths]
    return sorted(files, key=lambda file: file.name)


def _match_files(pattern: PurePath, folder: Path) -> list[Path]:
    """The files in a folder that a pattern matches."""
    if RECURSIVE in str(pattern):
        list_below(folder / _before_wildcards(pattern))  # glob passes over what may not be read
    matches = glob.glob(str(pattern), root_dir=folder, recursive=True)  # noqa: PTH207 (Path's is relative only)
    paths = [folder / match for match in matches]
    return [path for path in paths if path.is_file()]


def _before_wildcards(path: PurePath) -> PurePath:
    """The folders that a pattern names before it begins to match."""
    named = takewhile(lambda part: not glob.has_magic(part), path.parts)
    return PurePath(*named)


def is_export(path: PurePath) -> bool:
    """Whether a file of a folder is meant to be read."""
    is_hidden = any(part.startswith(HIDDEN) for part in path.parts)
    return path.name.lower().endswith(ENDINGS) and not is_hidden


def _name(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return path.as_posix()


def detect_dialect(
    file: SourceFile,
    source: Source,
    expected: Expected = NOTHING_EXPECTED,
) -> Dialect | None:
    """How a text file is written; None for JSON Lines, Parquet and Excel.

    Raises:
        SourceFormatError: it is empty, cannot be read, or not what its ending says.
    """
    is_text = _ending(file) in (*TEXT, PLAIN)
    return detect_text(file, source, expected) if is_text else None


def read_names(
    file: SourceFile,
    source: Source,
    *,
    dialect: Dialect | None,
    expected: Expected = NOTHING_EXPECTED,
) -> list[str]:
    """The names of all columns of a file that can be read as text."""
    if dialect is not None:
        return read_csv_names(file, dialect=dialect)
    ending = _ending(file)
    if ending in JSON_LINES:
        return read_json_names(file, source)
    if ending == ".xlsx":
        return read_workbook_names(file, source, expected)
    return read_parquet_names(file)


def read_file(
    file: SourceFile,
    source: Source,
    *,
    columns: Sequence[str],
    dialect: Dialect | None,
    expected: Expected = NOTHING_EXPECTED,
) -> Iterator[Batch]:
    """The named columns of a file, batch by batch; `dialect` as `detect_dialect` gives it.

    Raises:
        SourceFormatError: it cannot be read as what its ending says.
        MissingColumnsError: it has not all the columns.
    """
    if dialect is not None:
        return read_csv(file, columns=columns, dialect=dialect, needed=expected.needed)
    ending = _ending(file)
    if ending in JSON_LINES:
        return read_json_lines(file, source, columns=columns)
    if ending == ".xlsx":
        return read_workbook(file, source, columns=columns, expected=expected)
    return read_parquet(file, columns=columns)


def _ending(file: SourceFile) -> str:
    """The ending of a file, if its first bytes are of that format."""
    name = file.name.lower()
    ending = next((ending for ending in (*ENDINGS, PLAIN) if name.endswith(ending)), None)
    if ending is None:
        raise file.refusal(f"must end in {listed(ENDINGS)}")

    head = next(read_bytes(file, size=4096), b"")
    if not head.strip():
        raise file.refusal("is empty")
    kinds = (kind for magic, kind in MAGICS.items() if head.startswith(magic))
    kind = next(kinds, None)
    if kind != EXPECTED.get(ending):
        raise file.refusal(f"ends in {ending} but holds {kind or 'something else'}")
    return ending
