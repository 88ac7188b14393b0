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
from leadscore.history.visits import EXITS, Span
from leadscore.times import DAY_US

RECENT = 3  # months of the run rate
YEAR = 12  # months
YEAR_US = 365 * DAY_US
STAGE = "stage_current"


@dataclass(frozen=True)
class Guess:
    """Wins and revenue of a month by a naive method; None where it has nothing to go by."""

    wins: float | None
    revenue: float | None


UNKNOWN = Guess(None, None)


def guess_month(
    history: History,
    outlook: Outlook,
    month: Period,
) -> dict[str, Guess]:
    """A month that begins at the outlook's moment, guessed by every naive method."""
    return {
        "run_rate": guess_by_run_rate(outlook, month),
        "last_year": guess_by_last_year(outlook, month),
        "stage_weighted": guess_by_stage(history, outlook, month),
    }


def guess_by_run_rate(outlook: Outlook, month: Period) -> Guess:
    """The mean of the three months before."""
    before = _months_before(outlook, month, RECENT)
    return _average(outlook, before)


def guess_by_last_year(outlook: Outlook, month: Period) -> Guess:
    """The same month of the year before."""
    before = _months_before(outlook, month, YEAR)
    return _average(outlook, before[:1])


def _months_before(outlook: Outlook, month: Period, count: int) -> list[Period]:
    return list_periods(
        month.start_us,
        by="month",
        count=-count,
        zone=outlook.zone,
    )


def _average(outlook: Outlook, months: list[Period]) -> Guess:
    if months[0].end_us <= outlook.first_us:
        return UNKNOWN
    wins = []
    revenue = []
    for month in months:
        values = revenue_between(outlook.wins, month.start_us, month.end_us)
        wins.append(len(values))
        revenue.append(values.sum())
    mean_revenue = float(np.mean(revenue))
    return Guess(
        wins=float(np.mean(wins)),
        revenue=mean_revenue if outlook.has_amounts else None,
    )


def guess_by_stage(
    history: History,
    outlook: Outlook,
    month: Period,
) -> Guess:
    """Every open lead by the win rate of its stage, evenly over the usual days until a close."""
    if not history.settings.stages.open:
        return UNKNOWN
    known_us = outlook.as_of_us
    rates = compute_stage_rates(history, known_us=known_us)
    stage = _read_stages(history, outlook)
    rate = stage.map(rates).fillna(0.0).to_numpy(dtype=float)

    month_days = (month.end_us - month.start_us) / DAY_US
    usual_days = _usual_days(history, known_us=known_us)
    share = min(1.0, month_days / usual_days)
    amounts = outlook.leads["amount"].fillna(0.0)
    revenue = float(rate @ amounts.to_numpy(dtype=float)) * share
    return Guess(
        wins=float(rate.sum()) * share,
        revenue=revenue if outlook.has_amounts else None,
    )


def _read_stages(history: History, outlook: Outlook) -> pd.Series[str]:
    """The stage of each open lead."""
    rows = history.open_list(outlook.as_of_us)
    declared = build_stage(history.settings.stages)
    features = [feature for feature in declared if feature.name == STAGE]
    matrix = build_matrix(history.snapshot(rows), features)
    in_order = matrix.take(rows)
    return pd.Series(in_order.columns[STAGE])


def _usual_days(history: History, *, known_us: int) -> float:
    """How many days closed leads were open, on average; at least 1."""
    spells = history.spells(known_us)
    closed = spells[spells["close_us"] < known_us]
    if closed.empty:
        return 1.0
    open_us = closed["close_us"] - closed["start_us"]
    mean_days = float(open_us.mean()) / DAY_US
    return max(mean_days, 1.0)


def compute_stage_rates(history: History, *, known_us: int) -> dict[str, float]:
    """The share of leads in each stage that is won in the end, by finished visits of a year.

    From the shares of visits that end in each way it follows by solving for all stages at once. It
    leaves out what is unfinished, as naive rates do.
    """
    stages = list(history.settings.stages.open)
    shares = _share_of_exits(history, stages, known_us=known_us)
    n = len(stages)
    moves = np.zeros((n, n))
    forward = shares["forward"].to_numpy()
    back = shares["back"].to_numpy()
    for place in range(n):
        if place + 1 < n:
            moves[place, place + 1] = forward[place]
        if place > 0:
            moves[place, place - 1] = back[place]

    won_there = shares["won"].to_numpy(dtype=float)
    solution = np.linalg.lstsq(np.eye(n) - moves, won_there, rcond=None)
    won = np.clip(solution[0], 0, 1)
    return dict(zip(stages, won.tolist(), strict=True))


def _share_of_exits(
    history: History,
    stages: list[str],
    *,
    known_us: int,
) -> pd.DataFrame:
    """The share of each stage's finished visits that ended in each way."""
    span = Span(since_us=known_us - YEAR_US, known_us=known_us)
    visits = history.count_visits(span)
    in_span = visits[visits["period"] == "now"]
    wide = in_span.pivot_table(
        index="stage",
        columns="exit",
        values="visits",
        aggfunc="sum",
        fill_value=0,
    )
    ways = [way for way in EXITS if way != "open"]
    counts = wide.reindex(index=stages, columns=ways, fill_value=0)
    finished = counts.sum(axis=1)
    return counts.div(finished.clip(lower=1), axis=0)
