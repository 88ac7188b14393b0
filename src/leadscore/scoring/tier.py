"""Tiers: by score, by probability, or by capacity; a lead near a border keeps its tier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.evaluation.reference import compute_score
from leadscore.features.matrix import read_texts
from leadscore.model.apply import WinModel, add_shift
from leadscore.settings.tiers import Tiers

TIERS = np.array(["A", "B", "C", "D"])
LAST = 1e15  # the rank of a lead that is not worth a contact
ROUNDING = 1e-12  # log-odds: sums of the same trees in another order lie closer together


@dataclass(frozen=True)
class Outlook:
    """What tiers are decided by.

    All of it is without the running intercept, so that no list moves up or down as a whole.

    Attributes:
        score: (n,) 0 to 100.
        probability: (n,).
        value: (n,) expected value.
        log_odds: (n,) breaks ties.
        shift: the running intercept, in log-odds.
    """

    score: np.ndarray
    probability: np.ndarray
    value: np.ndarray
    log_odds: np.ndarray
    shift: float = 0.0

    @cached_property
    def win_probability(self) -> np.ndarray:
        """The probability that is published (n,): with the running intercept."""
        return np.asarray(add_shift(self.probability, self.shift))

    def interval(self, model: WinModel, at: np.ndarray) -> dict[str, np.ndarray]:
        """How low and how high the published probability of leads at positions (m,) may be."""
        bounds = model.interval(self.log_odds[at], self.shift)
        return {"probability_low": bounds[:, 0], "probability_high": bounds[:, 1]}

    @property
    def best_first(self) -> np.ndarray:
        """Value, then log-odds, as one number (n,) that rises from the best lead to the last.

        numpy orders complex numbers by their real parts, then by their imaginary ones.
        """
        return np.asarray(-self.value - 1j * self.log_odds)

    def undo_rounding(self, log_odds: np.ndarray, *, at: np.ndarray) -> np.ndarray:
        """Other log-odds of the leads at `at` (m,), but those of the list that only rounding tells apart.

        They are those of the lead itself, else the nearest: so ties stay ties, and leads their ranks.
        """
        alike = self._rising
        after = np.searchsorted(alike, log_odds).clip(1, len(alike) - 1)
        before = after - 1
        is_before = log_odds - alike[before] <= alike[after] - log_odds
        nearest = alike[np.where(is_before, before, after)]
        log_odds = np.where(np.abs(nearest - log_odds) <= ROUNDING, nearest, log_odds)
        now = self.log_odds[at]
        return np.where(np.abs(now - log_odds) <= ROUNDING, now, log_odds)

    @cached_property
    def _rising(self) -> np.ndarray:
        """The log-odds (n,), and ends that are nobody's."""
        return np.concatenate([[-np.inf], np.sort(self.log_odds), [np.inf]])

    @cached_property
    def ranking(self) -> _Ranking:
        """The leads in order, sorted once."""
        return _Ranking.of(self)


@dataclass(frozen=True)
class _Ranking:
    """The leads (n,) of a list by value, then log-odds, then row.

    Attributes:
        numbers: (n,) their `best_first`, rising.
        places: (n,) rising: how many leads are better, times n, plus the row.
    """

    numbers: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, listed: Outlook) -> Self:
        """Of all leads of a list."""
        numbers = listed.best_first
        order = np.argsort(numbers, kind="stable")
        in_order = numbers[order]
        better = np.searchsorted(in_order, in_order)
        return cls(in_order, better * len(order) + order)

    def count_ahead(self, outlook: Outlook, at: np.ndarray) -> np.ndarray:
        """How many leads of the list (m,) come before leads of another outlook (m,) in the rows `at`.

        Of leads that are alike, those in the same row and above it do.
        """
        asked = outlook.best_first
        better = np.searchsorted(self.numbers, asked)
        alike = np.searchsorted(self.numbers, asked, side="right") > better
        not_below = np.searchsorted(self.places, better * len(self.places) + at, side="right")
        return np.where(alike, not_below, better)


def build_outlook(
    model: WinModel,
    log_odds: np.ndarray,
    amount: np.ndarray,
    *,
    shift: float,
) -> Outlook:
    """The outlook of leads (n,); one without an amount is worth its probability.

    Args:
        model: what calibrates.
        log_odds: (n,).
        amount: (n,), NaN where it is not known.
        shift: the running intercept.
    """
    probability = model.probability(log_odds)
    worth = np.where(np.isfinite(amount), amount, 1.0)
    return Outlook(
        score=compute_score(probability, model.document["reference"]),
        probability=probability,
        value=probability * worth,
        log_odds=log_odds,
        shift=shift,
    )


@dataclass(frozen=True)
class Borders:
    """From which measure on a lead is A, B or C, and how far past a border its tier changes.

    The measure is the score, the probability, or minus the rank on the list.

    Attributes:
        a: the least measure of an A.
        b: the least measure of a B.
        c: the least measure of a C.
        margin: in units of the measure.
        relative: the margin is a share of the measure instead.
    """

    a: float
    b: float
    c: float
    margin: float
    relative: bool = False

    def rank_tier(self, measure: np.ndarray) -> np.ndarray:
        """0 for A to 3 for D (n,), without any margin."""
        borders = np.array([self.a, self.b, self.c])
        is_below = measure[:, None] < borders[None, :]
        return np.asarray(is_below.sum(axis=1))

    def decide(self, measure: np.ndarray, earlier: np.ndarray) -> np.ndarray:
        """A to D (n,): the earlier tier (n,), None for none, wherever it is within the margin."""
        margin = self.margin * np.abs(measure) if self.relative else self.margin
        best = self.rank_tier(measure + margin)
        worst = self.rank_tier(measure - margin)
        plain = self.rank_tier(measure)

        was = pd.Index(TIERS).get_indexer(earlier)
        nearest = np.clip(was, best, worst)
        decided = np.where(was < 0, plain, nearest)
        return np.asarray(TIERS[decided])


def find_borders(tiers: Tiers) -> Borders:
    """The borders of the settings; by capacity n leads are A, n are B, and 2 n are C."""
    margin = tiers.margin_or_default()
    if tiers.by != "capacity":
        return Borders(tiers.a, tiers.b, tiers.c, margin)
    assert tiers.capacity is not None  # noqa: S101  (the settings ask for it)
    capacity = float(tiers.capacity)
    return Borders(-capacity, -2 * capacity, -4 * capacity, margin, relative=True)


def measure_by(
    tiers: Tiers,
    outlook: Outlook,
    *,
    listed: Outlook,
    at: np.ndarray,
) -> np.ndarray:
    """What the borders are compared with (m,), if the leads at `at` (m,) had this outlook.

    By capacity it is minus the rank that each would have on the list `listed`; one that is not
    worth a contact comes last.
    """
    if tiers.by == "score":
        return outlook.score
    if tiers.by == "probability":
        return outlook.probability
    rank = compute_rank(outlook, listed=listed, at=at)
    is_worth_a_contact = outlook.value > tiers.touch_cost
    return -np.where(is_worth_a_contact, rank, LAST)


def compute_rank(
    outlook: Outlook,
    *,
    listed: Outlook,
    at: np.ndarray,
) -> np.ndarray:
    """The rank of each lead (m,), from 1, if it alone had this outlook instead of its present one.

    Leads are ranked by value, then log-odds, then row, so no two of a list share a rank.
    """
    ahead = listed.ranking.count_ahead(outlook, at)
    value_now = listed.value[at]
    log_odds_now = listed.log_odds[at]
    not_behind = (value_now == outlook.value) & (log_odds_now >= outlook.log_odds)
    is_ahead_of_itself = (value_now > outlook.value) | not_behind
    return np.asarray(1 + ahead - is_ahead_of_itself)


def earlier_tiers(lead_id: pa.Array, receipts: pa.Table) -> np.ndarray:
    """The tier of each lead (n,) on the previous list, None if it was not on it."""
    place = pc.index_in(lead_id, receipts["lead_id"].combine_chunks())
    return read_texts(receipts["tier"].take(place))
