"""How old the newest fact of each field and kind is, beside the longest silence of the weeks before."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from leadscore.monitor.alarms import describe_chance
from leadscore.results.drift import Alarm, Freshness
from leadscore.times import DAY_US, format_us

SURE = 0.001  # chance of a false alarm at one look at all of them together, if facts came at random
LEAST_FACTS = 20  # of fewer the longest silence says little
LONGER = 2.0  # times the longest silence before, which has weekends and holidays in it
DO = "ask whether it is still entered and exported; features that rest on it grow old"


def describe_freshness(silences: pd.DataFrame, *, known_us: int) -> list[Freshness]:
    """Each field and kind with the age of its newest fact, the stalest first.

    Args:
        silences: what `measure_silences` gave.
        known_us: the moment of the look.
    """
    described = [
        Freshness(
            subject=f"{row['source']}: {row['what']}",
            facts=row["facts"],
            last=format_us(row["last_us"]),
            age_days=(known_us - row["last_us"]) / DAY_US,
            longest_days=row["longest_us"] / DAY_US,
            days=(row["last_us"] - row["first_us"]) / DAY_US,
        )
        for row in silences.to_dict("records")
    ]
    return sorted(described, key=lambda freshness: -freshness.age_days)


def find_freshness_alarms(
    described: Sequence[Freshness],
    *,
    beside: AbstractSet[str] = frozenset(),
) -> list[Alarm]:
    """Alarms of what has been silent for longer than chance and its own past explain.

    Args:
        described: what `describe_freshness` gave.
        beside: subjects that other alarms name already.
    """
    limit = SURE / max(len(described), 1)
    alarms = []
    for freshness in described:
        if freshness.subject in beside or freshness.facts < LEAST_FACTS:
            continue
        p_value = _chance_of_silence(freshness)
        is_longer = freshness.age_days > LONGER * freshness.longest_days
        if is_longer and p_value < limit:
            alarms.append(_build_alarm(freshness, p_value))
    return alarms


def _chance_of_silence(freshness: Freshness) -> float:
    """How likely facts that come at random, at the pace so far, are silent for so long."""
    if freshness.days <= 0:
        return 1.0
    pace = (freshness.facts - 1) / freshness.days
    return float(np.exp(-pace * freshness.age_days))


def _build_alarm(freshness: Freshness, p_value: float) -> Alarm:
    return Alarm(
        kind="freshness",
        subject=freshness.subject,
        what=f"nothing new for {freshness.age_days:.1f} days; the longest silence before was "
        f"{freshness.longest_days:.1f} days",
        since=freshness.last,
        sure=describe_chance(p_value),
        share=None,
        do=DO,
    )
