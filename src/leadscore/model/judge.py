"""All that is told of a training, as JSON: what it rests on, how good it is, whether there is a signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leadscore.evaluation.breakdowns import (
    compute_captured,
    compute_decomposition,
    compute_groups,
    find_never_worked,
    read_values,
)
from leadscore.evaluation.curves import (
    compute_days_to_win,
    compute_distribution,
    compute_lift_curve,
    compute_maturity,
    compute_precision_recall,
    compute_roc,
)
from leadscore.evaluation.metrics import (
    Estimate,
    EvaluationSet,
    compute_gain,
    compute_metrics,
    compute_reliability,
)
from leadscore.evaluation.reference import compute_score, decide_tier
from leadscore.features.fields import unlearned_fields
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.encode import FOLDS
from leadscore.model.periods import say_wins_only
from leadscore.model.signal import find_signal
from leadscore.settings.model import ModelSettings

REPEATS = 5  # of cross-validation where nothing is dated: one deal of few leads is mostly luck
REPEATED_LEADS = 3_000  # are predicted in all: so many leads need no second deal


def evaluate(
    history: History,
    evaluated: EvaluationSet,
    *,
    known_us: int,
    side: Side,
    splits: dict[int, Side],
    last: Side,
    reference: list[float],
    scorecard: np.ndarray,
    segment: np.ndarray | None,
    basis: str,
) -> dict[str, Any]:
    """All that is told of a training, as JSON; the opponent is the base rate as known at the last split.

    `scorecard` and `segment` are of the judged rows (n,), `basis` is what they are in words.
    """
    settings = history.settings
    opponent = (list(splits.values()) or [side])[-1].base_rate()
    metrics = _metrics(evaluated, last, settings.seed)
    gain = as_json(
        compute_gain(evaluated, np.full(len(evaluated.label), opponent), seed=settings.seed)
    )
    signal = find_signal(
        evaluated, metrics.get("all", {}), gain["log_loss_gain"], base_rate=opponent
    )
    return {
        "basis": basis,
        "assumption": settings.assumption() or say_wins_only(history, known_us=known_us),
        "known_until": history.name(known_us),
        "horizon_days": settings.target.horizon_days if settings.is_dated else None,
        "history": describe_side(side),
        "splits": [
            {"moment": history.name(moment), **describe_side(each)}
            for moment, each in splits.items()
        ],
        "judged": describe_side(last),
        "metrics": metrics,
        "base_rate_before": opponent,
        "gain": gain,
        "limits_broken": broken_limits(metrics.get("all", {}), settings.model),
        "no_signal": signal.no_signal,
        "unproven": signal.unproven,
        "reliability": compute_reliability(evaluated, seed=settings.seed).to_dict("records"),
        "brier": compute_decomposition(evaluated),
        "segments": []
        if segment is None
        else compute_groups(evaluated, segment, seed=settings.seed),
        **_by_tier(history, evaluated, last, reference),
        "captured": _captured(history, evaluated, last, scorecard),
        "curves": {
            "roc": compute_roc(evaluated),
            "precision_recall": compute_precision_recall(evaluated),
            "lift": compute_lift_curve(evaluated),
            "distribution": compute_distribution(evaluated),
        }
        | (
            {"maturity": compute_maturity(history.spells(known_us), known_us)}
            if settings.is_dated
            else {}
        ),
        "days_to_win": compute_days_to_win(history.spells(known_us), known_us)
        if settings.is_dated
        else None,
        "not_learned_from": unlearned_fields(settings, history.facts.changed_fields(known_us)),
    }


def evaluate_unjudged(history: History, *, known_us: int, side: Side) -> dict[str, Any]:
    """What can be told of a model that no closed lead has judged: the same keys, empty."""
    settings = history.settings
    return {
        "basis": "by nothing: it is the scorecard of the settings",
        "assumption": settings.assumption() or say_wins_only(history, known_us=known_us),
        "known_until": history.name(known_us),
        "horizon_days": settings.target.horizon_days if settings.is_dated else None,
        "history": describe_side(side),
        "splits": [],
        "judged": describe_side(side),
        "metrics": {},
        "base_rate_before": None,
        "gain": {},
        "limits_broken": [],
        "no_signal": None,
        "unproven": None,
        "reliability": [],
        "brier": None,
        "segments": [],
        "tiers": [],
        "never_worked": None,
        "captured": None,
        "learning": None,
        "drift": None,
        "times": {"half_life": None, "said": "none, since no closed lead could judge it"},
        "curves": {},
        "days_to_win": None,
        "not_learned_from": unlearned_fields(settings, history.facts.changed_fields(known_us)),
    }


def _by_tier(
    history: History, evaluated: EvaluationSet, last: Side, reference: list[float]
) -> dict[str, Any]:
    """`tiers`: what was promised and came in each; `never_worked`: lost leads of whom nobody took care, by tier.

    They stay in: what is predicted is the chance under the working practice of the past.
    """
    plain = evaluated.without_times
    tier = decide_tier(compute_score(plain, reference), plain, history.settings.tiers)
    groups = compute_groups(evaluated, tier, seed=history.settings.seed)
    never = find_never_worked(history, last) if history.settings.is_dated else None
    if never is None:
        return {"tiers": groups, "never_worked": None}
    never, lead_id = never[last.observed], last.rows["lead_id"].to_numpy()[last.observed]
    lost = len(np.unique(lead_id[evaluated.label == 0]))
    by_tier = {
        name: len(np.unique(lead_id[never & (tier == name)])) for name in ("A", "B", "C", "D")
    }
    return {
        "tiers": groups,
        "never_worked": {"leads": len(np.unique(lead_id[never])), "of": lost, "by_tier": by_tier},
    }


def _captured(
    history: History, evaluated: EvaluationSet, last: Side, scorecard: np.ndarray
) -> dict[str, Any] | None:
    """What working the first part of the list captures of the value of all wins, and the unit of value."""
    if not evaluated.label.any():
        return None
    value, currency = read_values(history, last.rows[last.observed], known_us=last.known_us)
    value = np.tile(value, len(evaluated.label) // len(value))
    orders = {"leadscore": evaluated.probability, "scorecard": scorecard}
    return {"unit": currency or "wins", "points": compute_captured(evaluated, value, orders)}


def count_repeats(leads: int) -> int:
    """How often undated leads are dealt to folds anew."""
    return int(np.clip(REPEATED_LEADS // max(leads, 1), 1, REPEATS))


def basis_of(
    time: str, *, later_share: float | None, identical_together: bool = False, repeats: int = 1
) -> str:
    """What the judged predictions are; "judged" stands before it.

    Args:
        time: the mode.
        later_share: of all labelled leads, those after the last split; None without splits.
        identical_together: whether identical rows share a fold.
        repeats: of the cross-validation.
    """
    if time == "dated":
        return "cross-validated by lead" if later_share is None else "out of time"
    if later_share is not None:
        return f"on the last {later_share:.0%} by order".replace("%", " %")
    times = f"{repeats} x " if repeats > 1 else ""
    rows = "groups of identical rows" if identical_together else "leads"
    return f"by cross-validation, {times}{FOLDS} folds of {rows}"


def _metrics(evaluated: EvaluationSet, side: Side, seed: int) -> dict[str, Any]:
    """Metrics of all judged rows, and, dated, of leads younger and older than one step of the grid."""
    rows = side.rows[side.observed]
    young = rows["young"].to_numpy()
    parts = {"all": np.ones(len(young), dtype=bool)} | (
        {"young": young, "older": ~young} if side.target else {}
    )
    found = {}
    for name, chosen in parts.items():
        part = evaluated.take(np.tile(chosen, len(evaluated.label) // max(len(rows), 1)))
        if len(np.unique(part.label)) == 2:
            told = {
                "snapshots": int(chosen.sum()),
                "leads": int(rows.loc[chosen, "lead_id"].nunique()),
            }
            found[name] = (
                describe_evaluated(part) | told | as_json(compute_metrics(part, seed=seed))
            )
    return found


def broken_limits(metrics: Mapping[str, Any], limits: ModelSettings) -> list[str]:
    """Which limits of calibration are broken, in words: the whole interval is beyond them.

    `metrics` has estimates as JSON by name.
    """
    error, bias = metrics.get("calibration_error"), metrics.get("bias")
    found = []
    if error and (error["low"] is None or error["low"] > limits.max_calibration_error):
        found.append(
            f"calibration error {_interval(error)}, at most {limits.max_calibration_error:g} is allowed"
        )
    if bias and (bias["low"] is None or max(bias["low"], -bias["high"]) > limits.max_bias):
        found.append(
            f"mean probability less win rate {_interval(bias)}, at most {limits.max_bias:g} either way"
        )
    return found


def _interval(estimate: Mapping[str, float | None]) -> str:
    value, low, high = (
        "?" if estimate[key] is None else f"{estimate[key]:.3f}" for key in ("value", "low", "high")
    )
    return f"{value} ({low} to {high})"


def describe_evaluated(evaluated: EvaluationSet) -> dict[str, Any]:
    """How many rows and leads an evaluation rests on, their weighted win rate, and on how many blocks `auc` rests."""
    rate = float(np.average(evaluated.label, weights=evaluated.weight))
    used, left_out = evaluated.rank().count_blocks(evaluated.label, evaluated.weight)
    return {
        "snapshots": len(evaluated.label),
        "leads": len(np.unique(evaluated.lead_id)),
        "win_rate": rate,
        "auc_blocks": used,
        "auc_blocks_left_out": left_out,
    }


def as_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Estimates by name, as JSON."""
    return {name: estimate.as_json() for name, estimate in estimates.items()}


def describe_side(side: Side) -> dict[str, Any]:
    """What a side consists of, as JSON."""
    rows = side.rows
    return {
        "snapshots": len(rows),
        "leads": int(rows["lead_id"].nunique()),
        "won": int(rows["label"].sum()),
        "censored": int(rows["label"].isna().sum()),
        "unusable": side.unusable,
        "base_rate": side.base_rate() if side.observed.any() else None,
        "mature_rate": side.mature_rate() if np.isfinite(side.mature_rate()) else None,
        "watched_to_horizon": side.watched,
        "weights_capped": side.capped_share,
        "follow_up_days": side.follow_up_days() if side.target else None,
    }
