"""Whether a new model replaces the champion: by evidence on leads that neither recipe has seen, and only by that.

A model is not judged by what it was when it was trained but by its recipe: the champion's way of learning and the
challenger's are both followed as of one past moment, and judged on the leads that were open after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import (
    Estimate,
    EvaluationSet,
    compute_gain,
    compute_log_loss,
    compute_spreads,
    difference_of,
    estimate_of,
)
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.crossed import calibrate_ahead, choose_crossed
from leadscore.model.fit import SCORERS
from leadscore.model.held_out import can_choose
from leadscore.model.intercept.past import unit_of
from leadscore.model.intercept.running import evaluate_with_intercept
from leadscore.model.judge import broken_limits
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.linear_choice import Linear
from leadscore.model.signal import MIN_EVALUATED
from leadscore.model.training import Training, open_training
from leadscore.progress import Progress, silent

TOP_SHARE = 0.1
MIN_SEGMENT = 30  # leads, of which some won and some not: of fewer a difference is mostly luck


@dataclass(frozen=True)
class Recipe:
    """A way of learning: what makes a model besides the data."""

    scorer: str
    boosting: Boosting
    linear: Linear | None
    calibrator: str
    left_out: frozenset[str]
    segmented: bool
    half_life: float | None = None  # of the running intercept

    @classmethod
    def of(cls, model: WinModel) -> Recipe:
        """The recipe of a model."""
        document = model.document
        chosen = {name: model.scorer[name] for name in asdict(Boosting()) if name in model.scorer}
        return cls(
            model.scorer["kind"],
            Boosting(**chosen),
            Linear(model.scorer["level_spread"], model.scorer["raw_spread"])
            if "raw_spread" in model.scorer
            else None,
            document["calibrator"]["kind"],
            frozenset(document.get("left_out", ())),
            bool(document.get("segments")),
            document.get("times", {}).get("half_life"),
        )

    def is_like(self, other: Recipe) -> bool:
        """Whether both learn in the same way; trees' size, calibrator and times are found anew each time."""
        return (self.scorer, self.left_out, self.segmented) == (
            other.scorer,
            other.left_out,
            other.segmented,
        )

    def is_simpler(self, other: Recipe) -> bool:
        """Whether the scorer is of a lower rung, or of the same one and knows less."""
        ours, theirs = SCORERS.index(self.scorer), SCORERS.index(other.scorer)
        return ours < theirs or (
            ours == theirs and self.segmented <= other.segmented and self.left_out > other.left_out
        )


@dataclass(frozen=True)
class Evidence:
    """How a champion's and a challenger's recipe did on the same later leads.

    Gains are the champion's log loss less the challenger's, so above 0 is better. `older` says that the challenger's
    model was fitted to less of history than the champion's. `overlap` says how many of
    the first tenth of today's list stay in it, if both models can score it.
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
    segments: Sequence[Mapping[str, Any]]
    calibration: Mapping[str, Estimate]
    broken: Sequence[str]
    overlap: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Promotion:
    """The decision, why, and the numbers that it rests on (none if there was no champion to compare with)."""

    promoted: bool
    why: str
    evidence: Evidence | None = None

    def as_json(self) -> dict[str, Any]:
        """The decision as JSON, with null for what could not be computed."""
        return {"promoted": self.promoted, "why": self.why, "evidence": _as_json(self.evidence)}


def _as_json(value: Any) -> Any:
    if isinstance(value, Estimate):
        return value.as_json()
    if isinstance(value, Evidence):
        return {name: _as_json(each) for name, each in vars(value).items()}
    if isinstance(value, Mapping):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def evaluate_recipe(training: Training, recipe: Recipe) -> EvaluationSet:
    """The last split, predicted by a recipe that had not seen it."""
    training = replace(training, linear=recipe.linear)
    held_out = training.predict(recipe.scorer, boosting=recipe.boosting)
    if recipe.segmented and training.earlier:
        encoder = training.fit(recipe.scorer, training.earlier[-1].rows, boosting=recipe.boosting)
        held_out = training.divide(held_out, encoder).held_out
    if training.is_crossed:
        return choose_crossed(
            {recipe.scorer: held_out["last"]}, calibrators=(recipe.calibrator,)
        ).calibration.evaluated
    if "inner" in held_out and not training.history.settings.is_dated:
        return calibrate_ahead(
            held_out["inner"], held_out["last"], calibrators=(recipe.calibrator,)
        ).evaluated
    if not can_choose(held_out):  # as `choose_calibrator` has it
        return held_out["last"].evaluated(held_out["last"].fit_calibrator("none"))
    calibrator = held_out["before"].fit_calibrator(recipe.calibrator)
    if recipe.half_life is None or unit_of(training.history) is None:
        return held_out["last"].evaluated(calibrator)
    return evaluate_with_intercept(
        training.history, held_out, calibrator, half_life=recipe.half_life
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
    """Follow both recipes as of the last split of what is known at a moment, and judge them on what came later.

    Args:
        history: where the leads are.
        champion: the recipe of the model that scores.
        challenger: the recipe of the model that wants to.
        known_us: up to when outcomes are known.
        progress: told what is going on.
        evaluated: how the challenger's recipe did, if its training has just told (with its `training`).
        training: what the challenger was fitted on.

    Raises:
        FollowUpError: history is too short for the horizon.
        TooFewOutcomesError: it has too few wins or losses.
    """
    progress("judging the champion", 0, 2)
    if training is None:
        training = open_training(
            history, known_us=known_us, progress=silent, leave_out=challenger.left_out
        )
    ours = evaluated if evaluated is not None else evaluate_recipe(training, challenger)
    progress("judging the champion", 1, 2)
    other = (
        training
        if training.left_out == champion.left_out
        else open_training(history, known_us=known_us, progress=silent, leave_out=champion.left_out)
    )
    theirs = ours if champion == challenger else evaluate_recipe(other, champion)
    return compare_evaluated(
        theirs,
        ours,
        champion=champion,
        challenger=challenger,
        segment=training.segment_of_evaluated(),
        evaluated_on=training.evaluated_on(),
        settings=history.settings,
    )


def compare_evaluated(
    champion_evaluated: EvaluationSet,
    evaluated: EvaluationSet,
    *,
    champion: Recipe,
    challenger: Recipe,
    segment: np.ndarray | None,
    evaluated_on: str,
    settings: Any,
) -> Evidence:
    """What two sets of predictions of the same rows say of their recipes, with intervals over leads."""
    theirs, ours, seed = champion_evaluated, evaluated, settings.seed
    spreads = {
        name: compute_spreads(each, seed=seed)
        for name, each in (("champion", theirs), ("challenger", ours))
    }
    metrics = {name: estimate_of(spread) for name, spread in spreads["challenger"].items()}
    errors = {name: spread["calibration_error"] for name, spread in spreads.items()}
    calibration = {name: estimate_of(spread) for name, spread in errors.items()}
    calibration["difference"] = difference_of(errors["challenger"], errors["champion"])
    return Evidence(
        evaluated_on=evaluated_on,
        leads=len(np.unique(ours.lead_id)),
        won=len(np.unique(ours.lead_id[ours.label == 1])),
        older=False,
        alike=challenger.is_like(champion),
        simpler=challenger.is_simpler(champion),
        scorers={"champion": champion.scorer, "challenger": challenger.scorer},
        log_loss={
            name: compute_log_loss(each.probability, each.label, each.weight)
            for name, each in (("champion", theirs), ("challenger", ours))
        },
        gain=compute_gain(ours, theirs.probability, seed=seed)["log_loss_gain"],
        segments=[]
        if segment is None
        else _by_segment(ours, theirs.probability, segment, seed=seed),
        calibration=calibration,
        broken=broken_limits(
            {name: each.as_json() for name, each in metrics.items()}, settings.model
        ),
    )


def _by_segment(
    evaluated: EvaluationSet, other: np.ndarray, segment: np.ndarray, *, seed: int
) -> list[dict[str, Any]]:
    found = []
    for value in sorted({str(value) for value in segment if value is not None}):
        inside = segment == value
        part = evaluated.take(inside)
        leads, both = len(np.unique(part.lead_id)), len(np.unique(part.label)) == 2
        told: dict[str, Any] = {"segment": value, "leads": leads, "gain": None}
        if leads >= MIN_SEGMENT and both:
            told["gain"] = compute_gain(part, other[inside], seed=seed)["log_loss_gain"]
        found.append(told)
    return found


def decide_promotion(evidence: Evidence) -> Promotion:
    """Whether the challenger replaces the champion; whatever is missing or not a number speaks against it."""
    if against := list(_objections(evidence)):
        return Promotion(False, "; ".join(against), evidence)
    gain = evidence.gain
    if evidence.alike and (gain.low, gain.high) == (0, 0):
        return Promotion(True, "the very same recipe, on newer data", evidence)
    one_error = (gain.high - gain.low) / (
        2 * 1.96
    )  # within it the simpler wins, as where a scorer is chosen
    verdicts = (  # the first that holds
        (gain.high < 0, False, "worse"),
        (gain.low > 0, True, "better"),
        (evidence.alike, True, "the same recipe on newer data, and not clearly worse"),
        (evidence.simpler and gain.value >= -one_error, True, "simpler, and not clearly worse"),
        (True, False, "not clearly better"),
    )
    promoted, why = next((promoted, why) for holds, promoted, why in verdicts if holds)
    said = f"log loss lower by {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f}) on {evidence.leads:,} later leads"
    return Promotion(promoted, f"{why}: {said}", evidence)


def _objections(evidence: Evidence) -> Iterator[str]:
    """What speaks against a challenger, however much better it may be."""
    won, others = evidence.won, evidence.leads - evidence.won
    if min(won, others) < MIN_EVALUATED:
        yield f"only {won} won and {others} other leads could judge it; at least {MIN_EVALUATED} of each are needed"
    if evidence.older:
        yield "it was fitted to less of history than the champion"
    if not _are_numbers(evidence):
        yield "a number that the decision rests on could not be computed"
    if evidence.broken:
        yield "its calibration breaks the limits of the settings: " + "; ".join(evidence.broken)
    for each in evidence.segments:
        if each["gain"] is not None and each["gain"].high < 0:
            gain = each["gain"]
            yield (
                f"clearly worse in the segment {each['segment']}: log loss higher by {-gain.value:.4f} "
                f"({-gain.high:.4f} to {-gain.low:.4f}) on {each['leads']:,} leads"
            )
    if (difference := evidence.calibration["difference"]).low > 0:
        yield (
            f"its probabilities are clearly less true: calibration error higher by {difference.value:.3f} "
            f"({difference.low:.3f} to {difference.high:.3f})"
        )


def _are_numbers(evidence: Evidence) -> bool:
    gains: Iterable[Estimate] = [
        each["gain"] for each in evidence.segments if each["gain"] is not None
    ]
    estimates = [evidence.gain, *evidence.calibration.values(), *gains]
    numbers = [x for each in estimates for x in (each.value, each.low, each.high)]
    return bool(np.isfinite([*numbers, *evidence.log_loss.values()]).all())


def decide_first(broken: Sequence[str], *, is_evaluated: bool, ranks: bool = True) -> Promotion:
    """Whether a first model may score; whether it is proven to beat the base rate is asked beside (`hold_unproven`).

    A scorecard that no closed lead has judged may, too, if it `ranks` the open leads: it says what the settings say.
    """
    if not ranks:
        why = "nothing ranks the leads: history cannot be learned from yet, and the scorecard gives all the same points"
        return Promotion(False, why)
    if not is_evaluated:
        return Promotion(
            True,
            "no champion, and the scorecard of the settings stands until closed leads can judge it",
        )
    if broken:
        return Promotion(
            False, "its calibration breaks the limits of the settings: " + "; ".join(broken)
        )
    return Promotion(True, "no champion, and it is better than the base rate")


def hold_unproven(promotion: Promotion, unproven: str | None) -> Promotion:
    """The decision, but that nothing is promoted that is not proven to beat the base rate."""
    if unproven is None:
        return promotion
    why = unproven if promotion.promoted else f"{unproven}; {promotion.why}"
    return replace(promotion, promoted=False, why=why)


def compare_lists(
    history: History, champion: WinModel, challenger: WinModel, *, as_of_us: int
) -> dict[str, int] | None:
    """How many leads of the champion's first tenth of the open ones `stay` in the challenger's, and `of` how many.

    None if nobody is open, or the settings no longer declare the features that one of them learned from.
    """
    rows = history.open_list(as_of_us)
    n = int(np.ceil(TOP_SHARE * len(rows)))
    tops, known = [], None
    for model in (champion, challenger):
        features = build_features(
            history.settings, leave_out=frozenset(model.document.get("left_out", ()))
        )
        learned = [
            (feature["name"], feature["fingerprint"]) for feature in model.document["features"]
        ]
        if not n or learned != [(feature.name, feature.fingerprint()) for feature in features]:
            return None
        if learned != known:  # most often both learned from the same features
            matrix, known = build_matrix(history.snapshot(rows), features), learned
        log_odds = model.log_odds(matrix.columns)
        order = np.lexsort(
            (matrix.keys["lead_id"].to_numpy(dtype=object), -log_odds, -model.probability(log_odds))
        )
        tops.append(set(matrix.keys["lead_id"].to_numpy()[order[:n]]))
    return {"stay": len(tops[0] & tops[1]), "of": n}
