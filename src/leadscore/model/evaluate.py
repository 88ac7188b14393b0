"""The evaluation of a training, as JSON: what it rests on, how good it is, whether it has a signal.

Its keys are explained in docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.breakdowns import (
    compute_decomposition,
    compute_groups,
    find_never_worked,
)
from leadscore.evaluation.captured import compute_captured, read_values
from leadscore.evaluation.curves import (
    compute_days_to_win,
    compute_distribution,
    compute_lift_curve,
    compute_maturity,
    compute_precision_recall,
    compute_roc,
)
from leadscore.evaluation.intervals import compute_gain, compute_metrics
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import compute_score, decide_tier
from leadscore.evaluation.reliability import compute_reliability
from leadscore.features.fields import unlearned_fields
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.limits import find_broken_limits
from leadscore.model.periods import describe_wins_only
from leadscore.model.signal import find_signal
from leadscore.model.summaries import as_json, describe_evaluated, describe_side

Json = dict[str, Any]
TIERS = ("A", "B", "C", "D")


@dataclass(frozen=True)
class EvaluationInputs:
    """What an evaluation is computed from.

    Attributes:
        history: where the leads are.
        known_us: up to when facts are known.
        side: all that the model learned from.
        splits: moment -> what could be learned at it, rising.
        last: the rows that evaluate, those after the last split.
        evaluated: their predictions with outcomes, once a repeat.
        reference: the quantiles by which a probability becomes a score.
        scorecard: (n,) the log-odds of the scorecard for the evaluated rows.
        segment: (n,) the segment of the evaluated rows; None if the settings name none.
        basis: what the predictions are, in words.
    """

    history: History
    known_us: int
    side: Side
    splits: dict[int, Side]
    last: Side
    evaluated: EvaluationSet
    reference: list[float]
    scorecard: np.ndarray
    segment: np.ndarray | None
    basis: str

    @property
    def seed(self) -> int:
        """The seed of all resamples."""
        return self.history.settings.seed

    @property
    def is_dated(self) -> bool:
        """Whether the facts have dates."""
        return self.history.settings.is_dated

    def base_rate_before(self) -> float:
        """The base rate as known at the last split, which the model has to beat."""
        sides = list(self.splits.values()) or [self.side]
        return sides[-1].base_rate()


def evaluate(inputs: EvaluationInputs) -> Json:
    """The evaluation of a model by leads that it had not seen."""
    history, evaluated = inputs.history, inputs.evaluated
    metrics = _compute_metrics(inputs)
    of_all = metrics.get("all", {})
    base_rate = inputs.base_rate_before()
    opponent = np.full(len(evaluated.label), base_rate)
    gain = as_json(compute_gain(evaluated, opponent, seed=inputs.seed))
    signal = find_signal(evaluated, of_all, gain["log_loss_gain"], base_rate=base_rate)

    return {
        **_describe_history(history, inputs.side, known_us=inputs.known_us),
        "basis": inputs.basis,
        "splits": _describe_splits(inputs),
        "judged": describe_side(inputs.last),
        "metrics": metrics,
        "base_rate_before": base_rate,
        "gain": gain,
        "limits_broken": find_broken_limits(of_all, history.settings.model),
        "no_signal": signal.no_signal,
        "unproven": signal.unproven,
        "reliability": compute_reliability(evaluated, seed=inputs.seed).to_dict("records"),
        "brier": compute_decomposition(evaluated),
        "segments": _compute_segments(inputs),
        **_compute_tiers(inputs),
        "captured": _compute_captured(inputs),
        "curves": _compute_curves(inputs),
        "days_to_win": _compute_days_to_win(inputs),
    }


def describe_unevaluated(history: History, *, known_us: int, side: Side) -> Json:
    """The evaluation of a model that no closed lead could evaluate: the same keys, empty."""
    return {
        **_describe_history(history, side, known_us=known_us),
        "basis": "by nothing: it is the scorecard of the settings",
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
        "times": {"half_life": None, "said": "none, since no closed lead could evaluate it"},
        "curves": {},
        "days_to_win": None,
    }


def _describe_history(history: History, side: Side, *, known_us: int) -> Json:
    """What the model learned from, and what is taken for granted about it."""
    settings = history.settings
    changed_fields = history.facts.changed_fields(known_us)
    return {
        "assumption": settings.assumption() or describe_wins_only(history, known_us=known_us),
        "known_until": history.name(known_us),
        "horizon_days": settings.target.horizon_days if settings.is_dated else None,
        "history": describe_side(side),
        "not_learned_from": unlearned_fields(settings, changed_fields),
    }


def _describe_splits(inputs: EvaluationInputs) -> list[Json]:
    records = []
    for moment, side in inputs.splits.items():
        records.append({"moment": inputs.history.name(moment), **describe_side(side)})
    return records


def _compute_metrics(inputs: EvaluationInputs) -> Json:
    """Metrics of `all` rows and, if dated, of leads `young` or `older` than a step of the grid.

    Parts in which all leads ended alike are left out.
    """
    rows = inputs.last.rows[inputs.last.observed]
    is_young = rows["young"].to_numpy()
    parts = {"all": np.ones(len(rows), dtype=bool)}
    if inputs.last.target:
        parts |= {"young": is_young, "older": ~is_young}

    metrics = {}
    repeats = len(inputs.evaluated.label) // max(len(rows), 1)
    for name, mask in parts.items():
        part = inputs.evaluated.take(np.tile(mask, repeats))
        if not part.has_both_labels():
            continue
        snapshots = int(mask.sum())  # without the repeats
        metrics[name] = {
            **describe_evaluated(part),
            "snapshots": snapshots,
            **as_json(compute_metrics(part, seed=inputs.seed)),
        }
    return metrics


def _compute_segments(inputs: EvaluationInputs) -> list[Json]:
    if inputs.segment is None:
        return []
    return compute_groups(inputs.evaluated, inputs.segment, seed=inputs.seed)


def _compute_tiers(inputs: EvaluationInputs) -> Json:
    """`tiers`: promised and came in each; `never_worked`: lost leads nobody contacted, by tier.

    These leads stay in the evaluation: the model predicts the chance under past working practice.
    """
    probability = inputs.evaluated.without_times
    score = compute_score(probability, inputs.reference)
    tier = decide_tier(score, probability, inputs.history.settings.tiers)
    return {
        "tiers": compute_groups(inputs.evaluated, tier, seed=inputs.seed),
        "never_worked": _count_never_worked(inputs, tier),
    }


def _count_never_worked(inputs: EvaluationInputs, tier: np.ndarray) -> Json | None:
    """How many of the lost leads nobody contacted, in all and by tier; None if unknown."""
    last = inputs.last
    mask = find_never_worked(inputs.history, last) if inputs.is_dated else None
    if mask is None:
        return None
    never_worked = mask[last.observed]
    lead_id = last.rows["lead_id"].to_numpy()[last.observed]

    def count_leads(rows: np.ndarray) -> int:
        return len(np.unique(lead_id[rows]))

    return {
        "leads": count_leads(never_worked),
        "of": count_leads(inputs.evaluated.label == 0),
        "by_tier": {name: count_leads(never_worked & (tier == name)) for name in TIERS},
    }


def _compute_captured(inputs: EvaluationInputs) -> Json | None:
    """The share of the value of all wins that working part of the list captures, and its unit."""
    evaluated, last = inputs.evaluated, inputs.last
    if not evaluated.label.any():
        return None
    rows = last.rows[last.observed]
    value, currency = read_values(inputs.history, rows, known_us=last.known_us)
    values = np.tile(value, len(evaluated.label) // len(value))
    orders = {"leadscore": evaluated.probability, "scorecard": inputs.scorecard}
    return {"unit": currency or "wins", "points": compute_captured(evaluated, values, orders)}


def _compute_curves(inputs: EvaluationInputs) -> Json:
    evaluated = inputs.evaluated
    curves = {
        "roc": compute_roc(evaluated),
        "precision_recall": compute_precision_recall(evaluated),
        "lift": compute_lift_curve(evaluated),
        "distribution": compute_distribution(evaluated),
    }
    if inputs.is_dated:
        spells = inputs.history.spells(inputs.known_us)
        curves["maturity"] = compute_maturity(spells, inputs.known_us)
    return curves


def _compute_days_to_win(inputs: EvaluationInputs) -> Json | None:
    if not inputs.is_dated:
        return None
    return dict(compute_days_to_win(inputs.history.spells(inputs.known_us), inputs.known_us))
