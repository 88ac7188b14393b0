"""The rate at which leads arrive, its season, and the wins that are expected of leads yet to come."""

import numpy as np
import pytest

from leadscore.funnel.arrivals import Arrivals, expect_leads, expect_wins, fit_arrivals
from leadscore.funnel.periods import list_periods
from leadscore.funnel.timing import WinTiming
from leadscore.times import DAY_US, parse_moment

TIMING = WinTiming(np.array([0.0]), np.array([0.02]), np.array([0.03]), wins=100)
EVEN = Arrivals(per_day=3.0, variance=0.0, season=np.ones(12), leads=546, days=182)


def us(text):
    return parse_moment(text, zone="UTC")


def arrive(rng, first_us, days, per_day):
    """Moments of a Poisson process; `per_day` is the rate of each day."""
    counts = rng.poisson(per_day, days)
    day = np.repeat(np.arange(days), counts)
    return np.sort(first_us + ((day + rng.random(len(day))) * DAY_US).astype(np.int64))


def test_rate_when_leads_lately_arrive_faster_then_is_that_of_the_last_half_year():
    rng = np.random.default_rng(1)
    per_day = np.where(np.arange(600) < 400, 2.0, 5.0)
    opened = arrive(rng, us("2024-01-01"), 600, per_day)
    known_us = us("2024-01-01") + 600 * DAY_US
    arrivals = fit_arrivals(opened, first_us=us("2024-01-01"), known_us=known_us, zone="UTC")
    assert arrivals.leads == (opened >= known_us - 182 * DAY_US).sum()
    assert arrivals.per_day == pytest.approx(arrivals.leads / 182)
    assert arrivals.per_day == pytest.approx(5, rel=0.1)
    assert arrivals.variance == pytest.approx(1 / arrivals.leads, rel=1)
    assert not arrivals.has_season


def test_rate_when_history_is_short_then_is_that_of_its_whole_weeks():
    opened = us("2024-01-01") + np.arange(20) * DAY_US
    known_us = us("2024-01-21")
    arrivals = fit_arrivals(opened, first_us=us("2024-01-01"), known_us=known_us, zone="UTC")
    assert (arrivals.leads, arrivals.days, arrivals.per_day) == (14, 14.0, 1.0)


def test_season_when_august_is_half_as_busy_for_two_years_then_is_told():
    rng = np.random.default_rng(2)
    first_us = us("2023-01-01")
    days = np.datetime64("2023-01-01") + np.arange(790)
    month = days.astype("datetime64[M]").astype(int) % 12
    opened = arrive(rng, first_us, 790, np.where(month == 7, 5.0, 10.0))
    arrivals = fit_arrivals(opened, first_us=first_us, known_us=first_us + 790 * DAY_US, zone="UTC")
    assert arrivals.season[7] == pytest.approx(0.5 / (11.5 / 12), abs=0.06)
    assert np.delete(arrivals.season, 7) == pytest.approx(np.full(11, 12 / 11.5), abs=0.12)
    assert arrivals.per_day == pytest.approx(10 * 11.5 / 12, rel=0.05)


def test_season_when_months_differ_by_chance_alone_then_is_shrunk_to_almost_none():
    spreads = []
    for seed in range(20):
        opened = arrive(np.random.default_rng(seed), us("2023-01-01"), 740, 3.0)
        arrivals = fit_arrivals(
            opened,
            first_us=us("2023-01-01"),
            known_us=us("2023-01-01") + 740 * DAY_US,
            zone="UTC",
        )
        spreads.append(arrivals.season.std())
    by_chance = np.sqrt(12 / (730 * 3))
    assert np.mean(spreads) < 0.4 * by_chance


def test_expected_leads_when_a_month_has_a_season_then_count_its_days_by_it():
    season = np.ones(12)
    season[3] = 2.0
    busy = Arrivals(per_day=3.0, variance=0.0, season=season, leads=546, days=182)
    leads, _ = expect_leads(
        busy, start_us=us("2026-03-30T12:00"), end_us=us("2026-04-03"), zone="UTC"
    )
    assert leads.tolist() == [1.5, 3.0, 6.0, 6.0]


@pytest.mark.parametrize("as_of", ["2026-03-01", "2026-03-17T15:00", "2026-01-20"])
def test_expected_wins_when_leads_arrive_evenly_then_are_the_integral_over_their_arrivals(as_of):
    as_of_us = us(as_of)
    march = us("2026-03-05")
    periods = list_periods(march, by="month", count=2, zone="UTC")
    wins = expect_wins(EVEN, TIMING, periods, as_of_us=as_of_us, zone="UTC")

    def won_by(moment_us):
        days = max(moment_us - as_of_us, 0) / DAY_US
        return 3.0 * 0.4 * (days - -np.expm1(-0.05 * days) / 0.05)

    ends = [won_by(periods[0].start_us), *(won_by(period.end_us) for period in periods)]
    assert wins == pytest.approx(np.diff(ends), rel=2e-3)


def test_season_when_one_old_lead_is_far_before_the_others_then_stays_as_without_it():
    first_us, known_us = us("2023-03-01"), us("2026-03-01")
    opened = np.linspace(first_us, known_us - 1, 4000).astype(np.int64)
    stray = np.append(us("2019-12-31"), opened)
    without = fit_arrivals(opened, first_us=first_us, known_us=known_us, zone="UTC")
    beside = fit_arrivals(stray, first_us=int(stray[0]), known_us=known_us, zone="UTC")
    assert beside.season.tolist() == without.season.tolist()
    assert beside.per_day == without.per_day
