"""Facts of a delivery in a period of time: the new ones, and those that they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.times import DAY_US

YEAR_US = 365 * DAY_US


@dataclass(frozen=True)
class Period:
    """Facts of one delivery (`side`: before or now) dated from `since_us` to before `until_us`."""

    side: str
    since_us: int
    until_us: int

    @property
    def where(self) -> str:
        """SQL condition on their dates."""
        return f"event_us >= {self.since_us} AND event_us < {self.until_us}"

    def facts_sql(self, table: str, *, where: str = "1 = 1") -> str:
        """SQL of those facts, to stand behind SELECT ... FROM."""
        return f"raw_{self.side}_{table} WHERE {where} AND {self.where}"


def new_period(pair: Deliveries) -> Period:
    """What is new in this delivery: facts dated since the export before."""
    return Period("now", pair.before_us, pair.now_us)


def past_year(pair: Deliveries) -> Period:
    """The year before that, as the delivery before showed it."""
    return Period("before", pair.before_us - YEAR_US, pair.before_us)


def period_before(pair: Deliveries) -> Period:
    """As many days before the export before, as its delivery showed them when they were as new."""
    return Period("before", pair.before_us - period_length_us(pair), pair.before_us)


def period_length_us(pair: Deliveries) -> int:
    """The time between both exports, a day at the least."""
    return max(pair.now_us - pair.before_us, DAY_US)


def count_values(
    pair: Deliveries,
    period: Period,
    table: str,
    column: str,
    *,
    where: str = "1 = 1",
) -> dict[Any, int]:
    """How many facts of a period have each value of a column."""
    rows = pair.rows(
        f"""SELECT {identifier(column)} AS value, COUNT(*) AS n
        FROM {period.facts_sql(table, where=where)} GROUP BY 1 ORDER BY 1"""
    )
    return {row["value"]: row["n"] for row in rows}
