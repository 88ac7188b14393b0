"""The periods of a forecast, and past months before them, as the steps of a fan."""

from __future__ import annotations

from leadscore.report.figures.forecast import FanStep
from leadscore.results import Forecast, ForecastBacktest, ForecastedMonth


def list_win_steps(forecast: Forecast, past: ForecastBacktest | None) -> list[FanStep]:
    """The wins of each period, past months first."""
    steps = [
        FanStep(month.month, month.wins, float(month.won), is_ahead=False)
        for month in _months_before(forecast, past)
    ]
    for period in forecast.periods:
        so_far = float(period.won) if period.won else None
        steps.append(FanStep(period.period, period.wins, so_far, is_ahead=True))
    return steps


def list_revenue_steps(forecast: Forecast, past: ForecastBacktest | None) -> list[FanStep]:
    """The revenue of each period, past months first; none where no amounts are known."""
    steps = [
        FanStep(month.month, month.revenue, month.won_revenue, is_ahead=False)
        for month in _months_before(forecast, past)
        if month.revenue is not None
    ]
    for period in forecast.periods:
        if period.revenue is not None:
            so_far = period.won_revenue or None
            steps.append(FanStep(period.period, period.revenue, so_far, is_ahead=True))
    return steps


def _months_before(forecast: Forecast, past: ForecastBacktest | None) -> list[ForecastedMonth]:
    """The months of the back-test, where the forecast is by month, too."""
    if past is None or forecast.by != "month":
        return []
    return past.months
