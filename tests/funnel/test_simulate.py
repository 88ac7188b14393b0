"""Simulated futures, held against exact distributions."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from leadscore.funnel.simulate import Doubt, NewLeads, OpenLeads, excess_variance, simulate

SURE = Doubt(0, 0, 0)
NOBODY = OpenLeads(np.empty((0, 2)), np.empty(0))
NO_NEW = NewLeads(np.zeros(2), np.empty(0))
DRAWS = 40_000


def test_wins_of_open_leads_when_rates_are_sure_then_are_poisson_binomial():
    rng = np.random.default_rng(1)
    chances = rng.uniform(0, 0.5, (12, 2))
    drawn = simulate(OpenLeads(chances, np.ones(12)), NO_NEW, SURE, seed=1, draws=DRAWS)
    for period in (0, 1):
        exact = np.array([1.0])
        for chance in chances[:, period]:
            exact = np.convolve(exact, [1 - chance, chance])
        shares = np.bincount(drawn.wins[:, period], minlength=13) / DRAWS
        assert np.abs(shares - exact).max() < 4 * np.sqrt(0.25 / DRAWS)


def test_lead_when_simulated_then_is_won_once_at_most_and_brings_its_own_amount():
    chances = np.array([[0.6, 0.4], [0.0, 0.0]])
    drawn = simulate(OpenLeads(chances, np.array([7.0, 100.0])), NO_NEW, SURE, seed=2)
    assert (drawn.wins.sum(axis=1) == 1).all()
    assert (drawn.revenue == 7.0 * drawn.wins).all()


def test_wins_of_new_leads_when_rates_are_in_doubt_then_are_negative_binomial():
    doubt = Doubt(level=0, arrivals=0.1, period=0)
    drawn = simulate(
        NOBODY, NewLeads(np.array([30.0, 5.0]), np.ones(1)), doubt, seed=3, draws=DRAWS
    )
    expected = stats.nbinom(10, 10 / (10 + 30.0))
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(drawn.wins[:, 0], share) == pytest.approx(expected.ppf(share), abs=1)
    assert drawn.wins[:, 0].var() == pytest.approx(30 + 0.1 * 30**2, rel=0.05)
    assert np.corrcoef(drawn.wins.T)[0, 1] > 0.3  # the same rate of arrival


def test_period_doubt_when_drawn_then_makes_periods_vary_apart():
    drawn = simulate(
        NOBODY, NewLeads(np.array([50.0, 50.0]), np.ones(1)), Doubt(0, 0, 0.05), seed=4, draws=DRAWS
    )
    assert drawn.wins.var(axis=0) == pytest.approx([50 + 125] * 2, rel=0.05)
    assert abs(np.corrcoef(drawn.wins.T)[0, 1]) < 0.02


def test_revenue_of_new_leads_when_drawn_then_has_the_moments_of_a_compound_poisson():
    amounts = np.array([10.0, 20, 90])
    drawn = simulate(NOBODY, NewLeads(np.array([6.0, 0]), amounts), SURE, seed=5, draws=DRAWS)
    assert drawn.revenue[:, 0].mean() == pytest.approx(6 * amounts.mean(), rel=0.02)
    assert drawn.revenue[:, 0].var() == pytest.approx(6 * (amounts**2).mean(), rel=0.05)
    assert not drawn.revenue[:, 1].any()


def test_simulation_when_run_twice_then_is_the_same_and_in_chunks_as_good():
    leads = OpenLeads(np.full((2500, 2), 0.01), np.ones(2500))
    first, second = (simulate(leads, NO_NEW, SURE, seed=6) for _ in range(2))
    assert (first.wins == second.wins).all()
    assert first.wins.mean() == pytest.approx(25, rel=0.02)


@pytest.mark.parametrize("excess", [0.0, 0.04, 0.2])
def test_excess_variance_when_periods_trend_and_vary_then_finds_what_is_beyond_chance(excess):
    rng = np.random.default_rng(7)
    factor = rng.gamma(1 / excess, excess, 4000) if excess else np.ones(4000)
    counts = rng.poisson(np.linspace(100, 200, 4000) * factor)
    assert excess_variance(counts) == pytest.approx(excess, abs=0.02)


def test_excess_variance_when_periods_are_few_or_empty_then_is_zero():
    for counts in ([], [4], [0, 0, 0]):
        assert excess_variance(np.array(counts)) == 0
    assert all(
        a <= b for a, b in pairwise([excess_variance(np.array([10, 10 + d])) for d in range(9)])
    )
