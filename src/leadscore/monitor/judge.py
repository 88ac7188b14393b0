"""Another score compared with leadscore's, on the leads that both had scored before their close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.errors import UserError
from leadscore.evaluation.captured import read_values
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.summaries import summarise_metrics
from leadscore.history.split import History
from leadscore.model.apply import calibrate
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.training import MIN_EVALUATED
from leadscore.monitor.peeking import Track, check_peeking, worst_verdict
from leadscore.monitor.ranking import Pair, compare_auc, compare_tops
from leadscore.monitor.settle import SETTLED, as_evaluation_set
from leadscore.monitor.verdict import describe
from leadscore.results import Metrics
from leadscore.results.judged import Judged, ScoreCounts
from leadscore.times import DAY_US

OURS = "ours"
MAPPED = "theirs, mapped"
AS_IS = "theirs, as it is"


@dataclass(frozen=True)
class Asked:
    """What is to be judged, and beside what.

    Attributes:
        project: its name.
        name: of the score.
        basis: what stands for our scores, in words.
        known_us: up to when facts are known.
    """

    project: str
    name: str
    basis: str
    known_us: int


def judge(history: History, rows: pd.DataFrame, asked: Asked, *, horizon_days: int) -> Judged:
    """Another score compared with leadscore's, by what either said of a lead before each list's date.

    Args:
        history: where the leads and the score's values are.
        rows: our lists, settled (see `settle`), with `tier`.
        asked: which score.
        horizon_days: within how many days a win counts; lists this long before others may map it.

    Raises:
        UserError: too few leads have both scores and an outcome.
    """
    settled = rows[rows["state"] == SETTLED]
    theirs = history.facts.others.values(asked.name, settled)
    has_both = np.isfinite(theirs)
    both = settled[has_both]
    pair, unit = _pair(history, both, theirs[has_both], known_us=asked.known_us)
    _check_enough(pair.evaluated, asked.name)

    seed = history.settings.seed
    auc = compare_auc(pair, seed=seed)
    calibration, mapped_from = _calibrate(history, pair, horizon_days=horizon_days)
    checks = check_peeking(_track(history, asked), auc, seed=seed)
    judged = Judged(
        project=asked.project,
        as_of=history.name(asked.known_us),
        store_version=history.version.id,
        name=asked.name,
        basis=asked.basis,
        unit=unit,
        counts=_count(history, rows, settled, both),
        auc=auc,
        calibration=calibration,
        mapped_from=mapped_from,
        tops=compare_tops(pair, both["tier"].tolist(), seed=seed),
        checks=checks,
        peeks=worst_verdict(checks),
        summary=[],
    )
    return judged.model_copy(update={"summary": describe(judged)})


def _count(
    history: History,
    rows: pd.DataFrame,
    settled: pd.DataFrame,
    both: pd.DataFrame,
) -> ScoreCounts:
    """How many rows there are, of them settled, and of those scored by both."""
    dates = sorted(both["as_of_us"].unique().tolist())
    return ScoreCounts(
        receipts=len(rows),
        settled=len(settled),
        both=len(both),
        leads=both["lead_id"].nunique(),
        lists=len(dates),
        since=history.name(dates[0]),
        until=history.name(dates[-1]),
    )


def _pair(
    history: History,
    both: pd.DataFrame,
    theirs: np.ndarray,
    *,
    known_us: int,
) -> tuple[Pair, str]:
    value, currency = read_values(history, both, known_us=known_us)
    return Pair(as_evaluation_set(both), theirs, value), currency or "wins"


def _check_enough(evaluated: EvaluationSet, name: str) -> None:
    won = evaluated.count_leads_won()
    others = evaluated.count_leads_not_won()
    if min(won, others) < MIN_EVALUATED:
        raise UserError(
            f"{won} won and {others} other leads have an outcome, our score and {name!r} before their "
            f"close; at least {MIN_EVALUATED} of each are needed to judge it"
        )


def _track(history: History, asked: Asked) -> Track:
    spells = history.spells(asked.known_us)
    last = spells.drop_duplicates("lead_id", keep="last")
    closed = last[last["close_us"] < asked.known_us]
    moves = history.facts.others.moves(asked.name, asked.known_us)
    return Track(moves, closed[["lead_id", "close_us", "won"]].reset_index(drop=True))


def _calibrate(
    history: History,
    pair: Pair,
    *,
    horizon_days: int,
) -> tuple[dict[str, Metrics], str | None]:
    """Metrics of either score as probabilities, on the lists after those that mapped theirs."""
    evaluated = pair.evaluated
    first_us = _first_mapped(pair, horizon_days=horizon_days)
    if first_us is None:
        return {}, None
    horizon_us = horizon_days * DAY_US
    is_early = pair.lists + horizon_us <= first_us
    early = evaluated.take(is_early)
    mapping = fit_calibrator(
        "isotonic",
        pair.theirs[is_early],
        early.label,
        early.weight,
        leads=early.count_leads(),
    )

    is_late = pair.lists >= first_us
    late = evaluated.take(is_late)
    mapped = calibrate(mapping, pair.theirs[is_late])
    probabilities = {OURS: late.probability, MAPPED: mapped}
    as_it_is = _as_probability(pair.theirs)
    if as_it_is is not None:
        probabilities[AS_IS] = as_it_is[is_late]
    metrics = {}
    for name, probability in probabilities.items():
        metrics[name] = _compute_metrics(late, probability, seed=history.settings.seed)
    return metrics, history.name(first_us)


def _first_mapped(pair: Pair, *, horizon_days: int) -> int | None:
    """The first date whose earlier lists, settled by then, can map a score; None without one."""
    horizon_us = horizon_days * DAY_US
    for date_us in np.unique(pair.lists).tolist():
        early = pair.evaluated.take(pair.lists + horizon_us <= date_us)
        late = pair.evaluated.take(pair.lists >= date_us)
        if _has_outcomes(early):
            return date_us if _has_outcomes(late) else None
    return None


def _has_outcomes(evaluated: EvaluationSet) -> bool:
    won = evaluated.count_leads_won()
    not_won = evaluated.count_leads_not_won()
    return min(won, not_won) >= MIN_EVALUATED


def _as_probability(values: np.ndarray) -> np.ndarray | None:
    """A score read as a probability, or as a percentage; None if it can be neither."""
    if values.min() < 0 or values.max() > 100:
        return None
    return values if values.max() <= 1 else values / 100


def _compute_metrics(evaluated: EvaluationSet, probability: np.ndarray, *, seed: int) -> Metrics:
    predicted = EvaluationSet(
        probability=probability,
        label=evaluated.label,
        weight=evaluated.weight,
        lead_id=evaluated.lead_id,
        block=evaluated.block,
    )
    return summarise_metrics(predicted, snapshots=len(evaluated.label), seed=seed)
