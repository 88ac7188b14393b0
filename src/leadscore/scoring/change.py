"""Why a probability changed since the list before: time, new facts, a new scorer, a new calibrator, and the times.

Each step changes one thing and keeps the rest, and is measured in calibrated log-odds, so that the steps add up to the
whole change. Time: the lead as of now, by what was known then. New facts: by what is known now, corrections of the
past included. The old model judges both; then the new scorer is calibrated as before, and then anew. Last comes what
the running intercept of now adds to that of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.contributions.shapley import compute_contributions
from leadscore.scoring.reasons import group_features, known_value

STEPS = {  # which of the matrices then, now by what was known then, and now a step leads between; its words without any
    "time": (0, 1, "time has passed"),
    "facts": (1, 2, "corrected facts"),
    "scorer": (2, 2, "a new model"),
    "calibrator": (2, 2, "a new calibrator"),
    "times": (2, 2, "the times"),
}
STEADY = 2.0  # percentage points that are no trend
LEAST = 1.0  # percentage points; less is not put into words
MOST_SAID = 3
STEEPEST = 2.0  # calibrated log-odds for one of raw that are told in proportion; a jump of a calibrator has no end
NOTHING = 1e-3  # log-odds that all features together must add before a step is told by them


@dataclass(frozen=True)
class Previous:
    """The list before: its receipts, when it was made, the model that made it (None if that is gone), and its shift."""

    publication_id: str
    as_of_us: int
    receipts: pa.Table
    model: WinModel | None
    shift: float = 0.0


def describe_change(
    history: History,
    model: WinModel,
    *,
    lead_id: np.ndarray,
    log_odds: np.ndarray,
    shift: float,
    as_of_us: int,
    previous: Previous | None,
) -> dict[str, Any]:
    """`change` in words, `change_points` (percentage points, None without comparison) and `trend`, each (n,).

    Args:
        history: where the leads are.
        model: the model of now.
        lead_id: (n,) whose change is asked.
        log_odds: (n,) by the model of now.
        shift: of the times, now.
        as_of_us: now.
        previous: the list before, or None.
    """
    change = np.full(len(log_odds), "", dtype=object)
    points, trend = (
        np.full(len(log_odds), np.nan),
        np.full(len(log_odds), "no comparison", dtype=object),
    )
    found = None
    if previous:
        found = _compare(
            history, model, lead_id, log_odds, shift=shift, as_of_us=as_of_us, previous=previous
        )
    if found is not None:
        at, change[at], points[at] = found[0], found[1], found[2]
        trend[at] = np.select(
            [found[2] >= STEADY, found[2] <= -STEADY], ["improving", "declining"], "steady"
        )
    return {
        "change": change,
        "change_points": [None if np.isnan(x) else float(x) for x in points],
        "trend": trend,
    }


def _compare(
    history: History,
    model: WinModel,
    lead_id: np.ndarray,
    log_odds: np.ndarray,
    *,
    shift: float,
    as_of_us: int,
    previous: Previous,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Which leads (k,) can be compared, in words and in points; None if the old model cannot judge them any more."""
    old = previous.model
    features = (
        build_features(history.settings, leave_out=frozenset(old.document.get("left_out", ())))
        if old
        else []
    )
    learned = (
        [(each["name"], each["fingerprint"]) for each in old.document["features"]] if old else None
    )
    if old is None or learned != [(feature.name, feature.fingerprint()) for feature in features]:
        return None
    told = (
        previous.receipts.select(["lead_id", "win_probability"])
        .to_pandas()
        .set_index("lead_id")["win_probability"]
    )
    at = np.flatnonzero(np.isin(lead_id, told.index.to_numpy(dtype=object)))
    if not len(at):
        return at, np.empty(0, dtype=object), np.empty(0)
    matrices = _replay(history, features, lead_id[at], as_of_us, previous.as_of_us)
    before = told.loc[lead_id[at]].to_numpy()
    log_odds_of_all, shifts = (
        [old.log_odds(each.columns) for each in matrices],
        (previous.shift, shift),
    )
    steps = compute_steps(old, model, before, log_odds_of_all, log_odds[at], shifts=shifts)
    probability = model.probability(log_odds[at], shift)
    points = 100 * (probability - before)
    factor = 100 * slope_between(before, probability)
    return at, _say(old, features, matrices, steps, factor=factor, points=points), points


def _replay(
    history: History, features: Sequence[Feature], lead_id: np.ndarray, as_of_us: int, then_us: int
) -> list[Matrix]:
    """The leads then, now by what was known then, and now; each in the order of lead_id (k,)."""
    rows = history.open_list(as_of_us)
    rows = rows[rows["lead_id"].isin(lead_id)]
    lists = [rows.assign(as_of_us=then_us, known_us=then_us), rows.assign(known_us=then_us), rows]
    order = pd.DataFrame({"lead_id": lead_id})
    return [
        build_matrix(history.snapshot(each), features).take(
            order.assign(as_of_us=each["as_of_us"].iloc[0])
        )
        for each in lists
    ]


def compute_steps(
    old: WinModel,
    new: WinModel,
    before: np.ndarray,
    log_odds_of_all: Sequence[np.ndarray],
    log_odds: np.ndarray,
    *,
    shifts: tuple[float, float] = (0.0, 0.0),
) -> dict[str, np.ndarray]:
    """The change of calibrated log-odds (k,) by step; they add up to that of the probability.

    Args:
        old: the model before.
        new: the model of now.
        before: (k,) the probability that was published.
        log_odds_of_all: by the old model (k,): then, now by what was known then, and now.
        log_odds: (k,) by the new model.
        shifts: of the times, then and now.
    """
    then, later, now = (log_odds_of(old.probability(each)) for each in log_odds_of_all)
    halfway = log_odds_of(old.probability(log_odds))
    return {
        "time": later - then,
        "facts": now - later + (then + shifts[0] - log_odds_of(before)),
        "scorer": halfway - now,
        "calibrator": log_odds_of(new.probability(log_odds)) - halfway,
        "times": np.full(len(log_odds), shifts[1] - shifts[0]),
    }


def log_odds_of(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)), of what no probability is nearer to 0 or 1 than 1e-9."""
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p / (1 - p)))


def slope_between(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How much the probability changes for a change of the log-odds, on the way from one to the other."""
    difference = log_odds_of(after) - log_odds_of(before)
    flat = np.abs(difference) < 1e-9
    return np.asarray(
        np.where(flat, before * (1 - before), (after - before) / np.where(flat, 1.0, difference))
    )


def _say(
    old: WinModel,
    features: Sequence[Feature],
    matrices: Sequence[Matrix],
    steps: dict[str, np.ndarray],
    *,
    factor: np.ndarray,
    points: np.ndarray,
) -> np.ndarray:
    """The words (k,): the change in points, and what made it, the largest part first."""
    said = np.array([f"{x:+.0f}" if round(x) else "no change" for x in points], dtype=object)
    worth = np.max([np.abs(factor * step) for step in steps.values()], axis=0) >= LEAST
    rows = np.flatnonzero(worth)
    if not len(rows):
        return said
    some = [{name: values[rows] for name, values in matrix.columns.items()} for matrix in matrices]
    contributions = [compute_contributions(old, columns)[:, :-1] for columns in some]
    encoded, groups = [old.encode(columns) for columns in some], group_features(features)
    group_of = np.argsort([at for members in groups for at in members])
    group_of = np.repeat(np.arange(len(groups)), [len(members) for members in groups])[group_of]
    for i, row in enumerate(rows):
        parts = []
        for name, (was, now, words) in STEPS.items():
            added, whole = (
                contributions[now][i] - contributions[was][i],
                factor[row] * steps[name][row],
            )
            if np.abs(added).sum() < NOTHING:
                parts.append((whole, words))
                continue
            shares = apportion(whole, added, worth=factor[row])
            totals = np.bincount(group_of, weights=shares)
            for group in np.flatnonzero(
                np.abs(totals) >= LEAST
            ):  # wording all of them would take most of the time
                total, main = (
                    float(totals[group]),
                    max(groups[group], key=lambda at: abs(shares[at])),
                )
                value = known_value(
                    features[main], some[now][features[main].name][i], encoded[now][i, main]
                )
                parts += (
                    []
                    if value is None
                    else [(total, features[main].sentence(value, speaks_for=total > 0))]
                )
        large = sorted(
            (part for part in parts if abs(part[0]) >= LEAST),
            key=lambda part: (-abs(part[0]), part[1]),
        )
        told = "; ".join(f"{what} {part:+.0f}" for part, what in large[:MOST_SAID])
        said[row] += f": {told}" if told else ""
    return np.asarray(said)


def apportion(whole: float, added: np.ndarray, *, worth: float) -> np.ndarray:
    """What each feature (features,) has of the `whole` change, in its unit; they add up to it.

    In proportion to what each added to raw. Where features all but cancel out, or the calibrator jumps, that would have
    no end: so the proportion stays between none and `STEEPEST` times what a log-odds is `worth`, and the rest is spread
    by size.
    """
    total, size = added.sum(), np.abs(added).sum()
    proportion = np.clip(whole / total, 0, STEEPEST * worth) if abs(total) > 1e-9 else worth
    return np.asarray(proportion * added + (whole - proportion * total) * np.abs(added) / size)
