"""The arithmetic of the sales pipeline, at any moment."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from leadscore.atomic import write_bytes
from leadscore.errors import UserError
from leadscore.funnel.changes import describe_changes
from leadscore.funnel.cohorts import describe_cohorts
from leadscore.funnel.curves import describe_curves
from leadscore.funnel.groups import add_up_parts, describe_groups
from leadscore.funnel.improving import describe_improvements
from leadscore.funnel.irregular import describe_irregular
from leadscore.funnel.landmark import list_new
from leadscore.funnel.pipelines import describe_pipelines
from leadscore.funnel.spells import list_endings
from leadscore.funnel.stages import describe_moves, describe_stages
from leadscore.funnel.velocity import measure_velocity
from leadscore.history.losses import count_visits_by_reason
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.project.by_tier import TIER, describe_tiers
from leadscore.project.horizon import USUAL_HORIZON, with_horizon_of_champion
from leadscore.project.losing import measure_losses
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.parts import read_parts
from leadscore.report.funnel.build import build_funnel_page
from leadscore.results.funnel import Funnel, FunnelGroup
from leadscore.settings.limits import MOST_DAYS
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us

YEAR = 365  # days


def describe_funnel(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    days: float = YEAR,
    by: str | None = None,
) -> Funnel:
    """What becomes of visits to each stage that began in the days before a moment.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        days: of the period in which the visits began.
        by: also by a field of leads, or by rep or team (see `read_parts`), or by tier (see `by_tier`).

    Raises:
        UserError: nothing is dated, no open stages are declared, leads have no such value, there
            are no such days, or no list is old enough to follow its tiers.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: without dates there is no speed to measure")
    if not settings.stages.open:
        raise UserError('there are no stages; declare them in order, as [stages] open = ["New"]')
    check_days(days)
    with open_store(with_horizon_of_champion(settings)) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        span = Span(known_us - round(days * DAY_US), known_us)
        return measure_funnel(history, span, by=by)


def check_days(days: float) -> None:
    """Stop where a period makes no sense.

    Raises:
        UserError: it is too short, too long or no number.
    """
    if not 1 <= days <= MOST_DAYS:
        given = "not a number" if math.isnan(days) else f"{days}"
        raise UserError(f"days = {given}: a period has from 1 to {MOST_DAYS:,} days")


def measure_funnel(history: History, span: Span, *, by: str | None = None) -> Funnel:
    """The funnel of an opened history (see `describe_funnel`)."""
    settings = history.settings
    within_days = settings.target.horizon_days or USUAL_HORIZON
    if by == TIER:
        tiers = describe_tiers(history, known_us=span.known_us, within_days=within_days)
        return measure_funnel(history, span).model_copy(update=tiers)
    parts = _read_parts(history, by, span)
    of_parts = count_visits_by_reason(history, span, parts=parts)
    visits = add_up_parts(of_parts)
    spells = list_endings(history.spells(span.known_us), known_us=span.known_us)
    flows = describe_stages(visits, settings.stages)
    moves = describe_moves(visits, settings.stages)
    velocity = measure_velocity(history, spells, span)
    days = (span.known_us - span.since_us) / DAY_US
    return Funnel(
        as_of=format_us(span.known_us),
        since=format_us(span.since_us),
        stages=flows,
        moves=moves,
        irregular=describe_irregular(history, visits, spells, span),
        changes=describe_changes(visits, settings.stages.open),
        cohorts=describe_cohorts(
            spells, since_us=span.since_us, known_us=span.known_us, zone=settings.timezone
        ),
        velocity=velocity,
        by=by,
        groups=[] if parts is None else _describe_groups(settings, spells, of_parts, parts, span),
        curves=describe_curves(visits, settings.stages.open),
        pipelines=describe_pipelines(history, spells, span),
        improvements=describe_improvements(flows, moves, velocity, days=days),
        **measure_losses(
            history,
            span,
            visits=visits,
            spells=spells,
            flows=flows,
            within_days=within_days,
        ),
    )


def _read_parts(history: History, by: str | None, span: Span) -> pd.Series[str] | None:
    if by is None:
        return None
    return read_parts(history, by, known_us=span.known_us, others=[TIER])


def write_page(settings: Settings, funnel: Funnel, path: Path) -> None:
    """The funnel as one self-contained HTML page; it names waiting leads by their ids only.

    Raises:
        UnavailableError: the file cannot be written.
    """
    page = build_funnel_page(funnel, project=settings.project)
    write_bytes(path, page.encode())


def _describe_groups(
    settings: Settings,
    spells: pd.DataFrame,
    visits: pd.DataFrame,
    parts: pd.Series[str],
    span: Span,
) -> list[FunnelGroup]:
    """The groups of leads that came in, each lead in the one that `parts` gives it, by its first close."""
    first = list_new(spells, span)
    return describe_groups(
        first.assign(part=first["lead_id"].map(parts)),
        visits,
        settings.stages,
        span,
        within_days=settings.target.horizon_days or USUAL_HORIZON,
    )
