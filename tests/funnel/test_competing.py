"""Competing risks, beside a count visit by visit and beside what is known of the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.funnel.competing import Ends, estimate_shares, quantile_hours

WAYS = ("forward", "lost")
visits = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([*WAYS, "open"])), min_size=1, max_size=40
)


def count(rows: list[tuple[int, str]]) -> Ends:
    hours = np.array(sorted({at for at, _ in rows}))

    def times(way: str) -> np.ndarray:
        return np.array([rows.count((at, way)) for at in hours.tolist()])

    return Ends(hours, {way: times(way) for way in WAYS}, times("open"))


def estimate_by_hand(rows: list[tuple[int, str]], way: str) -> list[float]:
    """Visit by visit: whoever goes out of sight hands its weight on to those still there."""
    shares = []
    staying, share = 1.0, 0.0
    for now in sorted({at for at, _ in rows}):
        risk = [row for row in rows if row[0] >= now]
        ended = [row for row in risk if row[0] == now and row[1] != "open"]
        share += staying * sum(row[1] == way for row in ended) / len(risk)
        staying *= 1 - len(ended) / len(risk)
        shares.append(share)
    return shares


@settings(max_examples=60, deadline=None)
@given(visits)
def test_shares_when_estimated_then_equal_a_count_by_hand_and_add_up(rows):
    shares = estimate_shares(count(rows))
    for way in WAYS:
        assert shares.ended[way].tolist() == pytest.approx(estimate_by_hand(rows, way))
    assert sum(shares.ended.values()) + shares.staying == pytest.approx(np.ones(len(shares.hours)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(WAYS)), min_size=1, max_size=40))
def test_shares_when_every_visit_ended_then_are_plain_shares_with_binomial_errors(rows):
    shares = estimate_shares(count(rows))
    n = len(rows)
    for way in WAYS:
        plain = sum(row[1] == way for row in rows) / n
        assert shares.ended[way][-1] == pytest.approx(plain)
        assert shares.errors[way][-1] == pytest.approx(np.sqrt(plain * (1 - plain) / n), abs=1e-9)


def draw(rng: np.random.Generator, n: int) -> list[tuple[int, str]]:
    """Visits of which those that are lost take four times as long, seen for some time only."""
    is_lost = rng.random(n) < 0.6
    ends = rng.exponential(np.where(is_lost, 40, 10))
    seen = rng.uniform(0, 60, n)
    way = np.where(seen < ends, "open", np.where(is_lost, "lost", "forward"))
    return list(zip(np.minimum(ends, seen).astype(int).tolist(), way.tolist(), strict=True))


def test_shares_when_slow_visits_are_unfinished_then_the_estimate_holds_and_the_naive_one_does_not():
    rng = np.random.default_rng(1)
    rows = draw(rng, 4000)
    shares = estimate_shares(count(rows))
    at = int(np.searchsorted(shares.hours, 40))
    truth = 0.4 * (1 - np.exp(-41 / 10))
    off = abs(shares.ended["forward"][at] - truth)
    assert off < 3 * shares.errors["forward"][at]
    finished = [row for row in rows if row[1] != "open"]
    naive = sum(row[1] == "forward" for row in finished) / len(finished)
    assert naive > 0.4 + 0.1


def test_error_of_a_share_when_drawn_many_times_then_is_the_spread_of_the_estimates():
    rng = np.random.default_rng(2)
    drawn = [estimate_shares(count(draw(rng, 300))) for _ in range(200)]
    at = [int(np.searchsorted(shares.hours, 30)) for shares in drawn]
    estimates = [s.ended["forward"][k] for s, k in zip(drawn, at, strict=True)]
    stated = [s.errors["forward"][k] for s, k in zip(drawn, at, strict=True)]
    assert np.mean(stated) == pytest.approx(np.std(estimates), rel=0.15)


def test_quantile_when_too_few_end_then_is_none():
    ends = count([(5, "forward"), (9, "open"), (9, "open")])
    shares = estimate_shares(ends)
    assert quantile_hours(shares, 0.3) == 5
    assert quantile_hours(shares, 0.5) is None


@pytest.mark.filterwarnings("ignore")  # lifelines' own
@pytest.mark.parametrize("way", WAYS)
def test_shares_when_estimated_then_equal_those_of_lifelines_with_their_errors(way):
    """At distinct times, for where some are equal lifelines adds a little noise to them."""
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(3)
    rows = [
        (int(at), row[1]) for at, row in zip(rng.permutation(900), draw(rng, 300), strict=False)
    ]
    hours = np.array([at for at, _ in rows], dtype=float)
    ends = np.array([end for _, end in rows])
    shares = estimate_shares(count(rows))

    staying = lifelines.KaplanMeierFitter().fit(hours, ends != "open")
    assert shares.staying == pytest.approx(staying.predict(shares.hours).to_numpy())

    event = np.select([ends == way, ends != "open"], [1, 2], 0)
    theirs = lifelines.AalenJohansenFitter(jitter_level=0).fit(hours, event, event_of_interest=1)
    at = np.searchsorted(theirs.cumulative_density_.index, shares.hours, side="right") - 1
    assert shares.ended[way] == pytest.approx(theirs.cumulative_density_.iloc[at, 0].to_numpy())
    variance = np.ravel(theirs.variance_)[at]
    assert shares.errors[way] == pytest.approx(np.sqrt(variance), rel=0.02, abs=1e-6)
