"""What an evaluation rests on, and its metrics, as results."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from leadscore.evaluation.intervals import Estimate, compute_metrics
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.sums import weighted_mean
from leadscore.history.side import Side
from leadscore.results import EvaluatedRows, Interval, Metrics, SideSummary, SplitSummary


def summarise_metrics(evaluated: EvaluationSet, *, snapshots: int, seed: int) -> Metrics:
    """Every metric of some rows with its interval, and what it rests on.

    Args:
        evaluated: the rows, perhaps several predictions of one snapshot.
        snapshots: how many they are of.
        seed: of the resamples.
    """
    rows = dict(summarise_rows(evaluated))
    metrics = compute_metrics(evaluated, seed=seed)
    intervals = as_intervals(metrics)
    return Metrics.from_dict({**rows, **intervals, "snapshots": snapshots})


def summarise_rows(evaluated: EvaluationSet) -> EvaluatedRows:
    """The rows, the leads and their weighted win rate, and how many blocks `auc` rests on."""
    ranking = evaluated.rank()
    used, left_out = ranking.count_blocks(evaluated.label, evaluated.weight)
    return EvaluatedRows(
        snapshots=len(evaluated.label),
        leads=evaluated.count_leads(),
        win_rate=weighted_mean(evaluated.label, evaluated.weight),
        auc_blocks=used,
        auc_blocks_left_out=left_out,
    )


def summarise_side(side: Side) -> SideSummary:
    """The rows, leads and outcomes of a side, and how long they were followed."""
    rows = side.rows
    mature_rate = side.mature_rate()
    return SideSummary(
        snapshots=len(rows),
        leads=int(rows["lead_id"].nunique()),
        won=int(rows["label"].sum()),
        censored=int(rows["label"].isna().sum()),
        unusable=side.unusable,
        base_rate=side.base_rate() if side.observed.any() else None,
        mature_rate=mature_rate if np.isfinite(mature_rate) else None,
        watched_to_horizon=side.watched,
        weights_capped=side.capped_share,
        follow_up_days=side.follow_up_days() if side.target else None,
    )


def summarise_split(side: Side, moment: str) -> SplitSummary:
    """The same of what could be learned at a split, whose moment is in words."""
    summary = dict(summarise_side(side))
    return SplitSummary.from_dict({"moment": moment, **summary})


def as_intervals(estimates: Mapping[str, Estimate]) -> dict[str, Interval]:
    """Estimates by name, as results."""
    return {name: estimate.interval() for name, estimate in estimates.items()}
