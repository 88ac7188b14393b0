"""A batch's columns as words: what has few distinct values is worked out once for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.base import Match

WIDE = "[\u3000\uff01-\uff5e\uffe0-\uffe6]"
NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ",
    0xFFE0: "\u00a2",
    0xFFE1: "\u00a3",
    0xFFE5: "\u00a5",
    0xFFE6: "\u20a9",
}


@dataclass(frozen=True)
class Words:
    """A column as its distinct texts, and which of them each row (n,) has."""

    distinct: pa.Array
    codes: np.ndarray

    @classmethod
    def of(cls, column: pa.Array) -> Words:
        """Read a column without nulls."""
        encoded = column.dictionary_encode()
        return cls(encoded.dictionary, encoded.indices.to_numpy())

    @cached_property
    def texts(self) -> list[str]:
        """The distinct texts."""
        texts: list[str] = self.distinct.to_pylist()
        return texts

    def at(self, places: np.ndarray) -> list[str]:
        """The distinct texts at these places."""
        texts: list[str] = self.distinct.take(pa.array(places)).to_pylist()
        return texts

    def mask(self, hits: list[bool]) -> np.ndarray:
        """Which rows (n,) have a text that hits."""
        if not hits:
            return np.zeros(0, dtype=bool)
        of_words = np.array(hits, dtype=bool)
        return np.asarray(of_words[self.codes])

    def take(self, texts: Sequence[str | None]) -> pa.Array:
        """Other texts in the place of these, row by row."""
        distinct = pa.array(texts, pa.string())
        return distinct.take(pa.array(self.codes))


class Texts:
    """The columns of a batch as text, and as words once somebody asks for them.

    Columns that are `lacking` are missing in every row.
    """

    def __init__(self, batch: Batch, *, lacking: Iterable[str] = ()) -> None:
        table = batch.columns
        self.columns = {name: _whole(table[name]) for name in table.column_names}
        self.n = len(batch.lines)
        for name in lacking:
            self.columns[name] = pa.repeat(MISSING, self.n)
        self._words: dict[str, Words] = {}

    def words(self, name: str) -> Words:
        """A column's distinct texts."""
        if name not in self._words:
            self._words[name] = Words.of(self.columns[name])
        return self._words[name]

    def select(self, where: Match) -> np.ndarray:
        """Which rows (n,) hold, in every column of `where`, one of its values."""
        chosen = np.ones(self.n, dtype=bool)
        for column, values in where.items():
            chosen &= self._holds(column, values)
        return chosen

    def any(self, where: Match) -> np.ndarray:
        """Which rows (n,) hold, in any column of `where`, one of its values."""
        chosen = np.zeros(self.n, dtype=bool)
        for column, values in where.items():
            chosen |= self._holds(column, values)
        return chosen

    def _holds(self, column: str, values: tuple[str, ...]) -> np.ndarray:
        words = self.words(column)
        hits = [_fits(text, values) for text in words.texts]
        return words.mask(hits)

    def without(self, missing: tuple[str, ...]) -> Texts:
        """The same with some words taken for missing ones."""
        if not missing:
            return self
        words = pa.array(missing, pa.string())
        nothing = pa.scalar(MISSING)
        columns = {}
        for name, column in self.columns.items():
            is_listed = pc.is_in(column, value_set=words)
            columns[name] = pc.if_else(is_listed, nothing, column)
        lines = np.arange(self.n)
        return Texts(Batch(lines, pa.table(columns)))

    def take(self, rows: np.ndarray) -> Texts:
        """Only the rows (n,) that are true."""
        if rows.all():
            return self
        places = pa.array(np.flatnonzero(rows))
        columns = {}
        for name, column in self.columns.items():
            columns[name] = column.take(places)
        return Texts(Batch(places.to_numpy(), pa.table(columns)))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; combining a single one would copy it."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _fits(text: str, values: tuple[str, ...]) -> bool:
    """Whether a text is one of the values, or begins like one that ends in *."""
    if text in values:
        return True
    if text == MISSING:
        return False
    prefixes = [value[:-1] for value in values if value.endswith("*")]
    return any(text.startswith(prefix) for prefix in prefixes)


def narrow(text: pa.Array) -> pa.Array:
    """Texts (n,) with the full-width letters, digits and marks of East Asia as those of ASCII.

    >>> narrow(pa.array(["\uff11\uff0e\uff15"]))[0].as_py()
    '1.5'
    """
    if pc.all(pc.string_is_ascii(text)).as_py():
        return text
    is_wide = pc.match_substring_regex(text, WIDE)
    if not pc.any(is_wide).as_py():
        return text
    narrowed = [word.translate(NARROW) for word in text.filter(is_wide).to_pylist()]
    return pc.replace_with_mask(text, is_wide, pa.array(narrowed, pa.string()))


def is_missing(text: pa.Array) -> np.ndarray:
    """Which texts (n,) are missing."""
    return to_mask(pc.equal(text, MISSING))


def to_mask(hits: pa.Array) -> np.ndarray:
    """Booleans of Arrow without nulls (n,) as those of numpy."""
    return np.asarray(hits.to_numpy(zero_copy_only=False), dtype=bool)


def hash_texts(texts: list[str]) -> np.ndarray:
    """A stable 64-bit number for each text, uint64 (n,)."""
    hashes = [blake2b(text.encode(), digest_size=8) for text in texts]
    digests = b"".join(text_hash.digest() for text_hash in hashes)
    return np.frombuffer(digests, dtype=np.uint64)
