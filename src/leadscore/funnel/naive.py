"""The ways of forecasting that sales teams know: a forecast has to beat them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.matrix import build_matrix
from leadscore.features.stage import build_stage
from leadscore.funnel.outlook import Outlook
from leadscore.funnel.periods import Period, list_periods
from leadscore.funnel.wins import revenue_between
from leadscore.history.split import History
from leadscore.history.visits import EXITS
from leadscore.times import DAY_US

RECENT = 3  # months of the run rate
YEAR = 12  # months
YEAR_DAYS = 365


@dataclass(frozen=True)
class Guess:
    """Wins and revenue of a month by a naive method; None where it has nothing to go by."""

    wins: float | None
    revenue: float | None


def guess_month(history: History, outlook: Outlook, month: Period) -> dict[str, Guess]:
    """A month that begins at the outlook's moment, guessed by every naive method."""
    return {
        "run_rate": guess_by_run_rate(outlook, month),
        "last_year": guess_by_last_year(outlook, month),
        "stage_weighted": guess_by_stage(history, outlook, month),
    }


def guess_by_run_rate(outlook: Outlook, month: Period) -> Guess:
    """The mean of the three months before."""
    before = list_periods(month.start_us, by="month", count=-RECENT, zone=outlook.zone)
    return _average(outlook, before)


def guess_by_last_year(outlook: Outlook, month: Period) -> Guess:
    """The same month of the year before."""
    before = list_periods(month.start_us, by="month", count=-YEAR, zone=outlook.zone)
    return _average(outlook, before[:1])


def _average(outlook: Outlook, months: list[Period]) -> Guess:
    if months[0].end_us <= outlook.first_us:
        return Guess(None, None)
    revenue = [revenue_between(outlook.wins, month.start_us, month.end_us) for month in months]
    wins = float(np.mean([len(values) for values in revenue]))
    total = float(np.mean([values.sum() for values in revenue]))
    return Guess(wins, total if outlook.has_amounts else None)


def guess_by_stage(history: History, outlook: Outlook, month: Period) -> Guess:
    """Every open lead by the win rate of its stage, evenly over the usual days until a close."""
    if not history.settings.stages.open:
        return Guess(None, None)
    rates = compute_stage_rates(history, known_us=outlook.as_of_us)
    stage = _read_stages(history, outlook)
    rate = stage.map(rates).fillna(0.0).to_numpy(dtype=float)
    month_days = (month.end_us - month.start_us) / DAY_US
    share = min(1.0, month_days / _usual_days(history, known_us=outlook.as_of_us))
    wins = float(rate.sum() * share)
    amounts = outlook.leads["amount"].fillna(0.0).to_numpy(dtype=float)
    revenue = float(rate @ amounts * share)
    return Guess(wins, revenue if outlook.has_amounts else None)


def _read_stages(history: History, outlook: Outlook) -> pd.Series[str]:
    """The stage of each open lead."""
    rows = history.open_list(outlook.as_of_us)
    features = [one for one in build_stage(history.settings.stages) if one.name == "stage_current"]
    matrix = build_matrix(history.snapshot(rows), features)
    return pd.Series(matrix.take(rows).columns["stage_current"])


def _usual_days(history: History, *, known_us: int) -> float:
    """How many days closed leads were open, on average."""
    spells = history.spells(known_us)
    closed = spells[spells["close_us"] < known_us]
    days = (closed["close_us"] - closed["start_us"]) / DAY_US
    return max(float(days.mean()), 1.0) if len(days) else 1.0


def compute_stage_rates(history: History, *, known_us: int) -> dict[str, float]:
    """The share of leads in each stage that is won in the end, by finished visits of a year.

    From the shares of visits that end in each way it follows by solving for all stages at once. It
    leaves out what is unfinished, as naive rates do.
    """
    stages = history.settings.stages.open
    since_us = known_us - YEAR_DAYS * DAY_US
    visits = history.count_visits(known_us=known_us, since_us=since_us)
    wide = visits.pivot_table(
        index="stage", columns="exit", values="visits", aggfunc="sum", fill_value=0
    )
    ways = [way for way in EXITS if way != "open"]
    counts = wide.reindex(index=list(stages), columns=ways, fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    n = len(stages)
    moves = np.zeros((n, n))
    for place in range(n):
        if place + 1 < n:
            moves[place, place + 1] = shares["forward"].iloc[place]
        if place > 0:
            moves[place, place - 1] = shares["back"].iloc[place]
    won = np.linalg.lstsq(np.eye(n) - moves, shares["won"].to_numpy(dtype=float), rcond=None)[0]
    return dict(zip(stages, np.clip(won, 0, 1).tolist(), strict=True))
