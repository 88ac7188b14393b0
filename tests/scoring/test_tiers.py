"""Tiers that do not flap, by score, by value and by capacity; and what if more leads were worked."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_settings
from leadscore.json_files import canonical_json
from leadscore.project.scoring import _with_capacity, read_inputs
from leadscore.routing.reps import is_away
from leadscore.scoring.tier import (
    TIERS,
    Borders,
    compute_rank,
    earlier_tiers,
    find_borders,
    measure_by,
)
from leadscore.scoring.what_if import compute_what_if
from leadscore.settings.tiers import Tiers
from leadscore.tables import REPS
from leadscore.times import parse_moment
from scoring.crowds import outlook, tiers

PLAIN = Borders(90, 70, 40, 2)
measures = st.lists(st.floats(0, 100), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("measure", "earlier", "tier"),
    [
        (91, None, "A"), (89, None, "B"), (89, "A", "A"), (87.9, "A", "B"), (91, "B", "B"), (92, "B", "A"),
        (91, "D", "B"), (30, "A", "D"), (41, "A", "C"), (41, "D", "D"), (42, "D", "C"), (100, "D", "A"),
    ],
)  # fmt: skip
def test_tier_when_near_a_border_then_stays_what_it_was(measure, earlier, tier):
    assert PLAIN.decide(
        np.array([measure], dtype=float), np.array([earlier], dtype=object)
    ).tolist() == [tier]


@settings(max_examples=200, deadline=None)
@given(measures, st.data())
def test_tiers_when_decided_again_then_stay_and_are_never_far_from_the_plain_ones(values, data):
    measure = np.array(values)
    earlier = np.array(
        data.draw(st.lists(tiers, min_size=len(values), max_size=len(values))), dtype=object
    )
    first = PLAIN.decide(measure, earlier)
    assert (PLAIN.decide(measure, first.astype(object)) == first).all()
    place = np.searchsorted(TIERS, first)
    assert (place >= PLAIN.rank_tier(measure + PLAIN.margin)).all()
    assert (place <= PLAIN.rank_tier(measure - PLAIN.margin)).all()
    nothing = np.full(len(values), None, dtype=object)
    assert (PLAIN.decide(measure, nothing) == TIERS[PLAIN.rank_tier(measure)]).all()
    order = np.argsort(measure)
    assert (np.diff(np.searchsorted(TIERS, PLAIN.decide(measure, nothing)[order])) <= 0).all()


def by_capacity(tiers, listed, earlier=None):
    measure = measure_by(tiers, listed, listed=listed, at=np.arange(len(listed.value)))
    before = (
        np.full(len(measure), None, dtype=object)
        if earlier is None
        else np.array(list(earlier), dtype=object)
    )
    return "".join(find_borders(tiers).decide(measure, before))


@pytest.mark.parametrize(
    ("capacity", "touch_cost", "value", "log_odds", "tiers"),
    [
        (2, 25, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10], None, "AABBCCCCDD"),
        (20, 25, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10], None, "AAAAAAAADD"),
        (1, 30, [30, 31], None, "DA"),
        (1, 0, [0, 5], None, "DA"),
        (2, 0, [7, 7, 7, 7, 7], [1, 3, 2, 5, 4], "CBBAA"),  # equal values, as a calibrator of steps gives them
        (2, 0, [7, 7, 7], None, "AAB"),
    ],
)  # fmt: skip
def test_tiers_when_by_capacity_then_hold_as_many_as_can_be_worked_and_are_worth_it(
    capacity, touch_cost, value, log_odds, tiers
):
    section = Tiers(by="capacity", capacity=capacity, touch_cost=touch_cost)
    assert by_capacity(section, outlook(value, log_odds)) == tiers


def test_tiers_when_by_capacity_and_near_a_border_then_stay_within_5_percent_of_the_rank():
    listed, section = outlook(np.arange(500, 0, -1)), Tiers(by="capacity", capacity=100)
    was_a = by_capacity(section, listed, "A" * 500)
    was_b = by_capacity(section, listed, "B" * 500)
    assert (was_a.rindex("A"), was_b.index("B")) == (
        104,
        95,
    )  # of ranks 1 to 500: A until 105, B from 96
    assert by_capacity(section, listed, was_a) == was_a
    worthless = Tiers(by="capacity", capacity=100, touch_cost=499)
    assert by_capacity(worthless, listed, "A" * 500) == "A" + "D" * 499


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12), st.data()
)
def test_rank_when_one_lead_changes_then_is_that_of_the_list_sorted_anew(rows, data):
    listed = outlook([value for value, _ in rows], [log_odds for _, log_odds in rows])
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 2)))
    found = compute_rank(outlook([changed[0]], [changed[1]]), listed=listed, at=np.array([at]))
    anew = [changed if i == at else row for i, row in enumerate(rows)]
    order = sorted(range(len(rows)), key=lambda i: (-anew[i][0], -anew[i][1], i))
    assert found.tolist() == [order.index(at) + 1]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"by": "probability"}, "are probabilities from 0 to 1, got a = 90"),
        ({"by": "capacity"}, "give tiers.capacity, or the list of reps under routing"),
        ({"capacity": 5}, "capacity belongs to by = 'capacity'"),
        ({"touch_cost": 5}, "touch_cost belongs to by = 'capacity'"),
        ({"a": 10}, "must fall"),
    ],
)
def test_settings_when_tiers_do_not_fit_together_then_say_why(section, said):
    with pytest.raises(ValueError, match=said):
        make_settings(tiers=section)
    assert (
        make_settings(
            tiers={"by": "probability", "a": 0.5, "b": 0.2, "c": 0.1}
        ).tiers.margin_or_default()
        == 0.02
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000), st.booleans()), min_size=1, max_size=40)
)
def test_what_if_when_computed_then_is_a_slow_sum(rows):
    probability = np.array([p for p, _, _ in rows])
    value = probability * np.array([worth for _, worth, _ in rows])
    tier = np.array(["A" if now else "B" for _, _, now in rows])
    told = compute_what_if(probability, tier, probability, value)
    for each in told:
        n = round(each["share"] * len(rows))
        best = sorted(range(len(rows)), key=lambda i: (-probability[i], i))[:n]
        now = [i for i in range(len(rows)) if tier[i] == "A"]
        assert each["leads"] == n - len(now)
        assert each["wins"] == pytest.approx(
            sum(probability[best]) - sum(probability[now]), abs=1e-9
        )
        assert each["value"] == pytest.approx(sum(value[best]) - sum(value[now]), abs=1e-6)
    assert all(
        each["value"] is None for each in compute_what_if(probability, tier, probability, None)
    )
    assert all(each["leads"] != 0 for each in told)
    assert all(f"{each['share']:.0%}" != f"{each['share_now']:.0%}" for each in told)
    assert len({each["leads"] for each in told}) == len(told)


@pytest.mark.parametrize(
    ("n", "in_a", "shares"),
    [
        (1000, 100, [0.05, 0.15, 0.2, 0.3]),
        (1000, 103, [0.05, 0.15, 0.2, 0.3]),  # "A at 10% instead of 10%"
        (4, 0, [0.15]),  # of four leads 5% are none, and 20% or 30% are one, as 15%
        (0, 0, []),
    ],
)
def test_what_if_when_a_size_would_say_nothing_then_it_is_left_out(n, in_a, shares):
    probability = np.linspace(0.9, 0.1, n)
    tier = np.array(["A"] * in_a + ["B"] * (n - in_a), dtype=object)
    assert [
        each["share"] for each in compute_what_if(probability, tier, probability, None)
    ] == shares


@pytest.mark.parametrize(("stated", "capacity"), [(None, 7), (3, 3)])
def test_tiers_when_by_capacity_without_a_number_then_it_is_the_places_of_the_reps(
    stated, capacity
):
    tiers = Tiers(by="capacity", capacity=stated)
    reps = [
        {"capacity": 10, "load": 4},
        {"capacity": 1, "load": 0},
        {"capacity": 2, "load": 5},
        {"capacity": 20, "load": 0, "away_until": 9},
    ]
    assert _with_capacity(tiers, {"reps": reps}, as_of_us=5).capacity == capacity
    assert _with_capacity(Tiers(), {}, as_of_us=5) == Tiers()
    routed = make_settings(tiers={"by": "capacity"}, routing={"reps": "reps.csv"})
    assert routed.tiers.capacity is None


def test_earlier_tiers_when_a_lead_is_new_then_it_has_none():
    published = pa.table({"lead_id": ["c", "a"], "tier": ["B", "C"]})
    assert earlier_tiers(pa.array(["a", "b"]), published).tolist() == ["C", None]


def test_inputs_when_a_rep_is_on_leave_then_json_can_hold_them(tmp_path):
    text = "rep_id,capacity,away_from,away_until\na,5,2026-03-01,2026-03-08\nb,5,,\n"
    (tmp_path / "reps.csv").write_text(text)
    inputs = read_inputs(make_settings(input_folder=tmp_path, routing={"reps": "reps.csv"}))

    kept = json.loads(canonical_json(inputs))

    reps = pa.Table.from_pylist(kept["reps"], schema=REPS)
    assert is_away(reps, parse_moment("2026-03-08T12:00:00Z", zone="UTC")).tolist() == [True, False]
