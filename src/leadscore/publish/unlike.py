"""Whether a list is too unlike the published one before it to be published without a person's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import pyarrow as pa

from leadscore.publishing import PublicationSettings

LEAST_LEADS = 50  # on either list; of fewer nothing is said
TOP = 20
WEEK_DAYS = 7.0


@dataclass(frozen=True)
class Pair:
    """The list before and this one, in the shape of `SCORES`, the days between, and how many leads came back.

    `same_model`: whether one and the same model made both; of two models only what none of them decides is compared.
    """

    before: pa.Table
    now: pa.Table
    days: float
    returned: int
    same_model: bool


def find_unlike(pair: Pair, limits: PublicationSettings) -> list[str]:
    """What differs by more than the limits allow, in words; nothing for short lists."""
    if max(pair.before.num_rows, pair.now.num_rows) < LEAST_LEADS:
        return []
    grown = sqrt(max(pair.days / WEEK_DAYS, 1.0))
    problems = [*_find_other_leads(pair, limits, grown)]
    if pair.same_model and min(pair.before.num_rows, pair.now.num_rows):
        problems += _find_other_scores(pair, limits, grown)
    return problems


def _find_other_leads(pair: Pair, limits: PublicationSettings, grown: float) -> Iterator[str]:
    before, now = pair.before.num_rows, pair.now.num_rows
    if _moved(before, now) > limits.max_size_change * grown:
        yield f"it has {now:,} leads, the list before {before:,}"
    if pair.returned > limits.max_returned * grown * now:
        yield f"{pair.returned:,} of its {now:,} leads existed before, and were not on the list before"


def _find_other_scores(pair: Pair, limits: PublicationSettings, grown: float) -> Iterator[str]:
    means = [float(np.mean(each["win_probability"].to_numpy())) for each in (pair.before, pair.now)]
    if _moved(*means) > limits.max_mean_change * grown:
        yield f"its mean probability is {means[1]:.3f}, and was {means[0]:.3f}"
    moved = _tiers_moved(pair)
    if moved > limits.max_tier_change * grown:
        yield f"{moved:.0%} of its leads would have to change tiers for the tiers to be as large as before"
    values = [_value(each) for each in (pair.before, pair.now)]
    if min(values) > 0 and _moved(*values) > limits.max_value_change * grown:
        yield f"its expected value is {values[1]:,.0f}, and was {values[0]:,.0f}"
    top, of_before = (each["lead_id"].slice(0, TOP).to_pylist() for each in (pair.now, pair.before))
    stayed = len(set(top) & set(of_before))
    if 1 - stayed / TOP > limits.max_top_lost * grown:
        yield f"{stayed} of the first {TOP} of the list before are among its first {TOP}"


def _moved(before: float, now: float) -> float:
    """The share by which the larger exceeds the smaller."""
    low, high = sorted((before, now))
    if low > 0:
        return high / low - 1
    return inf if high > 0 else 0.0


def _tiers_moved(pair: Pair) -> float:
    shares = []
    for scores in (pair.before, pair.now):
        counts = Counter(scores["tier"].to_pylist())
        shares.append({tier: n / scores.num_rows for tier, n in counts.items()})
    before, now = shares
    return float(sum(max(now.get(tier, 0.0) - before.get(tier, 0.0), 0.0) for tier in before | now))


def _value(scores: pa.Table) -> float:
    return float(sum(value for value in scores["expected_value"].to_pylist() if value is not None))
