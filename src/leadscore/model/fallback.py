"""The scorecard of the settings as a fallback, where history cannot be learned from yet."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.labels import Side
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.calibration.interval import prior_interval
from leadscore.model.choose import missing_leads
from leadscore.model.evaluate import describe_unevaluated
from leadscore.model.fit import fit_scorer
from leadscore.model.train import FitResult
from leadscore.wording import counted

STATED_LEADS = 10  # closed leads that the stated base rate counts as beside those seen

# What nothing has confirmed is never nearly sure.
LOW, HIGH = 0.005, 0.995


def fit_scorecard(
    history: History,
    *,
    known_us: int,
    why: str,
    leave_out: AbstractSet[str] = frozenset(),
) -> FitResult:
    """The scorecard of the settings as a model.

    Nothing evaluates it, so its intervals are as wide as its own doubt, and its scores compare the
    leads open at `known_us`. Its level is the base rate of the settings, shrunk toward the win rate
    of the closed leads where that is known.

    Args:
        history: where the leads are.
        known_us: only facts known before it are used.
        why: history cannot be learned from.
        leave_out: fields to do without.
    """
    features = tuple(build_features(history.settings, leave_out=leave_out))
    side = history.earlier_side(known_us)
    open_list = history.open_list(known_us)
    matrix = build_matrix(history.snapshot(open_list), features)

    rate = _expected_rate(side, history.settings.scorecard.base_rate)
    card = fit_scorer(
        matrix,
        side.rows.iloc[:0],
        kind="scorecard",
        features=features,
        scorecard=history.settings.scorecard.model_copy(update={"base_rate": rate}),
        seed=0,
        threads=1,
    )
    probability = np.array([rate])
    if len(open_list):
        probability = card.probability(card.log_odds(matrix.columns))

    document = card.document | {
        "calibrator": {"kind": "none", "low": LOW, "high": HIGH},
        "interval": prior_interval(),
        "reference": build_reference(_as_evaluation_set(probability)),
        "left_out": sorted(leave_out),
    }
    won, others = side.count_leads()
    scorer = _describe_scorer(won, others, why=why, ranks=bool(np.ptp(probability) > 0))
    evaluation = {
        **describe_unevaluated(history, known_us=known_us, side=side),
        "scorer": scorer,
        "calibrator": {"kind": "none", "why": _describe_uncalibrated(won + others, rate)},
    }
    return FitResult(
        model=WinModel(document),
        evaluation=evaluation,
        known_us=known_us,
        features=features,
        no_signal=None,
    )


def _describe_scorer(won: int, others: int, *, why: str, ranks: bool) -> dict[str, Any]:
    return {
        "kind": "scorecard",
        "why": why,
        "tried": ["scorecard"],
        "leads_won": won,
        "leads_not_won": others,
        "missing_leads": missing_leads(won, others),
        "trials": [],
        "reproducible": True,
        "segments": {},
        "clocks": {},
        "ranks": ranks,
    }


def _as_evaluation_set(probability: np.ndarray) -> EvaluationSet:
    """The probabilities (n,) of open leads, each of weight 1."""
    n = len(probability)
    return EvaluationSet(probability, np.zeros(n), np.ones(n), np.arange(n))


def _expected_rate(side: Side, stated: float) -> float:
    """The win rate of a side shrunk toward the stated one; the stated one where it is unknown.

    (closed * rate + 10 * stated) / (closed + 10), so the stated rate counts as ten closed leads.
    """
    closed = sum(side.count_leads())
    if closed == 0 or not side.is_watched_enough():
        return stated
    won = side.base_rate() * closed
    return float((won + STATED_LEADS * stated) / (closed + STATED_LEADS))


def _describe_uncalibrated(closed: int, rate: float) -> str:
    if not closed:
        return "there are no closed leads to calibrate by"
    leads = counted(closed, "closed lead")
    return f"{leads} cannot calibrate it; it expects {rate:.1%} of the leads to be won"
