"""The change of the headline figures of a review, beside simulations in which nothing has changed."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from leadscore.funnel.headlines import describe_headlines


def make_closed(won: list[bool], amounts: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"won": won, "amount": amounts})


def test_headlines_when_counts_differ_then_are_the_z_tests_by_hand():
    now = make_closed([True] * 30 + [False] * 70, [100.0] * 100)
    before = make_closed([True] * 50 + [False] * 50, [100.0] * 100)
    changes = {change.name: change for change in describe_headlines(now, before)}
    assert list(changes) == ["won", "lost", "won_of_closed", "revenue"]
    assert (changes["won"].now, changes["won"].before) == (30, 50)
    of_count = 2 * norm.sf(20 / np.sqrt(80))
    assert changes["won"].p_value == pytest.approx(of_count)
    assert changes["revenue"].p_value == pytest.approx(of_count)  # all of one size
    assert changes["lost"].p_value == pytest.approx(2 * norm.sf(20 / np.sqrt(120)))
    assert changes["won_of_closed"].p_value == pytest.approx(2 * norm.sf(0.2 / np.sqrt(0.0048)))


def test_headlines_when_few_closed_or_no_amount_is_known_then_are_left_out():
    few = make_closed([True, False], [1.0, 1.0])
    assert describe_headlines(few, few) == []
    unknown = make_closed([True] * 20, [np.nan] * 20)
    names = [change.name for change in describe_headlines(unknown, unknown)]
    assert names == ["won", "won_of_closed"]


@pytest.mark.parametrize("won", [True, False])
def test_headlines_when_all_or_none_of_either_period_were_won_then_the_share_has_not_changed(won):
    closed = make_closed([won] * 20, [np.nan] * 20)
    share = {change.name: change for change in describe_headlines(closed, closed)}["won_of_closed"]
    assert (share.now, share.before, share.p_value) == (won, won, 1)


def test_revenue_when_nothing_has_changed_then_is_rarely_called_clear():
    rng = np.random.default_rng(7)
    clear = 0
    for _ in range(400):
        periods = []
        for n in rng.poisson(60, size=2):
            amounts = rng.lognormal(10, 1, size=n).tolist()
            periods.append(make_closed([True] * n, amounts))
        revenue = describe_headlines(*periods)[-1]
        clear += revenue.p_value < 0.05
    assert 5 <= clear <= 35  # of 400, 20 are expected
