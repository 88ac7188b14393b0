"""The features of a long list, part by part: together they would take more memory than all that is decided by them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from leadscore.features.matrix import Matrix, read_texts
from leadscore.spilled import Spilled

KEYS = ["lead_id", "as_of_us"]


class Parts:
    """The features of leads (n,) in parts that follow each other; all but the last wait on the disk."""

    def __init__(self) -> None:
        self._tables = Spilled()

    def add(self, part: Matrix) -> None:
        """Keep the features of the next leads.

        Raises:
            UnavailableError: the disk is full, ...
        """
        self._tables.add(_to_table(part))

    def __iter__(self) -> Iterator[tuple[np.ndarray, Matrix]]:
        """The positions (m,) of the leads of each part, and their features."""
        begin = 0
        for table in self._tables:
            end = begin + table.num_rows
            yield np.arange(begin, end), _to_matrix(table)
            begin = end

    def of_lead(self, lead_id: str) -> Matrix:
        """The features of one lead (1,).

        Raises:
            KeyError: it is on no part.
        """
        for _, part in self:
            place = np.flatnonzero(part.keys["lead_id"] == lead_id)
            if len(place):
                return part.rows(place)
        raise KeyError(lead_id)


def _to_table(part: Matrix) -> pa.Table:
    """A part as a table; a text that no lead has is text all the same."""
    columns = {
        "lead_id": pa.array(part.keys["lead_id"], pa.string()),
        "as_of_us": pa.array(part.keys["as_of_us"], pa.int64()),
    }
    for name, values in part.columns.items():
        is_text = values.dtype == object
        columns[name] = pa.array(values, pa.string() if is_text else pa.float64())
    return pa.table(columns)


def _to_matrix(table: pa.Table) -> Matrix:
    columns = {}
    for name in table.column_names[len(KEYS) :]:
        column = table[name]
        is_text = pa.types.is_string(column.type)
        columns[name] = read_texts(column) if is_text else column.to_numpy()
    return Matrix(table.select(KEYS).to_pandas(), columns)
