"""Whether a list differs too much from the published one before it to be published without a person's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import pyarrow as pa

from leadscore.settings.publication import PublicationSettings

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


@dataclass(frozen=True)
class Differences:
    """How far a list is from the one before it; all are shares, 0 for equal lists.

    `size`, `mean` and `value`: by what share the larger one exceeds the smaller; `value` is 0 if a list has none.
    `tiers`: half the sum of what the tiers' shares of the list changed by. `returned`: of the list, the leads that came
    back. `top_lost`: of the first `TOP` before, those that left the first `TOP`.
    """

    size: float
    mean: float
    tiers: float
    value: float
    returned: float
    top_lost: float


def measure_differences(pair: Pair) -> Differences:
    """How far two lists, neither of them empty, are from each other."""
    values = [_value(scores) for scores in (pair.before, pair.now)]
    return Differences(
        size=_moved(pair.before.num_rows, pair.now.num_rows),
        mean=_moved(*_means(pair)),
        tiers=_tiers_moved(pair),
        value=_moved(*values) if min(values) > 0 else 0.0,
        returned=pair.returned / pair.now.num_rows,
        top_lost=1 - _count_stayed(pair) / TOP,
    )


def find_unlike(pair: Pair, limits: PublicationSettings) -> list[str]:
    """What differs by more than the limits allow, in words; nothing for short lists."""
    before, now = pair.before.num_rows, pair.now.num_rows
    if max(before, now) < LEAST_LEADS:
        return []
    if not min(before, now):
        return [_size_words(pair)]
    differences = measure_differences(pair)
    grown = sqrt(max(pair.days / WEEK_DAYS, 1.0))
    problems = [*_find_other_leads(pair, differences, limits, grown)]
    if pair.same_model:
        problems += _find_other_scores(pair, differences, limits, grown)
    return problems


def _size_words(pair: Pair) -> str:
    return f"{pair.now.num_rows:,} leads instead of {pair.before.num_rows:,}"


def _find_other_leads(
    pair: Pair, differences: Differences, limits: PublicationSettings, grown: float
) -> Iterator[str]:
    if differences.size > limits.max_size_change * grown:
        yield _size_words(pair)
    if differences.returned > limits.max_returned * grown:
        yield f"{pair.returned:,} of its {pair.now.num_rows:,} leads existed before, but were not on the previous list"


def _find_other_scores(
    pair: Pair, differences: Differences, limits: PublicationSettings, grown: float
) -> Iterator[str]:
    if differences.mean > limits.max_mean_change * grown:
        before, now = _means(pair)
        yield f"a mean probability of {now:.3f} instead of {before:.3f}"
    if differences.tiers > limits.max_tier_change * grown:
        yield f"the tiers' shares of the list changed by {_percent(differences.tiers)} in all"
    if differences.value > limits.max_value_change * grown:
        yield f"an expected value of {_value(pair.now):,.0f} instead of {_value(pair.before):,.0f}"
    if differences.top_lost > limits.max_top_lost * grown:
        stayed = _count_stayed(pair)
        yield f"only {stayed} of the first {TOP} leads of the previous list are still among the first {TOP}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _means(pair: Pair) -> tuple[float, float]:
    before, now = (
        float(np.mean(scores["win_probability"].to_numpy())) for scores in (pair.before, pair.now)
    )
    return before, now


def _count_stayed(pair: Pair) -> int:
    """How many of the first leads of the list before are among the first now."""
    first = [set(scores["lead_id"].slice(0, TOP).to_pylist()) for scores in (pair.before, pair.now)]
    return len(first[0] & first[1])


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
