"""The scorecard of the settings as a fallback, where history cannot be learned from yet."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.calibration.interval import prior_interval
from leadscore.model.choose import missing_leads
from leadscore.model.evaluate import Choices, describe_unevaluated
from leadscore.model.fit import fit_scorer
from leadscore.model.train import FitResult
from leadscore.results import (
    CalibratorChoice,
    ProxyChoice,
    RunningIntercept,
    ScorerChoice,
    SegmentModels,
)
from leadscore.wording import counted

STATED_LEADS = 10  # closed leads that the stated base rate counts as beside those seen

NO_INTERCEPT = "none, since there is no closed lead to evaluate it on"

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

    Nothing evaluates it, so its intervals are as wide as its own doubt. Its level is the base rate
    of the settings, shrunk toward the win rate of the closed leads where that is known.

    Args:
        history: where the leads are.
        known_us: only facts known before it are used.
        why: history cannot be learned from.
        leave_out: fields to do without.
    """
    stated = history.settings.scorecard
    features = tuple(build_features(history.settings, leave_out=leave_out))
    side = history.earlier_side(known_us)
    rate = _expected_rate(side, stated.base_rate)
    matrix = build_matrix(history.snapshot(history.open_list(known_us)), features)
    card = fit_scorer(
        matrix,
        side.rows.iloc[:0],
        kind="scorecard",
        features=features,
        scorecard=stated.model_copy(update={"base_rate": rate}),
        seed=0,
        threads=1,
    )
    probability = _predict_open(card, matrix, base_rate=rate)
    choices = _describe_choices(side, why=why, base_rate=rate, ranks=np.ptp(probability) > 0)
    return FitResult(
        model=_complete(card, probability, leave_out=leave_out),
        evaluation=describe_unevaluated(history, choices, known_us=known_us, side=side),
        known_us=known_us,
        features=features,
    )


def _complete(card: WinModel, probability: np.ndarray, *, leave_out: AbstractSet[str]) -> WinModel:
    """The scorecard with all that goes with it; its scores compare the open leads (n,)."""
    rest = {
        "calibrator": {"kind": "none", "low": LOW, "high": HIGH},
        "interval": prior_interval(),
        "reference": build_reference(_as_evaluation_set(probability)),
        "left_out": sorted(leave_out),
    }
    return WinModel(card.document | rest)


def _predict_open(card: WinModel, matrix: Matrix, *, base_rate: float) -> np.ndarray:
    """The probabilities of the open leads (n,); if there are none, the base rate alone."""
    if not len(matrix.keys):
        return np.array([base_rate])
    return card.probability(card.log_odds(matrix.columns))


def _describe_choices(side: Side, *, why: str, base_rate: float, ranks: bool) -> Choices:
    uncalibrated = _describe_uncalibrated(sum(side.count_leads()), base_rate)
    return Choices(
        scorer=_describe_scorer(side, why=why, ranks=ranks),
        calibrator=CalibratorChoice(kind="none", why=uncalibrated),
        times=RunningIntercept(half_life=None, summary=NO_INTERCEPT),
    )


def _describe_scorer(side: Side, *, why: str, ranks: bool) -> ScorerChoice:
    won, others = side.count_leads()
    return ScorerChoice(
        kind="scorecard",
        why=why,
        tried=["scorecard"],
        leads_won=won,
        leads_not_won=others,
        missing_leads=missing_leads(won, others),
        trials=[],
        reproducible=True,
        segments=SegmentModels(),
        clocks=ProxyChoice(),
        ranks=bool(ranks),
    )


def _as_evaluation_set(probability: np.ndarray) -> EvaluationSet:
    """The probabilities (n,) of open leads, each of weight 1."""
    n = len(probability)
    label = np.zeros(n)
    weight = np.ones(n)
    return EvaluationSet(probability, label, weight, np.arange(n))


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
    leads = counted(closed, "lead with a known outcome is", "leads with a known outcome are")
    return f"{leads} too few to calibrate; it expects {rate:.1%} of the leads to be won"
