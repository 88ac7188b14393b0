"""Which kind of scorer to use, and whether to leave fields out, by the splits before the last."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.history.side import Side
from leadscore.model.compare import (
    COMPARED_ON,
    choose_simplest,
    is_clearly_better,
    mean_loss,
    row_losses,
)
from leadscore.model.fit import SCORERS
from leadscore.model.held_out import HeldOut, choosing_pool
from leadscore.results import ScorerChoice

# Leads won, and as many others: a scorer fitted on fewer is mostly noise.
LEAST_LEADS = {"scorecard": 0, "logistic": 20, "boosted": 100, "average": 100}

# Leads of either outcome: in folds with fewer a calibrator adds more noise than it takes away.
CALIBRATED_LEADS = 50

Candidates = Mapping[str, Mapping[str, HeldOut]]  # kind of scorer -> pool -> its predictions


def allowed_scorers(side: Side, *, chosen: str, has_points: bool = True) -> list[str]:
    """The kinds of scorer that a side has enough leads for, the simplest first.

    Args:
        side: what they learn from.
        chosen: the kind that the settings choose, or "auto".
        has_points: whether the scorecard ranks anybody; one that gives all leads the same points is
            allowed only where nothing else is.
    """
    if chosen != "auto":
        return [chosen]
    rarer = min(side.count_leads())
    kinds = [kind for kind in SCORERS if rarer >= LEAST_LEADS[kind]]
    if len(kinds) > 1 and not has_points:
        return kinds[1:]
    return kinds


def missing_leads(won: int, others: int) -> dict[str, int]:
    """About how many more closed leads each kind takes that cannot be tried yet.

    At the win rate so far. Where all leads ended alike nothing says how often the other outcome
    comes, so the result is empty.

    >>> missing_leads(5, 45)
    {'logistic': 150, 'average': 950}
    """
    has_one_outcome = (won == 0) != (others == 0)
    if has_one_outcome:
        return {}
    closed = max(won + others, 1)
    missing = {}
    for kind in ("logistic", "average"):
        least = LEAST_LEADS[kind]
        needed = 0.0
        for leads in (won, others):
            share = max(leads, 1) / closed
            needed = max(needed, (least - leads) / share)
        if needed > 0:
            missing[kind] = math.ceil(needed)
    return missing


def choose_scorer(candidates: Candidates) -> ScorerChoice:
    """The kind of scorer to use, by the rows before the last split, since the last one evaluates.

    The average is the default; a single scorer replaces it only where its log loss is clearly
    lower. Without an average it is the simplest that is not clearly worse. Without earlier rows
    nothing is compared.

    Predictions compare as they would be published: calibrated by a sigmoid, or as they are where no
    calibrator can be fitted. So a scorer whose level is wrong, as a scorecard's may be, does not
    win by its order alone.

    Args:
        candidates: kind -> pool -> predictions for rows it had not seen (see `choosing_pool`).
    """
    default = _default_kind(list(candidates))
    pools = next(iter(candidates.values()))
    pool = choosing_pool(pools)
    if len(candidates) == 1:
        return _undisputed(default, "the only one tried")
    if pool == "last":
        return _undisputed(default, "the default: no earlier leads can compare scorers")

    calibrator = comparing_calibrator(pools[pool], is_later=pool == "before")
    calibrated = _calibrate(candidates, pool, calibrator)
    return choose_among(calibrated, compared_on=COMPARED_ON[pool])


def _default_kind(kinds: list[str]) -> str:
    """The average, or the second simplest kind, or the only one."""
    if "average" in kinds:
        return "average"
    return kinds[min(1, len(kinds) - 1)]


def comparing_calibrator(held_out: HeldOut, *, is_later: bool) -> str:
    """The kind of calibrator by which scorers compare.

    "none" where what is published will not be calibrated either.

    Args:
        held_out: the rows that compare.
        is_later: whether they came after what predicted them; else they were predicted in folds.
    """
    is_undated = held_out.side.target is None
    can_calibrate_folds = is_undated and count_rarer(held_out) >= CALIBRATED_LEADS
    return "sigmoid" if is_later or can_calibrate_folds else "none"


def count_rarer(held_out: HeldOut) -> int:
    """The number of leads of the rarer outcome."""
    label = held_out.rows().drop_duplicates("lead_id")["label"]
    won = (label == 1).sum()
    not_won = (label == 0).sum()
    return int(min(won, not_won))


def choose_among(candidates: Mapping[str, EvaluationSet], *, compared_on: str) -> ScorerChoice:
    """The kind of scorer to use, by calibrated predictions of the same rows."""
    kinds = list(candidates)
    if len(kinds) == 1:
        return _undisputed(kinds[0], "the only one tried")

    rows = candidates[kinds[0]]
    losses = row_losses(candidates)
    if "average" not in kinds:
        kind, mean = choose_simplest(kinds, losses, rows)
        rule = "the simplest that is not clearly worse"
        return ScorerChoice(kind=kind, rule=rule, log_loss=mean, compared_on=compared_on)

    average = losses["average"]
    mean = {name: mean_loss(loss, rows) for name, loss in losses.items()}
    better = [name for name in kinds if is_clearly_better(losses[name], average, rows)]
    kind = "average"
    rule = "no single scorer is clearly better"
    if better:
        kind = min(better, key=lambda name: mean[name])
        rule = "clearly better than the average"
    return ScorerChoice(kind=kind, rule=rule, log_loss=mean, compared_on=compared_on)


def _undisputed(kind: str, rule: str) -> ScorerChoice:
    """A choice without a comparison."""
    return ScorerChoice(kind=kind, rule=rule, log_loss={}, compared_on=None)


def choose_fields(learned: Candidates, without: Candidates) -> tuple[bool, dict[str, float]]:
    """Whether to leave fields out, and the best mean log loss with them and without.

    They are left out unless that is clearly worse: by more than chance, the better scorer of each
    compared on the rows before the last split. Without such rows they are left out.
    """
    pool = choosing_pool(next(iter(learned.values())))
    if pool == "last":
        return True, {}

    best_losses = {}
    for name, candidates in (("without", without), ("learned", learned)):
        calibrated = _calibrate(candidates, pool, "sigmoid")
        rows = next(iter(calibrated.values()))
        losses = row_losses(calibrated)
        best_losses[name] = _best_loss(losses, rows)
    means = {name: mean_loss(loss, rows) for name, loss in best_losses.items()}
    is_worth_it = is_clearly_better(best_losses["learned"], best_losses["without"], rows)
    return not is_worth_it, means


def _best_loss(losses: Mapping[str, np.ndarray], rows: EvaluationSet) -> np.ndarray:
    """The loss (n,) with the lowest mean."""

    def mean(loss: np.ndarray) -> float:
        return mean_loss(loss, rows)

    return min(losses.values(), key=mean)


def _calibrate(candidates: Candidates, pool: str, calibrator: str) -> dict[str, EvaluationSet]:
    """Each kind's predictions of a pool's rows, calibrated on these same rows."""
    calibrated = {}
    for kind, pools in candidates.items():
        held_out = pools[pool]
        fitted = held_out.fit_calibrator(calibrator)
        calibrated[kind] = held_out.evaluated(fitted)
    return calibrated
