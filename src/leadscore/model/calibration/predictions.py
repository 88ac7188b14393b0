"""Held-out predictions as plain arrays, beside the period and the lead of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.model.apply import calibrate
from leadscore.model.held_out import HeldOut
from leadscore.times import DAY_US

PERIODS = 6
NO_PERIOD = -1


@dataclass(frozen=True)
class Predictions:
    """Held-out predictions, each array (n,).

    Attributes:
        log_odds: of the scorer.
        probability: as published.
        label: 0 or 1.
        weight: positive.
        lead: a number for each lead.
        period: 0 to `PERIODS` - 1, or `NO_PERIOD`.
    """

    log_odds: np.ndarray
    probability: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    lead: np.ndarray
    period: np.ndarray

    def count_leads(self) -> int:
        """The number of distinct leads."""
        return len(np.unique(self.lead))


def read_predictions(held_out: HeldOut, calibrator: Mapping[str, Any]) -> Predictions:
    """The labelled held-out rows with the probability that `calibrator` gives them."""
    rows = held_out.rows()
    log_odds = rows["log_odds"].to_numpy(dtype=float)
    lead, _ = pd.factorize(rows["group"], sort=True)
    return Predictions(
        log_odds=log_odds,
        probability=calibrate(calibrator, log_odds),
        label=rows["label"].to_numpy(dtype=float),
        weight=rows["weight"].to_numpy(dtype=float),
        lead=lead,
        period=_assign_periods(held_out, rows),
    )


def _assign_periods(held_out: HeldOut, rows: pd.DataFrame) -> np.ndarray:
    """The period (n,) of each row, equally many rows in each; `NO_PERIOD` before the horizon ends.

    Of rows whose horizon was not over only early closes are known. Their weights make up for that
    over all periods together, not within their own.
    """
    as_of_us = rows["as_of_us"].to_numpy()
    target = held_out.side.target
    is_complete = np.ones(len(rows), dtype=bool)
    if target is not None:
        horizon_us = target.horizon_days * DAY_US
        is_complete = as_of_us + horizon_us <= held_out.side.known_us

    period = np.full(len(rows), NO_PERIOD)
    if is_complete.any():
        complete_us = as_of_us[is_complete]
        levels = np.arange(1, PERIODS) / PERIODS
        edges = np.quantile(complete_us, levels)
        period[is_complete] = np.searchsorted(edges, complete_us, side="left")
    return period
