"""Chooses the row of a lead that is used, where a file has several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import UserError
from leadscore.ingest.mapping.ids import ids_of
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.json_files import toml_text
from leadscore.settings.keep import Keep
from leadscore.settings.mapping import Mapping
from leadscore.settings.source import Reading

DECIMALS = 6
RULE = "keep"  # the name under which the other rows are ignored


class RowChoice:
    """The choice among the rows of a file: `add` every batch, then ask which rows stay.

    Args:
        source: how the file is read.
        keep: which row of a lead counts.
        entries: the mapping entries of the source.
    """

    def __init__(self, source: Reading, keep: Keep, entries: Sequence[Mapping]) -> None:
        self.source = source
        self.keep = keep
        self.leads = [entry for entry in entries if entry.table == "leads"]
        self.n = 0
        self.rows: list[pa.Array] = []  # their places in the file
        self.ids: list[pa.Array] = []
        self.texts: list[pa.Array] = []

    def add(self, texts: Texts) -> None:
        """Note the rows of leads in a batch."""
        left = np.ones(texts.n, dtype=bool)
        for match in self.source.ignore.values():
            left &= ~texts.select(match)
        for entry in self.leads:
            ids = ids_of(texts, entry.columns_of_id(), self.source.id)
            is_left_out = texts.any(entry.where_not)
            chosen = left & texts.select(entry.where) & ~is_left_out
            left &= ~chosen
            self._add_rows(texts, ids, chosen & ~is_missing(ids))
        self.n += texts.n

    def _add_rows(self, texts: Texts, ids: pa.Array, chosen: np.ndarray) -> None:
        numbers = np.flatnonzero(chosen)
        places = pa.array(numbers, pa.int64())
        self.rows.append(pc.add(places, self.n))
        self.ids.append(ids.take(places))
        column = texts.columns[self.keep.column]
        self.texts.append(column.take(places))

    def staying(self, reader: Reader) -> np.ndarray:
        """Which rows of the file (n,) stay: all but the leads' other rows."""
        text = _joined(self.texts, pa.string())
        missing = is_missing(text).astype(np.int8)
        columns = {
            "lead": _joined(self.ids, pa.string()),
            "missing": pa.array(missing),
            "value": self._values(text, reader),
            "text": text,
            "row": _joined(self.rows, pa.int64()),
        }
        order = "descending" if self.keep.latest else "ascending"
        keys = [("lead", "ascending"), ("missing", "ascending")]
        keys += [(name, order) for name in ("value", "text", "row")]
        ordered = pa.table(columns).sort_by(keys)

        lead = ordered["lead"].combine_chunks()
        codes = lead.dictionary_encode().indices.to_numpy()
        is_other = np.diff(codes, prepend=-1) == 0
        rows = ordered["row"].to_numpy()
        stays = np.ones(self.n, dtype=bool)
        stays[rows[is_other]] = False
        return stays

    def _values(self, text: pa.Array, reader: Reader) -> pa.Array:
        """What the texts (n,) are compared by: numbers, else times, else nothing but the text."""
        given = ~is_missing(text)
        numbers, is_number, marks = reader.money(text, decimals=DECIMALS)
        if (is_number | ~given).all() and len(pc.unique(marks)) < 3:  # beside "", one currency
            return pa.array(numbers)
        moments, is_moment = reader.moments(text, self.keep.column)
        if (is_moment | ~given).all():
            return pa.array(moments)

        for kind, ok in (("numbers", is_number), ("times", is_moment)):
            others = given & ~ok
            if others.any() and 2 * ok.sum() > given.sum():
                self._refuse_mixed(text, others, kind, reader.source)
        zeros = np.zeros(len(text), dtype=np.int64)
        return pa.array(zeros)

    def _refuse_mixed(self, text: pa.Array, others: np.ndarray, kind: str, source: str) -> None:
        """Most values are of a kind, which texts would not order: 9 and 10, 9/1/2025 and 10/1/2025."""
        examples = text.filter(pa.array(others))
        example = str(examples[0].as_py())
        raise UserError(
            f"source {source!r}: keep compares the column {self.keep.column!r}, which holds "
            f"{kind} and {example!r}: if that stands for a missing value, set "
            f"missing = [{toml_text(example)}] for the source, else name another column"
        )


def _joined(arrays: Sequence[pa.Array], kind: pa.DataType) -> pa.Array:
    nothing = pa.array([], kind)
    return pa.concat_arrays([nothing, *arrays])
