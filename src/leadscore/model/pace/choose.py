"""Whether features say when a win comes, by wins that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.compare import COMPARED_ON, is_clearly_better, mean_loss, row_losses
from leadscore.model.encode import FOLDS, fold_of_group
from leadscore.model.pace.fit import Wins, choose_days, fit_pace, share_alike
from leadscore.model.pace.pace import predict_pace_of
from leadscore.model.training import Training
from leadscore.results import PaceChoice

LEAST_WON = 100  # leads, as many as trees take that say whether
COMPARED_SPLITS = 3  # the latest before the last: each costs a fit
CROSSED = "all of history, cross-validated by lead"
ALIKE, LEARNED = "alike", "learned"


@dataclass(frozen=True)
class PaceResult:
    """A pace as what the model's JSON has of it (`pace`, or nothing), and how it was chosen.

    Without dates there is nothing to choose.
    """

    document: dict[str, Any]
    choice: PaceChoice | None


def choose_pace(training: Training) -> PaceResult:
    """The pace of wins by the features of leads, if that is clearly better than one for all alike.

    They are compared by the log loss of the interval that held-out wins came in: those after earlier
    splits or, with too few splits, those of a cross-validation by lead.
    """
    if training.side.target is None:
        return PaceResult({}, None)
    wins = Wins.of(training.matrix, training.side)
    if wins.count_leads() < LEAST_WON:
        return _choose_none(f"fewer than {LEAST_WON} leads were won within the horizon")

    pairs = _pair_later(training)
    compared_on = COMPARED_ON["before"]
    if not pairs:
        pairs = _pair_folds(training)
        compared_on = COMPARED_ON["inner"] if training.moments else CROSSED
    if not pairs:
        return _choose_none("too few wins can be held out")

    days = choose_days(wins, horizon_days=training.side.target.horizon_days)
    compared = pd.concat([_predict(training, *pair, days) for pair in pairs], ignore_index=True)
    evaluated = {name: _as_evaluation_set(compared, name) for name in (ALIKE, LEARNED)}
    losses = row_losses(evaluated)
    rows = evaluated[ALIKE]
    measured: dict[str, Any] = {
        "log_loss": {name: mean_loss(loss, rows) for name, loss in losses.items()},
        "compared_on": compared_on,
    }
    if not is_clearly_better(losses[LEARNED], losses[ALIKE], rows):
        return _choose_none("features do not clearly tell early wins from late ones", **measured)

    learned = fit_pace(wins, days, features=training.features, seed=training.history.settings.seed)
    summary = "from the features of the lead"
    return PaceResult({"pace": learned}, PaceChoice(learned=True, summary=summary, **measured))


def _choose_none(why: str, **measured: Any) -> PaceResult:
    summary = f"from the age of the lead alone, since {why}"
    return PaceResult({}, PaceChoice(learned=False, summary=summary, **measured))


def _pair_later(training: Training) -> list[tuple[Wins, Wins]]:
    """For each of the latest splits but the last the wins known at it, and those after it."""
    before = training.pools.get("before")
    if before is None:
        return []
    later = Wins.of(training.matrix, before)
    is_won = (before.rows["label"] == 1).to_numpy()
    split = before.latest_moment(training.moments)[is_won]
    pairs = []
    for i, side in enumerate(training.earlier[:-1]):
        earlier = Wins.of(training.matrix, side)
        pairs.append((earlier, later.at(split == i)))
    return _usable(pairs)[-COMPARED_SPLITS:]


def _pair_folds(training: Training) -> list[tuple[Wins, Wins]]:
    """The wins known at the last split, if there is one, without those of each fold, and these."""
    latest = [training.side, *training.earlier][-1]
    wins = Wins.of(training.matrix, latest)
    fold = fold_of_group(wins.seen.groups())
    return _usable([(wins.at(fold != k), wins.at(fold == k)) for k in range(FOLDS)])


def _usable(pairs: Sequence[tuple[Wins, Wins]]) -> list[tuple[Wins, Wins]]:
    """The pairs with enough wins to learn from, and any to compare on."""
    return [
        (earlier, later)
        for earlier, later in pairs
        if earlier.count_leads() >= LEAST_WON and len(later.days)
    ]


def _predict(
    training: Training,
    earlier: Wins,
    later: Wins,
    days: Sequence[float],
) -> pd.DataFrame:
    """Later wins: lead_id, weight, and the probability of the interval that each came in.

    By what the earlier wins say, of features (`LEARNED`) and of all alike (`ALIKE`).
    """
    seed = training.history.settings.seed
    learned = fit_pace(earlier, days, features=training.features, seed=seed)
    shares = predict_pace_of(learned, later.seen.columns).shares
    of_lead = np.diff(shares, axis=1)
    place = later.place(days)
    return pd.DataFrame(
        {
            "lead_id": later.lead_id,
            "weight": later.weight,
            LEARNED: of_lead[np.arange(len(place)), place],
            ALIKE: share_alike(earlier, days)[place],
        }
    )


def _as_evaluation_set(compared: pd.DataFrame, name: str) -> EvaluationSet:
    """The probability of what came."""
    return EvaluationSet(
        probability=compared[name].to_numpy(),
        label=np.ones(len(compared)),
        weight=compared["weight"].to_numpy(),
        lead_id=compared["lead_id"].to_numpy(),
    )
