"""How much the probability of each lead changed since the previous list, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.chunks import find_between
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.contributions.shapley import compute_contributions
from leadscore.scoring.change_words import (
    Moments,
    describe_all_points,
    describe_parts,
    find_moved,
    join_parts,
)
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.features import build_model_features, find_mismatch
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
        model: the model that made it, None if that is gone.
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
    """The changes of the leads at the positions `at` (k,), in words and in percentage points."""

    at: np.ndarray
    texts: np.ndarray
    points: np.ndarray


def describe_change(
    history: History,
    model: WinModel,
    current: Current,
    *,
    previous: Previous | None,
) -> dict[str, np.ndarray]:
    """`change` in words, `change_points` in percentage points, and `trend`, each (n,).

    Without a comparison they are "", NaN and "no comparison".

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
    changes = _compare(history, model, current, previous) if previous else None
    if changes is not None:
        texts[changes.at] = changes.texts
        points[changes.at] = changes.points
        trend[changes.at] = _name_trend(changes.points)
    return {"change": texts, "change_points": points, "trend": trend}


def _name_trend(points: np.ndarray) -> np.ndarray:
    rises = points >= STEADY
    falls = points <= -STEADY
    return np.select([rises, falls], ["improving", "declining"], "steady")


def _compare(
    history: History,
    model: WinModel,
    current: Current,
    previous: Previous,
) -> _Changes | None:
    """The changes of the leads of both lists; None if the old model is gone or no longer fits."""
    old = previous.model
    features = _fitting_features(history, old)
    if old is None or features is None:
        return None
    published = previous.published(current.lead_id)
    at = np.flatnonzero(~np.isnan(published))
    if not len(at):
        return _Changes(at, np.empty(0, dtype=object), np.empty(0))

    log_odds = current.log_odds[at]
    before = published[at]
    after = model.probability(log_odds, current.shift)
    points = 100 * (after - before)

    replayed = _replay(history, features, current, at, then_us=previous.as_of_us)
    of_now = log_odds if old is model else old.log_odds(replayed.now.columns)
    by_old = _log_odds_by_old(old, replayed, of_now)
    shifts = (previous.shift, current.shift)
    steps = compute_steps(old, model, before, by_old, log_odds, shifts=shifts)

    texts = describe_all_points(points)
    slope = 100 * slope_between(before, after)
    moved = find_moved(steps, slope)
    if len(moved):
        own = current.contributions.rows(at[moved]) if old is model else None
        replayed = replayed.rows(moved)  # of the others nothing more is needed
        contributions = _contribute(old, features, replayed, now=own)
        of_moved = {name: step[moved] for name, step in steps.items()}
        parts = describe_parts(contributions, of_moved, slope=slope[moved], points=points[moved])
        texts[moved] = list(map(join_parts, texts[moved], parts))
    return _Changes(at, texts, points)


def _fitting_features(history: History, old: WinModel | None) -> Sequence[Feature] | None:
    """The features of a model; None if it is gone, or they are no longer what it learned from."""
    if old is None:
        return None
    features = build_model_features(history.settings, old)
    return None if find_mismatch(old, features) else features


def _log_odds_by_old(old: WinModel, replayed: Replayed, of_now: np.ndarray) -> list[np.ndarray]:
    """The log-odds (n,) by the model of then: of then, with today's facts, and of now."""
    of_then = old.log_odds(replayed.then.columns)
    of_later = replayed.fill(of_now, old.log_odds(replayed.of_news.columns))
    return [of_then, of_later, of_now]


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


def _contribute(
    old: WinModel,
    features: Sequence[Feature],
    replayed: Replayed,
    *,
    now: Contributions | None,
) -> Moments:
    """What the features add by the old model (m,): then, now by what was known then, and now.

    `now` has the last of them if they are known already.
    """
    if now is None:
        now = Contributions.of(old, replayed.now, features)
    of_news = compute_contributions(old, replayed.of_news.columns)[:, :-1]
    return Moments(
        then=compute_contributions(old, replayed.then.columns)[:, :-1],
        later=replayed.fill(now.added, of_news),
        now=now,
    )
