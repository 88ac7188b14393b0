"""How many leads a target takes, held against exact Poisson chances."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from builders import make_settings
from leadscore.funnel.forecast import Simulated
from leadscore.funnel.needed import build_race, compute_needed, expect_visits
from leadscore.funnel.periods import list_periods
from leadscore.funnel.simulate import Doubt, NewLeads, OpenLeads, simulate
from leadscore.funnel.stages import describe_moves, describe_stages

SURE = Doubt(0, 0, 0)
AMOUNTS = np.array([50.0, 100, 150])


def simulated(*, new_wins=10.0, won=5, doubt=SURE):
    """A month with 5 won, two leads that are surely won, and some wins of new leads."""
    leads = OpenLeads(np.ones((2, 1)), np.full(2, 100.0))
    wins = np.array([new_wins])
    draws = simulate(leads, NewLeads(wins, AMOUNTS), doubt, seed=1, draws=20_000)
    periods = list_periods(0, by="month", count=1, zone="UTC")
    revenue = np.array([500.0])
    return Simulated(periods, draws, np.array([won]), revenue, doubt, wins, has_amounts=True)


def need(target, *, unit="wins", arriving=100.0, reps=0, pipeline=None, **how):
    forecast = simulated(**how)
    race = build_race(forecast, AMOUNTS, target=target, unit=unit, arriving=arriving, seed=1)
    return compute_needed(forecast, race, reps=reps, pipeline=pipeline)


@pytest.mark.parametrize("target", [8, 15, 40])
def test_leads_needed_when_rates_are_sure_then_are_the_fewest_with_the_poisson_chance(target):
    needed = need(target)
    missing = target - 7 - 1
    for leads, chance in ((needed.leads_low, 0.1), (needed.leads, 0.5), (needed.leads_high, 0.9)):
        assert stats.poisson(0.1 * leads).sf(missing) > chance - 0.02
        assert stats.poisson(0.1 * (leads - 1)).sf(missing) < chance + 0.02
    assert needed.chance_of_missing == pytest.approx(stats.poisson(10).cdf(missing), abs=0.01)
    assert (needed.won, needed.arriving) == (5, 100)


def test_leads_needed_when_the_target_is_reached_already_then_are_none():
    needed = need(7)
    assert (needed.leads, needed.leads_high, needed.chance_of_missing) == (0, 0, 0)


def test_leads_needed_when_new_ones_are_never_won_by_then_then_no_number_is_enough():
    needed = need(8, new_wins=0.0)
    assert needed.leads is None
    assert needed.chance_of_missing == 1


def test_leads_needed_when_rates_are_in_doubt_then_to_be_safe_takes_more():
    assert need(30, doubt=Doubt(0.1, 0, 0)).leads_high > 1.1 * need(30).leads_high


def test_more_leads_when_of_average_worth_then_bring_wins_times_amount():
    needed = need(2000.0, unit="EUR")
    assert needed.of_100_more == pytest.approx(100 * 0.1 * 100)
    assert needed.of_a_tenth_more == pytest.approx(0.1 * (200 + 1000), rel=0.02)
    assert needed.leads == pytest.approx(130, abs=6)
    assert need(20).of_100_more == pytest.approx(10)


def test_rep_and_coverage_when_known_then_are_the_share_of_leads_and_the_pipeline_by_what_lacks():
    needed = need(2000.0, unit="EUR", reps=5, pipeline=3000.0)
    assert (needed.leads_per_rep, needed.coverage) == (20, 3000 / (2000 - 500))
    assert needed.of_one_more_rep == pytest.approx(20 * 0.1 * 100)
    plain = need(400.0, unit="EUR", pipeline=3000.0)
    assert (plain.of_one_more_rep, plain.coverage) == (None, None)
    assert need(2000.0, unit="EUR", pipeline=-3000.0).coverage is None


def test_visits_when_leads_move_on_by_shares_then_are_those_of_a_walk_through_the_stages():
    rows = [
        ("now", "new", "forward", "qualified", 24, 60), ("now", "new", "lost", None, 24, 40),
        ("now", "qualified", "forward", "proposal", 24, 33), ("now", "qualified", "lost", None, 24, 33),
        ("now", "proposal", "won", None, 24, 27), ("now", "proposal", "back", "qualified", 24, 6),
    ]  # fmt: skip
    columns = ["period", "stage", "exit", "next_stage", "hours", "visits"]
    visits = pd.DataFrame(rows, columns=columns).assign(part="", is_first=0)
    stages = make_settings().stages
    flows, moves = describe_stages(visits, stages), describe_moves(visits, stages)
    walked = {"new": 1.0, "qualified": 0.0, "proposal": 0.0}
    for _ in range(200):
        walked["qualified"] = 0.6 * walked["new"] + 6 / 33 * walked["proposal"]
        walked["proposal"] = 33 / 66 * walked["qualified"]
    expected = {stage: round(500 * share) for stage, share in walked.items()}
    assert expect_visits(flows, moves, leads=500) == expected
    assert expect_visits([], [], leads=500) == {}
