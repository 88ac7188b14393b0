"""What the readers take and give: a file of a source, how a text file is written, and some of its rows."""

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
    """A file of a source; messages, rejects and manifests call it by `name`, its path below the input folder."""

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

    `lines` (n,) is where each row begins, the header being line 1 (Parquet: the row's number; Excel: the sheet's row).
    `columns` (n rows) are the columns asked for, all text without nulls: missing is "", and white space around a
    value is gone. `malformed` are rows without the header's number of values, as (line, what is wrong). `typed` names
    the columns that the file stores as numbers, so that nobody need guess their decimal mark.
    """

    lines: np.ndarray
    columns: pa.Table
    malformed: list[tuple[int, str]] = field(default_factory=list)
    typed: frozenset[str] = frozenset()


def trim_columns(columns: Sequence[pa.Array | pa.ChunkedArray], names: Sequence[str]) -> pa.Table:
    """Text columns without the white space around their values."""
    return pa.table([pc.utf8_trim_whitespace(column) for column in columns], names=list(names))


def number_columns(width: int) -> list[str]:
    """The names of the columns of a file without a header: "1", "2", ..."""
    return [str(i + 1) for i in range(width)]


def pick_columns(
    file: SourceFile, names: Sequence[str], columns: Sequence[str], *, delimiter: str | None = None
) -> list[int]:
    """Where each of `columns` stands among the `names` that the file has.

    Raises:
        MissingColumnsError: some are not there.
        SourceFormatError: one is there twice.
    """
    if missing := [column for column in columns if column not in names]:
        raise MissingColumnsError(
            file.source, file.name, missing=missing, available=names, delimiter=delimiter
        )
    if twice := [column for column, n in Counter(names).items() if n > 1 and column in columns]:
        raise file.refusal(f"has more than one column {twice[0]!r}")
    return [names.index(column) for column in columns]
