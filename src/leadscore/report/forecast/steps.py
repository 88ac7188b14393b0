"""The periods of a forecast, and past months before them, as the steps of a fan."""

from __future__ import annotations

from leadscore.report.figures.forecast import FanStep
from leadscore.results import Forecast, ForecastBacktest, ForecastedMonth, SettledPeriod


def list_win_steps(forecast: Forecast, past: ForecastBacktest | None) -> list[FanStep]:
    """The wins of each period, past ones first."""
    steps = [
        FanStep(name, before.wins, float(before.won), is_ahead=False)
        for name, before in _list_before(forecast, past)
    ]
    for period in forecast.periods:
        so_far = float(period.won) if period.won else None
        steps.append(FanStep(period.period, period.wins, so_far, is_ahead=True))
    return steps


def list_revenue_steps(forecast: Forecast, past: ForecastBacktest | None) -> list[FanStep]:
    """The revenue of each period, past ones first; none where no amounts are known."""
    steps = [
        FanStep(name, before.revenue, before.won_revenue, is_ahead=False)
        for name, before in _list_before(forecast, past)
        if before.revenue is not None
    ]
    for period in forecast.periods:
        if period.revenue is not None:
            so_far = period.won_revenue or None
            steps.append(FanStep(period.period, period.revenue, so_far, is_ahead=True))
    return steps


def _list_before(
    forecast: Forecast,
    past: ForecastBacktest | None,
) -> list[tuple[str, ForecastedMonth | SettledPeriod]]:
    """Past periods by name: months of the back-test if there are any, else published forecasts.

    Months stand before a forecast by month alone.
    """
    if past is not None and forecast.by == "month":
        return [(month.month, month) for month in past.months]
    if forecast.settled is not None:
        return [(period.period, period) for period in forecast.settled.periods]
    return []
