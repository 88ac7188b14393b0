"""When a list differs too much from the one before it."""

import pyarrow as pa
import pytest

from leadscore.publish.unlike import Pair, find_unlike
from leadscore.settings.publication import PublicationSettings

LIMITS = PublicationSettings()


def make_list(
    first: int, n: int, *, chance: float = 0.2, tier: str = "C", value: float = 100.0
) -> pa.Table:
    """Leads first, first + 1, ..., all alike."""
    ids = [f"{first + i:04d}" for i in range(n)]
    columns = {"win_probability": [chance] * n, "tier": [tier] * n, "expected_value": [value] * n}
    return pa.table({"lead_id": pa.array(ids, pa.string()), **columns})


def compare(
    now: pa.Table, *, days: float = 7, returned: int = 0, same_model: bool = True
) -> list[str]:
    pair = Pair(make_list(0, 100), now, days, returned, same_model)
    return find_unlike(pair, LIMITS)


CASES = {
    "half the size": ({"now": make_list(0, 50)}, "50 leads instead of 100"),
    "twice the size": ({"now": make_list(0, 200)}, "200 leads instead of 100"),
    "nothing left": ({"now": make_list(0, 0)}, "0 leads instead of 100"),
    "closed leads are back": (
        {"now": make_list(0, 110), "returned": 20},
        "20 of its 110 leads existed before",
    ),
    "other chances": (
        {"now": make_list(0, 100, chance=0.35)},
        "a mean probability of 0.350 instead of 0.200",
    ),
    "other tiers": (
        {"now": make_list(0, 100, tier="A")},
        "the tiers' shares of the list changed by 100% in total",
    ),
    "value x 17": (
        {"now": make_list(0, 100, value=1700)},
        "an expected value of 170,000 instead of 10,000",
    ),
    "other leads first": (
        {"now": make_list(18, 100)},
        "only 2 of the first 20 leads of the previous list are still",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_list_when_it_differs_too_much_then_the_one_difference_is_named(name):
    how, words = CASES[name]
    problems = compare(**how)
    assert len(problems) == 1
    assert problems[0].startswith(words)


def test_list_when_nothing_differs_much_then_nothing_is_named():
    assert compare(make_list(3, 110, chance=0.22, value=120.0), returned=5) == []


def test_list_when_another_model_made_it_then_only_its_leads_are_compared():
    other = make_list(18, 100, chance=0.9, tier="A", value=1e6)
    assert compare(other, same_model=False) == []
    assert len(compare(make_list(0, 50), same_model=False)) == 1


@pytest.mark.parametrize(("days", "n"), [(1, 1), (7, 1), (28, 0)])
def test_list_when_more_days_lie_between_then_it_may_differ_more(days, n):
    assert len(compare(make_list(0, 150), days=days)) == n


def test_list_when_both_are_short_then_nothing_is_named():
    pair = Pair(make_list(0, 40), make_list(500, 10), days=7, returned=10, same_model=True)
    assert find_unlike(pair, LIMITS) == []
