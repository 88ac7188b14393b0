"""Rates of winning by age, and the probability of a win within any time, held against other estimates."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.funnel.competing import Ends, estimate_shares
from leadscore.funnel.timing import WinTiming, days_to_win, fit_timing, win_probability_within
from leadscore.model.pace.pace import Pace

CONSTANT = WinTiming(np.array([0.0]), np.array([0.02]), np.array([0.03]), wins=100)
STEPS = WinTiming(np.array([0.0, 10, 30]), np.array([0.001, 0.05, 0.01]), np.full(3, 0.02), 100)


def draw(rng, n, *, in_sight):
    """Days, won and lost of leads with rates that fall with age, in sight for unlike times."""
    wins = rng.weibull(0.7, n) * 60
    losses = rng.weibull(1.3, n) * 50
    seen = rng.uniform(0, in_sight, n)
    days = np.minimum(np.minimum(wins, losses), seen)
    return days, days == wins, days == losses


def test_share_won_when_rates_are_constant_then_is_the_closed_form_at_any_age():
    within = np.array([0.0, 5, 40, np.inf])
    expected = 0.4 * -np.expm1(-0.05 * within)
    for age in (0.0, 3.0, 500.0):
        assert CONSTANT.share_won(np.full(4, age), within) == pytest.approx(expected)


def test_share_won_when_rates_step_then_is_the_sum_over_small_steps():
    step = 0.001
    ages = np.arange(7, 7 + 60, step)
    at = np.searchsorted(STEPS.ages, ages, side="right") - 1
    still_open = np.exp(-np.cumsum((STEPS.win + STEPS.lose)[at]) * step)
    summed = (STEPS.win[at] * still_open).sum() * step
    assert STEPS.share_won(np.array([7.0]), 60.0)[0] == pytest.approx(summed, rel=1e-3)


@pytest.mark.parametrize("age", [0, 5, 25, 60])
def test_share_won_when_fitted_then_is_near_aalen_johansen_of_the_leads_that_reached_the_age(age):
    days, won, lost = draw(np.random.default_rng(1), 20_000, in_sight=150)
    timing = fit_timing(days, won, lost)
    reached = days > age
    hours = np.floor((days[reached] - age) * 24)
    at, place = np.unique(hours, return_inverse=True)

    def count(which):
        return np.bincount(place, weights=which[reached], minlength=len(at))

    ends = Ends(at, {"won": count(won), "lost": count(lost)}, count(~(won | lost)))
    shares = estimate_shares(ends)
    for within in (10, 30, 60):
        k = np.searchsorted(at, within * 24)
        ours = timing.share_won(np.array([float(age)]), within)[0]
        assert ours == pytest.approx(shares.ended["won"][k], abs=0.015)


def test_fit_timing_when_drawn_at_constant_rates_then_finds_them_though_most_are_unfinished():
    rng = np.random.default_rng(2)
    wins, losses = rng.exponential(50, 30_000), rng.exponential(100 / 3, 30_000)
    seen = rng.uniform(0, 20, 30_000)
    days = np.minimum(np.minimum(wins, losses), seen)
    timing = fit_timing(days, days == wins, days == losses)
    assert len(timing.ages) == 20
    assert timing.win == pytest.approx(np.full(20, 0.02), rel=0.2)
    assert timing.win.mean() == pytest.approx(0.02, rel=0.03)
    assert timing.lose.mean() == pytest.approx(0.03, rel=0.03)


def test_fit_timing_when_wins_are_few_then_has_one_rate_and_never_zero():
    days = np.array([1.0, 2, 3, 40])
    nobody = np.zeros(4, dtype=bool)
    timing = fit_timing(days, days == 3, nobody)
    assert timing.ages.tolist() == [0.0]
    assert timing.win[0] == pytest.approx(1 / 46)
    assert timing.lose[0] > 0


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 200), st.floats(0.001, 0.999))
def test_days_until_inverts_share_won(age, part):
    at = np.array([age])
    share = part * STEPS.share_won(at, np.inf)
    days = STEPS.days_until(at, share)
    assert STEPS.share_won(at, days) == pytest.approx(share, rel=1e-6, abs=1e-12)


probabilities = st.floats(1e-6, 1 - 1e-6)
UNKNOWN = Pace.unknown(1, horizon_days=30)


@st.composite
def paces(draw):
    """The pace of one lead over 30 days: rising days, and shares that may stand still."""
    inner = draw(st.lists(st.floats(0.1, 29.9), max_size=5, unique=True))
    shares = draw(st.lists(st.floats(0, 1), min_size=len(inner), max_size=len(inner)))
    days = np.array([0.0, *sorted(inner), 30.0])
    return Pace(days, np.array([[0.0, *sorted(shares), 1.0]]))


@settings(deadline=None, max_examples=100)
@given(probabilities, st.floats(0, 400), paces(), st.lists(st.floats(0, 1000), max_size=8))
def test_probability_within_never_falls_with_the_days_and_is_the_given_one_at_the_horizon(
    probability, age, pace, days
):
    p, a = np.array([probability]), np.array([age])
    rising = sorted([*days, *pace.days])
    within = [win_probability_within(p, STEPS, a, pace, days=day)[0] for day in rising]
    assert all(x <= y for x, y in itertools.pairwise(within))
    assert within[rising.index(30.0)] == probability
    assert within[0] == 0
    assert within[-1] < 1


@given(probabilities, st.floats(0, 400), paces())
def test_probability_within_the_days_of_a_pace_is_the_share_of_the_given_one(
    probability, age, pace
):
    p, a = np.array([probability]), np.array([age])
    within = [win_probability_within(p, STEPS, a, pace, days=day)[0] for day in pace.days]
    assert within == pytest.approx(probability * pace.shares[0])


@settings(deadline=None, max_examples=60)
@given(probabilities, st.floats(0, 400), st.floats(0.1, 30))
def test_probability_within_when_the_pace_is_unknown_then_grows_as_leads_of_that_age_are_won(
    probability, age, days
):
    p, a = np.array([probability]), np.array([age])
    ours = win_probability_within(p, STEPS, a, UNKNOWN, days=days)
    share = STEPS.share_won(a, days) / STEPS.share_won(a, 30.0)
    assert ours == pytest.approx(probability * share)


@settings(deadline=None, max_examples=100)
@given(probabilities, st.floats(0, 400), paces(), st.floats(0.05, 0.95))
def test_days_to_win_are_when_that_share_of_the_whole_chance_has_come(
    probability, age, pace, share
):
    p, a = np.array([probability]), np.array([age])
    days = days_to_win(p, STEPS, a, pace, share=share)
    ever = win_probability_within(p, STEPS, a, pace, days=np.inf)
    before, after = (
        win_probability_within(p, STEPS, a, pace, days=days + step) for step in (-1e-6, 1e-6)
    )
    assert before - 1e-6 <= share * ever <= after + 1e-6


def test_probability_within_when_leads_are_of_four_kinds_then_is_near_the_truth_of_the_mixture():
    """Rates by kind as the sample has them; a lead's probability is that of its kind."""
    win = np.array([0.014, 0.0045, 0.0006, 0.0001])
    lose = np.array([0.0045, 0.007, 0.012, 0.025])
    rng = np.random.default_rng(3)
    kind = rng.choice(4, 40_000, p=[0.17, 0.26, 0.35, 0.22])
    wins = rng.exponential(1 / win[kind])
    losses = rng.exponential(1 / lose[kind])
    days = np.minimum(np.minimum(wins, losses), rng.uniform(0, 700, len(kind)))
    timing = fit_timing(days, days == wins, days == losses)

    close = win + lose
    share = np.array([0.17, 0.26, 0.35, 0.22])
    for age in (0.0, 40.0):
        still_open = share * np.exp(-close * age)
        p60, p20 = (win / close * -np.expm1(-close * t) for t in (60, 20))
        pace = Pace.unknown(4, horizon_days=60)
        ours = win_probability_within(p60, timing, np.full(4, age), pace, days=20.0)
        assert ours == pytest.approx(p20, abs=0.03)
        assert np.average(ours - p20, weights=still_open) == pytest.approx(0, abs=0.01)
