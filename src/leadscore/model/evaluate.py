"""The evaluation of a training: what it rests on, how good it is, whether it has a signal.

Its parts are explained in docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from leadscore.evaluation.intervals import compute_gain
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import compute_score, decide_tier
from leadscore.evaluation.reliability import compute_reliability
from leadscore.evaluation.summaries import summarise_metrics, summarise_side, summarise_split
from leadscore.features.account import unlearned_keys
from leadscore.features.fields import unlearned_fields
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.model.limits import find_broken_limits
from leadscore.model.periods import describe_wins_only
from leadscore.model.signal import Signal, find_signal
from leadscore.results import (
    CalibratorChoice,
    Captured,
    Curves,
    DaysToWin,
    Drift,
    Evaluation,
    Gain,
    Group,
    Interval,
    Learning,
    Metrics,
    NeverWorked,
    PaceChoice,
    RunningIntercept,
    ScorerChoice,
    SplitSummary,
)

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


@dataclass(frozen=True)
class Choices:
    """How the parts of a model were chosen, and how it would fare with more or other history."""

    scorer: ScorerChoice
    calibrator: CalibratorChoice
    times: RunningIntercept
    learning: Learning | None = None
    drift: Drift | None = None
    pace: PaceChoice | None = None


def evaluate(inputs: EvaluationInputs, choices: Choices) -> Evaluation:
    """The evaluation of a model by leads that it had not seen."""
    evaluated = inputs.evaluated
    metrics = _compute_metrics(inputs)
    gain = _compute_gain(inputs)
    signal = _find_signal(inputs, metrics, gain)
    tier = _decide_tiers(inputs)
    return Evaluation(
        basis=inputs.basis,
        assumption=_describe_assumption(inputs.history, inputs.known_us),
        known_until=inputs.history.name(inputs.known_us),
        horizon_days=_horizon(inputs.history),
        not_learned_from=_find_unlearned(inputs.history, inputs.known_us),
        keys_not_learned_from=_find_unlearned_keys(inputs.history, inputs.known_us),
        history=summarise_side(inputs.side),
        splits=_summarise_splits(inputs),
        judged=summarise_side(inputs.last),
        metrics=metrics,
        base_rate_before=inputs.base_rate_before(),
        gain=gain,
        limits_broken=_find_broken_limits(inputs, metrics),
        no_signal=signal.no_signal,
        unproven=signal.unproven,
        reliability=compute_reliability(evaluated, seed=inputs.seed),
        brier=compute_decomposition(evaluated),
        segments=_compute_segments(inputs),
        tiers=compute_groups(evaluated, tier, seed=inputs.seed),
        never_worked=_count_never_worked(inputs, tier),
        captured=_compute_captured(inputs),
        curves=_compute_curves(inputs),
        days_to_win=_compute_days_to_win(inputs),
        scorer=choices.scorer,
        calibrator=choices.calibrator,
        times=choices.times,
        pace=choices.pace,
        learning=choices.learning,
        drift=choices.drift,
    )


def describe_unevaluated(
    history: History,
    choices: Choices,
    *,
    known_us: int,
    side: Side,
) -> Evaluation:
    """The evaluation of a model that no closed lead could evaluate: all that is known is empty."""
    summary = summarise_side(side)
    return Evaluation(
        basis="not evaluated: it is the scorecard of the settings",
        assumption=_describe_assumption(history, known_us),
        known_until=history.name(known_us),
        horizon_days=_horizon(history),
        not_learned_from=_find_unlearned(history, known_us),
        keys_not_learned_from=_find_unlearned_keys(history, known_us),
        history=summary,
        splits=[],
        judged=summary,
        metrics={},
        base_rate_before=None,
        gain=Gain(),
        limits_broken=[],
        no_signal=None,
        unproven=None,
        reliability=[],
        brier=None,
        segments=[],
        tiers=[],
        never_worked=None,
        captured=None,
        curves=Curves(),
        days_to_win=None,
        scorer=choices.scorer,
        calibrator=choices.calibrator,
        times=choices.times,
        pace=choices.pace,
        learning=choices.learning,
        drift=choices.drift,
    )


def _describe_assumption(history: History, known_us: int) -> str | None:
    """What is taken for granted about history, or None."""
    return history.settings.assumption() or describe_wins_only(history, known_us=known_us)


def _horizon(history: History) -> int | None:
    """The horizon in days; None without dates."""
    settings = history.settings
    return settings.target.horizon_days if settings.is_dated else None


def _find_unlearned(history: History, known_us: int) -> list[str]:
    """The fields that the model may not learn from, since nothing says when they became known."""
    return unlearned_fields(history.settings, history.facts.changed_fields(known_us))


def _find_unlearned_keys(history: History, known_us: int) -> list[str]:
    """The keys of leads that the model may not learn from, for the same reason."""
    return unlearned_keys(history.settings, history.facts.changed_fields(known_us))


def _summarise_splits(inputs: EvaluationInputs) -> list[SplitSummary]:
    summaries = []
    for moment, side in inputs.splits.items():
        summaries.append(summarise_split(side, inputs.history.name(moment)))
    return summaries


def _compute_metrics(inputs: EvaluationInputs) -> dict[str, Metrics]:
    """Metrics of `all` rows and, if dated, of leads `young` or `older` than a step of the grid.

    Parts in which all leads ended alike are left out.
    """
    rows = inputs.last.rows[inputs.last.observed]
    is_young = rows["young"].to_numpy()
    everything = np.ones(len(rows), dtype=bool)
    parts = {"all": everything}
    if inputs.last.target:
        parts |= {"young": is_young, "older": ~is_young}

    metrics = {}
    n = len(inputs.evaluated.label)
    repeats = n // max(len(rows), 1)
    for name, mask in parts.items():
        part = inputs.evaluated.take(np.tile(mask, repeats))
        if part.has_both_labels():
            snapshots = int(mask.sum())  # without the repeats
            metrics[name] = summarise_metrics(part, snapshots=snapshots, seed=inputs.seed)
    return metrics


def _compute_gain(inputs: EvaluationInputs) -> Gain:
    """The gain over giving every lead the base rate."""
    n = len(inputs.evaluated.label)
    base_rate = np.full(n, inputs.base_rate_before())
    estimates = compute_gain(inputs.evaluated, base_rate, seed=inputs.seed)
    return Gain(
        log_loss_gain=estimates["log_loss_gain"].interval(),
        brier_skill=estimates["brier_skill"].interval(),
    )


def _find_signal(inputs: EvaluationInputs, metrics: Mapping[str, Metrics], gain: Gain) -> Signal:
    return find_signal(
        inputs.evaluated,
        metrics.get("all"),
        gain.log_loss_gain or Interval(value=None),
        base_rate=inputs.base_rate_before(),
    )


def _find_broken_limits(inputs: EvaluationInputs, metrics: Mapping[str, Metrics]) -> list[str]:
    overall = metrics.get("all")
    if overall is None:
        return []
    limits = inputs.history.settings.model
    broken = find_broken_limits(overall.calibration_error, overall.bias, limits)
    return list(broken.values())


def _compute_segments(inputs: EvaluationInputs) -> list[Group]:
    if inputs.segment is None:
        return []
    return compute_groups(inputs.evaluated, inputs.segment, seed=inputs.seed)


def _decide_tiers(inputs: EvaluationInputs) -> np.ndarray:
    """The tier (n,) of each row that evaluates."""
    probability = inputs.evaluated.without_times
    score = compute_score(probability, inputs.reference)
    return decide_tier(score, probability, inputs.history.settings.tiers)


def _count_never_worked(inputs: EvaluationInputs, tier: np.ndarray) -> NeverWorked | None:
    """How many of the lost leads nobody contacted, in all and by tier; None if unknown.

    These leads stay in the evaluation: the model predicts the chance under past working practice.
    """
    last = inputs.last
    mask = find_never_worked(inputs.history, last) if inputs.is_dated else None
    if mask is None:
        return None
    never_worked = mask[last.observed]
    lead_id = last.rows["lead_id"].to_numpy()[last.observed]

    def count_leads(rows: np.ndarray) -> int:
        return len(np.unique(lead_id[rows]))

    by_tier = {}
    for name in TIERS:
        is_in_tier = tier == name
        by_tier[name] = count_leads(never_worked & is_in_tier)
    is_lost = inputs.evaluated.label == 0
    return NeverWorked(leads=count_leads(never_worked), of=count_leads(is_lost), by_tier=by_tier)


def _compute_captured(inputs: EvaluationInputs) -> Captured | None:
    """The share of the value of all wins that working part of the list captures, and its unit."""
    evaluated = inputs.evaluated
    last = inputs.last
    if not evaluated.label.any():
        return None
    rows = last.rows[last.observed]
    value, currency = read_values(inputs.history, rows, known_us=last.known_us)
    repeats = len(evaluated.label) // len(value)
    values = np.tile(value, repeats)
    points = compute_captured(evaluated, values, inputs.scorecard)
    return Captured(unit=currency or "wins", points=points)


def _compute_curves(inputs: EvaluationInputs) -> Curves:
    evaluated = inputs.evaluated
    curves = Curves(
        roc=compute_roc(evaluated),
        precision_recall=compute_precision_recall(evaluated),
        lift=compute_lift_curve(evaluated),
        distribution=compute_distribution(evaluated),
    )
    if not inputs.is_dated:
        return curves
    spells = inputs.history.spells(inputs.known_us)
    maturity = compute_maturity(spells, inputs.known_us)
    return curves.model_copy(update={"maturity": maturity})


def _compute_days_to_win(inputs: EvaluationInputs) -> DaysToWin | None:
    if not inputs.is_dated:
        return None
    return compute_days_to_win(inputs.history.spells(inputs.known_us), inputs.known_us)
