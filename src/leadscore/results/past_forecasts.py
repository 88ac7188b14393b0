"""Past forecasts and their actual results: published ones, and months forecast again at their starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.results.base import Band, Result

if TYPE_CHECKING:
    import pandas as pd


class SettledPeriod(Result):
    """A period that is over: what was forecast, and published, and what came.

    Attributes:
        period: its name.
        as_of: the moment of the forecast.
        model_version: that made it.
        wins, revenue: as forecast; revenue is None where no amounts were known.
        won, won_revenue: what came, by what is known now.
    """

    period: str
    as_of: str
    model_version: str
    wins: Band
    won: int
    revenue: Band | None
    won_revenue: float | None


class SettledForecasts(Result):
    """Published forecasts and their actual results.

    Attributes:
        forecasts: how many are kept.
        first: the moment of the first.
        periods: those that are over, each with the last forecast that was published before it
            began, else the first one published in it.
        held_wins: periods whose wins lie within the 80% band.
        held_revenue: the same for revenue; None where none was forecast.
    """

    forecasts: int
    first: str
    periods: list[SettledPeriod]
    held_wins: int
    held_revenue: int | None


class MethodError(Result):
    """How far a way of forecasting was off, over the months of a back-test.

    The mean absolute error, and the mean error; None where there is none.
    """

    wins: float | None
    wins_bias: float | None
    revenue: float | None
    revenue_bias: float | None
    months: int


class ForecastedMonth(Result):
    """A month forecast at its start, and what came."""

    month: str
    model_known_until: str
    wins: Band
    won: int
    revenue: Band | None
    won_revenue: float | None
    naive_wins: dict[str, float | None]
    naive_revenue: dict[str, float | None]


class ForecastBacktest(Result):
    """Past months forecast at their starts, and their actual results.

    `held_wins` and `held_revenue` count the months within the 80% band.
    """

    project: str
    months: list[ForecastedMonth]
    skipped: dict[str, str]
    held_wins: int
    held_revenue: int | None
    errors: dict[str, MethodError]
    summary: str

    def to_pandas(self) -> pd.DataFrame:
        """A row a month."""
        import pandas as pd

        rows = []
        for month in self.months:
            row = {"month": month.month, "won": month.won, "won_revenue": month.won_revenue}
            row |= {f"wins_{name}": value for name, value in month.wins.to_dict().items()}
            if month.revenue is not None:
                row |= {f"revenue_{name}": value for name, value in month.revenue.to_dict().items()}
            rows.append(row)
        return pd.DataFrame(rows)
