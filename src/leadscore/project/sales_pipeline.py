"""What a project answers about its sales pipeline: the part of `Project` beside its scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadscore.progress import Progress
from leadscore.project.moment import Moment, moment_us
from leadscore.settings.settings import Settings

if TYPE_CHECKING:
    from leadscore.funnel.periods import PeriodKind
    from leadscore.results import (
        Customers,
        Forecast,
        ForecastBacktest,
        Funnel,
        TimeToWin,
        WinLoss,
    )


class SalesPipeline:
    """The stages, the forecast and the customers of a project; `Project` has all of these methods.

    Attributes:
        settings: frozen.
        progress: called as work goes on: what, done, and total.
    """

    settings: Settings
    progress: Progress

    def funnel(self, as_of: Moment = None, *, days: float = 365, by: str | None = None) -> Funnel:
        """Visits to stages, and leads, in the days before a moment (see `pipeline.describe_funnel`)."""
        from leadscore.project import pipeline

        as_of_us = self._us(as_of)
        return pipeline.describe_funnel(self.settings, as_of_us=as_of_us, days=days, by=by)

    def write_funnel(self, funnel: Funnel, *, to: str | Path) -> None:
        """A funnel as one HTML page with its charts, which needs no network."""
        from leadscore.project import pipeline

        pipeline.write_page(self.settings, funnel, Path(to))

    def win_loss(self, as_of: Moment = None, *, days: float = 90) -> WinLoss:
        """What was won and lost in the days before a moment (see `win_loss.describe_win_loss`)."""
        from leadscore.project import win_loss

        as_of_us = self._us(as_of)
        return win_loss.describe_win_loss(self.settings, as_of_us=as_of_us, days=days)

    def write_win_loss(self, reviewed: WinLoss, funnel: Funnel, *, to: str | Path) -> None:
        """Write what was won and lost as one self-contained HTML page, with the funnel of the same days."""
        from leadscore.project import win_loss

        win_loss.write_page(reviewed, funnel, Path(to))

    def forecast(
        self,
        as_of: Moment = None,
        *,
        by: PeriodKind = "month",
        periods: int = 3,
        since: Moment = None,
        target_wins: float | None = None,
        target_revenue: float | None = None,
        target_by: str | None = None,
    ) -> Forecast:
        """Wins and revenue of this period and the next ones (see `forecasting.forecast`).

        With a target, of wins or of revenue, also how many new leads it takes; with `target_by`, a
        field of leads, of each source.
        """
        from leadscore.project import forecast_target, forecasting

        return forecasting.forecast(
            self.settings,
            as_of_us=self._us(as_of),
            by=by,
            periods=periods,
            since_us=self._us(since),
            target=forecast_target.read_target(target_wins, target_revenue, target_by),
        )

    def write_forecast(
        self,
        forecast: Forecast,
        past: ForecastBacktest | None = None,
        *,
        to: str | Path,
    ) -> None:
        """A forecast, with past ones beside it, as one HTML page with its charts."""
        from leadscore.project import forecasting

        forecasting.write_page(forecast, past, Path(to))

    def publish_forecast(self, forecast: Forecast) -> str:
        """Keep a forecast to be settled later (see `forecast_published.publish_forecast`)."""
        from leadscore.project import forecast_published

        return forecast_published.publish_forecast(self.settings, forecast)

    def publish_usual_forecast(self) -> Forecast | None:
        """Publish the forecast of three months, where there is one (see `forecasting.publish_usual`)."""
        from leadscore.project import forecasting

        return forecasting.publish_usual(self.settings)

    def backtest_forecast(self, *, months: int = 12) -> ForecastBacktest:
        """Past months forecast at their starts, by what was known then, with their actual results."""
        from leadscore.project import forecast_backtest

        return forecast_backtest.backtest_forecast(
            self.settings, months=months, progress=self.progress
        )

    def time_to_win(self, as_of: Moment = None, *, to: str | Path | None = None) -> TimeToWin:
        """For every open lead the probability of a win by several dates, and when, if it is won.

        With `to` it is also written to that CSV file, a row a lead.
        """
        from leadscore.project import lead_timing

        path = None if to is None else Path(to)
        return lead_timing.time_to_win(self.settings, as_of_us=self._us(as_of), to=path)

    def customers(self, as_of: Moment = None) -> Customers:
        """Who has bought, who is due for a follow-up, and who will probably come again."""
        from leadscore.project import after_sale

        as_of_us = self._us(as_of)
        return after_sale.describe_project_customers(self.settings, as_of_us=as_of_us)

    def _us(self, moment: Moment) -> int | None:
        return moment_us(moment, zone=self.settings.timezone)
