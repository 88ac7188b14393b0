"""Weeks, months and quarters of the calendar, as a sales team counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from leadscore.times import EPOCH, to_us

PeriodKind = Literal["week", "month", "quarter"]
MONTHS = {"month": 1, "quarter": 3}  # of a period
YEAR = 12  # months


@dataclass(frozen=True)
class Period:
    """A week from Monday, a month or a quarter: start_us <= moment < end_us."""

    by: PeriodKind
    name: str
    start_us: int
    end_us: int


def list_periods(
    moment_us: int,
    *,
    by: PeriodKind,
    count: int,
    zone: str,
) -> list[Period]:
    """The period that a moment lies in, and those after it; with a negative count, those before.

    >>> [period.name for period in list_periods(0, by="quarter", count=2, zone="UTC")]
    ['1970 Q1', '1970 Q2']
    >>> [period.name for period in list_periods(0, by="month", count=-2, zone="UTC")]
    ['1969-11', '1969-12']
    """
    moment = EPOCH + timedelta(microseconds=moment_us)
    local = moment.astimezone(ZoneInfo(zone))
    current = _first_day(local.date(), by)
    first = min(count, 0)
    past_last = max(count, 0)
    days = [_move(current, by, offset) for offset in range(first, past_last + 1)]

    periods = []
    for day, next_day in pairwise(days):
        period = Period(
            by=by,
            name=_name(day, by),
            start_us=_midnight_us(day, zone),
            end_us=_midnight_us(next_day, zone),
        )
        periods.append(period)
    return periods


def _midnight_us(day: date, zone: str) -> int:
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    return to_us(midnight)


def _first_day(day: date, by: PeriodKind) -> date:
    if by == "week":
        return day - timedelta(days=day.weekday())
    months = MONTHS[by]
    period = (day.month - 1) // months
    return date(day.year, period * months + 1, 1)


def _move(day: date, by: PeriodKind, offset: int) -> date:
    """The first day of the period so many periods later."""
    if by == "week":
        return day + timedelta(weeks=offset)
    months_before = day.year * YEAR + day.month - 1
    year, month = divmod(months_before + offset * MONTHS[by], YEAR)
    return date(year, month + 1, 1)


def _name(day: date, by: PeriodKind) -> str:
    if by == "week":
        return f"week of {day.isoformat()}"
    if by == "month":
        return f"{day:%Y-%m}"
    quarter = (day.month + 2) // 3
    return f"{day.year} Q{quarter}"
