"""Whether a list differs so much from the previous one that a person must decide to publish it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import pyarrow as pa

from leadscore.settings.publication import PublicationSettings

LEAST_LEADS = 50  # on one of the lists; shorter ones are not compared
TOP = 20
WEEK_DAYS = 7.0
COMPARED = ("lead_id", "win_probability", "tier", "expected_value")  # columns of both lists


@dataclass(frozen=True)
class Pair:
    """Two lists to compare.

    Attributes:
        before: the columns `COMPARED` of the previous list, in its order.
        now: the same of this list.
        days: between them.
        returned: how many leads of this list existed before, but were not on the previous one.
        same_model: whether one model made both; of two models only what neither decides is
            compared.
    """

    before: pa.Table
    now: pa.Table
    days: float
    returned: int
    same_model: bool


@dataclass(frozen=True)
class Differences:
    """How far a list is from the previous one; all are shares, 0 for equal lists.

    Attributes:
        size: by what share the longer list exceeds the shorter one.
        mean: the same of the mean probability.
        tiers: half the sum of the changes of the tiers' shares of the list.
        value: as `size`, of the expected value; 0 if a list has none.
        returned: of this list, the leads that came back.
        top_lost: of the first `TOP` before, those that left the first `TOP`.
    """

    size: float
    mean: float
    tiers: float
    value: float
    returned: float
    top_lost: float


def measure_differences(pair: Pair) -> Differences:
    """How far two lists, neither of them empty, are from each other."""
    before = pair.before
    now = pair.now
    value_before = _sum_value(before)
    value_now = _sum_value(now)
    has_values = min(value_before, value_now) > 0
    return Differences(
        size=_compute_excess(before.num_rows, now.num_rows),
        mean=_compute_excess(_mean(before), _mean(now)),
        tiers=_compare_tiers(pair),
        value=_compute_excess(value_before, value_now) if has_values else 0.0,
        returned=pair.returned / now.num_rows,
        top_lost=1 - _count_stayed(pair) / TOP,
    )


def find_unlike(pair: Pair, limits: PublicationSettings) -> list[str]:
    """What differs by more than the limits allow, in words; nothing for short lists.

    The limits are for a week, and grow with the square root of the time between the lists.
    """
    before = pair.before.num_rows
    now = pair.now.num_rows
    if max(before, now) < LEAST_LEADS:
        return []
    if min(before, now) == 0:
        return [_describe_size(pair)]
    differences = measure_differences(pair)
    grown = sqrt(max(pair.days / WEEK_DAYS, 1.0))
    problems = [*_find_other_leads(pair, differences, limits, grown)]
    if pair.same_model:
        problems += _find_other_scores(pair, differences, limits, grown)
    return problems


def _find_other_leads(
    pair: Pair,
    differences: Differences,
    limits: PublicationSettings,
    grown: float,
) -> Iterator[str]:
    if differences.size > limits.max_size_change * grown:
        yield _describe_size(pair)
    if differences.returned > limits.max_returned * grown:
        yield (
            f"{pair.returned:,} of its {pair.now.num_rows:,} leads existed before, "
            "but were not on the previous list"
        )


def _describe_size(pair: Pair) -> str:
    return f"{pair.now.num_rows:,} leads instead of {pair.before.num_rows:,}"


def _find_other_scores(
    pair: Pair,
    differences: Differences,
    limits: PublicationSettings,
    grown: float,
) -> Iterator[str]:
    if differences.mean > limits.max_mean_change * grown:
        yield f"a mean probability of {_mean(pair.now):.3f} instead of {_mean(pair.before):.3f}"
    if differences.tiers > limits.max_tier_change * grown:
        yield f"the tiers' shares of the list changed by {100 * differences.tiers:.0f}% in total"
    if differences.value > limits.max_value_change * grown:
        before = _sum_value(pair.before)
        yield f"an expected value of {_sum_value(pair.now):,.0f} instead of {before:,.0f}"
    if differences.top_lost > limits.max_top_lost * grown:
        yield (
            f"only {_count_stayed(pair)} of the first {TOP} leads of the previous list "
            f"are still among the first {TOP}"
        )


def _compute_excess(before: float, now: float) -> float:
    """The share by which the larger number exceeds the smaller one."""
    low, high = sorted((before, now))
    if low > 0:
        return high / low - 1
    return inf if high > 0 else 0.0


def _mean(scores: pa.Table) -> float:
    return float(np.mean(scores["win_probability"].to_numpy()))


def _sum_value(scores: pa.Table) -> float:
    values = scores["expected_value"].drop_null().to_pylist()
    return float(sum(values))


def _count_stayed(pair: Pair) -> int:
    """How many of the first leads of the previous list are among the first now."""
    return len(_first_leads(pair.before) & _first_leads(pair.now))


def _first_leads(scores: pa.Table) -> set[str]:
    top = scores["lead_id"].slice(0, TOP)
    return set(top.to_pylist())


def _compare_tiers(pair: Pair) -> float:
    """Half the sum of the changes of the tiers' shares, which is the sum of the rises."""
    before = _share_by_tier(pair.before)
    now = _share_by_tier(pair.now)
    rises = 0.0
    for tier in before | now:
        share_before = before.get(tier, 0.0)
        change = now.get(tier, 0.0) - share_before
        rises += max(change, 0.0)
    return rises


def _share_by_tier(scores: pa.Table) -> dict[str, float]:
    counts = Counter(scores["tier"].to_pylist())
    return {tier: n / scores.num_rows for tier, n in counts.items()}
