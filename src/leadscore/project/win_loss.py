"""What was won and lost in a period, for a win/loss review."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from leadscore.atomic import write_bytes
from leadscore.errors import UserError
from leadscore.funnel.closed import describe_closed
from leadscore.funnel.losses import describe_lost_leads
from leadscore.funnel.spells import list_endings
from leadscore.funnel.wins import read_asked, read_wins
from leadscore.history.losses import find_reasons
from leadscore.history.split import History
from leadscore.history.visits import HOUR_US, Span
from leadscore.project.by_tier import read_past_scores
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.pipeline import check_days
from leadscore.report.win_loss.build import build_win_loss_page
from leadscore.results.funnel import Funnel
from leadscore.results.win_loss import WinLoss
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us


def describe_win_loss(settings: Settings, *, as_of_us: int | None, days: float) -> WinLoss:
    """What was won and lost in the days before a moment.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        days: of the period.

    Raises:
        UserError: nothing is dated, or there are no such days.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: without dates nobody knows what closed when")
    check_days(days)
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        return review_closes(history, Span(known_us - round(days * DAY_US), known_us))


def review_closes(history: History, span: Span) -> WinLoss:
    """What was won and lost in a period of an opened history."""
    settings = history.settings
    currencies = history.facts.currencies(span.known_us)
    closed = list_closed(history, span, has_amounts=len(currencies) < 2)
    lost = closed[closed["is_now"] & ~closed["won"]]
    first_us = history.version.first_us
    return WinLoss(
        project=settings.project,
        as_of=format_us(span.known_us),
        since=format_us(span.since_us),
        currency=currencies[0] if len(currencies) == 1 else None,
        records_begin=_find_late_begin(closed, span, first_us=first_us),
        losses=describe_lost_leads(lost, settings.stages.open),
        **describe_closed(closed),
    )


def _find_late_begin(closed: pd.DataFrame, span: Span, *, first_us: int) -> str | None:
    """When the records begin, if leads that closed in the period before may have come in earlier.

    Nine of ten closes of the period came so long after their lead; the records have to reach back as
    far before the period before.
    """
    hours = closed.loc[closed["is_now"], "hours"]
    reaches_back_us = 0
    if len(hours):
        reaches_back_us = round(hours.quantile(0.9) * HOUR_US)
    needed_us = span.before_us - reaches_back_us
    return format_us(first_us) if first_us > needed_us else None


def list_closed(history: History, span: Span, *, has_amounts: bool) -> pd.DataFrame:
    """The leads that closed in a period and the one before, as `describe_closed` wants them."""
    known_us = span.known_us
    spells = list_endings(history.spells(known_us), known_us=known_us)
    losses = history.facts.loss_reasons(known_us)
    reasons = find_reasons(spells, losses)
    is_last = ~spells.duplicated("lead_id", keep="last")
    described = spells.assign(reason=reasons.to_numpy(), is_last=is_last)
    close_us = spells["close_us"]
    is_closed = close_us.between(span.before_us, known_us, inclusive="left")
    closed = described[is_closed]

    latest = history.facts.latest_stages(history.settings.stages.open, known_us)
    stage = closed["lead_id"].map(latest)
    amounts = _read_amounts(history, closed, span) if has_amounts else np.nan
    return closed.assign(
        stage=stage.where(closed["is_last"]).fillna(""),
        amount=amounts,
        probability=_read_probability(history, closed),
        is_now=closed["close_us"] >= span.since_us,
    )


def _read_amounts(history: History, closed: pd.DataFrame, span: Span) -> np.ndarray:
    """What each lead (n,) brought if won, else the amount that it was known to have."""
    key = ["lead_id", "spell"]
    wins = read_wins(history, known_us=span.known_us)
    revenue = wins[[*key, "revenue"]]
    asked = read_asked(history, span.known_us)
    leads = closed[key].merge(revenue, on=key, how="left")
    leads = leads.merge(asked, on="lead_id", how="left")
    amounts = leads["revenue"].fillna(leads["asked"])
    return amounts.to_numpy(dtype=float)


def _read_probability(history: History, closed: pd.DataFrame) -> np.ndarray:
    """The probability of a win in the last list of each spell (n,) before its close, else NaN."""
    listed = read_past_scores(history.settings)
    spells = closed[["lead_id", "start_us", "close_us"]]
    numbered = spells.assign(place=range(len(spells)))
    latest = pd.merge_asof(
        numbered.sort_values("close_us"),
        listed.astype({"lead_id": spells["lead_id"].dtype}).sort_values("as_of_us"),
        left_on="close_us",
        right_on="as_of_us",
        by="lead_id",
    )
    latest = latest.sort_values("place")
    is_of_spell = latest["as_of_us"] >= latest["start_us"]
    probability = latest["win_probability"].where(is_of_spell)
    return probability.to_numpy(dtype=float)


def write_page(win_loss: WinLoss, funnel: Funnel, path: Path) -> None:
    """The review as one self-contained HTML page; it names leads by their ids only.

    Raises:
        UnavailableError: the file cannot be written.
    """
    page = build_win_loss_page(win_loss, funnel)
    write_bytes(path, page.encode())
