"""How much the probability of each lead changed since the previous list, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.change_words import describe_changes
from leadscore.scoring.contributions import elapsed_at
from leadscore.scoring.features import build_model_features, find_mismatch
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


@dataclass(frozen=True)
class Current:
    """The list that is being made.

    Attributes:
        matrix: of the leads (n,).
        features: what the matrix holds.
        log_odds: (n,) by the model of now.
        as_of_us: its date.
        shift: its running intercept.
    """

    matrix: Matrix
    features: Sequence[Feature]
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
) -> dict[str, Any]:
    """`change` in words, `change_points` in percentage points, and `trend`, each (n,).

    Without a comparison they are "", None and "no comparison".

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
    change_points = [None if np.isnan(value) else value for value in points.tolist()]
    return {"change": texts, "change_points": change_points, "trend": trend}


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
    if old is None:
        return None
    features = build_model_features(history.settings, old)
    if find_mismatch(old, features):
        return None
    published = _read_published(previous.receipts)
    published_ids = published.index.to_numpy(dtype=object)
    listed_now = current.lead_id
    at = np.flatnonzero(np.isin(listed_now, published_ids))
    if not len(at):
        no_texts = np.empty(0, dtype=object)
        return _Changes(at, no_texts, np.empty(0))

    lead_id = listed_now[at]
    log_odds = current.log_odds[at]
    before = published.loc[lead_id].to_numpy()
    after = model.probability(log_odds, current.shift)
    points = 100 * (after - before)

    then_us = previous.as_of_us
    now_us = current.as_of_us
    now = current.matrix if list(features) == list(current.features) else None
    matrices = replay_lists(history, features, lead_id, then_us=then_us, now_us=now_us, now=now)
    earlier = [old.log_odds(matrix.columns) for matrix in matrices]
    shifts = (previous.shift, current.shift)
    steps = compute_steps(old, model, before, earlier, log_odds, shifts=shifts)

    slope = 100 * slope_between(before, after)
    elapsed = elapsed_at(history, now_us)
    texts = describe_changes(
        old, features, matrices, steps, slope=slope, points=points, elapsed=elapsed
    )
    return _Changes(at, texts, points)


def _read_published(receipts: pa.Table) -> pd.Series:
    """The published probability of each lead, by its id."""
    lead_ids = receipts["lead_id"].to_pandas()
    probabilities = receipts["win_probability"].to_numpy()
    return pd.Series(probabilities, index=lead_ids)


def replay_lists(
    history: History,
    features: Sequence[Feature],
    lead_id: np.ndarray,
    *,
    then_us: int,
    now_us: int,
    now: Matrix | None = None,
) -> list[Matrix]:
    """The leads (k,) then, now by what was known then, and now; each in the order of `lead_id`.

    `now` has their features of now, if they are built already.
    """
    rows = history.open_list(now_us)
    listed = rows[rows["lead_id"].isin(lead_id)]
    later = listed.assign(known_us=then_us)
    then = later.assign(as_of_us=then_us)
    both = pd.concat([then, later]).drop_duplicates(["lead_id", "as_of_us"])
    known_then = build_matrix(history.snapshot(both), features)
    if now is None:
        now = build_matrix(history.snapshot(listed), features)

    def take(matrix: Matrix, as_of_us: int) -> Matrix:
        return matrix.take(pd.DataFrame({"lead_id": lead_id, "as_of_us": as_of_us}))

    listed_us = int(listed["as_of_us"].iloc[0])
    return [take(known_then, then_us), take(known_then, listed_us), take(now, listed_us)]
