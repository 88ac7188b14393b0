"""How far the win rate of similar leads may lie from the published probability, at a few knots.

Two things move it. The calibrator was fitted on a sample of leads: a bootstrap over leads shows how
much it varies. And periods differ: in each past period the win rate at some log-odds lay off the
published probability by more than chance explains. A lead scored today lives in a new period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from leadscore.evaluation.resampled import draw_leads
from leadscore.model.apply import calibrate, logit
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.calibration.drift import BANDS, estimate_drift
from leadscore.model.calibration.predictions import PERIODS, Predictions, read_predictions
from leadscore.model.held_out import HeldOut
from leadscore.model.scorers.logistic import LOG_ODDS_SPREAD

DRAWS = 100
KNOTS = 41
Z = float(stats.norm.ppf(0.975))
T = float(stats.t.ppf(0.975, PERIODS - 1))  # the variance between periods rests on so few of them
MOST_CELLS = 4_000  # rows of a resample; more would not change the spread
STEPWISE = ("isotonic", "venn_abers")


@dataclass(frozen=True)
class _Offsets:
    """How far the bounds lie below and above the probability, in log-odds, each (knots,)."""

    below: np.ndarray
    above: np.ndarray


@dataclass(frozen=True)
class _Cells:
    """Rows pooled for the bootstrap: log-odds and label (cells,), and the cell of each row (n,)."""

    log_odds: np.ndarray
    label: np.ndarray
    cell_of_row: np.ndarray


def fit_interval(
    held_out: HeldOut,
    calibrator: Mapping[str, Any],
    *,
    seed: int,
) -> dict[str, Any]:
    """95% bounds around the published probability, as JSON for `WinModel.interval`.

    They are the knots of log-odds `raw` (KNOTS,), and how far the win rate may lie `below` and
    `above` the probability, in log-odds. Rows without dates share one period, so that only the
    calibrator's misfit counts beside chance.
    """
    rows = read_predictions(held_out, calibrator)
    levels = np.linspace(0, 1, KNOTS)
    knots = np.unique(np.quantile(rows.log_odds, levels))

    chance = _bootstrap_spread(rows, calibrator["kind"], knots, seed=seed)
    drift = estimate_drift(rows, knots)
    by_chance = (Z * chance) ** 2
    by_drift = T**2 * drift.variance
    random_spread = np.sqrt(by_chance + by_drift)
    spread = np.abs(drift.shift) + random_spread
    offsets = _Offsets(below=spread, above=spread)

    if calibrator["kind"] in STEPWISE:
        offsets = _widen_to_binomial(offsets, rows, calibrate(calibrator, knots))
    return {
        "kind": "offsets",
        "raw": knots.tolist(),
        "below": offsets.below.tolist(),
        "above": offsets.above.tolist(),
    }


def prior_interval() -> dict[str, Any]:
    """The interval of a scorecard that no closed lead has confirmed: as wide as its prior."""
    return {"kind": "spread", "spread": Z * LOG_ODDS_SPREAD}


def _bootstrap_spread(
    rows: Predictions,
    kind: str,
    knots: np.ndarray,
    *,
    seed: int,
) -> np.ndarray:
    """Standard deviation (k,) of the calibrated log-odds at the knots, over resamples of the leads.

    Kind "none" has nothing to fit; the sigmoid that would correct it varies in its place.
    """
    fitted_kind = "sigmoid" if kind == "none" else kind
    leads = rows.count_leads()
    cells = _pool_rows(rows)

    resampled = []
    for count in draw_leads(rows.lead, seed=seed, draws=DRAWS):
        weight = np.bincount(
            cells.cell_of_row,
            weights=rows.weight * count,
            minlength=len(cells.log_odds),
        )
        drawn = weight > 0
        calibrator = fit_calibrator(
            fitted_kind,
            cells.log_odds[drawn],
            cells.label[drawn],
            weight[drawn],
            leads=leads,
        )
        resampled.append(logit(calibrate(calibrator, knots)))
    return np.asarray(np.std(resampled, axis=0))


def _pool_rows(rows: Predictions) -> _Cells:
    """A cell for each row, or, of many rows, one for those of a label and about the same log-odds."""
    n = len(rows.log_odds)
    if n <= MOST_CELLS:
        return _Cells(rows.log_odds, rows.label, np.arange(n))

    bands = MOST_CELLS // 2
    levels = np.arange(1, bands) / bands
    edges = np.unique(np.quantile(rows.log_odds, levels))
    band = np.searchsorted(edges, rows.log_odds, side="right")
    band_and_label = 2 * band + (rows.label == 1)
    _, cell_of_row = np.unique(band_and_label, return_inverse=True)
    rows_in_cell = np.bincount(cell_of_row)
    return _Cells(
        log_odds=np.bincount(cell_of_row, weights=rows.log_odds) / rows_in_cell,
        label=np.bincount(cell_of_row, weights=rows.label) / rows_in_cell,
        cell_of_row=cell_of_row,
    )


def _widen_to_binomial(
    offsets: _Offsets,
    rows: Predictions,
    probability: np.ndarray,
) -> _Offsets:
    """The offsets, widened to Jeffreys' binomial bounds at each knot's probability (k,).

    A stepwise calibrator looks surest where no resample can contradict it, for example where all
    leads of a step were lost. The bounds are those of as many leads as share a probability, or of
    the leads of one band where fewer do.
    """
    sharing = [_count_leads_at(rows, p) for p in probability]
    leads = np.maximum(sharing, rows.count_leads() / BANDS)
    won = leads * probability + 0.5
    not_won = leads * (1 - probability) + 0.5

    center = logit(probability)
    low = logit(stats.beta.ppf(0.025, won, not_won))
    high = logit(stats.beta.ppf(0.975, won, not_won))
    return _Offsets(
        below=np.maximum(offsets.below, center - low),
        above=np.maximum(offsets.above, high - center),
    )


def _count_leads_at(rows: Predictions, probability: float) -> int:
    """The number of leads with this probability."""
    same = np.isclose(rows.probability, probability, rtol=1e-9, atol=0)
    return len(np.unique(rows.lead[same]))
