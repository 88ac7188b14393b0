"""Leads by month, by group and in sum, beside counts and integrals by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from builders import Facts, day, make_settings
from leadscore.funnel.cohorts import _month_edges, describe_cohorts
from leadscore.funnel.competing import count_ends, estimate_shares, mean_hours
from leadscore.funnel.groups import describe_groups
from leadscore.funnel.health import measure_health
from leadscore.funnel.spells import list_endings, share_of_leads
from leadscore.funnel.velocity import measure_velocity
from leadscore.history.visits import Span
from leadscore.times import FOREVER_US

KNOWN = 100
Row = tuple[float, float | None, bool]  # start, close or None while open, won


def make_spells(rows: list[Row]) -> pd.DataFrame:
    spells = pd.DataFrame(
        {
            "lead_id": [f"{place}" for place in range(len(rows))],
            "spell": 1,
            "start_us": [day(start) for start, _, _ in rows],
            "close_us": [FOREVER_US if close is None else day(close) for _, close, _ in rows],
            "won": [won for _, _, won in rows],
        }
    )
    return list_endings(spells, known_us=day(KNOWN))


def test_endings_when_a_lead_is_open_or_absent_then_it_is_open_until_it_was_last_seen():
    spells = make_spells([(10, None, False), (10, 12, True), (10, 15.5, False)])
    assert spells["ending"].tolist() == ["open", "won", "lost"]
    assert spells["hours"].tolist() == [90 * 24, 48, 132]
    absent = spells.drop(columns=["ending", "hours"]).assign(
        seen_us=[day(40), FOREVER_US, FOREVER_US]
    )
    again = list_endings(absent, known_us=day(KNOWN))
    assert again["hours"].tolist() == [30 * 24, 48, 132]


def test_share_when_half_of_the_leads_were_not_watched_so_long_then_is_not_stated():
    spells = make_spells([(start, None, False) for start in (10, 71, 80)])
    assert share_of_leads(spells, "won", 29, known_us=day(KNOWN)).value == 0
    assert share_of_leads(spells, "won", 30, known_us=day(KNOWN)).value is None


def test_cohorts_when_all_leads_were_watched_then_are_the_plain_shares_of_each_month():
    # day 0 is 2024-01-01: January has 31 days, February 29
    january = [(5, 20, True), (9, 30, False), (30.5, 75, True), (12, 90, False)]
    february = [(31, 40, True), (59.9, None, False)]
    cohorts = describe_cohorts(
        make_spells(january + february), since_us=day(0), known_us=day(KNOWN), zone="UTC"
    )
    assert [(c.month, c.leads, c.won, c.lost, c.open) for c in cohorts] == [
        ("2024-01", 4, 2, 2, 0),
        ("2024-02", 2, 1, 0, 1),
    ]
    assert [cohorts[0].won_within[days].value for days in ("30", "60")] == [0.25, 0.5]
    assert cohorts[1].won_within["30"].value == 0.5
    assert cohorts[1].won_within["90"].value is None


def test_cohorts_when_the_zone_is_ahead_then_its_midnight_parts_the_months():
    spells = make_spells([(30.99, None, False)])
    months = [
        describe_cohorts(spells, since_us=day(0), known_us=day(KNOWN), zone=zone)[0].month
        for zone in ("UTC", "Asia/Tokyo")
    ]
    assert months == ["2024-01", "2024-02"]


def test_mean_when_all_ended_then_is_the_plain_mean_and_capped():
    hours = np.array([3, 5, 5, 20])
    shares = estimate_shares(count_ends(hours, np.array(["won"] * 4), names=("won",)))
    assert mean_hours(shares, 20) == pytest.approx(hours.mean())
    assert mean_hours(shares, 10) == pytest.approx(np.minimum(hours, 10).mean())


def test_velocity_when_the_inflow_is_steady_then_is_what_was_won_a_day(tmp_path):
    """Little's law: a lead a day, each open for 10 days, every other one won with 700."""
    facts = Facts(make_settings(engine={"threads": 1}))
    for start in range(200):
        lead_id = f"{start}"
        facts.lead(lead_id, start)
        if start + 10 < 200:
            outcome = "won" if start % 2 else "lost"
            facts.outcome(lead_id, start + 10, outcome, amount=70_000 if start % 2 else None)
    history = facts.history(tmp_path, known_until=200)
    span = Span(day(100), day(200))
    spells = list_endings(history.spells(span.known_us), known_us=span.known_us)
    velocity = measure_velocity(history, spells, span)
    assert (velocity.leads, velocity.value, velocity.wins) == (10, 700, 50)
    assert velocity.cycle_days == pytest.approx(10, rel=0.01)
    assert velocity.per_day == pytest.approx(350, rel=0.03)
    assert velocity.won_per_day == pytest.approx(350)
    assert velocity.still_open == pytest.approx(
        1 / 91
    )  # of 91 that were open so long, one is as old today


def test_groups_when_described_then_are_ordered_by_size_and_count_the_period_alone():
    settings = make_settings()
    spells = make_spells([(5, 9, True), (50, 55, True), (51, 60, False), (52, None, False)])
    parts = spells.assign(part=["web", "web", "fair", "fair"])
    visits = pd.DataFrame(
        columns=["part", "period", "stage", "exit", "next_stage", "is_first", "hours", "visits"]
    )
    groups = describe_groups(
        parts, visits, settings.stages, Span(day(20), day(KNOWN)), within_days=30
    )
    assert [(g.value, g.leads, g.open, g.won.value, g.lost.value) for g in groups] == [
        ("fair", 2, 1, 0, 0.5),
        ("web", 1, 0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("zone", "since", "first"),
    [("Africa/Cairo", "2025-04-25", "2025-05"), ("America/Asuncion", "2017-09-15", "2017-10")],
)
def test_months_when_a_day_begins_in_the_gap_of_a_clock_change_then_are_all_there(
    zone, since, first
):
    since_us = pd.Timestamp(since, tz="UTC").value // 1000
    known_us = since_us + 50 * 86_400_000_000
    edges = _month_edges(since_us, known_us, zone)
    months = pd.to_datetime(edges, unit="us", utc=True).tz_convert(zone)
    assert months[0].strftime("%Y-%m") == first
    assert len(months) == 2
    assert set(months.day) == {1}


def test_share_when_none_or_all_were_won_then_its_interval_has_a_width():
    spells = make_spells([(10, 15, True)] * 3)
    won = share_of_leads(spells, "won", 10, known_us=day(KNOWN))
    lost = share_of_leads(spells, "lost", 10, known_us=day(KNOWN))
    oracle = stats.binomtest(3, 3).proportion_ci(method="wilson")
    assert (won.value, won.low, won.high) == pytest.approx((1, oracle.low, 1), abs=1e-4)
    assert (lost.value, lost.high) == pytest.approx((0, 1 - oracle.low), abs=1e-4)


@pytest.mark.parametrize(
    ("opened", "closed", "trend"), [(40, 60, "shrinks"), (45, 60, "steady"), (60, 40, "grows")]
)
def test_health_when_counts_differ_by_more_than_chance_then_the_pipeline_grows_or_shrinks(
    opened, closed, trend
):
    before = [(10, 80, False)] * closed + [(10, 40, False)] * 9
    health = measure_health(make_spells(before + [(90, None, False)] * opened), known_us=day(KNOWN))
    assert (health.opened, health.closed, health.trend) == (opened, closed, trend)
    # the exact test that splits their sum in two agrees
    exact = stats.binomtest(opened, opened + closed).pvalue
    assert (exact < 0.06) == (trend != "steady")


def test_health_when_hardly_anything_happened_then_is_not_told():
    assert measure_health(make_spells([(90, None, False)] * 9), known_us=day(KNOWN)) is None
