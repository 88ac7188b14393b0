"""How far the win rate of leads like this one may lie from its published probability, as a few knots.

Two things move it. The calibrator was fitted on a sample of leads: a bootstrap over leads shows by how much it varies.
And periods differ, as do the models that predicted them: in each past period the win rate at some log-odds lay off the
published curve by more than chance explains. Whoever is scored next lives in a period that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from leadscore.evaluation.resampled import draw_leads
from leadscore.model.apply import calibrate
from leadscore.model.calibration.calibrate import fit_calibrator
from leadscore.model.held_out import HeldOut
from leadscore.times import DAY_US

DRAWS, KNOTS = 100, 41
PERIODS, BANDS = 6, 20
REACH = 6  # bands on either side that share their evidence: a cell of one period and band holds few wins
PRIOR_SPREAD = (
    1.2  # standard deviation of raw where no closed lead has been seen (see logistic.RAW_SPREAD)
)
Z = float(stats.norm.ppf(0.975))
T = float(stats.t.ppf(0.975, PERIODS - 1))  # the variance between periods rests on so few of them
MOST_CELLS = 4_000  # that a resample is fitted to: finer ones would not show in its spread
STEPWISE = ("isotonic", "venn_abers")


@dataclass(frozen=True)
class _Rows:
    """Out-of-time predictions: raw, published probability, label, weight, lead (a number) and period (-1: none)."""

    log_odds: np.ndarray
    probability: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    lead: np.ndarray
    period: np.ndarray


def fit_interval(held_out: HeldOut, calibrator: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Knots of log-odds (KNOTS,), and how far in log-odds the rate may lie `below` and `above`, as JSON.

    Both are 95 % bounds around the calibrator that is published. Where predictions cannot be told apart by period, all
    are one: then only what its shape misses counts beside chance. A stepwise calibrator is surest where a resample
    cannot contradict it, so its bounds are at least those of as many leads as share a probability.
    """
    rows = _read_rows(held_out, calibrator)
    knots = np.unique(np.quantile(rows.log_odds, np.linspace(0, 1, KNOTS)))
    chance = _bootstrap_spread(rows, calibrator["kind"], knots, seed=seed)
    shift, variance = _differ_by_period(rows, knots)
    spread = np.abs(shift) + np.sqrt((Z * chance) ** 2 + T**2 * variance)
    below, above = spread, spread
    if calibrator["kind"] in STEPWISE:
        least_below, least_above = _binomial_offsets(rows, calibrate(dict(calibrator), knots))
        below, above = np.maximum(spread, least_below), np.maximum(spread, least_above)
    return {
        "kind": "offsets",
        "raw": knots.tolist(),
        "below": below.tolist(),
        "above": above.tolist(),
    }


def _read_rows(held_out: HeldOut, calibrator: Mapping[str, Any]) -> _Rows:
    rows = held_out.rows()
    log_odds, label, weight = (
        rows[name].to_numpy(dtype=float) for name in ("log_odds", "label", "weight")
    )
    lead = pd.factorize(rows["group"], sort=True)[0]
    return _Rows(
        log_odds,
        calibrate(dict(calibrator), log_odds),
        label,
        weight,
        lead,
        _periods(held_out, rows),
    )


def _periods(held_out: HeldOut, rows: pd.DataFrame) -> np.ndarray:
    """The period (n,) of each row, of about equally many; -1 where the horizon was not over by K.

    Of such rows only early closes are known: weighted, they stand for all periods together, not for their own.
    """
    as_of_us, target = rows["as_of_us"].to_numpy(), held_out.side.target
    known = np.ones(len(rows), dtype=bool)
    if target is not None:
        known = as_of_us + target.horizon_days * DAY_US <= held_out.side.known_us
    period = np.full(len(rows), -1)
    edges = np.quantile(as_of_us[known], np.arange(1, PERIODS) / PERIODS) if known.any() else []
    period[known] = np.searchsorted(edges, as_of_us[known], side="left")
    return period


def _bootstrap_spread(rows: _Rows, kind: str, knots: np.ndarray, *, seed: int) -> np.ndarray:
    """Standard deviation, in log-odds at the knots, of calibrators of that kind fitted on resamples of the leads.

    Kind "none" has nothing to fit, so the sigmoid that would correct it varies in its place.
    """
    kind = "sigmoid" if kind == "none" else kind
    leads = len(np.unique(rows.lead))
    log_odds, label, cell = _pool_cells(rows)
    drawn = []
    for count in draw_leads(rows.lead, seed=seed, draws=DRAWS):
        weight = np.bincount(cell, weights=rows.weight * count, minlength=len(log_odds))
        chosen = weight > 0
        again = fit_calibrator(kind, log_odds[chosen], label[chosen], weight[chosen], leads=leads)
        drawn.append(_log_odds(calibrate(again, knots)))
    return np.asarray(np.std(drawn, axis=0))


def _pool_cells(rows: _Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw and label of cells (cells,), and which cell each row (n,) is in.

    Up to `MOST_CELLS` rows each row is one; of more, those of one label and about the same raw share a cell.
    """
    if len(rows.log_odds) <= MOST_CELLS:
        return rows.log_odds, rows.label, np.arange(len(rows.log_odds))
    edges = np.unique(np.quantile(rows.log_odds, np.arange(1, MOST_CELLS // 2) / (MOST_CELLS // 2)))
    band = np.searchsorted(edges, rows.log_odds, side="right")
    _, cell = np.unique(2 * band + (rows.label == 1), return_inverse=True)
    count = np.bincount(cell)
    return (
        np.bincount(cell, weights=rows.log_odds) / count,
        np.bincount(cell, weights=rows.label) / count,
        cell,
    )


def _binomial_offsets(rows: _Rows, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far in log-odds Jeffreys' bounds lie below and above the probability at each knot.

    They are of as many leads as share that probability, or of the leads of one band where fewer do.
    """
    least = len(np.unique(rows.lead)) / BANDS
    sharing = [
        len(np.unique(rows.lead[np.isclose(rows.probability, p, rtol=1e-9, atol=0)]))
        for p in probability
    ]
    leads = np.maximum(sharing, least)
    won, others = leads * probability + 0.5, leads * (1 - probability) + 0.5
    low, high = stats.beta.ppf(0.025, won, others), stats.beta.ppf(0.975, won, others)
    center = _log_odds(probability)
    return center - _log_odds(low), _log_odds(high) - center


def _log_odds(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p / (1 - p)))


def _differ_by_period(rows: _Rows, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how much, in log-odds at the knots, win rates of past periods lay off the published probability.

    Returns what all periods have in common, and the variance between them: less what chance explains, for a cell's
    squared gap has its sampling variance, over leads, as its mean if nothing else is at work. Cells are averaged over
    periods, and over neighbouring bands with weights that fall off linearly.
    """
    edges = np.quantile(rows.log_odds, np.arange(1, BANDS) / BANDS)
    band = np.searchsorted(edges, rows.log_odds, side="right")
    bands, at = np.unique(band, return_inverse=True)
    gaps = np.full((PERIODS, len(bands)), np.nan)
    by_chance = np.full((PERIODS, len(bands)), np.nan)
    for period in range(PERIODS):
        for i in range(len(bands)):
            cell = (rows.period == period) & (at == i)
            if cell.any():
                gaps[period, i], by_chance[period, i] = _gap(rows, cell)
    usable = np.isfinite(gaps).any(axis=0)
    if not usable.any():
        return np.zeros(len(knots)), np.zeros(len(knots))
    center = (np.bincount(at, weights=rows.log_odds) / np.bincount(at))[usable]
    distance = np.abs(np.subtract.outer(bands[usable], bands[usable]))
    near = np.maximum(1 - distance / REACH, 0)
    near = near / near.sum(axis=1, keepdims=True)
    mean, squared = (
        np.nanmean(gaps[:, usable], axis=0),
        np.nanmean((gaps**2 - by_chance)[:, usable], axis=0),
    )
    shift = near @ mean
    variance = np.maximum(near @ squared - shift**2, 0)
    return np.interp(knots, center, shift), np.interp(knots, center, variance)


def _gap(rows: _Rows, cell: np.ndarray) -> tuple[float, float]:
    """A cell's rate less its probability, in log-odds by one Newton step, and its variance by chance."""
    weight, label = rows.weight[cell], rows.label[cell]
    _, lead = np.unique(rows.lead[cell], return_inverse=True)
    rate = np.average(label, weights=weight)
    middle = (rate + np.average(rows.probability[cell], weights=weight)) / 2
    middle = np.clip(middle, 1 / (len(lead) + 2), 1 - 1 / (len(lead) + 2))
    information = weight.sum() * middle * (1 - middle)
    gap = (weight * (label - rows.probability[cell])).sum() / information
    by_chance = (np.bincount(lead, weights=weight * (label - rate)) ** 2).sum() / information**2
    return float(gap), float(by_chance)


def prior_interval() -> dict[str, Any]:
    """The interval of a scorecard that no closed lead has confirmed: as wide as its own doubt."""
    return {"kind": "spread", "spread": Z * PRIOR_SPREAD}
