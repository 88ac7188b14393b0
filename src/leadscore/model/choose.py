"""Which kind of scorer, and which calibrator, on the splits before the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet, compute_standard_error, row_log_loss
from leadscore.history.labels import Side
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.fit import SCORERS
from leadscore.model.held_out import MIN_SPLITS, HeldOut, can_choose, choosing_pool

# Leads won, and as many others: fewer cannot carry the scorer.
LEAST_LEADS = {"scorecard": 0, "logistic": 10, "boosted": 100, "average": 100}
CALIBRATED_LEADS = (
    50  # of either outcome: with fewer in folds a calibrator adds more noise than it takes away
)
CLEARLY = 1.96  # standard errors of a paired difference

COMPARED_ON = {
    "before": "earlier splits",
    "inner": "history before the last split, cross-validated by lead: the earlier splits lack follow-up or an outcome",
}


def allowed_scorers(side: Side, *, chosen: str, has_points: bool = True) -> list[str]:
    """The kinds of scorer that a side has leads enough for, the simplest first; if not "auto" just the `chosen` one.

    A scorecard that gives all leads the same points (not `has_points`) ranks nobody; it stands only where nothing else
    can.
    """
    if chosen != "auto":
        return [chosen]
    won, others = side.count_leads()
    kinds = [kind for kind in SCORERS if min(won, others) >= LEAST_LEADS[kind]]
    return kinds if has_points or len(kinds) == 1 else kinds[1:]


def missing_leads(won: int, others: int) -> dict[str, int]:
    """For each kind that is not tried yet about how many more closed leads it takes, wins coming as until now.

    Of leads that all ended alike nobody knows how often the other end comes, so nothing is said.
    """
    if (won == 0) != (others == 0):
        return {}
    closed = max(won + others, 1)
    found = {}
    for kind in ("logistic", "average"):
        least = LEAST_LEADS[kind]
        short = [(least - n) / max(n / closed, 1 / closed) for n in (won, others) if n < least]
        if short:
            found[kind] = int(np.ceil(max(short)))
    return found


def choose_scorer(candidates: Mapping[str, Mapping[str, HeldOut]]) -> tuple[str, dict[str, Any]]:
    """The kind to use, and how it was chosen, as JSON.

    The average is the default; a single scorer replaces it only where its log loss is clearly lower. Without an
    average it is the simplest that is not clearly worse. Only rows before the last split compare, since the last one
    evaluates; without such rows nothing is compared.

    What compares is what would be published: predictions calibrated by a sigmoid, or, where no calibrator can be
    fitted, as they are. So a scorer whose level is wrong, as a scorecard's may be, is not taken for its order alone.

    Args:
        candidates: kind -> pool -> predictions for rows it had not seen (see `choosing_pool`).
    """
    default = (
        "average" if "average" in candidates else list(candidates)[min(1, len(candidates) - 1)]
    )
    pool = choosing_pool(next(iter(candidates.values())))
    if len(candidates) == 1 or pool == "last":
        rule = (
            "the only one tried"
            if len(candidates) == 1
            else "the default: no earlier leads can compare scorers"
        )
        return default, {"kind": default, "rule": rule, "log_loss": {}, "compared_on": None}
    calibrator = comparing_calibrator(
        next(iter(candidates.values()))[pool], is_later=pool == "before"
    )
    return choose_among(_calibrate(candidates, pool, calibrator), compared_on=COMPARED_ON[pool])


def comparing_calibrator(held_out: HeldOut, *, is_later: bool) -> str:
    """The kind of calibrator by which scorers compare: "none" where what is published will not be calibrated either.

    Args:
        held_out: the rows that compare.
        is_later: whether they came after what predicted them; else they are predicted in folds.
    """
    if is_later:
        return "sigmoid"
    return (
        "sigmoid"
        if held_out.side.target is None and count_rarer(held_out) >= CALIBRATED_LEADS
        else "none"
    )


def count_rarer(held_out: HeldOut) -> int:
    """The leads of the rarer outcome."""
    label = held_out.rows().drop_duplicates("lead_id")["label"]
    return int(min((label == 1).sum(), (label == 0).sum()))


def choose_among(
    candidates: Mapping[str, EvaluationSet], *, compared_on: str
) -> tuple[str, dict[str, Any]]:
    """The kind to use, and how it was chosen, as JSON, by calibrated predictions of the same rows."""
    losses = {kind: row_log_loss(rows.probability, rows.label) for kind, rows in candidates.items()}
    rows = next(iter(candidates.values()))
    compared = {"compared_on": compared_on}
    if len(candidates) == 1:
        kind = next(iter(candidates))
        return kind, {
            "kind": kind,
            "rule": "the only one tried",
            "log_loss": {},
            "compared_on": None,
        }
    if "average" not in candidates:
        kind, mean = choose_simplest(list(candidates), losses, rows)
        return kind, {
            "kind": kind,
            "rule": "the simplest that is not clearly worse",
            "log_loss": mean,
        } | compared
    mean = {kind: float(np.average(loss, weights=rows.weight)) for kind, loss in losses.items()}
    better = [
        kind for kind in candidates if is_clearly_better(losses[kind], losses["average"], rows)
    ]
    kind = min(better, key=lambda name: mean[name], default="average")
    rule = "clearly better than the average" if better else "no single scorer is clearly better"
    return kind, {"kind": kind, "rule": rule, "log_loss": mean} | compared


def _losses(
    candidates: Mapping[str, Mapping[str, HeldOut]], pool: str
) -> tuple[dict[str, np.ndarray], EvaluationSet]:
    """Each kind's log loss (n,) on the rows of a pool, and the rows."""
    calibrated = _calibrate(candidates, pool, "sigmoid")
    losses = {kind: row_log_loss(rows.probability, rows.label) for kind, rows in calibrated.items()}
    return losses, next(iter(calibrated.values()))


def _calibrate(
    candidates: Mapping[str, Mapping[str, HeldOut]], pool: str, calibrator: str
) -> dict[str, EvaluationSet]:
    """Each kind's predictions of a pool's rows, calibrated on these; by a sigmoid it is their order that compares."""
    return {
        kind: held_out[pool].evaluated(held_out[pool].fit_calibrator(calibrator))
        for kind, held_out in candidates.items()
    }


def is_clearly_better(loss: np.ndarray, than: np.ndarray, rows: EvaluationSet) -> bool:
    """Whether a log loss (n,) is lower than another by more than chance: the interval of the difference excludes 0."""
    gain = float(np.average(than - loss, weights=rows.weight))
    return gain > CLEARLY * compute_standard_error(than - loss, rows.weight, rows.units)


def choose_fields(
    learned: Mapping[str, Mapping[str, HeldOut]], without: Mapping[str, Mapping[str, HeldOut]]
) -> tuple[bool, dict[str, float]]:
    """Whether to leave fields out, and the best mean log loss with them and without.

    They are left out unless that is clearly worse, by more than one standard error, for the better scorer of each, on
    the rows before the last split; without such rows they are left out.
    """
    pool = choosing_pool(next(iter(learned.values())))
    if pool == "last":
        return True, {}
    best: dict[str, np.ndarray] = {}
    for name, candidates in (("without", without), ("learned", learned)):
        losses, rows = _losses(candidates, pool)
        best[name] = min(
            losses.values(), key=lambda loss: float(np.average(loss, weights=rows.weight))
        )
    name, mean = choose_simplest(list(best), best, rows)
    return name == "without", mean


def choose_simplest(
    kinds: list[str], losses: Mapping[str, np.ndarray], rows: EvaluationSet
) -> tuple[str, dict[str, float]]:
    """The first kind within one standard error of the best, and every kind's mean loss."""
    mean = {kind: float(np.average(losses[kind], weights=rows.weight)) for kind in kinds}
    best = min(kinds, key=lambda kind: mean[kind])

    def is_as_good(kind: str) -> bool:
        error = compute_standard_error(losses[kind] - losses[best], rows.weight, rows.units)
        return mean[kind] - mean[best] <= error

    return next(kind for kind in kinds if is_as_good(kind)), mean


@dataclass(frozen=True)
class Calibration:
    """The calibrator to use, and predictions calibrated by one that knows nothing of their rows.

    `fitted_on` is what the first was fitted on, `evaluated` the rows that judge, `choice` how the kind was chosen.
    """

    to_use: dict[str, Any]
    fitted_on: HeldOut
    evaluated: EvaluationSet
    choice: dict[str, Any]


def choose_calibrator(held_out: Mapping[str, HeldOut]) -> Calibration:
    """Choose the kind on all splits but the last, cross-validated by lead; the last only evaluates it.

    The simplest within one standard error of the best is chosen by log loss, fitted on the splits before the last to
    be evaluated on the last, and on all of them to be used. With too few splits there is no choice.
    """
    last = held_out["last"]
    if not can_choose(held_out):
        none = last.fit_calibrator("none")
        return Calibration(
            none, last, last.evaluated(none), {"kind": "none", "why": _why_uncalibrated(held_out)}
        )
    before = held_out["before"]
    evaluated = {kind: before.cross_calibrated(kind) for kind in KINDS}
    losses = {kind: row_log_loss(each.probability, each.label) for kind, each in evaluated.items()}
    kind, mean = choose_simplest(list(KINDS), losses, evaluated["none"])
    choice = {"kind": kind, "log_loss": mean, "compared_on": COMPARED_ON["before"]}
    whole = held_out["whole"]
    judged_by = before.fit_calibrator(kind)
    return Calibration(whole.fit_calibrator(kind), whole, last.evaluated(judged_by), choice)


def _why_uncalibrated(held_out: Mapping[str, HeldOut]) -> str:
    if "before" in held_out:
        if held_out["before"].side.is_watched_enough():
            return "the splits before the last one have leads of one outcome only"
        return "the splits before the last one are together not watched long enough"
    return f"fewer than {MIN_SPLITS} splits are watched long enough on both sides"
