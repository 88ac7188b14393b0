"""What readers take and return: files, how a text file is written, and batches of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import MissingColumnsError, SourceFormatError

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class SourceFile:
    """A file of a source; messages, rejects and manifests show its `name`, the relative path."""

    source: str
    path: Path
    name: str

    def refusal(self, problem: str) -> SourceFormatError:
        """The error to raise where the file cannot be read."""
        return SourceFormatError(self.source, self.name, problem)


@dataclass(frozen=True)
class Dialect:
    """How a text file is written: as the settings state it, else as detected.

    >>> print(Dialect(encoding="utf-8", delimiter=";", quote='"', header=True))
    UTF-8, ';' between values, quoted with ", header in the first row
    """

    encoding: str
    delimiter: str
    quote: str | None
    header: bool

    def __str__(self) -> str:
        encoding = "UTF-8 with BOM" if self.encoding == "utf-8-sig" else self.encoding.upper()
        quoting = f"quoted with {self.quote}" if self.quote else "no quotes"
        header = "header in the first row" if self.header else "no header"
        return f"{encoding}, {self.delimiter!r} between values, {quoting}, {header}"


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        lines: (n,) where each row begins, the header being line 1 (Parquet: the row's number;
            Excel: the sheet's row).
        columns: n rows, the columns asked for; all text without nulls: missing is "", and white
            space around a value is gone.
        malformed: rows without the header's number of values, as (line, what is wrong).
        typed: the columns that the file stores as numbers, whose decimal mark is known.
    """

    lines: np.ndarray
    columns: pa.Table
    malformed: list[tuple[int, str]] = field(default_factory=list)
    typed: frozenset[str] = frozenset()


def trim_columns(columns: Sequence[pa.Array | pa.ChunkedArray], names: Sequence[str]) -> pa.Table:
    """Text columns without the white space around their values."""
    trimmed = [pc.utf8_trim_whitespace(column) for column in columns]
    return pa.table(trimmed, names=list(names))


def number_columns(width: int) -> list[str]:
    """The names of the columns of a file without a header: "1", "2", ..."""
    return [str(number) for number in range(1, width + 1)]


def pick_columns(
    file: SourceFile, names: Sequence[str], columns: Sequence[str], *, delimiter: str | None = None
) -> list[int]:
    """Where each of `columns` stands among the `names` that the file has.

    Raises:
        MissingColumnsError: some are not there.
        SourceFormatError: one is there twice.
    """
    missing = [column for column in columns if column not in names]
    if missing:
        raise MissingColumnsError(
            file.source, file.name, missing=missing, available=names, delimiter=delimiter
        )
    for name, count in Counter(names).items():
        if count > 1 and name in columns:
            raise file.refusal(f"has more than one column {name!r}")
    return [names.index(column) for column in columns]
