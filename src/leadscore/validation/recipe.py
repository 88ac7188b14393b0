"""A recipe: how a model learns. Followed as of a past moment, it predicts leads it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.apply import WinModel
from leadscore.model.crossed import calibrate_ahead, choose_crossed
from leadscore.model.fit import SCORERS
from leadscore.model.held_out import HeldOut, can_choose
from leadscore.model.intercept.past import unit_of
from leadscore.model.intercept.running import evaluate_with_intercept
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.linear_choice import Linear
from leadscore.model.training import Training


@dataclass(frozen=True)
class Recipe:
    """What makes a model besides the data.

    Attributes:
        scorer: its kind.
        boosting: the size of the trees.
        linear: how logistic regression is fitted; None if the scorer has none.
        calibrator: its kind.
        left_out: fields that it does without.
        segmented: whether segments have models of their own.
        half_life: of the running intercept; None without one.
    """

    scorer: str
    boosting: Boosting
    linear: Linear | None
    calibrator: str
    left_out: frozenset[str]
    segmented: bool
    half_life: float | None = None

    @classmethod
    def of(cls, model: WinModel) -> Recipe:
        """The recipe of a model."""
        document = model.document
        scorer = model.scorer
        names = asdict(Boosting())
        size = {name: scorer[name] for name in names if name in scorer}
        return cls(
            scorer=scorer["kind"],
            boosting=Boosting(**size),
            linear=_read_linear(scorer),
            calibrator=document["calibrator"]["kind"],
            left_out=frozenset(document.get("left_out", ())),
            segmented=bool(document.get("segments")),
            half_life=document.get("times", {}).get("half_life"),
        )

    def is_like(self, other: Recipe) -> bool:
        """Whether both learn in the same way.

        The size of trees, the calibrator and the intercept are chosen anew each time, so they do
        not count.
        """
        ours = (self.scorer, self.left_out, self.segmented)
        return ours == (other.scorer, other.left_out, other.segmented)

    def is_simpler(self, other: Recipe) -> bool:
        """Whether the scorer is of a simpler kind, or of the same kind with fewer fields."""
        ours = SCORERS.index(self.scorer)
        theirs = SCORERS.index(other.scorer)
        if ours != theirs:
            return ours < theirs
        return self.segmented <= other.segmented and self.left_out > other.left_out


def _read_linear(scorer: Mapping[str, Any]) -> Linear | None:
    """How the logistic regression of a scorer was fitted; None if it has none."""
    if "raw_spread" not in scorer:
        return None
    return Linear(scorer["level_spread"], scorer["raw_spread"])


def evaluate_recipe(training: Training, recipe: Recipe) -> EvaluationSet:
    """The rows that evaluate, predicted by a recipe that had not seen them."""
    training = replace(training, linear=recipe.linear)
    held_out = training.predict(recipe.scorer, boosting=recipe.boosting)
    if recipe.segmented and training.earlier:
        rows = training.earlier[-1].rows
        encoder = training.fit(recipe.scorer, rows, boosting=recipe.boosting)
        held_out = training.divide(held_out, encoder).held_out
    return _calibrate(training, recipe, held_out)


def _calibrate(
    training: Training,
    recipe: Recipe,
    held_out: Mapping[str, HeldOut],
) -> EvaluationSet:
    """The last rows, calibrated as a training would: by folds, or by the splits before the last."""
    last = held_out["last"]
    kinds = (recipe.calibrator,)
    if training.is_crossed:
        crossed = choose_crossed({recipe.scorer: last}, calibrators=kinds)
        return crossed.calibration.evaluated
    if "inner" in held_out and not training.history.settings.is_dated:
        return calibrate_ahead(held_out["inner"], last, calibrators=kinds).evaluated
    if not can_choose(held_out):
        return last.evaluated(last.fit_calibrator("none"))

    calibrator = held_out["before"].fit_calibrator(recipe.calibrator)
    if recipe.half_life is None or unit_of(training.history) is None:
        return last.evaluated(calibrator)
    return evaluate_with_intercept(
        training.history,
        held_out,
        calibrator,
        half_life=recipe.half_life,
    )
