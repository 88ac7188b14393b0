"""Histories without dates: one snapshot a lead, its final outcome, and splits by place or none."""

import numpy as np
import pandas as pd
import pytest

from histories import open_undated
from leadscore.history.labels import build_final_side
from leadscore.history.lists import build_final_list
from leadscore.history.snapshot import KEYS
from leadscore.history.split import MAX_SPLITS
from leadscore.times import FOREVER_US


def leads(n, *, is_open=(), won=lambda i: i % 2 == 0, places=None):
    """Leads l00, l01, ... at places 10, 20, ... unless others are given; every second one is won."""
    ends = ["" if i in is_open else "won" if won(i) else "lost" for i in range(n)]
    places = [10 * (i + 1) for i in range(n)] if places is None else places
    ids = [f"l{i:02d}" for i in range(n)]
    return pd.DataFrame(
        {"id": ids, "place": places, "color": "red", "size": 1, "level": "low", "end": ends}
    )


def ordered(*how, **more):
    return open_undated(leads(*how, **more), time="ordered")


SPELLS = pd.DataFrame(
    {
        "lead_id": ["a", "b", "c", "d"],
        "spell": 1,
        "start_us": [10, 20, 30, 40],
        "close_us": [10, 20, FOREVER_US, 40],
        "won": [True, False, False, True],
    }
)


def test_final_list_when_built_then_has_each_lead_once_just_after_its_place():
    listed = build_final_list(SPELLS)
    assert listed[["lead_id", *KEYS[2:]]].to_numpy().tolist() == [
        ["a", 11, 11], ["b", 21, 21], ["c", 31, 31], ["d", 41, 41],
    ]  # fmt: skip
    assert listed["grid_weight"].tolist() == [1.0] * 4
    assert not listed["young"].any()


@pytest.mark.parametrize(
    ("known_us", "labels"),
    [
        pytest.param(41, {"a": 1, "b": 0, "d": 1}, id="the open one is left out"),
        pytest.param(40, {"a": 1, "b": 0}, id="what closes at the moment is not known before it"),
        pytest.param(10, {}, id="nothing is known at the first place"),
    ],
)
def test_final_side_when_built_then_labels_closed_leads_by_their_outcome_and_weighs_all_alike(
    known_us, labels
):
    side = build_final_side("these", build_final_list(SPELLS), SPELLS, known_us=known_us)
    assert dict(zip(side.rows["lead_id"], side.rows["label"], strict=True)) == labels
    assert (side.rows["weight"] == 1).all()
    assert (side.observed.all(), side.watched, side.capped_share, side.target) == (
        True,
        1.0,
        0.0,
        None,
    )


def test_side_when_nothing_is_dated_then_asks_for_outcomes_and_not_for_follow_up():
    side = build_final_side("these", build_final_list(SPELLS), SPELLS, known_us=41)
    assert side.is_watched_enough()
    assert (side.base_rate(), side.has_outcomes(1), side.has_outcomes(2)) == (
        pytest.approx(2 / 3),
        True,
        False,
    )
    assert np.isnan(side.mature_rate())


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        pytest.param([10, 30], [0, 0, 1], id="a moment is before the lead that stands at it"),
        pytest.param([11, 31], [-1, 0, 1], id="and after those before it"),
        pytest.param([100], [-1, -1, -1], id="none"),
    ],
)
def test_latest_moment_when_leads_are_ordered_then_does_not_come_after_their_place(
    moments, expected
):
    side = build_final_side("these", build_final_list(SPELLS), SPELLS, known_us=41)
    assert side.latest_moment(moments).tolist() == expected  # of a at 10, b at 20, d at 40


def test_sides_when_leads_are_ordered_then_share_them_at_the_place():
    history = ordered(10, is_open={1, 8})
    earlier = history.earlier_side(50)
    later = history.later_side(50, to_us=101, known_us=101)
    assert earlier.rows["lead_id"].tolist() == ["l00", "l02", "l03"]
    assert later.rows["lead_id"].tolist() == ["l04", "l05", "l06", "l07", "l09"]
    assert (earlier.name, later.name) == ("history before place 50", "snapshots from place 50")


def test_open_list_when_leads_are_ordered_then_holds_those_without_an_outcome():
    history = ordered(10, is_open={1, 8})
    assert history.open_list(history.version.known_until_us)["lead_id"].tolist() == ["l01", "l08"]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([0.5], [60]), ([0.0, 0.8], [10, 90]), ([0.55, 0.5], [60]), ([0.99], [100])],
)
def test_places_when_shares_are_asked_for_then_so_many_closed_leads_lie_before_them(
    shares, expected
):
    assert ordered(10).places(101, shares=shares) == expected


def test_places_when_leads_are_open_or_not_yet_known_then_they_do_not_count():
    history = ordered(10, is_open={0, 1, 2, 3})
    assert history.places(101, shares=[0.5]) == [80]  # of 50, 60, ..., 100
    assert history.places(71, shares=[0.5]) == [60]  # of 50, 60, 70
    assert history.places(41, shares=[0.5]) == []


def test_split_moments_when_leads_are_ordered_then_run_from_30_to_80_percent_of_those_closed():
    assert ordered(50).split_moments(501, least=1, least_later=0) == [160, 210, 260, 310, 360, 410]


def test_split_moments_when_the_first_sides_have_too_few_wins_then_are_those_that_have_enough():
    history = ordered(50, won=lambda i: i >= 20)
    assert history.split_moments(501, least=5, least_later=0) == [
        260,
        310,
        360,
        410,
    ]  # 5, 10, ... wins before


def test_split_moments_when_many_leads_share_a_place_then_it_is_counted_once():
    history = ordered(50, places=[10] * 20 + [20] * 30)
    assert history.split_moments(21, least=1, least_later=0) == [
        20
    ]  # at place 10 nothing lies before


def test_split_moments_when_asked_at_an_earlier_place_then_rest_on_the_leads_before_it():
    history = ordered(50)
    moments = history.split_moments(251, least=1, least_later=0)
    assert len(moments) <= MAX_SPLITS
    assert moments[-1] == 210  # 20 of the 25 leads before


def test_split_moments_when_the_last_leads_are_all_lost_then_the_last_split_has_enough_wins_after_it():
    history = ordered(200, won=lambda i: i < 110 and i % 2 == 0)
    moments = history.split_moments(2001, least=1, least_later=10)
    assert [
        sum(1 for i in range(0, 110, 2) if 10 * (i + 1) >= moment) >= 10 for moment in moments
    ] == [True] * 2
    assert len(history.split_moments(2001, least=1, least_later=0)) == MAX_SPLITS


def test_split_moments_when_there_is_no_order_then_are_none():
    history = open_undated(leads(50), time="none")
    assert history.split_moments(history.version.known_until_us, least=1, least_later=0) == []
    assert len(history.earlier_side(1).rows) == 50


@pytest.mark.parametrize(
    ("time", "stated", "published"),
    [("none", None, None), ("ordered", None, None), ("none", "1970-01-02", 86_400_000_000)],
)
def test_published_moment_when_nothing_is_dated_then_is_the_stated_one_of_the_export(
    time, stated, published
):
    history = open_undated(leads(4), time=time, known_until=stated)
    assert history.published_us(history.version.known_until_us) == published
