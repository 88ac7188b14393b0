"""How good scores will turn out to be that cannot be settled yet, by their own probabilities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import PERCENTILES
from leadscore.evaluation.metrics import EvaluationSet, compute_lift
from leadscore.evaluation.ranking import Ranking
from leadscore.evaluation.resampled import draw_leads
from leadscore.model.apply import calibrate, logit, sigmoid
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.training import MIN_EVALUATED
from leadscore.results import Interval
from leadscore.results.monitor import EstimatedPerformance

REFITS = 60
DRAWS_A_REFIT = 5

Correction = Callable[[np.ndarray], np.ndarray]  # log-odds (n,) -> probabilities (n,)


def estimate_performance(
    waiting: pd.DataFrame,
    settled: EvaluationSet,
    *,
    seed: int,
) -> EstimatedPerformance | None:
    """Metrics of lists that wait for outcomes, by their own probabilities; None without a list.

    Performance follows from calibrated confidence alone (Kivimäki et al. 2025, arXiv:2505.05295).
    So the probabilities are first corrected by what has been settled: Platt's sigmoid, fitted to
    resamples of its leads. Then outcomes are drawn from them. The mean over all draws is the
    estimate, and their spread its interval: both chance and the uncertainty of the correction. A
    change since the settled lists is not seen. The estimate of the win rate is the mean of the
    corrected probabilities, without the noise of draws.

    Args:
        waiting: lead_id, as_of_us and probability.
        settled: earlier lists with their outcomes; with few of either outcome nothing is corrected.
        seed: of the draws.
    """
    if waiting.empty:
        return None
    corrections = _fit_corrections(settled, seed=seed) * DRAWS_A_REFIT
    drawn = _draw_metrics(waiting, corrections, seed=seed)
    mean = float(np.mean(drawn.pop("mean")))
    summaries = {name: _summarise(values) for name, values in drawn.items()}
    win_rate = summaries.pop("win_rate")
    return EstimatedPerformance(
        rows=len(waiting),
        leads=waiting["lead_id"].nunique(),
        lists=int(waiting["as_of_us"].nunique()),
        corrected=_has_enough(settled),
        win_rate=win_rate.model_copy(update={"value": mean}),
        **summaries,
    )


def _draw_metrics(
    waiting: pd.DataFrame,
    corrections: Iterable[Callable[[np.ndarray], np.ndarray]],
    *,
    seed: int,
) -> dict[str, list[float]]:
    """The metrics of outcomes drawn by each correction, and the mean of its probabilities, by name.

    One uniform number is drawn a lead, since its rows share a fate.
    """
    probability = waiting["probability"].to_numpy(dtype=float)
    lists = waiting["as_of_us"].to_numpy()
    log_odds = logit(probability)
    ranking = Ranking.of(probability, lists)
    codes, leads = pd.factorize(waiting["lead_id"], sort=True)
    weight = np.ones(len(waiting))
    rng = np.random.default_rng([seed, 2])

    drawn: dict[str, list[float]] = defaultdict(list)
    for correct in corrections:
        corrected = correct(log_odds)
        draw = rng.random(len(leads))[codes]
        label = (draw < corrected).astype(float)
        drawn["mean"].append(float(corrected.mean()))
        drawn["win_rate"].append(float(label.mean()))
        drawn["auc"].append(ranking.auc(label, weight))
        drawn["lift_10"].append(compute_lift(probability, label, weight))
    return drawn


def _has_enough(settled: EvaluationSet) -> bool:
    """Whether there are leads enough of either outcome to correct probabilities by."""
    won = settled.count_leads_won()
    not_won = settled.count_leads_not_won()
    return min(won, not_won) >= MIN_EVALUATED


def _fit_corrections(settled: EvaluationSet, *, seed: int) -> list[Correction]:
    """Corrections of log-odds, one a resample of the settled leads."""
    if not _has_enough(settled):
        return [sigmoid] * REFITS

    log_odds = logit(settled.probability)
    corrections: list[Correction] = []
    for count in draw_leads(settled.units, seed=seed, draws=REFITS):
        weight = settled.weight * count
        drawn = weight > 0
        fitted = fit_calibrator(
            "sigmoid",
            log_odds[drawn],
            settled.label[drawn],
            weight[drawn],
            leads=settled.count_leads(),
        )
        corrections.append(partial(calibrate, fitted))
    return corrections


def _summarise(values: list[float]) -> Interval:
    """The mean of the draws in which it could be computed, and their 95% interval."""
    computed = np.array(values)
    computed = computed[np.isfinite(computed)]
    if not len(computed):
        return Interval(value=None)
    low, high = np.percentile(computed, PERCENTILES)
    return Interval(
        value=float(computed.mean()),
        low=float(low),
        high=float(high),
    )
