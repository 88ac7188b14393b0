"""Wins and revenue to come, and when each open lead is won."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np

from leadscore.atomic import write_bytes
from leadscore.errors import UserError
from leadscore.funnel.arrivals import WEEK_US, WEEKS, expect_leads
from leadscore.funnel.forecast import (
    Simulated,
    add_up,
    describe_periods,
    describe_total,
    describe_views,
    simulate_parts,
    usual_revenue,
)
from leadscore.funnel.needed import WINS, compute_needed, expect_visits
from leadscore.funnel.outlook import NO_PIPELINE, Outlook
from leadscore.funnel.periods import PeriodKind, list_periods
from leadscore.funnel.stages import describe_moves, describe_stages
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.project.forecast_change import explain_change
from leadscore.project.opened import checked_as_of
from leadscore.project.outlooks import KnownModel, Looked, look_ahead, open_for_forecast
from leadscore.report.forecast.build import build_forecast_page
from leadscore.results.forecast import (
    Basis,
    Forecast,
    ForecastBacktest,
    LeadsNeeded,
    PipelineForecast,
)
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us
from leadscore.wording import listed

MOST_PERIODS = 52
YEAR_US = 365 * DAY_US


def forecast(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    by: PeriodKind = "month",
    periods: int = 3,
    since_us: int | None = None,
    target_wins: float | None = None,
    target_revenue: float | None = None,
) -> Forecast:
    """Wins and revenue of the current period and those after it.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        by: the kind of period.
        periods: how many.
        since_us: an earlier moment; then the result says why the forecast of the current period has
            changed since.
        target_wins: wins of all these periods; then the result says how many leads that takes.
        target_revenue: the same for revenue.

    Raises:
        UserError: nothing is dated, no model scores, too few wins are known, or what is asked for
            makes no sense.
    """
    _check_asked(by, periods, target_wins=target_wins, target_revenue=target_revenue)
    with open_for_forecast(settings) as (history, known):
        return forecast_by(
            history,
            known,
            as_of_us=checked_as_of(history, as_of_us),
            by=by,
            periods=periods,
            since_us=None if since_us is None else checked_as_of(history, since_us),
            target_wins=target_wins,
            target_revenue=target_revenue,
        )


def _check_asked(
    by: str, periods: int, *, target_wins: float | None, target_revenue: float | None
) -> None:
    kinds = get_args(PeriodKind)
    if by not in kinds:
        raise UserError(f"by = {by!r}: a period is one of {listed(kinds)}")
    if not 1 <= periods <= MOST_PERIODS:
        raise UserError(f"periods = {periods}: from 1 to {MOST_PERIODS}")
    targets = [target for target in (target_wins, target_revenue) if target is not None]
    if len(targets) > 1:
        raise UserError("ask for a target of wins or one of revenue, not for both")
    if not all(0 < target < math.inf for target in targets):
        raise UserError(f"a target is a number above 0, not {targets[0]}")


def forecast_by(
    history: History,
    known: KnownModel,
    *,
    as_of_us: int,
    by: PeriodKind = "month",
    periods: int = 3,
    since_us: int | None = None,
    target_wins: float | None = None,
    target_revenue: float | None = None,
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
        needed=_compute_needed(
            history, looked, simulated, target_wins=target_wins, target_revenue=target_revenue
        ),
        pipelines=_describe_pipelines(parts),
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
    if not looked.outlook.arrivals.has_season:
        warnings.append(
            "new leads are expected at the rate of the last half-year in every month: the seasons "
            "need two whole years of history, or do not differ by more than chance"
        )
    return warnings


def _compute_needed(
    history: History,
    looked: Looked,
    simulated: Simulated,
    *,
    target_wins: float | None,
    target_revenue: float | None,
) -> LeadsNeeded | None:
    """The leads needed for a target, if there is one."""
    if target_wins is None and target_revenue is None:
        return None
    outlook = looked.outlook
    if target_revenue is not None and not outlook.has_amounts:
        raise UserError("no amounts are known, so a target can only be one of wins")
    leads, _ = expect_leads(
        outlook.arrivals,
        start_us=outlook.as_of_us,
        end_us=simulated.periods[-1].end_us,
        zone=outlook.zone,
    )
    is_revenue = target_revenue is not None
    needed = compute_needed(
        simulated,
        usual_revenue(outlook),
        target=float(target_revenue if target_revenue is not None else target_wins or 0),
        unit=looked.currency or "revenue" if is_revenue else WINS,
        arriving=float(leads.sum()),
        seed=outlook.seed,
        pipeline=float(outlook.leads["amount"].sum()) if is_revenue else None,
        reps=_count_reps(history, outlook),
    )
    if not needed.leads:
        return needed
    visits = _expect_visits(history, outlook, leads=needed.leads)
    return needed.model_copy(update={"visits": visits})


def _expect_visits(history: History, outlook: Outlook, *, leads: int) -> dict[str, int]:
    known_us = history.known_us(outlook.as_of_us)
    span = Span(known_us - YEAR_US, known_us)
    visits = history.count_visits(span)
    stages = history.settings.stages
    flows = describe_stages(visits, stages)
    return expect_visits(flows, describe_moves(visits, stages), leads=leads)


def _count_reps(history: History, outlook: Outlook) -> int:
    """How many owners the leads of the last weeks have, on which the rate of new leads rests."""
    known_us = history.known_us(outlook.as_of_us)
    since_us = known_us - WEEKS * WEEK_US
    spells = history.spells(known_us)
    recent = set(spells.loc[spells["start_us"] >= since_us, "lead_id"])
    owners = history.known_values(["owner_id"], as_of_us=known_us).to_pandas()
    of_recent = owners.loc[owners["lead_id"].isin(recent), "owner_id"]
    return int(of_recent.nunique())


def write_page(forecasted: Forecast, past: ForecastBacktest | None, path: Path) -> None:
    """Write a forecast, with past ones beside it, as one self-contained HTML page.

    Raises:
        UnavailableError: the file cannot be written.
    """
    page = build_forecast_page(forecasted, past)
    write_bytes(path, page.encode())
