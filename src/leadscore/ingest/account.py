"""What became of every row of a file: used, ignored or rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.breaks import reject_rows
from leadscore.ingest.mapping.entries import Mapped
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import Batch, SourceFile
from leadscore.ingest.readers.values import MISSING
from leadscore.ingest.required import RULE, Required, lacks_all
from leadscore.settings.mapping import Mapping


class RowAccount:
    """Counts a file's rows, so that `read` is always `used` + `ignored` + `rejected`."""

    def __init__(
        self,
        file: SourceFile,
        entries: Sequence[Mapping],
        ignore_rules: Sequence[str],
        *,
        feeds_views: bool,
    ) -> None:
        self.file = file
        self.feeds_views = feeds_views
        self.selecting_column = _first_selecting_column(entries)
        self.read = 0
        self.used = 0
        self.ignored = 0
        self.rejected = 0
        self.ignored_by = Counter(dict.fromkeys(ignore_rules, 0))
        self.selected: Counter[str] = Counter()  # by table
        self.refused: Counter[str] = Counter()
        self.rejects: list[pa.Table] = []

    def add_mapped(self, table: str, mapped: Mapped) -> None:
        """Count what a mapping entry made of its rows."""
        self.selected[table] += mapped.selected
        self.refused[table] += mapped.refused
        self.rejects.append(mapped.rejects)

    def add_batch(
        self,
        batch: Batch,
        texts: Texts,
        *,
        candidates: np.ndarray,
        complete: np.ndarray,
        used: np.ndarray,
    ) -> None:
        """Count a batch's rows (n,).

        `candidates` were not ignored, `complete` ones have what every row needs, `used` ones were
        selected. Where views read the source, they use all complete rows.
        """
        if self.feeds_views:
            used = complete
        unselected = complete & ~used
        self.rejects.append(self._reject_unselected(batch, texts, unselected))
        self.rejects.append(self._reject_malformed(batch))

        malformed = len(batch.malformed)
        self.read += len(candidates) + malformed
        self.used += int(used.sum())
        self.ignored += int((~candidates).sum())
        self.rejected += int((candidates & ~used).sum()) + malformed

    def reject_incomplete(
        self,
        batch: Batch,
        texts: Texts,
        candidates: np.ndarray,
        required: Required,
    ) -> np.ndarray:
        """Which candidates (n,) have what every row needs; the others are noted as rejects."""
        complete = candidates
        for choice in required:
            lacking = complete & lacks_all(texts, choice)
            complete = complete & ~lacking
            lines = batch.lines[lacking]
            rejects = reject_rows(
                self.file.source,
                self.file.name,
                lines,
                rule=RULE,
                column=choice[0],
                values=[MISSING] * len(lines),
            )
            self.rejects.append(rejects)
        return complete

    def add_ignored(self, rows: int) -> None:
        """Count malformed rows that an ignore rule matched."""
        self.read += rows
        self.ignored += rows

    def _reject_unselected(self, batch: Batch, texts: Texts, rows: np.ndarray) -> pa.Table:
        """Rejects of rows that no entry selected, with their value in the selecting column."""
        column = self.selecting_column
        values = None
        if column:
            values = texts.columns[column].filter(pa.array(rows)).to_pylist()
        return reject_rows(
            self.file.source,
            self.file.name,
            batch.lines[rows],
            rule="unselected",
            column=column,
            values=values,
        )

    def _reject_malformed(self, batch: Batch) -> pa.Table:
        lines = np.array([line for line, _ in batch.malformed], dtype=np.int64)
        problems = [problem for _, problem in batch.malformed]
        return reject_rows(
            self.file.source,
            self.file.name,
            lines,
            rule="columns",
            values=problems,
        )

    def of_table(self, name: str) -> dict[str, int]:
        """How many rows were selected for a table, and how many of them refused."""
        return {"selected": self.selected[name], "refused": self.refused[name]}

    def to_json(self) -> dict[str, Any]:
        """The account as a part and the manifest show it."""
        return {
            "read": self.read,
            "used": self.used,
            "ignored": self.ignored,
            "rejected": self.rejected,
            "ignored_by": dict(self.ignored_by),
        }


def _first_selecting_column(entries: Sequence[Mapping]) -> str | None:
    for entry in entries:
        for column in (*entry.where, *entry.where_not):
            return column
    return None
