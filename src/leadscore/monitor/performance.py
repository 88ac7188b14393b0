"""Settled lists in numbers: calibration by tier, month and segment, ranking, and value captured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.evaluation.breakdowns import compute_groups
from leadscore.evaluation.captured import compute_captured, read_values
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.summaries import summarise_metrics
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.encode import OTHER, pool_rare_levels
from leadscore.model.fit import fit_scorer
from leadscore.model.limits import find_broken_limits
from leadscore.model.scorers.scorecard import with_points
from leadscore.model.scorers.segments import read_segments
from leadscore.monitor.estimate import estimate_performance
from leadscore.monitor.settle import SETTLED, WAITING, as_evaluation_set, count_states
from leadscore.results import Captured, Group, Metrics
from leadscore.results.monitor import ReceiptCounts, Settled, TierInMonth
from leadscore.settings.settings import Settings
from leadscore.times import name_month

BETWEEN = "\t"  # a month and a tier in one name


def summarise_settled(
    history: History,
    rows: pd.DataFrame,
    *,
    known_us: int,
    segment: str | None = None,
) -> Settled:
    """What settled lists say of the scores.

    Args:
        history: where the leads are.
        rows: what `settle` gave, with `tier`.
        known_us: the moment they were settled at.
        segment: a text field that divides the leads.
    """
    settings = history.settings
    settled = rows[rows["state"] == SETTLED]
    waiting = rows[rows["state"] == WAITING]
    evaluated = as_evaluation_set(settled)
    metrics = _compute_metrics(evaluated, seed=settings.seed)
    months = _name_months(settled, zone=settings.timezone)
    tiers = settled["tier"].to_numpy()
    dates = sorted(settled["as_of_us"].unique().tolist())
    return Settled(
        counts=ReceiptCounts(receipts=len(rows), **count_states(rows)),
        lists=len(dates),
        since=history.name(dates[0]) if dates else None,
        until=history.name(dates[-1]) if dates else None,
        next_due=_find_next_due(history, waiting),
        metrics=metrics,
        limits_broken=_list_broken_limits(metrics, settings),
        tiers=compute_groups(evaluated, tiers, seed=settings.seed),
        months=compute_groups(evaluated, months, seed=settings.seed),
        tiers_in_months=_group_by_both(evaluated, months, tiers, seed=settings.seed),
        segment=segment,
        segments=_group_by_segment(history, settled, evaluated, segment),
        captured=_compute_captured(history, settled, evaluated, known_us=known_us),
        expected=estimate_performance(waiting, evaluated, seed=settings.seed),
    )


def _find_next_due(history: History, waiting: pd.DataFrame) -> str | None:
    """When the next lead that waits will be settled at the latest; None if none waits."""
    if waiting.empty:
        return None
    return history.name(int(waiting["end_us"].min()))


def _list_broken_limits(metrics: Metrics | None, settings: Settings) -> list[str]:
    """The limits that the settled scores break, in words."""
    if metrics is None:
        return []
    broken = find_broken_limits(metrics.calibration_error, metrics.bias, settings.model)
    return list(broken.values())


def _compute_metrics(evaluated: EvaluationSet, *, seed: int) -> Metrics | None:
    if not evaluated.has_both_labels():
        return None
    return summarise_metrics(evaluated, snapshots=len(evaluated.label), seed=seed)


def _name_months(settled: pd.DataFrame, *, zone: str) -> np.ndarray:
    """The month (n,) of each row's list, like 2026-03."""
    dates = settled["as_of_us"].unique().tolist()
    month_of = {us: name_month(us, zone=zone) for us in dates}
    return settled["as_of_us"].map(month_of).to_numpy(dtype=object)


def _group_by_both(
    evaluated: EvaluationSet,
    months: np.ndarray,
    tiers: np.ndarray,
    *,
    seed: int,
) -> list[TierInMonth]:
    names = months + BETWEEN + tiers
    groups = []
    for group in compute_groups(evaluated, names, seed=seed):
        month, _, tier = group.name.partition(BETWEEN)
        figures = group.to_dict() | {"month": month, "name": tier}
        groups.append(TierInMonth.from_dict(figures))
    return groups


def _group_by_segment(
    history: History,
    settled: pd.DataFrame,
    evaluated: EvaluationSet,
    segment: str | None,
) -> list[Group]:
    """By the value of a field as known at the date of the list; rare values are one group."""
    if segment is None or settled.empty:
        return []
    values = read_segments(history, settled[KEYS], field=segment)
    names = pool_rare_levels(values, evaluated.lead_id)
    names[names == OTHER] = "(rare values)"
    return compute_groups(evaluated, names, seed=history.settings.seed)


def _compute_captured(
    history: History,
    settled: pd.DataFrame,
    evaluated: EvaluationSet,
    *,
    known_us: int,
) -> Captured | None:
    """The value of wins captured by the top of the list; None without a win."""
    if not evaluated.label.any():
        return None
    value, currency = read_values(history, settled, known_us=known_us)
    scorecard = score_by_points(history, settled[KEYS])
    points = compute_captured(evaluated, value, scorecard)
    return Captured(unit=currency or "wins", points=points)


def score_by_points(history: History, keys: pd.DataFrame) -> np.ndarray:
    """The scorecard's log-odds (n,) of some snapshots, by what was known at each one's moment."""
    features = with_points(build_features(history.settings))
    if not features:
        return np.zeros(len(keys))
    matrix = build_matrix(history.snapshot(keys), features)
    nothing = keys.iloc[:0].assign(label=0.0, weight=0.0)
    card = fit_scorer(
        matrix,
        nothing,
        kind="scorecard",
        features=features,
        scorecard=history.settings.scorecard,
        seed=0,
        threads=1,
    )
    return card.log_odds(matrix.take(keys).columns)
