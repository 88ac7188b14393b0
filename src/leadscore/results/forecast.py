"""What is to come, as `Project.forecast` and its companions return it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.results.base import Band, Result
from leadscore.results.needed import LeadsNeeded
from leadscore.results.past_forecasts import SettledForecasts

if TYPE_CHECKING:
    import pandas as pd


class ForecastPeriod(Result):
    """Wins and revenue of a period: what has been won by now, and what is to come.

    `wins` and `revenue` are the whole period's, with what has been won. Revenue is None where no
    amounts are known.
    """

    period: str
    start: str
    end: str
    won: int
    wins: Band
    wins_from_open: float
    wins_from_new: float
    won_revenue: float | None = None
    revenue: Band | None = None
    revenue_from_open: float | None = None
    revenue_from_new: float | None = None


class Views(Result):
    """The revenue of all periods as sales teams speak of it.

    Attributes:
        commit: reached in nine futures of ten.
        likely: reached in one of two.
        best_case: reached in one of ten.
        pipeline: the amounts of all open leads.
        coverage: the pipeline as a multiple of the revenue that is expected from it.
    """

    commit: float
    likely: float
    best_case: float
    pipeline: float
    coverage: float | None


class Basis(Result):
    """What a forecast rests on.

    Attributes:
        model_version: the model that scores.
        open_leads: at the moment of the forecast.
        wins: on which the timing of wins rests.
        arrivals_per_week: leads that arrive in a week, apart from the season.
        has_season: whether months of the year differ in arrivals.
        paid_share: what wins brought as a share of the amounts asked for.
        period_spread: the standard deviation of a period's wins beyond chance, as a share.
    """

    model_version: str
    open_leads: int
    wins: int
    arrivals_per_week: float
    has_season: bool
    paid_share: float
    period_spread: float


class ForecastChange(Result):
    """Why the expected revenue of the current period changed, in whole cents that add up.

    before + the sum of `parts` = after. `model_then` and `model_now` are the numbers of the versions
    that predicted; None where one is not registered.
    """

    since: str
    period: str
    before: int
    after: int
    parts: dict[str, int]
    leads: dict[str, int]
    model_then: int | None = None
    model_now: int | None = None


class PipelineForecast(Result):
    """Wins and revenue to come of one of several pipelines, by its own rates."""

    pipeline: str
    periods: list[ForecastPeriod]
    total: ForecastPeriod


class Forecast(Result):
    """Wins and revenue to come, as known at a moment.

    `pipelines` is empty where there is only one. Their means add up to those of `periods`, less what
    leads bring that have entered no open stage; their bands do not. `settled` has the published
    forecasts of the same kind of period; None where there are none.
    """

    project: str
    as_of: str
    by: str
    currency: str | None
    periods: list[ForecastPeriod]
    total: ForecastPeriod
    views: Views | None
    basis: Basis
    warnings: list[str]
    change: ForecastChange | None = None
    needed: LeadsNeeded | None = None
    pipelines: list[PipelineForecast] = Field(default_factory=list)
    settled: SettledForecasts | None = None

    def to_pandas(self) -> pd.DataFrame:
        """A row a period, with a column a bound of wins and revenue."""
        import pandas as pd

        return pd.DataFrame([_flatten(period) for period in self.periods])


def _flatten(period: ForecastPeriod) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in period.to_dict().items():
        if isinstance(value, dict):
            row |= {f"{name}_{bound}": number for bound, number in value.items()}
        else:
            row[name] = value
    return row


class LeadTiming(Result):
    """When an open lead is won: the probability by each date, and when, if it is.

    The texts are empty where they are not known.

    Attributes:
        within: the probability of a win by each date, in the order of `TimeToWin.dates`.
        amount: None where it is not known.
        close_if_won: a day of the project's zone. Half of the leads like this one *that are won*
            are won before it; most leads are never won, and a loss may come at any time.
        close_if_won_earliest: the day before which one in ten of them is won.
        close_if_won_latest: the day before which nine in ten of them are won.
    """

    lead_id: str
    owner_id: str = ""
    stage: str = ""
    amount: float | None = None
    win_probability: float
    within: dict[str, float]
    close_if_won: str
    close_if_won_earliest: str
    close_if_won_latest: str


class TimeToWin(Result):
    """When open leads are won, as known at a moment; `dates` names the columns, with their ends.

    `by_features` says whether the features of a lead say when within the horizon it is won, or its
    age alone.
    """

    as_of: str
    horizon_days: int
    by_features: bool
    dates: dict[str, str]
    leads: list[LeadTiming]

    def to_pandas(self) -> pd.DataFrame:
        """A row a lead, with a column a date."""
        import pandas as pd

        rows = []
        for lead in self.leads:
            row = lead.to_dict()
            within = row.pop("within")
            rows.append(row | within)
        own = [name for name in LeadTiming.model_fields if name != "within"]
        return pd.DataFrame(rows, columns=[*own, *self.dates])
