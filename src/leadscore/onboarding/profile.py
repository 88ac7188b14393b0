"""What the columns of a file hold, from its first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import DecimalMarkError
from leadscore.ingest.file_notes import MISSING_WORDS
from leadscore.ingest.mapping.moments import read_moments
from leadscore.ingest.mapping.numbers import detect_decimal, read_money, read_numbers
from leadscore.ingest.mapping.personal import looks_personal
from leadscore.ingest.mapping.words import is_missing, narrow
from leadscore.ingest.readers.batch import Batch, SourceFile
from leadscore.ingest.readers.rows import Rows
from leadscore.onboarding.date_forms import find_date_form
from leadscore.onboarding.strays import find_headers, find_sparse
from leadscore.settings.id_kinds import ID_KINDS, IdKind, canonical_id

SAMPLE_ROWS = 200_000
SHOWN = 2_000  # distinct values by which a column is judged
MOSTLY = 0.98
NOWHERE = np.iinfo(np.int64).min  # the moment of a row without one
FIRST = 20  # values that show which kind of id a column holds
LONG_TEXT = 60  # characters: longer values are prose


@dataclass(frozen=True)
class Column:
    """A column of a file: its name and the text of its first rows, "" where missing."""

    name: str
    text: pa.Array
    is_stored_number: bool = False

    @cached_property
    def values(self) -> Counter[str]:
        """How often each value occurs, without the missing."""
        counts = Counter(self.text.to_pylist())
        counts.pop("", None)
        return counts

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return len(self.text)

    @property
    def filled(self) -> int:
        """How many of them have a value."""
        return sum(self.values.values())

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value, and no two the same."""
        return self.rows > 0 and len(self.values) == self.rows

    @property
    def says_who(self) -> bool:
        """Whether most rows have a value, and no two the same: a name, and no number."""
        is_distinct = len(self.values) == self.filled
        return is_distinct and 2 * self.filled > self.rows and not self.is_plain_number

    @cached_property
    def spellings(self) -> dict[IdKind, frozenset[str]]:
        """Its values in one spelling, for each kind of id that the first of them all are."""
        first = list(self.values)[:FIRST]
        spellings: dict[IdKind, frozenset[str]] = {}
        for kind in ID_KINDS:
            if first and all(canonical_id(value, kind) is not None for value in first):
                ids = {canonical_id(value, kind) or value for value in self.values}
                spellings[kind] = frozenset(ids)
        return spellings

    @property
    def is_prose(self) -> bool:
        """Whether values are long texts."""
        lengths = [len(value) for value in self._some_values]
        return bool(lengths) and float(np.mean(lengths)) > LONG_TEXT

    @property
    def _some_values(self) -> list[str]:
        """The distinct values by which it is judged."""
        return list(self.values)[:SHOWN]

    @property
    def _some_texts(self) -> pa.Array:
        """The same as an array."""
        return pa.array(self._some_values, pa.string())

    @cached_property
    def is_personal(self) -> bool:
        """Whether it looks like names, addresses or phone numbers."""
        return looks_personal(self.name, self._some_values)

    @cached_property
    def holds_addresses(self) -> bool:
        """Whether its values are e-mail addresses, one or more a cell."""
        values = self._some_values
        return bool(values) and sum("@" in value for value in values) > MOSTLY * len(values)

    @cached_property
    def date_order(self) -> str | None:
        """How its dates are written: see `find_date_form`."""
        return find_date_form(self.name, self._some_values)

    @cached_property
    def lacks_zone(self) -> bool:
        """Whether it holds dates or times whose moment depends on the zone that they are read in."""
        if self.date_order is None:
            return False
        order = self._order_to_read
        in_utc, _ = read_moments(self._some_texts, zone="UTC", dates=order)
        elsewhere, _ = read_moments(self._some_texts, zone="Asia/Tokyo", dates=order)
        return bool((in_utc != elsewhere).any())

    @cached_property
    def moments(self) -> np.ndarray:
        """Its moments in UTC microseconds (n,), the least int64 where there is none."""
        us, ok = read_moments(self.text, zone="UTC", dates=self._order_to_read)
        return np.where(ok, us, NOWHERE)

    @property
    def _order_to_read(self) -> str | None:
        """`date_order` as reading takes it: None for "iso", and the day first for "either"."""
        if self.date_order == "iso":
            return None
        return "dmy" if self.date_order == "either" else self.date_order

    @property
    def has_moment(self) -> np.ndarray:
        """Which rows (n,) have a moment."""
        return np.asarray(self.moments > NOWHERE)

    def share_dated(self, rows: np.ndarray) -> float:
        """The share of some rows, chosen by a mask (n,), that has a moment."""
        return float(self.has_moment[rows].mean())

    @cached_property
    def is_number(self) -> bool:
        """Whether its values are numbers or amounts of money."""
        if self.is_stored_number or not self.values:
            return self.is_stored_number
        texts = self._some_texts
        try:
            decimal = detect_decimal({self.name: texts}) or "."
        except DecimalMarkError:
            return True  # numbers whose mark must be stated
        _, ok, _ = read_money(texts, decimals=2, decimal=decimal)
        return float(np.mean(ok)) >= MOSTLY

    @property
    def is_plain_number(self) -> bool:
        """Whether its values are numbers without a currency, which a field can hold."""
        if not self.is_number or self.is_stored_number:
            return self.is_number
        readable = [read_numbers(self._some_texts, decimals=2, decimal=mark)[1] for mark in ".,"]
        return max(float(np.mean(ok)) for ok in readable) >= MOSTLY

    @property
    def may_have_decimals(self) -> bool:
        """Whether it holds numbers as text, which are no dates."""
        is_date = self.date_order is not None
        return self.is_number and not (self.is_stored_number or is_date)

    @property
    def is_constant(self) -> bool:
        """Whether it says nothing: at most one value."""
        return len(self.values) < 2 and self.filled in (0, self.rows)


@dataclass(frozen=True)
class ViewOf:
    """A view that makes other rows of a file: its SELECT, and what to say of it."""

    profile: Profile
    sql: str
    comment: str


@dataclass(frozen=True)
class Profile:
    """The columns of a file or a table of a database, by name.

    Attributes:
        file: the file, or where the first rows of the table wait.
        columns: its columns.
        rows: how many rows were looked at.
        is_table: whether it is a table.
        paths: the files, where several are read by one pattern, which is then their name.
        header_row: the line of the header, if it is not the first.
        missing: words that stand for missing values, as dates and numbers show.
        headers: how often the header comes again.
        repeats: how many rows equal an earlier one, where that keeps an id from being unique.
        sparse: the rows that have far fewer values than others, such as totals: their columns.
        doubt: why its text may be read in the wrong encoding.
        doubts_of_values: why values may not be what a person sees.
        named_twice: names that several columns have, of which none is read.
        sheet: of a workbook that has several.
        view: of a file, whose rows are then the profile's.
    """

    file: SourceFile
    columns: dict[str, Column]
    rows: int
    is_table: bool = False
    paths: tuple[Path, ...] = ()
    header_row: int | None = None
    missing: tuple[str, ...] = ()
    headers: int = 0
    repeats: int = 0
    sparse: dict[str, Column] = field(default_factory=dict)
    view: ViewOf | None = None
    doubt: str | None = None
    doubts_of_values: tuple[str, ...] = ()
    named_twice: tuple[str, ...] = ()
    sheet: str | None = None

    @property
    def original(self) -> Profile:
        """The file as it is, whatever view makes other rows of it."""
        return self if self.view is None else self.view.profile

    @property
    def stem(self) -> str:
        """The name of the file without its endings, of its sheet, or of the table without its schema."""
        if self.is_table:
            return self.file.name.rpartition(".")[2]
        return self.sheet or self.file.path.name.partition(".")[0]

    @property
    def likely_decimal(self) -> str | None:
        """The decimal mark if all marks in its numbers could be decimal: they are taken for thousands.

        None where the numbers show which it is, or have no mark, or both.
        """
        numbers = [column for column in self.columns.values() if column.may_have_decimals]
        texts = {
            column.name: narrow(pa.array(list(column.values), pa.string())) for column in numbers
        }
        try:
            detect_decimal(texts)
        except DecimalMarkError:
            marks = {
                mark for text in texts.values() for value in text.to_pylist() for mark in value
            }
            others = {",": ".", ".": ","}
            between = [mark for mark in others if mark in marks]
            return others[between[0]] if len(between) == 1 else None
        return None

    def dates(self) -> list[Column]:
        """The columns that hold dates."""
        columns = self.columns.values()
        return [column for column in columns if column.date_order is not None]


def read_profile(rows: Rows, *, is_table: bool = False) -> Profile:
    """The profile of a file or a table.

    Raises:
        SourceFormatError: it cannot be read.
    """
    dialect = rows.dialect()
    of_file = rows.names(dialect)
    names = _named_once(of_file)
    batches: list[Batch] = []
    n = 0
    for batch in rows.batches(names, dialect):
        batches.append(batch)
        n += len(batch.lines)
        if n >= SAMPLE_ROWS:
            break
    columns = {name: _join_batches(batches, name) for name in names}
    texts = {name: column.text for name, column in columns.items()}
    is_header = find_headers(texts)
    is_sparse = find_sparse(texts) & ~is_header
    of_table = _rows_of(columns, ~(is_header | is_sparse))
    missing = _missing_words(of_table.values())
    return Profile(
        file=rows.file,
        columns={name: _without(column, missing) for name, column in of_table.items()},
        rows=n - int((is_header | is_sparse).sum()),
        is_table=is_table,
        missing=tuple(sorted(missing)),
        headers=int(is_header.sum()),
        doubt=dialect.doubt_in_words() if dialect else None,
        doubts_of_values=next((batch.doubts for batch in batches), ()),
        sparse=_rows_of(columns, is_sparse) if is_sparse.any() else {},
        named_twice=tuple(dict.fromkeys(name for name in of_file if name and name not in names)),
    )


def _rows_of(columns: Mapping[str, Column], chosen: np.ndarray) -> dict[str, Column]:
    """Some rows of columns, chosen by a mask (n,)."""
    if chosen.all():
        return dict(columns)
    mask = pa.array(chosen)
    return {
        name: replace(column, text=column.text.filter(mask)) for name, column in columns.items()
    }


def _join_batches(batches: Sequence[Batch], name: str) -> Column:
    """A column of all batches."""
    chunks = []
    for batch in batches:
        chunks += batch.columns[name].chunks
    text = pa.chunked_array(chunks, pa.string())
    is_stored_number = any(name in batch.typed for batch in batches)
    return Column(name, text.combine_chunks(), is_stored_number)


def _missing_words(columns: Iterable[Column]) -> set[str]:
    """The words that stand for missing values: those among dates and numbers.

    In a column of text, "None" or "-" may be an answer.
    """
    missing: set[str] = set()
    for column in columns:
        suspects = MISSING_WORDS.intersection(column.values)
        if not suspects:
            continue
        rest = _without(column, suspects)
        if rest.date_order is not None or rest.is_number:
            missing |= suspects
    return missing


def _without(column: Column, missing: AbstractSet[str]) -> Column:
    """A column in which some values count as missing."""
    if missing.isdisjoint(column.values):
        return column
    words = pa.array(sorted(missing), pa.string())
    is_missing_word = pc.is_in(column.text, value_set=words)
    text = pc.if_else(is_missing_word, "", column.text)
    return replace(column, text=text)


def _named_once(names: Sequence[str]) -> list[str]:
    counts = Counter(names)
    return [name for name in names if counts[name] == 1]


def among(column: Column, values: Iterable[str]) -> np.ndarray:
    """Which rows (n,) have one of the values."""
    wanted = pa.array(list(values), pa.string())
    return np.asarray(pc.is_in(column.text, value_set=wanted))


def best(columns: Iterable[Column], score: Callable[[Column], float]) -> Column | None:
    """The column with the highest score above 0; of equals, the first."""
    best = None
    highest = 0.0
    for column in columns:
        points = score(column)
        if points > highest:
            best = column
            highest = points
    return best


def missing_share(column: Column) -> float:
    """The share of a column's rows without a value."""
    return float(is_missing(column.text).mean()) if column.rows else 1.0
