"""The forecast as one HTML file that needs no network and runs nothing, like the page of the funnel."""

from __future__ import annotations

from leadscore.report.forecast.sentences import (
    AVERAGES,
    METHOD_WORDS,
    SOURCE_COLUMNS,
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
from leadscore.report.funnel.drawings import inline
from leadscore.report.page import render_page_of_figures
from leadscore.results import Forecast, ForecastBacktest


def build_forecast_page(forecast: Forecast, past: ForecastBacktest | None = None) -> str:
    """The HTML text; the same forecast gives the same text.

    Args:
        forecast: to show.
        past: months forecast at their starts, to stand beside it.
    """
    views = forecast.views
    return render_page_of_figures(
        "forecast/forecast.html.j2",
        forecast=forecast,
        past=past,
        figures=_draw(forecast, past),
        band=write_band,
        money_band=write_money_band,
        amount=write_amount,
        expected=write_expected,
        averages=AVERAGES,
        cents=write_cents,
        views=write_views(views, forecast.currency) if views else "",
        needed=write_needed(forecast.needed) if forecast.needed else [],
        source_columns=SOURCE_COLUMNS,
        settled=write_settled(forecast.settled) if forecast.settled else "",
        sources=write_sources(forecast.needed) if forecast.needed else [],
        explained=explain_sources,
        name_part=name_part,
        method_words=METHOD_WORDS,
    )


def _draw(forecast: Forecast, past: ForecastBacktest | None) -> dict[str, str]:
    """Figure -> SVG, to stand within the page."""
    # matplotlib takes half a second to import
    from leadscore.report.figures.forecast import plot_change, plot_fan
    from leadscore.report.forecast.steps import list_revenue_steps, list_win_steps

    wins = list_win_steps(forecast, past)
    revenue = list_revenue_steps(forecast, past)
    currency = forecast.currency or "revenue"
    figures = {
        "wins": plot_fan(wins, name="wins", unit="wins", by=forecast.by),
        "revenue": plot_fan(revenue, name="revenue", unit=currency, by=forecast.by),
        "change": plot_change(forecast.change, currency=forecast.currency),
    }
    return {name: inline(svg) for name, svg in figures.items()}
