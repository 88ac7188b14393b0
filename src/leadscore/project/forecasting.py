"""Wins and revenue to come, and when each open lead is won."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np

from leadscore.atomic import write_bytes
from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.funnel.forecast import (
    Simulated,
    add_up,
    describe_periods,
    describe_total,
    describe_views,
    simulate_parts,
)
from leadscore.funnel.outlook import NO_PIPELINE, Outlook
from leadscore.funnel.periods import PeriodKind, list_periods
from leadscore.history.split import History
from leadscore.project.forecast_change import explain_change
from leadscore.project.forecast_published import publish_forecast, settle_published
from leadscore.project.forecast_target import Target, need_leads
from leadscore.project.opened import checked_as_of
from leadscore.project.outlooks import KnownModel, Looked, look_ahead, open_for_forecast
from leadscore.report.forecast.build import build_forecast_page
from leadscore.results.forecast import Basis, Forecast, PipelineForecast
from leadscore.results.past_forecasts import ForecastBacktest
from leadscore.settings.settings import Settings
from leadscore.times import format_us
from leadscore.wording import counted, listed

MOST_PERIODS = 52


def forecast(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    by: PeriodKind = "month",
    periods: int = 3,
    since_us: int | None = None,
    target: Target | None = None,
) -> Forecast:
    """Wins and revenue of the current period and those after it.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        by: the kind of period.
        periods: how many.
        since_us: an earlier moment; then the result says why the forecast of the current period has
            changed since.
        target: of all these periods; then the result says how many leads that takes.

    Raises:
        UserError: nothing is dated, no model scores, too few wins are known, or what is asked for
            makes no sense.
    """
    _check_asked(by, periods)
    with open_for_forecast(settings) as (history, known):
        return forecast_by(
            history,
            known,
            as_of_us=checked_as_of(history, as_of_us),
            by=by,
            periods=periods,
            since_us=None if since_us is None else checked_as_of(history, since_us),
            target=target,
        )


def _check_asked(by: str, periods: int) -> None:
    kinds = get_args(PeriodKind)
    if by not in kinds:
        raise UserError(f"by = {by!r}: a period is one of {listed(kinds)}")
    if not 1 <= periods <= MOST_PERIODS:
        raise UserError(f"periods = {periods}: from 1 to {MOST_PERIODS}")


def forecast_by(
    history: History,
    known: KnownModel,
    *,
    as_of_us: int,
    by: PeriodKind = "month",
    periods: int = 3,
    since_us: int | None = None,
    target: Target | None = None,
) -> Forecast:
    """The forecast by a model, as `forecast` describes it."""
    looked = look_ahead(history, known, as_of_us=as_of_us)
    outlook = looked.outlook
    ahead = list_periods(as_of_us, by=by, count=periods, zone=outlook.zone)
    parts = simulate_parts(outlook, ahead)
    simulated = add_up(list(parts.values()), has_amounts=outlook.has_amounts)
    change = None
    if since_us is not None:
        change = explain_change(history, known, looked, since_us=since_us, period=ahead[0])
    total = describe_total(simulated)
    return Forecast(
        project=history.settings.project,
        as_of=format_us(as_of_us),
        by=by,
        currency=looked.currency,
        periods=describe_periods(simulated),
        total=total,
        views=describe_views(outlook, total),
        basis=_describe_basis(outlook, simulated, known.version),
        warnings=_list_warnings(looked),
        change=change,
        needed=None if target is None else need_leads(history, looked, simulated, target),
        pipelines=_describe_pipelines(parts),
        settled=settle_published(history, by=by, known_us=history.known_us(as_of_us)),
    )


def _describe_pipelines(parts: Mapping[str, Simulated]) -> list[PipelineForecast]:
    """Each pipeline by itself, where there are several."""
    return [
        PipelineForecast(
            pipeline=name,
            periods=describe_periods(part),
            total=describe_total(part),
        )
        for name, part in parts.items()
        if name != NO_PIPELINE
    ]


def _describe_basis(outlook: Outlook, simulated: Simulated, model_version: str) -> Basis:
    return Basis(
        model_version=model_version,
        open_leads=len(outlook.leads),
        wins=outlook.timing.wins,
        arrivals_per_week=7 * outlook.arrivals.per_day,
        has_season=outlook.arrivals.has_season,
        paid_share=outlook.paid_share,
        period_spread=float(np.sqrt(simulated.doubt.period)),
    )


def _list_warnings(looked: Looked) -> list[str]:
    warnings = list(looked.warnings)
    if not looked.outlook.has_amounts and not warnings:
        warnings.append("no amounts are known, so there is no forecast of revenue")
    negative = int((looked.outlook.leads["amount"] < 0).sum())
    if negative:
        warnings.append(
            f"{counted(negative, 'open lead has an amount', 'open leads have amounts')} below 0, "
            "which the forecast of revenue subtracts; to reject them, set fields.amount.minimum"
        )
    if not looked.outlook.arrivals.has_season:
        warnings.append(
            "new leads are expected at the rate of the last half-year in every month: a season takes "
            "two whole years of history, and months that differ by more than chance"
        )
    return warnings


def publish_usual(settings: Settings) -> Forecast | None:
    """Forecast these three months, and keep the forecast to be settled later.

    None where nothing is dated, or too few wins are known.
    """
    if not settings.is_dated:
        return None
    try:
        forecasted = forecast(settings)
    except TooLittleHistoryError:
        return None
    publish_forecast(settings, forecasted)
    return forecasted


def write_page(forecasted: Forecast, past: ForecastBacktest | None, path: Path) -> None:
    """Write a forecast, with past ones beside it, as one self-contained HTML page.

    Raises:
        UnavailableError: the file cannot be written.
    """
    page = build_forecast_page(forecasted, past)
    write_bytes(path, page.encode())
