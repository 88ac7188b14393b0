"""What is to come, as `Project.forecast` and its companions return it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.results.base import Interval, Result

if TYPE_CHECKING:
    import pandas as pd


class Band(Result):
    """A number to come: its mean, and what 10, 50 and 90 % of the simulated futures stay below."""

    mean: float
    low: float
    middle: float
    high: float


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

    before + the sum of `parts` = after.
    """

    since: str
    period: str
    before: int
    after: int
    parts: dict[str, int]
    leads: dict[str, int]


class LeadsFromSource(Result):
    """New leads of one source that a target takes, at today's rates.

    Attributes:
        source: the value of the field that leads are told apart by.
        share: of the new leads of the last 26 weeks.
        arriving: how many will arrive by the date, at today's rate.
        leads: of those that give one chance in two, if the sources' shares stay as they are; None
            if no number is enough.
        leads_low: the same for one chance in ten.
        leads_high: the same for nine chances in ten.
        won: the share of its leads of the last year that were won within `within_days`.
        alone: how many it takes for one chance in two, if all new leads come from this source;
            None where its win rate is not known or 0, or if no number is enough.
        alone_low: the same for one chance in ten.
        alone_high: the same for nine chances in ten.
    """

    source: str
    share: float
    arriving: float
    leads: int | None
    leads_low: int | None
    leads_high: int | None
    won: Interval
    within_days: float
    alone: int | None
    alone_low: int | None
    alone_high: int | None


class LeadsNeeded(Result):
    """What it takes to reach a target by a date, at today's rates.

    Attributes:
        target: of wins or revenue.
        unit: "wins", or the currency.
        by: the date.
        won: of it by now, in the periods of the forecast.
        chance_of_missing: the share of the futures that stay below the target.
        leads: how many new leads have to arrive by the date for one chance in two; None if no
            number is enough.
        leads_low: the same for one chance in ten.
        leads_high: the same for nine chances in ten.
        arriving: how many will arrive, at today's rate.
        of_100_more: what 100 more leads bring by the date.
        leads_per_rep: new leads that a rep gets by the date, if as many as of late; None where no
            owners are known.
        of_one_more_rep: what one more rep with as many leads brings by the date.
        visits: to each stage that `leads` make in the end, at the rates of the last year; empty
            where these are not known.
        coverage: the amounts of all open leads as a multiple of what the target still lacks; None
            for wins, and where nothing lacks.
        of_a_tenth_more: what it brings if a tenth more of all leads are won, open ones and new.
        assumption: the sentence that goes with these numbers.
        source_field: what leads are told apart by, where that was asked for.
        sources: the leads by source, most new leads first.
    """

    target: float
    unit: str
    by: str
    won: float
    chance_of_missing: float
    leads: int | None
    leads_low: int | None
    leads_high: int | None
    arriving: float
    of_100_more: float
    of_a_tenth_more: float
    assumption: str
    leads_per_rep: float | None = None
    of_one_more_rep: float | None = None
    coverage: float | None = None
    visits: dict[str, int] = Field(default_factory=dict)
    source_field: str | None = None
    sources: list[LeadsFromSource] = Field(default_factory=list)


class PipelineForecast(Result):
    """Wins and revenue to come of one of several pipelines, by its own rates."""

    pipeline: str
    periods: list[ForecastPeriod]
    total: ForecastPeriod


class Forecast(Result):
    """Wins and revenue to come, as known at a moment.

    `pipelines` is empty where there is only one. Their means add up to those of `periods`, less what
    leads bring that have entered no open stage; their bands do not.
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
    """When open leads are won, as known at a moment; `dates` names the columns, with their ends."""

    as_of: str
    horizon_days: int
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
    """Past months forecast at their starts, beside what came.

    `held_wins` and `held_revenue` count the months within the 80 % band.
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
