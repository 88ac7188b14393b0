"""Whether features say when a win comes, by the splits before the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.compare import COMPARED_ON, is_clearly_better, mean_loss, row_losses
from leadscore.model.pace.fit import Wins, choose_days, fit_pace, share_alike
from leadscore.model.pace.pace import predict_pace_of
from leadscore.model.training import Training
from leadscore.results import PaceChoice

LEAST_WON = 100  # leads, as many as trees take that say whether
COMPARED_SPLITS = 3  # the latest before the last: each costs a fit
ALIKE, LEARNED = "alike", "learned"


@dataclass(frozen=True)
class PaceResult:
    """A pace as what the model's JSON has of it (`pace`, or nothing), and how it was chosen."""

    document: dict[str, Any]
    choice: PaceChoice


def choose_pace(training: Training) -> PaceResult:
    """The pace of wins by the features of leads, if that is clearly better than one for all alike.

    They are compared by the log loss of the interval that later wins came in.
    """
    if training.side.target is None:
        return _choose_none("without dates there is no telling when a lead is won")
    wins = Wins.of(training.matrix, training.side)
    if wins.count_leads() < LEAST_WON:
        return _choose_none(f"fewer than {LEAST_WON} leads were won within the horizon")

    days = choose_days(wins, horizon_days=training.side.target.horizon_days)
    compared = _compare(training, days)
    if compared is None:
        return _choose_none(f"no earlier split had {LEAST_WON} leads won before it, and wins after")

    evaluated = {name: _as_evaluation_set(compared, name) for name in (ALIKE, LEARNED)}
    losses = row_losses(evaluated)
    rows = evaluated[ALIKE]
    measured: dict[str, Any] = {
        "log_loss": {name: mean_loss(loss, rows) for name, loss in losses.items()},
        "compared_on": COMPARED_ON["before"],
    }
    if not is_clearly_better(losses[LEARNED], losses[ALIKE], rows):
        return _choose_none("features do not clearly tell early wins from late ones", **measured)

    learned = fit_pace(wins, days, features=training.features, seed=training.history.settings.seed)
    summary = "from the features of the lead"
    return PaceResult({"pace": learned}, PaceChoice(learned=True, summary=summary, **measured))


def _choose_none(why: str, **measured: Any) -> PaceResult:
    summary = f"from the age of the lead alone, since {why}"
    return PaceResult({}, PaceChoice(learned=False, summary=summary, **measured))


def _compare(training: Training, days: Sequence[float]) -> pd.DataFrame | None:
    """The wins after earlier splits: lead_id, weight, and the probability of the interval of each.

    The probability has a column for the features' (`LEARNED`) and one for all alike (`ALIKE`). None
    where no split can compare.
    """
    before = training.pools.get("before")
    if before is None:
        return None
    later = Wins.of(training.matrix, before)
    is_won = (before.rows["label"] == 1).to_numpy()
    split = before.latest_moment(training.moments)[is_won]
    parts = []
    for i, side in enumerate(training.earlier[:-1]):
        earlier = Wins.of(training.matrix, side)
        after = later.at(split == i)
        if earlier.count_leads() >= LEAST_WON and len(after.days):
            parts.append((earlier, after))
    compared = [_predict(training, *part, days) for part in parts[-COMPARED_SPLITS:]]
    return pd.concat(compared, ignore_index=True) if compared else None


def _predict(
    training: Training,
    earlier: Wins,
    later: Wins,
    days: Sequence[float],
) -> pd.DataFrame:
    """Later wins by what the earlier ones say: a part of `_compare`."""
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
