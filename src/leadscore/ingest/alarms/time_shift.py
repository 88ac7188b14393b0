"""Facts that moved in time by one and the same number of half hours: a time zone read wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadscore.ingest.alarms.currency import LEAST_LEADS, MANY
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.exports import Exports
from leadscore.times import HOUR_US

HALF_HOUR_US = HOUR_US // 2


def find_time_shift(exports: Exports) -> Iterator[str]:
    """Leads whose creation moved, and tables of events whose first facts did."""
    yield from _find_moved_creation(exports)
    if exports.pair is not None:
        yield from find_shifted_tables(exports.pair).values()


def _find_moved_creation(exports: Exports) -> Iterator[str]:
    leads = exports.number(f"SELECT COUNT(*) {exports.leads_in_both}")
    moves = exports.rows(
        f"""SELECT n.event_us - b.event_us AS us, COUNT(*) AS n {exports.leads_in_both}
        WHERE n.event_us <> b.event_us
        GROUP BY n.event_us - b.event_us ORDER BY n DESC, us"""
    )
    moves = _half_hour_moves(moves)
    n = sum(row["n"] for row in moves)
    if leads >= LEAST_LEADS and n > MANY * leads:
        hours = moves[0]["us"] / HOUR_US
        yield (
            f"the creation of {n:,} of {leads:,} leads moved by {hours:+g} hours: is the time zone "
            "the right one?"
        )


def _half_hour_moves(moves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in moves if row["us"] and row["us"] % HALF_HOUR_US == 0]


def find_shifted_tables(pair: Deliveries) -> dict[str, str]:
    """Tables of events whose facts moved by the same number of half hours, with a sentence each."""
    shifted = {}
    for name in pair.events():
        if name not in pair.moves:
            pair.moves[name] = pair.rows(_first_moves_sql(pair, name))
        moves = pair.moves[name]
        leads = sum(row["n"] for row in moves)
        half_hours = _half_hour_moves(moves)
        if leads < LEAST_LEADS or not half_hours:
            continue
        most = half_hours[0]
        if most["n"] > MANY * leads:
            hours = most["us"] / HOUR_US
            shifted[name] = (
                f"the first facts of {name} moved by {hours:+g} hours for {most['n']:,} of "
                f"{leads:,} leads: is the time zone the right one?"
            )
    return shifted


def _first_moves_sql(pair: Deliveries, name: str) -> str:
    """SQL of how far the first fact of each lead moved, and for how many leads."""
    first = f"""SELECT lead_id, MIN(event_us) AS us FROM {{}}
        WHERE event_us < {pair.now_us} GROUP BY lead_id"""
    before, now = first.format(f"raw_before_{name}"), first.format(f"raw_now_{name}")
    return f"""SELECT n.us - b.us AS us, COUNT(*) AS n
        FROM ({before}) AS b JOIN ({now}) AS n ON n.lead_id = b.lead_id
        GROUP BY n.us - b.us ORDER BY n DESC, us"""
