"""How much the probability of each lead changed since the previous list, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.chunks import find_between
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.change_words import (
    LEAST,
    Moments,
    describe_all_points,
    describe_parts,
    find_moved,
)
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.features import build_model_features
from leadscore.scoring.replay import Replayed, replay_lists
from leadscore.scoring.steps import compute_steps, slope_between

STEADY = 2.0  # percentage points; a smaller change is no trend


@dataclass(frozen=True)
class Previous:
    """The previous list.

    Attributes:
        publication_id: its id.
        as_of_us: its date.
        receipts: what it published.
        model: the model that made it, None if that can explain nothing: it is gone, or learned from other
            features.
        shift: its running intercept.
    """

    publication_id: str
    as_of_us: int
    receipts: pa.Table
    model: WinModel | None
    shift: float = 0.0

    def published(self, lead_id: np.ndarray) -> np.ndarray:
        """The published probability of leads (n,), NaN of those that were not on the list."""
        if not len(lead_id):
            return np.empty(0)
        rows = self._between(min(lead_id), max(lead_id))
        place = pc.index_in(pa.array(lead_id, pa.string()), rows["lead_id"].combine_chunks())
        return np.asarray(rows["win_probability"].take(place))

    def _between(self, first: str, last: str) -> pa.Table:
        """The receipts of the leads from one to another: those of one part of a long list."""
        lead_id = self.receipts["lead_id"]

        def read(place: int) -> str:
            return str(lead_id[int(self._by_lead_id[place])])

        between = find_between(read, len(lead_id), first, last)
        return self.receipts.take(self._by_lead_id[between])

    @cached_property
    def _by_lead_id(self) -> np.ndarray:
        """The positions (n,) of the receipts by lead_id."""
        return np.asarray(pc.sort_indices(self.receipts["lead_id"]))


@dataclass(frozen=True)
class Current:
    """The list that is being made.

    Attributes:
        matrix: of the leads (n,).
        contributions: of its features, by the model of now.
        log_odds: (n,) by the model of now.
        as_of_us: its date.
        shift: its running intercept.
    """

    matrix: Matrix
    contributions: Contributions
    log_odds: np.ndarray
    as_of_us: int
    shift: float

    @property
    def lead_id(self) -> np.ndarray:
        """Of the leads (n,), text."""
        return self.matrix.keys["lead_id"].to_numpy(dtype=object)


@dataclass(frozen=True)
class _Changes:
    """The probabilities of the leads at the positions `at` (k,) of a list, then and now."""

    at: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """The changes (k,) in percentage points."""
        return np.asarray(100 * (self.after - self.before))

    @property
    def slope(self) -> np.ndarray:
        """Percentage points (k,) for each log-odds."""
        return 100 * slope_between(self.before, self.after)

    def rows(self, places: np.ndarray) -> _Changes:
        """The changes at some places (j,) of these."""
        return _Changes(self.at[places], self.before[places], self.after[places])


def describe_change(
    history: History,
    model: WinModel,
    current: Current,
    *,
    previous: Previous | None,
) -> dict[str, np.ndarray]:
    """`change` in words, `change_points` in percentage points, and `trend`, each (n,).

    Of leads that are on no earlier list they are "", NaN and "no comparison".

    Args:
        history: where the leads are.
        model: the model of now.
        current: the list of now.
        previous: the list to compare with, if any.
    """
    n = len(current.lead_id)
    texts = np.full(n, "", dtype=object)
    points = np.full(n, np.nan)
    trend = np.full(n, "no comparison", dtype=object)
    if previous is not None:
        changes = _find_changes(model, current, previous)
        texts[changes.at] = _describe(history, model, current, changes, previous=previous)
        points[changes.at] = changes.points
        trend[changes.at] = _name_trend(changes.points)
    return {"change": texts, "change_points": points, "trend": trend}


def _name_trend(points: np.ndarray) -> np.ndarray:
    rises = points >= STEADY
    falls = points <= -STEADY
    return np.select([rises, falls], ["improving", "declining"], "steady")


def _find_changes(model: WinModel, current: Current, previous: Previous) -> _Changes:
    """The changes of the leads that are on both lists."""
    published = previous.published(current.lead_id)
    at = np.flatnonzero(~np.isnan(published))
    after = model.probability(current.log_odds[at], current.shift)
    return _Changes(at, published[at], after)


def _describe(
    history: History,
    model: WinModel,
    current: Current,
    changes: _Changes,
    *,
    previous: Previous,
) -> np.ndarray:
    """What is said of changes (k,); only large ones are explained, if the model of then can."""
    texts = describe_all_points(changes.points)
    large = np.flatnonzero(np.abs(changes.points) >= LEAST)
    if previous.model is not None and len(large):
        features = build_model_features(history.settings, previous.model)
        replayed = _replay(history, features, current, changes.at[large], then_us=previous.as_of_us)
        texts[large] += _explain(
            model,
            current,
            changes.rows(large),
            _Reread.of(previous.model, replayed),
            features=features,
            shift_then=previous.shift,
        )
    return texts


def _replay(
    history: History,
    features: Sequence[Feature],
    current: Current,
    at: np.ndarray,
    *,
    then_us: int,
) -> Replayed:
    """The leads at positions `at` (k,), then and now."""
    is_same = list(features) == list(current.contributions.features)
    return replay_lists(
        history,
        features,
        current.lead_id[at],
        then_us=then_us,
        now_us=current.as_of_us,
        now=current.matrix.rows(at) if is_same else None,
    )


@dataclass(frozen=True)
class _Reread:
    """Leads (k,) then and now, as the model of then reads them.

    Attributes:
        replayed: the leads.
        then: their features at the earlier moment.
        of_news: of those with news (m,), the features of now by what was known then.
    """

    replayed: Replayed
    then: Encoded
    of_news: Encoded

    @classmethod
    def of(cls, old: WinModel, replayed: Replayed) -> Self:
        """Leads as a model reads them."""
        then = Encoded.of(old, replayed.then)
        of_news = Encoded.of(old, replayed.of_news)
        return cls(replayed, then, of_news)

    def rows(self, at: np.ndarray) -> _Reread:
        """The leads at positions (j,)."""
        return _Reread(
            self.replayed.rows(at),
            self.then.rows(at),
            self.of_news.rows(self.replayed.places_among_news(at)),
        )

    def log_odds(self, now: np.ndarray) -> list[np.ndarray]:
        """Log-odds (k,) then, and now by what was known then, beside those of `now`."""
        later = self.replayed.fill(now, self.of_news.log_odds)
        return [self.then.log_odds, later, now]

    def moments(self, now: Contributions) -> Moments:
        """What the features add then, and now by what was known then, beside what they add `now`."""
        later = self.replayed.fill(now.added, self.of_news.contributions())
        return Moments(then=self.then.contributions(), later=later, now=now)


def _explain(
    model: WinModel,
    current: Current,
    changes: _Changes,
    reread: _Reread,
    *,
    features: Sequence[Feature],
    shift_then: float,
) -> np.ndarray:
    """What made each change (k,), as `describe_parts` says it; "" where no step is large enough.

    Args:
        model: the model of now.
        current: the list of now.
        changes: of some of its leads (k,).
        reread: these leads, as the model of then reads them.
        features: of that model.
        shift_then: its running intercept.
    """
    old = reread.then.model
    log_odds = current.log_odds[changes.at]
    now = None if old is model else Encoded.of(old, reread.replayed.now)
    by_old = reread.log_odds(log_odds if now is None else now.log_odds)
    shifts = (shift_then, current.shift)
    steps = compute_steps(old, model, changes.before, by_old, log_odds, shifts=shifts)

    parts = np.full(len(log_odds), "", dtype=object)
    moved = find_moved(steps, changes.slope)
    if len(moved):  # of the others nothing more is needed
        changes = changes.rows(moved)
        own = current.contributions
        added = own.rows(changes.at) if now is None else Contributions.of(now.rows(moved), features)
        moments = reread.rows(moved).moments(added)
        steps = {name: step[moved] for name, step in steps.items()}
        parts[moved] = describe_parts(moments, steps, slope=changes.slope, points=changes.points)
    return parts
