"""How far win rates of past periods lay off the published probability, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.model.calibration.predictions import PERIODS, Predictions

BANDS = 20  # of log-odds, with equally many rows
REACH = 6  # bands on either side that share their evidence: one band of one period has few wins


@dataclass(frozen=True)
class Drift:
    """Gaps between win rate and probability at the knots (k,), in log-odds.

    Attributes:
        shift: the mean gap, which all periods have in common.
        variance: between periods, less the sampling variance.
    """

    shift: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True)
class _Gap:
    """A cell's win rate less its probability, in log-odds, and the sampling variance of that."""

    value: float
    sampling_variance: float


def estimate_drift(rows: Predictions, knots: np.ndarray) -> Drift:
    """The drift of win rates from period to period, at the knots (k,) of log-odds.

    Rows are cut into cells of one period and one band of log-odds. The squared gap of a cell has
    its sampling variance as its mean if nothing else is at work, so that much is subtracted.
    Cells are averaged over periods, then over neighbouring bands with weights that fall linearly.
    """
    levels = np.arange(1, BANDS) / BANDS
    edges = np.quantile(rows.log_odds, levels)
    band = np.searchsorted(edges, rows.log_odds, side="right")
    bands, band_of_row = np.unique(band, return_inverse=True)
    gap, sampling_variance = _measure_cells(rows, band_of_row, len(bands))

    usable = np.isfinite(gap).any(axis=0)
    if not usable.any():
        nothing = np.zeros(len(knots))
        return Drift(nothing, nothing)

    mean = np.nanmean(gap[:, usable], axis=0)
    excess = gap**2 - sampling_variance
    mean_square = np.nanmean(excess[:, usable], axis=0)

    smoother = _smooth_over_bands(bands[usable])
    shift = smoother @ mean
    variance = np.maximum(smoother @ mean_square - shift**2, 0)

    summed = np.bincount(band_of_row, weights=rows.log_odds)
    center = (summed / np.bincount(band_of_row))[usable]
    return Drift(
        shift=np.interp(knots, center, shift),
        variance=np.interp(knots, center, variance),
    )


def _measure_cells(
    rows: Predictions,
    band_of_row: np.ndarray,
    bands: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Gap and sampling variance (PERIODS, bands) of each cell, NaN where it is empty."""
    gap = np.full((PERIODS, bands), np.nan)
    sampling_variance = np.full((PERIODS, bands), np.nan)
    for period in range(PERIODS):
        for band in range(bands):
            cell = (rows.period == period) & (band_of_row == band)
            if cell.any():
                measured = _measure_gap(rows, cell)
                gap[period, band] = measured.value
                sampling_variance[period, band] = measured.sampling_variance
    return gap, sampling_variance


def _smooth_over_bands(bands: np.ndarray) -> np.ndarray:
    """Weights (b, b) of every band in the average of each, falling linearly to 0 at `REACH`."""
    distance = np.abs(np.subtract.outer(bands, bands))
    nearness = np.maximum(1 - distance / REACH, 0)
    total = nearness.sum(axis=1, keepdims=True)
    return np.asarray(nearness / total)


def _measure_gap(rows: Predictions, cell: np.ndarray) -> _Gap:
    """The gap of a cell by one Newton step, and its sampling variance over leads."""
    weight = rows.weight[cell]
    label = rows.label[cell]
    probability = rows.probability[cell]
    leads = rows.lead[cell]
    _, lead_of_row = np.unique(leads, return_inverse=True)

    win_rate = np.average(label, weights=weight)
    expected = np.average(probability, weights=weight)
    least = 1 / (len(lead_of_row) + 2)
    halfway = (win_rate + expected) / 2
    middle = np.clip(halfway, least, 1 - least)
    information = weight.sum() * middle * (1 - middle)

    value = (weight * (label - probability)).sum() / information
    residual = weight * (label - win_rate)
    residual_of_lead = np.bincount(lead_of_row, weights=residual)
    sampling_variance = (residual_of_lead**2).sum() / information**2
    return _Gap(float(value), float(sampling_variance))
