"""The evidence for a promotion: two recipes followed as of one past moment, on the same leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from leadscore.evaluation.intervals import (
    Estimate,
    Spread,
    compute_gain,
    compute_spreads,
    difference_of,
    estimate_of,
    known_or_none,
)
from leadscore.evaluation.metrics import EvaluationSet, compute_log_loss
from leadscore.evaluation.summaries import as_intervals
from leadscore.history.split import History
from leadscore.model.limits import find_broken_limits
from leadscore.model.training import Training, open_training
from leadscore.progress import Progress, silent
from leadscore.results import CalibrationErrors, PromotionEvidence, SegmentEvidence
from leadscore.settings.settings import Settings
from leadscore.validation.recipe import Recipe, evaluate_recipe

MIN_SEGMENT = 30  # leads: with fewer a difference is mostly luck


@dataclass(frozen=True)
class SegmentGain:
    """What the challenger gains in a segment; None where its leads are too few to tell."""

    segment: str
    leads: int
    gain: Estimate | None

    def summarise(self) -> SegmentEvidence:
        """The same as a result."""
        gain = self.gain.interval() if self.gain else None
        return SegmentEvidence(segment=self.segment, leads=self.leads, gain=gain)


@dataclass(frozen=True)
class Evidence:
    """How a champion's and a challenger's recipe did on the same later leads.

    Attributes:
        evaluated_on: which leads, in words.
        leads: how many.
        won: how many of them were won.
        older: whether the challenger's model was fitted to less of history than the champion's.
        alike: whether both recipes learn in the same way.
        simpler: whether the challenger's recipe is the simpler one.
        scorers: the kind of scorer of "champion" and "challenger".
        log_loss: of either.
        gain: the champion's log loss less the challenger's; above 0 the challenger is better.
        segments: the same gain by segment.
        calibration: the calibration error of either, and their "difference": the challenger's less
            the champion's.
        broken: limits of calibration that the challenger breaks.
        champion_beyond: whether the champion's own estimates are beyond all of these, too.
        bias: the mean probability of "champion" and "challenger" less the win rate.
        split_us: the moment as of which both recipes were followed; None without dates.
        alarm: when published lists raised a calibration alarm since then; None if they did not.
        overlap: how many of the first tenth of today's list stay in it; None if not both models can
            score it.
    """

    evaluated_on: str
    leads: int
    won: int
    older: bool
    alike: bool
    simpler: bool
    scorers: Mapping[str, str]
    log_loss: Mapping[str, float]
    gain: Estimate
    segments: Sequence[SegmentGain]
    calibration: Mapping[str, Estimate]
    broken: Sequence[str]
    champion_beyond: bool = False
    bias: Mapping[str, Estimate] = field(default_factory=dict)
    split_us: int | None = None
    alarm: str | None = None
    overlap: Mapping[str, int] | None = None

    def summarise(self) -> PromotionEvidence:
        """The evidence as a result, None for what could not be computed."""
        calibration = as_intervals(self.calibration)
        log_loss = {name: known_or_none(loss) for name, loss in self.log_loss.items()}
        segments = [segment.summarise() for segment in self.segments]
        overlap = None if self.overlap is None else dict(self.overlap)
        return PromotionEvidence(
            judged_on=self.evaluated_on,
            leads=self.leads,
            won=self.won,
            older=self.older,
            alike=self.alike,
            simpler=self.simpler,
            scorers=dict(self.scorers),
            log_loss=log_loss,
            gain=self.gain.interval(),
            segments=segments,
            calibration=CalibrationErrors(**calibration),
            broken=list(self.broken),
            champion_beyond=self.champion_beyond,
            bias=as_intervals(self.bias),
            alarm=self.alarm,
            overlap=overlap,
        )


def evaluate_recipes(
    history: History,
    *,
    champion: Recipe,
    challenger: Recipe,
    known_us: int,
    progress: Progress = silent,
    evaluated: EvaluationSet | None = None,
    training: Training | None = None,
) -> Evidence:
    """Both recipes followed as of the last split, compared on what came later.

    Args:
        history: where the leads are.
        champion: the recipe of the model that scores.
        challenger: the recipe of the model that is to replace it.
        known_us: up to when outcomes are known.
        progress: is told how far the work is.
        evaluated: how the challenger's recipe did, if its training has just evaluated it (with its
            `training`).
        training: what the challenger was fitted on.

    Raises:
        TooLittleHistoryError: history is too short for the horizon, or has too
            few wins or losses.
    """
    progress("evaluating the champion", 0, 2)
    if training is None:
        training = _open(history, known_us, challenger)
    if evaluated is None:
        evaluated = evaluate_recipe(training, challenger)

    progress("evaluating the champion", 1, 2)
    theirs = evaluated
    if champion != challenger:
        shares_fields = training.left_out == champion.left_out
        other = training if shares_fields else _open(history, known_us, champion)
        theirs = evaluate_recipe(other, champion)
    return _compare(training, theirs, evaluated, champion=champion, challenger=challenger)


def _open(history: History, known_us: int, recipe: Recipe) -> Training:
    """The training of a recipe, without the fields that it leaves out."""
    return open_training(history, known_us=known_us, progress=silent, leave_out=recipe.left_out)


def _compare(
    training: Training,
    theirs: EvaluationSet,
    ours: EvaluationSet,
    *,
    champion: Recipe,
    challenger: Recipe,
) -> Evidence:
    """`compare_evaluated` on the rows that a training evaluates."""
    evidence = compare_evaluated(
        theirs,
        ours,
        champion=champion,
        challenger=challenger,
        segment=training.segment_of_evaluated(),
        evaluated_on=training.evaluated_on(),
        settings=training.history.settings,
    )
    split_us = training.moments[-1] if training.moments else None
    return replace(evidence, split_us=split_us)


def compare_evaluated(
    theirs: EvaluationSet,
    ours: EvaluationSet,
    *,
    champion: Recipe,
    challenger: Recipe,
    segment: np.ndarray | None,
    evaluated_on: str,
    settings: Settings,
) -> Evidence:
    """What two sets of predictions of the same rows say of their recipes.

    Args:
        theirs: the champion's predictions.
        ours: the challenger's.
        champion: its recipe.
        challenger: its recipe.
        segment: (n,) of the rows; None for no segments.
        evaluated_on: which leads, in words.
        settings: the seed of the resamples, and the limits of calibration.
    """
    our_spreads = compute_spreads(ours, seed=settings.seed)
    their_spreads = compute_spreads(theirs, seed=settings.seed)
    broken, beyond = _find_limits(our_spreads, their_spreads, settings)
    return Evidence(
        evaluated_on=evaluated_on,
        leads=ours.count_leads(),
        won=ours.count_leads_won(),
        older=False,
        alike=challenger.is_like(champion),
        simpler=challenger.is_simpler(champion),
        scorers={"champion": champion.scorer, "challenger": challenger.scorer},
        log_loss={"champion": _log_loss(theirs), "challenger": _log_loss(ours)},
        gain=compute_gain(ours, theirs.probability, seed=settings.seed)["log_loss_gain"],
        segments=_compare_segments(ours, theirs.probability, segment, seed=settings.seed),
        calibration=_compare_calibration(their_spreads, our_spreads),
        broken=broken,
        champion_beyond=beyond,
        bias=_compare_bias(their_spreads, our_spreads),
    )


def _compare_bias(theirs: Mapping[str, Spread], ours: Mapping[str, Spread]) -> dict[str, Estimate]:
    """How far predicted and actual win rates are apart, by recipe."""
    return {"champion": estimate_of(theirs["bias"]), "challenger": estimate_of(ours["bias"])}


def _find_limits(
    ours: Mapping[str, Spread],
    theirs: Mapping[str, Spread],
    settings: Settings,
) -> tuple[list[str], bool]:
    """The limits of calibration that the challenger breaks; whether the champion is beyond all of them."""
    broken = _find_broken(ours, settings)
    beyond = _find_broken(_without_width(theirs), settings)
    return list(broken.values()), broken.keys() <= beyond.keys()


def _find_broken(spreads: Mapping[str, Spread], settings: Settings) -> dict[str, str]:
    """The limits of calibration that a model breaks, by name, in words."""
    error = estimate_of(spreads["calibration_error"])
    bias = estimate_of(spreads["bias"])
    return find_broken_limits(error.interval(), bias.interval(), settings.model)


def _without_width(spreads: Mapping[str, Spread]) -> dict[str, Spread]:
    """The values as if they were exact."""
    return {name: (value, np.full(1, value)) for name, (value, _) in spreads.items()}


def _log_loss(evaluated: EvaluationSet) -> float:
    return compute_log_loss(evaluated.probability, evaluated.label, evaluated.weight)


def _compare_calibration(
    their_spreads: Mapping[str, Spread],
    our_spreads: Mapping[str, Spread],
) -> dict[str, Estimate]:
    theirs = their_spreads["calibration_error"]
    ours = our_spreads["calibration_error"]
    return {
        "champion": estimate_of(theirs),
        "challenger": estimate_of(ours),
        "difference": difference_of(ours, theirs),
    }


def _compare_segments(
    ours: EvaluationSet,
    theirs: np.ndarray,
    segment: np.ndarray | None,
    *,
    seed: int,
) -> list[SegmentGain]:
    """The gain over the champion's probabilities (n,) in each segment, in order of its name."""
    if segment is None:
        return []
    names = {str(name) for name in segment if name is not None}
    gains = []
    for name in sorted(names):
        inside = segment == name
        part = ours.take(inside)
        leads = part.count_leads()
        gain = None
        if leads >= MIN_SEGMENT and part.has_both_labels():
            gain = compute_gain(part, theirs[inside], seed=seed)["log_loss_gain"]
        gains.append(SegmentGain(name, leads, gain))
    return gains
