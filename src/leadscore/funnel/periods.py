"""Weeks, months and quarters of the calendar, as a sales team counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from leadscore.times import EPOCH, to_us

PeriodKind = Literal["week", "month", "quarter"]
MONTHS = {"month": 1, "quarter": 3}  # of a period


@dataclass(frozen=True)
class Period:
    """A week from Monday, a month or a quarter: start_us <= moment < end_us."""

    by: PeriodKind
    name: str
    start_us: int
    end_us: int


def list_periods(moment_us: int, *, by: PeriodKind, count: int, zone: str) -> list[Period]:
    """The period that a moment lies in, and those after it; with a negative count, those before.

    >>> [period.name for period in list_periods(0, by="quarter", count=2, zone="UTC")]
    ['1970 Q1', '1970 Q2']
    >>> [period.name for period in list_periods(0, by="month", count=-2, zone="UTC")]
    ['1969-11', '1969-12']
    """
    local = (EPOCH + timedelta(microseconds=moment_us)).astimezone(ZoneInfo(zone))
    current = _first_day(local.date(), by)
    offsets = range(count) if count >= 0 else range(count, 0)
    days = [_move(current, by, offset) for offset in [*offsets, offsets[-1] + 1]]
    starts = [to_us(datetime.combine(day, time(), tzinfo=ZoneInfo(zone))) for day in days]
    spans = zip(days[:-1], starts[:-1], starts[1:], strict=True)
    return [Period(by, _name(day, by), start, end) for day, start, end in spans]


def _first_day(day: date, by: PeriodKind) -> date:
    if by == "week":
        return day - timedelta(days=day.weekday())
    months = MONTHS[by]
    first_month = (day.month - 1) // months * months + 1
    return date(day.year, first_month, 1)


def _move(day: date, by: PeriodKind, offset: int) -> date:
    """The first day of the period so many periods later."""
    if by == "week":
        return day + timedelta(weeks=offset)
    month = day.year * 12 + day.month - 1 + offset * MONTHS[by]
    return date(month // 12, month % 12 + 1, 1)


def _name(day: date, by: PeriodKind) -> str:
    if by == "week":
        return f"week of {day.isoformat()}"
    if by == "month":
        return f"{day:%Y-%m}"
    return f"{day.year} Q{(day.month + 2) // 3}"
