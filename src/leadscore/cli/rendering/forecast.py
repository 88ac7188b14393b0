"""What is to come: periods, why the forecast changed, the leads needed, and how past ones did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of, warn
from leadscore.report.forecast.sentences import (
    AVERAGES,
    METHOD_WORDS,
    SOURCE_COLUMNS,
    UNKNOWN,
    explain_sources,
    name_part,
    write_amount,
    write_band,
    write_cents,
    write_expected,
    write_money_band,
    write_needed,
    write_settled,
    write_sources,
    write_views,
)
from leadscore.report.funnel.grouped import MOST_GROUPS, count_hidden
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import (
        Forecast,
        ForecastBacktest,
        ForecastChange,
        ForecastPeriod,
        LeadsNeeded,
        MethodError,
        SettledForecasts,
        TimeToWin,
    )

MOST_SETTLED = 12
COLUMNS = (
    "period",
    "wins so far",
    "wins in total",
    "wins from open",
    "wins from new",
    "revenue",
    "from open",
    "from new",
)
SPARE = ("wins from new", "wins from open")  # columns that go first where the terminal is narrow


def draw_forecast(forecast: Forecast) -> None:
    """A line a period, the views of the whole, and what else was asked for."""
    title = f"Forecast as of {short(forecast.as_of)}, in brackets: 10th to 90th percentile"
    table = table_of(title, *COLUMNS)
    table.spare = SPARE
    table.columns[0].no_wrap = True
    for period in forecast.periods:
        table.add_row(*_write_period(period))
    if len(forecast.periods) > 1:
        table.add_row(*_write_period(forecast.total, name="total"), style="bold")
    for part in forecast.pipelines:
        table.add_row(*_write_period(part.total, name=f"of which {part.pipeline}"))
    out.print(table)
    if forecast.views:
        views = write_views(forecast.views, forecast.currency)
        out.print(f"{escaped(views)}.", highlight=False)
    out.print(_write_basis(forecast), highlight=False)
    if forecast.change:
        _draw_change(forecast.change, forecast.currency)
    if forecast.needed:
        _draw_needed(forecast.needed)
    if forecast.settled:
        _draw_settled(forecast.settled)
    warn(forecast.warnings)


def _write_basis(forecast: Forecast) -> str:
    """What the forecast rests on, and what its columns mean."""
    basis = forecast.basis
    leads = f"From {counted(basis.open_leads, 'open lead')}, and {basis.arrivals_per_week:.1f} new ones a week"
    if forecast.views:
        leads += f"; won deals close at {100 * basis.paid_share:.0f}% of the requested amount"
    return (
        f"{leads}. From open, from new: the mean still to come from open leads, and from leads yet "
        "to come (a narrow terminal leaves out these columns for wins)."
    )


def _draw_settled(settled: SettledForecasts) -> None:
    """The published forecasts, and the actual results of their latest periods."""
    if settled.periods:
        table = table_of(
            "Published forecasts and actual results",
            "period",
            "as of",
            "forecast wins",
            "actual",
            "forecast revenue",
            "actual",
        )
        for period in settled.periods[-MOST_SETTLED:]:
            came = write_amount(period.won_revenue)
            table.add_row(
                period.period,
                short(period.as_of),
                write_band(period.wins),
                f"{period.won:,}",
                write_money_band(period.revenue),
                came,
            )
        out.print(table)
    out.print(write_settled(settled), highlight=False)


def _draw_needed(needed: LeadsNeeded) -> None:
    """The leads that a target takes, in sentences, and by source where that was asked for."""
    for line in write_needed(needed):
        out.print(escaped(line), highlight=False)
    if not needed.sources:
        return
    name = escaped(str(needed.source_field))
    table = table_of(f"New leads for the target by {name}", name, *SOURCE_COLUMNS)
    for row in write_sources(needed)[:MOST_GROUPS]:
        table.add_row(*map(escaped, row))
    out.print(table)
    out.print(explain_sources(needed), highlight=False)
    hidden = count_hidden(len(needed.sources), "source")
    if hidden:
        out.print(hidden, highlight=False)


def _write_period(period: ForecastPeriod, *, name: str | None = None) -> list[str]:
    return [
        escaped(name or period.period),
        f"{period.won:,}",
        write_band(period.wins),
        f"{period.wins_from_open:,.1f}",
        f"{period.wins_from_new:,.1f}",
        write_money_band(period.revenue),
        write_expected(period.revenue_from_open),
        write_expected(period.revenue_from_new),
    ]


def _draw_change(change: ForecastChange, currency: str | None) -> None:
    """A line a cause; the amounts add up."""
    title = f"Expected revenue of {change.period} since {short(change.since)}"
    table = table_of(title, "cause", "leads", escaped(currency or "amount"))
    table.add_row("earlier forecast", "", write_cents(change.before))
    for part, cents in change.parts.items():
        if cents:
            leads = change.leads[part]
            counted_leads = f"{leads:,}" if leads else ""
            table.add_row(name_part(part, change), counted_leads, write_cents(cents, "+"))
    table.add_row("current forecast", "", write_cents(change.after), style="bold")
    out.print(table)
    out.print(AVERAGES, highlight=False)


def draw_time_to_win(timing: TimeToWin) -> None:
    """How many wins are expected by each date."""
    table = table_of(f"Wins of open leads as of {short(timing.as_of)}", "by", "expected")
    for name, moment in timing.dates.items():
        wins = sum(lead.within[name] for lead in timing.leads)
        table.add_row(f"{short(moment)} ({name.replace('_', ' ')})", f"{wins:,.1f}")
    out.print(table)
    basis = "the features of each lead" if timing.by_features else "the age of each lead alone"
    out.print(
        f"When a lead is won within the horizon of {timing.horizon_days} days is predicted from {basis}. "
        "The dates close_if_won in the file hold for leads that are won; how likely that is stands in "
        "the columns before.",
        highlight=False,
    )


def draw_forecast_backtest(backtest: ForecastBacktest) -> None:
    """A line a month, and how far every method was off."""
    table = table_of(
        "Months forecast at their starts",
        "month",
        "forecast wins",
        "actual",
        "forecast revenue",
        "actual",
    )
    for month in backtest.months:
        wins, revenue = write_band(month.wins), write_money_band(month.revenue)
        came = write_amount(month.won_revenue)
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
    return [f"{error.months}", wins, bias, write_amount(error.revenue), revenue_bias]
