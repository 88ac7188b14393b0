"""The test of two shares: its size where few visits end so, and counts that add up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leadscore.funnel.comparing import add_ends, compare_shares, subtract_ends
from leadscore.funnel.competing import Ends, count_ends, estimate_shares, share_and_error

NAMES = ("won", "lost")
VISITS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["won", "lost", "open"])), max_size=30
)


def count(visits: list[tuple[int, str]]) -> Ends:
    hours = np.array([hour for hour, _ in visits], dtype=np.int64)
    return count_ends(hours, np.array([way for _, way in visits], dtype=object), names=NAMES)


def as_rows(ends: Ends) -> list[list[int]]:
    columns = [ends.hours, *ends.ended.values(), ends.unfinished]
    return np.column_stack(columns).tolist()


@given(VISITS, VISITS)
def test_ends_when_added_or_taken_away_then_are_those_of_all_visits_or_of_the_rest(one, other):
    both = add_ends(count(one), count(other))
    assert as_rows(both) == as_rows(count(one + other))
    assert as_rows(subtract_ends(both, count(one))) == as_rows(count(other))


def draw_visits(rng: np.random.Generator, n: int, *, followed: float) -> Ends:
    """Visits won at 1% and lost at 20% a day, followed for up to so many days."""
    hours = rng.exponential(24 / 0.21, n)
    seen = rng.uniform(0, followed * 24, n)
    ways = np.where(rng.uniform(size=n) < 0.01 / 0.21, "won", "lost")
    ways = np.where(hours > seen, "open", ways)
    return count_ends(np.minimum(hours, seen).astype(int), ways, names=NAMES)


def test_comparison_when_nothing_differs_and_few_are_won_then_five_in_a_hundred_seem_to():
    """A small group followed for a short time, beside a large one followed for long."""
    rng = np.random.default_rng(6)
    p_values = []
    unpooled = []
    for _ in range(400):
        one = draw_visits(rng, 60, followed=8)
        other = draw_visits(rng, 900, followed=40)
        p_value = compare_shares(one, other, "won", hours=96)
        p_values.append(1.0 if p_value is None else p_value)
        (share, error), (rest, rest_error) = (
            share_and_error(estimate_shares(ends), "won", 96) for ends in (one, other)
        )
        z = abs(share - rest) / np.hypot(error, rest_error)
        unpooled.append(2 * stats.norm.sf(z))
    below = sum(p < 0.05 for p in p_values)
    assert stats.binomtest(below, 400, 0.05).pvalue > 0.01
    assert np.mean(np.array(unpooled) < 0.05) > 0.15  # what own errors would report
