"""Reads exported files in batches, each row with the line it stands on; what cannot be read is said in words."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.config import Source
from leadscore.errors import MissingColumnsError, SourceFormatError, SourceMissingError

BATCH_ROWS = 100_000
PARQUET_MAGIC = b"PAR1"
MAGICS = {
    PARQUET_MAGIC: "Parquet",
    b"PK\x03\x04": "a ZIP or an Excel workbook",
    b"\x1f\x8b": "gzip",
    b"%PDF": "PDF",
}


BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True)
class Batch:
    """Some rows of a source.

    `lines` (n,) is where each row begins in the file, the header being line 1 (Parquet: the row's number).
    `frame` (n rows) holds the columns asked for: text from CSV, typed from Parquet; missing is None or "".
    `malformed` are rows that do not have the header's number of values, as (line, what is wrong).
    """

    lines: np.ndarray
    frame: pd.DataFrame
    malformed: list[tuple[int, str]] = field(default_factory=list)


def read_source(name: str, source: Source, *, folder: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a source file, batch by batch.

    Raises:
        SourceMissingError: there is no such file.
        SourceFormatError: it is empty, not UTF-8, not what its ending says, or its quotes never close.
        MissingColumnsError: it has not all the columns.
    """
    path = folder / source.path
    if not path.is_file():
        raise SourceMissingError(name, path)
    packed = path.name.lower().endswith(".csv.gz")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(4096)
    except BROKEN_GZIP as e:
        raise SourceFormatError(name, path, f"is no whole gzip file: {e}") from e
    except OSError as e:
        raise SourceFormatError(name, path, f"cannot be read: {e.strerror}") from e
    if not head.strip():
        raise SourceFormatError(name, path, "is empty")
    kind = next((kind for magic, kind in MAGICS.items() if head.startswith(magic)), None)
    suffix = ".csv" if packed else path.suffix.lower()
    if suffix == ".parquet":
        if kind != "Parquet":
            raise SourceFormatError(name, path, f"ends in .parquet but holds {kind or 'something else'}")
        return _read_parquet(name, path, columns)
    if suffix != ".csv":
        raise SourceFormatError(name, path, "must end in .csv, .csv.gz or .parquet")
    if kind or b"\0" in head:
        raise SourceFormatError(name, path, f"ends in .csv but holds {kind or 'binary data or UTF-16 text'}")
    return _read_csv(name, path, columns, source.delimiter)


def _read_csv(name: str, path: Path, columns: Sequence[str], delimiter: str) -> Iterator[Batch]:
    file_open = gzip.open if path.suffix.lower() == ".gz" else open
    with file_open(path, "rt", encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        begin = 1
        try:
            header = next((row for row in reader if row), None)
            if header is None:
                raise SourceFormatError(name, path, "is empty")
            picks = _pick(name, path, columns, header, delimiter)
            rows: list[list[str]] = []
            lines: list[int] = []
            malformed: list[tuple[int, str]] = []
            begin = reader.line_num + 1
            for row in reader:
                if len(row) == len(header):
                    rows.append([row[i] for i in picks])
                    lines.append(begin)
                elif row:  # a blank line is no row
                    malformed.append((begin, f"{len(row)} values, the header has {len(header)}"))
                begin = reader.line_num + 1
                if len(rows) + len(malformed) >= BATCH_ROWS:
                    yield _batch(lines, rows, columns, malformed)
                    rows, lines, malformed = [], [], []
            yield _batch(lines, rows, columns, malformed)
        except BROKEN_GZIP as e:
            raise SourceFormatError(name, path, f"is no whole gzip file (near line {reader.line_num + 1}): {e}") from e
        except UnicodeDecodeError as e:
            raise SourceFormatError(name, path, f"is not UTF-8 text (near line {reader.line_num + 1})") from e
        except csv.Error as e:
            problem = f"cannot be read as CSV from line {begin} on: {e}; does a quote never close?"
            raise SourceFormatError(name, path, problem) from e


def _batch(lines: list[int], rows: list[list[str]], columns: Sequence[str], malformed: list[tuple[int, str]]) -> Batch:
    frame = pd.DataFrame(rows, columns=list(columns), dtype="str")
    return Batch(np.array(lines, dtype=np.int64), frame, malformed)


def _read_parquet(name: str, path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    try:
        file = pq.ParquetFile(path)
        _pick(name, path, columns, file.schema_arrow.names, None)
        begin = 1
        for batch in file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
            frame = batch.to_pandas(types_mapper=pd.ArrowDtype)[list(columns)]
            yield Batch(np.arange(begin, begin + len(frame)), frame)
            begin += len(frame)
    except (pa.ArrowException, OSError) as e:
        raise SourceFormatError(name, path, f"cannot be read as Parquet: {e}") from e


def _pick(name: str, path: Path, columns: Sequence[str], header: list[str], delimiter: str | None) -> list[int]:
    """Where each of `columns` stands in the header."""
    if missing := [column for column in columns if column not in header]:
        raise MissingColumnsError(name, path, missing=missing, available=header, delimiter=delimiter)
    if twice := [column for column, n in Counter(header).items() if n > 1 and column in columns]:
        raise SourceFormatError(name, path, f"has more than one column {twice[0]!r}")
    return [header.index(column) for column in columns]
