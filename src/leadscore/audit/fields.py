"""What the audit looks at: the leads with their outcomes as known at a moment, and each field's values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.history.split import History
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, FOREVER_US

MOST_JUDGED = 50_000  # closed leads that outcomes are compared on
BLOCK_LEADS, MOST_BLOCKS = (
    400,
    20,
)  # closed leads a block of time, so that each has wins and losses to compare
TIME_LEADS, MOST_TIMES = (
    20,
    500,
)  # and for shares, which need no pairs, so few that they are of nearly one time
BINS = 20


@dataclass(frozen=True)
class Leads:
    """All leads known before a moment, n of them, by lead_id.

    Attributes:
        lead_id: (n,) text.
        created_us: (n,) when they were created; their place in the order, or 0, where nothing is dated.
        close_us: (n,) when they first closed, `FOREVER_US` while open.
        label: (n,) 1 won, 0 lost, NaN open; NaN also where a lead was re-opened: what is told of it now is later.
        is_open: (n,) never closed.
        known_us: the moment.
        dated: whether times are moments.
        undated: (n,) leads without a creation date in a dated history.
    """

    lead_id: np.ndarray
    created_us: np.ndarray
    close_us: np.ndarray
    label: np.ndarray
    is_open: np.ndarray
    known_us: int
    dated: bool
    undated: np.ndarray

    @cached_property
    def judged(self) -> np.ndarray:
        """Which leads (m,) outcomes are compared on: the closed ones, or those with the smallest hashes."""
        closed = np.flatnonzero(~np.isnan(self.label))
        if len(closed) <= MOST_JUDGED:
            return closed
        hashes = pd.util.hash_array(self.lead_id[closed])
        return np.sort(closed[np.argsort(hashes, kind="stable")[:MOST_JUDGED]])

    @cached_property
    def block(self) -> np.ndarray:
        """Block of time (n,) of each lead, within which leads are ranked."""
        return self._cut(BLOCK_LEADS, most=MOST_BLOCKS)

    @cached_property
    def time(self) -> np.ndarray:
        """A finer block of time (n,) of each lead, whose leads have much the same to be expected."""
        return self._cut(TIME_LEADS, most=MOST_TIMES)

    def _cut(self, size: int, *, most: int) -> np.ndarray:
        """Closed leads in their order, cut into equal parts of `size`, or more if there would be more than `most`."""
        closed = self.created_us[~np.isnan(self.label)]
        blocks = int(np.clip(len(closed) // size, 1, most))
        cuts = (
            np.sort(closed)[np.arange(1, blocks) * len(closed) // blocks] if len(closed) else closed
        )
        return np.searchsorted(np.unique(cuts), self.created_us, side="right")

    @cached_property
    def has_order(self) -> bool:
        """Whether the leads come one after another."""
        return len(self.created_us) > 0 and bool(self.created_us.min() < self.created_us.max())


@dataclass(frozen=True)
class Values:
    """A field's values of n leads: codes of `words` if it is text, else numbers (dates in microseconds).

    A missing one is -1, or NaN.
    """

    name: str
    type: str
    codes: np.ndarray
    words: tuple[str, ...]
    numbers: np.ndarray

    @property
    def is_text(self) -> bool:
        """Whether `codes` and `words` hold the values."""
        return self.type == "text"

    @property
    def missing(self) -> np.ndarray:
        """Which leads (n,) have none."""
        return self.codes < 0 if self.is_text else np.isnan(self.numbers)

    def identities(self) -> np.ndarray:
        """A number (n,) that is equal for equal values, -1 for a missing one."""
        if self.is_text:
            return self.codes
        _, at = np.unique(self.numbers, return_inverse=True)
        return np.where(self.missing, -1, at)

    def most_common(self, rows: np.ndarray) -> tuple[int, int, float]:
        """(identity, how many leads, number) of the most common value among `rows`; the smallest of equals."""
        codes = self.identities()[rows]
        codes = codes[codes >= 0]
        if not len(codes):
            return -1, 0, float("nan")
        n = np.bincount(codes)
        top = int(n.argmax())
        number = (
            float("nan") if self.is_text else float(np.unique(self.numbers[~self.missing])[top])
        )
        return top, int(n[top]), number

    def cells(self, rows: np.ndarray, *, since: np.ndarray | None = None) -> np.ndarray:
        """Cells (rows,) to learn rates by: 0 missing; a category each; numbers in 20 bins, a common one by itself.

        `since` (n,) is what a date is counted from.
        """
        if self.is_text:
            return np.asarray(self.codes[rows] + 1)
        numbers = self.numbers[rows] if since is None else self.numbers[rows] - since[rows]
        there = numbers[~np.isnan(numbers)]
        if not len(there):
            return np.zeros(len(numbers), dtype=np.int64)
        cuts = np.unique(np.quantile(there, np.arange(1, BINS) / BINS, method="lower"))
        cells = np.searchsorted(cuts, numbers, side="right") + 2
        values, n = np.unique(there, return_counts=True)
        if n.max() >= len(numbers) / BINS:
            cells = np.where(numbers == values[n.argmax()], 1, cells)
        return np.where(np.isnan(numbers), 0, cells)


@dataclass(frozen=True)
class FieldHistory:
    """What a field with a history said at creation, just before the close, and at last.

    `watched` (n,): leads whose close could have been seen to change the field. A history that our own exports show
    begins with them: a lead that closed before any export listed it is no evidence of what its close changed.
    """

    at_creation: Values
    before_close: Values
    now: Values
    watched: np.ndarray


def read_leads(history: History, *, known_us: int) -> Leads:
    """The leads known before a moment, and how they closed as far as was known by then."""
    spells = history.spells(known_us)
    first = spells[spells["spell"] == 1]
    created = history.facts.creations(known_us)
    rows = created.merge(first, on="lead_id", validate="one_to_one").sort_values(
        "lead_id", ignore_index=True
    )
    reopened = rows["lead_id"].isin(spells.loc[spells["spell"] > 1, "lead_id"]).to_numpy()
    is_open = (rows["close_us"] == FOREVER_US).to_numpy()
    dated = getattr(history.settings, "time", "dated") == "dated"
    created_us = rows["event_us"].to_numpy(dtype=np.int64)
    return Leads(
        lead_id=rows["lead_id"].to_numpy(dtype=object),
        created_us=created_us,
        close_us=rows["close_us"].to_numpy(dtype=np.int64),
        label=np.where(is_open | reopened, np.nan, rows["won"].to_numpy(dtype=np.float64)),
        is_open=is_open,
        known_us=known_us,
        dated=dated,
        undated=created_us >= history.version.known_until_us - 1
        if dated
        else np.zeros(len(rows), dtype=bool),
    )


def read_current(
    history: History, leads: Leads, names: Sequence[str], *, own: Collection[str]
) -> Iterator[Values]:
    """The latest value of each named field: in `leads`, or, of the fields in `own`, what a later export showed."""
    rows = history.facts.first_values(names, leads.known_us)
    at = pa.array(pd.Index(rows["lead_id"].to_pandas()).get_indexer(leads.lead_id))
    later = history.known_values(sorted(own), as_of_us=leads.known_us)
    fields = history.settings.lead_fields()
    for name in names:
        column = (later if name in own else rows)[name]
        yield build_values(name, fields[name], column.combine_chunks().take(at))


def read_histories(
    history: History, leads: Leads, names: Sequence[str], *, own: Collection[str]
) -> Iterator[FieldHistory]:
    """What each named field said at three moments, by what was known then; `own` are those that exports show."""
    moments = {
        "at_creation": leads.created_us + 1,
        "before_close": leads.close_us,
        "now": np.full(len(leads.lead_id), FOREVER_US),
    }
    texts = {
        moment: history.facts.latest_changes(
            names, leads.lead_id, before_us=before_us, known_us=leads.known_us
        )
        for moment, before_us in moments.items()
    }
    fields = history.settings.lead_fields()
    everybody, watched = np.ones(len(leads.lead_id), dtype=bool), _watched(history, leads, own)
    for name in names:
        at_creation, before_close, now = [
            build_values(name, fields[name], texts[moment][name]) for moment in moments
        ]
        yield FieldHistory(at_creation, before_close, now, watched if name in own else everybody)


def _watched(history: History, leads: Leads, own: Collection[str]) -> np.ndarray:
    """Which leads (n,) an export that showed values or changes of the fields in `own` listed while they were open."""
    if not own:
        return np.zeros(len(leads.lead_id), dtype=bool)
    exports = np.append(history.facts.change_moments(sorted(own), leads.known_us), FOREVER_US)
    first = exports[np.searchsorted(exports[:-1], leads.created_us, side="left")]
    return np.asarray(first < leads.close_us)


def build_values(name: str, field: LeadField, column: pa.Array) -> Values:
    """A column of `leads`, or texts of `changes`, as values; numbers as people write them."""
    none = np.empty(0)
    if field.type == "text":
        encoded = column.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return Values(name, field.type, codes, tuple(encoded.dictionary.to_pylist()), none)
    numbers = np.asarray(
        column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64
    )
    if field.type == "number":
        numbers = numbers / 10**field.decimals
    return Values(name, field.type, none.astype(np.int64), (), numbers)


def audited_fields(settings: Settings) -> list[str]:
    """The fields that a mapping entry fills in `leads`."""
    mapped = {
        name for entry in settings.mapping if entry.table == "leads" for name in entry.targets()
    }
    return [name for name in settings.lead_fields() if name in mapped]


def days_open(leads: Leads, rows: np.ndarray) -> np.ndarray:
    """Days (rows,) from creation to the close."""
    return np.asarray((leads.close_us[rows] - leads.created_us[rows]) / DAY_US)
