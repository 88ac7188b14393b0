"""What readers take and return: files, how a text file is written, and batches of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import MissingColumnsError, SourceFormatError

BATCH_ROWS = 100_000
HEADER_ROWS = 50  # after the first, among which a header is looked for
ABSENT = "\ue000"  # what a row ends before, among the malformed; no rule of the settings matches it
SOURCE, FILE, LINE = "_source", "_file", "_line"  # how views see where a row came from

FORMULA = '="'  # what a text begins with that a spreadsheet shall not take for a number


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
    skip: int = 0  # lines before the first row
    is_header_found: bool = False  # rather than in the first row, or where the settings say
    escapes_quotes: bool = False  # within values, by a backslash rather than by another quote
    doubt: str | None = None  # why the encoding, which was detected, may be another

    def __str__(self) -> str:
        quoting = f"quoted with {self.quote}" if self.quote else "no quotes"
        if self.escapes_quotes:
            quoting += f" (\\{self.quote} within values)"
        place = f"line {self.skip + 1}" if self.skip else "the first row"
        header = f"header in {place}" if self.header else "no header"
        return f"{self._encoding()}, {self.delimiter!r} between values, {quoting}, {header}"

    def doubt_in_words(self) -> str | None:
        """As what the text is read, and what may be wrong with that."""
        return f"it is read as {self._encoding()}, but {self.doubt}" if self.doubt else None

    def _encoding(self) -> str:
        return "UTF-8 with BOM" if self.encoding == "utf-8-sig" else self.encoding.upper()


@dataclass(frozen=True)
class Expected:
    """What the settings expect of a file.

    Attributes:
        columns: those that the mapping reads, and that views name.
        needed: those without which a row is damaged, rather than short of missing values at its
            end; None: no row may be short.
    """

    columns: frozenset[str] = frozenset()
    needed: frozenset[str] | None = None

    def find_header(self, rows: Iterable[tuple[int, Sequence[str]]]) -> int | None:
        """The number of the one row (number, values) that has all columns, if it is not the first.

        Where a report repeats it on every page, that is the first of them.
        """
        if not self.columns:
            return None
        wanted = {column.casefold() for column in self.columns}  # as SQL compares names
        fitting = []
        headers = set()
        for place, (number, values) in enumerate(rows):
            if wanted.issubset(value.strip().casefold() for value in values):
                if place == 0:
                    return None
                fitting.append(number)
                headers.add(tuple(values))
            if place == HEADER_ROWS:
                break
        return fitting[0] if len(headers) == 1 else None


NOTHING_EXPECTED = Expected()


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        lines: (n,) where each row begins, the header being line 1 (Parquet: the row's number;
            Excel: the sheet's row).
        columns: n rows, the columns asked for; all text without nulls: missing is "", and white
            space around a value is gone.
        malformed: rows without the header's number of values, as (line, what is wrong).
        malformed_texts: of these, what they have of the columns asked for, None where they end
            before; empty where no reader can tell.
        short: how many rows lacked values at their end, which count as missing.
        surplus: how many rows had empty values past the header's last column.
        header_line: where the header was found, if not in the first row and nobody said so.
        typed: the columns that the file stores as numbers, whose decimal mark is known.
        doubts: what to say of the whole file's values, which may not be what a person sees.
    """

    lines: np.ndarray
    columns: pa.Table
    malformed: list[tuple[int, str]] = field(default_factory=list)
    typed: frozenset[str] = frozenset()
    malformed_texts: list[list[str | None]] = field(default_factory=list)
    short: int = 0
    surplus: int = 0
    header_line: int | None = None
    doubts: tuple[str, ...] = ()

    def malformed_rows(self) -> Batch:
        """The malformed rows with what they have of the columns."""
        columns = {}
        for place, name in enumerate(self.columns.column_names):
            texts = [row[place] for row in self.malformed_texts]
            column = pa.array(texts, pa.string())
            columns[name] = column.fill_null(ABSENT)
        lines = np.arange(len(self.malformed))
        return Batch(lines, pa.table(columns))

    def without_malformed(self, left_out: Sequence[bool]) -> Batch:
        """The same without some of the malformed rows."""
        stays = [not is_out for is_out in left_out]
        return replace(
            self,
            malformed=list(compress(self.malformed, stays)),
            malformed_texts=list(compress(self.malformed_texts, stays)),
        )


def trim_columns(columns: Sequence[pa.Array | pa.ChunkedArray], names: Sequence[str]) -> pa.Table:
    """Text columns without the white space around their values, and without `="..."`."""
    trimmed = [pc.utf8_trim_whitespace(column) for column in columns]
    bare = [_without_formula(column) for column in trimmed]
    return pa.table(bare, names=list(names))


def _without_formula(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts of a column; programs write ="00012" so that a spreadsheet keeps 00012 as a text."""
    is_formula = pc.starts_with(column, FORMULA)
    if not pc.any(is_formula).as_py():
        return column
    return pc.replace_substring_regex(column, r'(?s)\A="([^"]*)"\z', r"\1")


def number_columns(width: int) -> list[str]:
    """The names of the columns of a file without a header: "1", "2", ..."""
    return [str(number) for number in range(1, width + 1)]


def pick_columns(
    file: SourceFile,
    names: Sequence[str],
    columns: Sequence[str],
    *,
    delimiter: str | None = None,
) -> list[int]:
    """Where each of `columns` stands among the `names` that the file has.

    Raises:
        MissingColumnsError: some are not there.
        SourceFormatError: one is there twice.
    """
    missing = [column for column in columns if column not in names]
    if missing:
        raise MissingColumnsError(
            file.source,
            file.name,
            missing=missing,
            available=names,
            delimiter=delimiter,
        )
    for name, count in Counter(names).items():
        if count > 1 and name in columns:
            raise file.refusal(
                f"has more than one column {name!r}: in the export, give one of them another name"
            )
    return [names.index(column) for column in columns]


def view_schema(columns: Sequence[str]) -> pa.Schema:
    """What a view sees of a source: its columns as text, then where each row came from."""
    names = (*columns, SOURCE, FILE)
    fields = [pa.field(name, pa.string()) for name in names]
    return pa.schema([*fields, pa.field(LINE, pa.int64())])
