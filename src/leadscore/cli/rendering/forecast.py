"""What is to come: periods, why the forecast changed, the leads needed, and how past ones did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of, warn
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import (
        Band,
        Forecast,
        ForecastBacktest,
        ForecastChange,
        ForecastPeriod,
        LeadsNeeded,
        MethodError,
        TimeToWin,
        Views,
    )

UNKNOWN = "-"
PART_WORDS = {
    "new_leads": "leads that came in",
    "won": "won",
    "lost": "lost or gone",
    "slipped_out": "slipped out of the period",
    "pulled_in": "pulled into the period",
    "amount": "amount changed",
    "facts": "probability changed by what happened",
    "time": "probability changed by time alone",
    "model": "probability changed by a new model",
    "corrected": "closed before, and corrected since",
    "yet_to_come": "leads yet to come",
}
METHOD_WORDS = {
    "leadscore": "leadscore",
    "run_rate": "mean of the last 3 months",
    "last_year": "same month of last year",
    "stage_weighted": "open leads weighted by stage",
}


def draw_forecast(forecast: Forecast) -> None:
    """A line a period, the views of the whole, and what else was asked for."""
    title = f"Forecast as of {short(forecast.as_of)}, 10 to 90 % of simulated futures in brackets"
    columns = ("won", "wins", "open", "new", "revenue", "open", "new")
    table = table_of(title, "period", *columns)
    table.columns[0].no_wrap = True
    for period in forecast.periods:
        table.add_row(*_write_period(period))
    if len(forecast.periods) > 1:
        table.add_row(*_write_period(forecast.total, name="together"), style="bold")
    out.print(table)
    if forecast.views:
        out.print(_write_views(forecast.views, forecast.currency), highlight=False)
    basis = forecast.basis
    out.print(
        f"From {counted(basis.open_leads, 'open lead')}, and {basis.arrivals_per_week:.1f} new ones "
        f"a week; wins bring {100 * basis.paid_share:.0f} % of the amounts asked for. won: by now, "
        "in this period; open and new: the means from open leads and from leads yet to come.",
        highlight=False,
    )
    if forecast.change:
        _draw_change(forecast.change, forecast.currency)
    if forecast.needed:
        _draw_needed(forecast.needed)
    warn(forecast.warnings)


def _write_period(period: ForecastPeriod, *, name: str | None = None) -> list[str]:
    return [
        escaped(name or period.period),
        f"{period.won:,}",
        _write_band(period.wins),
        f"{period.wins_from_open:,.1f}",
        f"{period.wins_from_new:,.1f}",
        _write_band(period.revenue),
        _write_amount(period.revenue_from_open),
        _write_amount(period.revenue_from_new),
    ]


def _write_band(band: Band | None) -> str:
    if band is None:
        return UNKNOWN
    return f"{band.middle:,.0f} ({band.low:,.0f}-{band.high:,.0f})"


def _write_amount(amount: float | None) -> str:
    return UNKNOWN if amount is None else f"{amount:,.0f}"


def _write_views(views: Views, currency: str | None) -> str:
    coverage = UNKNOWN if views.coverage is None else f"{views.coverage:.1f}"
    return (
        f"{currency or 'Revenue'} of all these periods: commit {views.commit:,.0f} (reached in 9 "
        f"futures of 10), likely {views.likely:,.0f}, best case {views.best_case:,.0f} (1 of 10); "
        f"pipeline {views.pipeline:,.0f}, {coverage} times what is expected of it"
    )


def _draw_change(change: ForecastChange, currency: str | None) -> None:
    """A line a cause; the amounts add up."""
    title = f"Expected revenue of {change.period} since {short(change.since)}"
    table = table_of(title, "cause", "leads", currency or "amount")
    table.add_row("forecast of then", "", _write_cents(change.before))
    for part, cents in change.parts.items():
        if cents:
            leads = change.leads[part]
            table.add_row(PART_WORDS[part], f"{leads:,}" if leads else "", _write_cents(cents, "+"))
    table.add_row("forecast of now", "", _write_cents(change.after), style="bold")
    out.print(table)


def _write_cents(cents: int, sign: str = "") -> str:
    return f"{cents / 100:{sign},.2f}"


def _draw_needed(needed: LeadsNeeded) -> None:
    """The leads that a target takes, and what more of them would bring, in sentences."""
    unit = needed.unit
    out.print(
        f"Target: {needed.target:,.0f} {escaped(unit)} by {short(needed.by)}, of which "
        f"{needed.won:,.0f} are won. The chance of missing it is {100 * needed.chance_of_missing:.0f} %. "
        f"{_write_leads(needed)} {needed.arriving:,.0f} are expected. 100 more leads would bring "
        f"{needed.of_100_more:,.0f} {escaped(unit)} by then, a win rate one tenth higher "
        f"{needed.of_a_tenth_more:,.0f}. {needed.assumption}",
        highlight=False,
    )


def _write_leads(needed: LeadsNeeded) -> str:
    if needed.leads is None:
        return "No number of new leads gives an even chance."
    safe = "no number" if needed.leads_high is None else f"{needed.leads_high:,}"
    return f"An even chance takes {counted(needed.leads, 'new lead')}, nine chances in ten take {safe}."


def draw_time_to_win(timing: TimeToWin) -> None:
    """How many wins are expected by each date."""
    table = table_of(f"Wins of open leads as of {short(timing.as_of)}", "by", "expected")
    for name, moment in timing.dates.items():
        wins = sum(lead.within[name] for lead in timing.leads)
        table.add_row(f"{short(moment)} ({name.replace('_', ' ')})", f"{wins:,.1f}")
    out.print(table)


def draw_forecast_backtest(backtest: ForecastBacktest) -> None:
    """A line a month, and how far every method was off."""
    table = table_of("Months forecast at their starts", "month", "wins", "won", "revenue", "came")
    for month in backtest.months:
        wins, revenue = _write_band(month.wins), _write_band(month.revenue)
        came = _write_amount(month.won_revenue)
        table.add_row(month.month, wins, f"{month.won:,}", revenue, came)
    out.print(table)
    errors = table_of(
        "Mean absolute error, and mean error", "method", "months", "wins", "bias", "revenue", "bias"
    )
    for name, error in backtest.errors.items():
        errors.add_row(METHOD_WORDS.get(name, name), *_write_error(error))
    out.print(errors)
    out.print(f"{backtest.summary[0].upper()}{backtest.summary[1:]}.", highlight=False)
    warn(f"{month}: {why}" for month, why in backtest.skipped.items())


def _write_error(error: MethodError) -> list[str]:
    wins = UNKNOWN if error.wins is None else f"{error.wins:,.1f}"
    bias = UNKNOWN if error.wins_bias is None else f"{error.wins_bias:+,.1f}"
    revenue_bias = UNKNOWN if error.revenue_bias is None else f"{error.revenue_bias:+,.0f}"
    return [f"{error.months}", wins, bias, _write_amount(error.revenue), revenue_bias]
