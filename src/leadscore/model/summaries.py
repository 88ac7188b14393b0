"""What an evaluation rests on, as JSON: its rows, leads and follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leadscore.evaluation.intervals import Estimate
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.sums import weighted_mean
from leadscore.history.labels import Side


def describe_evaluated(evaluated: EvaluationSet) -> dict[str, Any]:
    """The rows, the leads and their weighted win rate, and how many blocks `auc` rests on."""
    rate = weighted_mean(evaluated.label, evaluated.weight)
    used, left_out = evaluated.rank().count_blocks(evaluated.label, evaluated.weight)
    return {
        "snapshots": len(evaluated.label),
        "leads": evaluated.count_leads(),
        "win_rate": rate,
        "auc_blocks": used,
        "auc_blocks_left_out": left_out,
    }


def describe_side(side: Side) -> dict[str, Any]:
    """The rows, leads and outcomes of a side, and how long they were followed."""
    rows = side.rows
    mature_rate = side.mature_rate()
    return {
        "snapshots": len(rows),
        "leads": int(rows["lead_id"].nunique()),
        "won": int(rows["label"].sum()),
        "censored": int(rows["label"].isna().sum()),
        "unusable": side.unusable,
        "base_rate": side.base_rate() if side.observed.any() else None,
        "mature_rate": mature_rate if np.isfinite(mature_rate) else None,
        "watched_to_horizon": side.watched,
        "weights_capped": side.capped_share,
        "follow_up_days": side.follow_up_days() if side.target else None,
    }


def as_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Estimates by name, as JSON."""
    return {name: estimate.as_json() for name, estimate in estimates.items()}
