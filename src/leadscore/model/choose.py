"""Which kind of scorer, and which calibrator: the simplest not clearly worse, on the splits before the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.history.labels import Side
from leadscore.model.calibrate import KINDS
from leadscore.model.evaluate import Judged, compute_standard_error, row_log_loss
from leadscore.model.fit import SCORERS
from leadscore.model.unseen import MIN_SPLITS, Unseen, can_choose, choosing_pool

LEAST_LEADS = {"scorecard": 0, "logistic": 10, "boosted": 100}  # won, and as many others: fewer cannot carry it

COMPARED_ON = {
    "before": "earlier splits",
    "inner": "history before the last split, cross-validated by lead: the earlier splits lack follow-up or an outcome",
    "last": "all splits",
}


def allowed_scorers(side: Side, *, chosen: str, has_points: bool = True) -> list[str]:
    """The kinds of scorer that a side has leads enough for, the simplest first; if not "auto" just the `chosen` one.

    A scorecard that gives no feature any points (not `has_points`) ranks nobody; it stands only where nothing else can.
    """
    if chosen != "auto":
        return [chosen]
    won, others = side.count_leads()
    kinds = [kind for kind in SCORERS if min(won, others) >= LEAST_LEADS[kind]]
    return kinds if has_points or len(kinds) == 1 else kinds[1:]


def missing_leads(won: int, others: int) -> dict[str, int]:
    """For each kind that is not tried yet about how many more closed leads it takes, wins coming as until now."""
    closed = max(won + others, 1)
    found = {}
    for kind, least in LEAST_LEADS.items():
        short = [(least - n) / max(n / closed, 1 / closed) for n in (won, others) if n < least]
        if short:
            found[kind] = int(np.ceil(max(short)))
    return found


def choose_scorer(candidates: Mapping[str, Mapping[str, Unseen]]) -> tuple[str, dict[str, Any]]:
    """The kind to use, and how it was chosen, as JSON.

    Args:
        candidates: kind -> pool -> predictions for rows it had not seen (see `choosing_pool`).
    """
    pool = choosing_pool(next(iter(candidates.values())))
    judged = {kind: unseen[pool].judged(unseen[pool].fit_calibrator("sigmoid")) for kind, unseen in candidates.items()}
    losses = {kind: row_log_loss(each.probability, each.label) for kind, each in judged.items()}
    kind, mean = _simplest(list(candidates), losses, next(iter(judged.values())))
    return kind, {"kind": kind, "log_loss": mean, "compared_on": COMPARED_ON[pool]}


def choose_fields(
    learned: Mapping[str, Mapping[str, Unseen]], without: Mapping[str, Mapping[str, Unseen]]
) -> tuple[bool, dict[str, float]]:
    """Whether to leave fields out, and the best mean log loss with them and without.

    They are left out unless that is clearly worse, by more than one standard error, for the better scorer of each.
    """
    losses: dict[str, np.ndarray] = {}
    for name, candidates in (("without", without), ("learned", learned)):
        pool = choosing_pool(next(iter(candidates.values())))
        judged = [unseen[pool].judged(unseen[pool].fit_calibrator("sigmoid")) for unseen in candidates.values()]
        each = [row_log_loss(one.probability, one.label) for one in judged]
        losses[name] = min(each, key=lambda loss: float(np.average(loss, weights=judged[0].weight)))
    name, mean = _simplest(list(losses), losses, judged[0])
    return name == "without", mean


def _simplest(kinds: list[str], losses: Mapping[str, np.ndarray], rows: Judged) -> tuple[str, dict[str, float]]:
    """The first kind within one standard error of the best, and every kind's mean loss."""
    mean = {kind: float(np.average(losses[kind], weights=rows.weight)) for kind in kinds}
    best = min(kinds, key=lambda kind: mean[kind])

    def is_as_good(kind: str) -> bool:
        error = compute_standard_error(losses[kind] - losses[best], rows.weight, rows.lead_id)
        return mean[kind] - mean[best] <= error

    return next(kind for kind in kinds if is_as_good(kind)), mean


@dataclass(frozen=True)
class Calibration:
    """The calibrator to use, the one of the same kind that knows nothing of the last split, and how it was chosen."""

    to_use: dict[str, Any]
    judged_by: dict[str, Any]
    choice: dict[str, Any]


def choose_calibrator(unseen: Mapping[str, Unseen]) -> Calibration:
    """Choose the kind on all splits but the last, cross-validated by lead; the last only evaluates it.

    The simplest within one standard error of the best is chosen by log loss, fitted on the splits before the last to
    be evaluated on the last, and on all of them to be used. With too few splits there is no choice.
    """
    last = unseen["last"]
    if not can_choose(unseen):
        none = last.fit_calibrator("none")
        return Calibration(none, none, {"kind": "none", "why": _why_uncalibrated(unseen)})
    before = unseen["before"]
    judged = {kind: before.cross_calibrated(kind) for kind in KINDS}
    losses = {kind: row_log_loss(each.probability, each.label) for kind, each in judged.items()}
    kind, mean = _simplest(list(KINDS), losses, judged["none"])
    choice = {"kind": kind, "log_loss": mean, "compared_on": COMPARED_ON["before"]}
    return Calibration(unseen["whole"].fit_calibrator(kind), before.fit_calibrator(kind), choice)


def _why_uncalibrated(unseen: Mapping[str, Unseen]) -> str:
    if "before" in unseen:
        if unseen["before"].side.is_watched_enough():
            return "the splits before the last one have leads of one outcome only"
        return "the splits before the last one are together not watched long enough"
    if unseen["last"].repeats > 1:
        return "it would have to be chosen on later leads, and nothing says which are later"
    return f"fewer than {MIN_SPLITS} splits are watched long enough on both sides"
