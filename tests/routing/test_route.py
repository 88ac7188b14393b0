"""Who should call: rules, reasons, stickiness, exploration. The optimum is tried in test_route_optimum.py."""

import pyarrow as pa
import pytest

from leadscore.routing.assign import ROUTES, assign
from leadscore.routing.explore import draw_explored
from leadscore.settings.routing import RoutingSettings
from leadscore.tables import REPS
from leadscore.times import DAY_US

NOW = 20_000 * DAY_US
MATCH = {
    "territories": "country",
    "segments": "industry",
    "languages": "language",
    "skills": "product",
}


def build_settings(**chosen) -> RoutingSettings:
    return RoutingSettings.model_validate(
        {"reps": "reps.csv", "match": MATCH, "fairness": 0} | chosen
    )


def build_reps(**reps: dict) -> pa.Table:
    usual = {"team": None, "capacity": 10, "load": 0, "min_share": 0.0, "max_share": 1.0}
    lists = dict.fromkeys(("territories", "segments", "languages", "skills"), ())
    rows = [
        usual | lists | {"line": i + 2, "rep_id": name} | rep
        for i, (name, rep) in enumerate(reps.items())
    ]
    return pa.Table.from_pylist(rows, schema=REPS)


def route(leads: dict[str, dict], reps: pa.Table, *, settings=None, previous=None, as_of_us=NOW):
    """Each lead's rep and reason, and the facts."""
    usual = {"tier": "A", "win_probability": 0.5, "owner_id": None} | dict.fromkeys(MATCH.values())
    rows = [usual | {"lead_id": lead_id} | lead for lead_id, lead in leads.items()]
    scores = pa.Table.from_pylist(rows).select(
        [
            "lead_id",
            "tier",
            "win_probability",
            *(["expected_value"] if "expected_value" in rows[0] else []),
        ]
    )
    schema = pa.schema([(name, pa.string()) for name in ("lead_id", "owner_id", *MATCH.values())])
    fields = pa.Table.from_pylist(
        [{name: row[name] for name in schema.names} for row in rows], schema=schema
    )
    found = assign(
        scores,
        fields,
        reps,
        settings or build_settings(),
        as_of_us=as_of_us,
        seed=1,
        previous=previous or {},
    )
    assert found.routes.schema == ROUTES
    told = {
        row["lead_id"]: (row["rep_id"], row["route_reason"]) for row in found.routes.to_pylist()
    }
    assert list(told) == list(leads)
    return told, found.facts


@pytest.mark.parametrize(
    ("lead", "rep", "given", "reason"),
    [
        ({"country": "AT"}, {"territories": ["AT"]}, True, "only available rep who fits: country AT; 1 of 10 slots taken"),
        ({"country": "AT"}, {"territories": ["DE", "AT"], "period": "week", "load": 3}, True,
         "only available rep who fits: country AT; 4 of 10 slots a week taken"),
        ({"country": "AT"}, {}, True, "only available rep who fits: country AT; 1 of 10 slots taken"),
        ({}, {"languages": ["de"]}, True, "only available rep who fits; 1 of 10 slots taken"),
        ({"owner_id": "r"}, {}, True, "already owns the lead; 1 of 10 slots taken"),
        ({"product": "x", "language": "fr"}, {"languages": ["de"]}, False, "no rep covers language fr"),
        ({"tier": "D"}, {}, False, "tier D is not routed"),
        ({}, {"capacity": 0}, False, "all reps who fit are already at capacity"),
        ({}, {"load": 11}, False, "all reps who fit are already at capacity"),
        ({}, {"away_from": NOW}, False, "all reps who fit are on leave"),
        ({}, {"away_from": NOW - DAY_US, "away_until": NOW + DAY_US}, False,
         "all reps who fit are on leave, the first until 2024-10-05"),
        ({}, {"away_until": NOW}, False, "all reps who fit are on leave, the first until 2024-10-04"),
        ({}, {"away_until": NOW - 1}, True, "only available rep who fits; 1 of 10 slots taken"),
        ({}, {"away_from": NOW + 1}, True, "only available rep who fits; 1 of 10 slots taken"),
    ],
)  # fmt: skip
def test_lead_when_there_is_one_rep_then_it_is_given_only_if_all_allows_it_and_says_why(
    lead, rep, given, reason
):
    told, facts = route({"L": lead, "other": {"country": "DE", "tier": "D"}}, build_reps(r=rep))
    assert told["L"] == ("r" if given else None, reason)
    assert facts["assigned"] == given


def test_lead_when_two_fit_together_only_then_both_fields_are_named():
    reps = build_reps(
        a={"territories": ["AT"]},
        b={"languages": ["fr"], "territories": ["DE"]},
        c={"languages": ["de"]},
    )
    told, _ = route(
        {
            "L": {"country": "XX", "language": "fr"},
            "at": {"country": "AT"},
            "de": {"country": "DE"},
        },
        reps,
    )
    assert told["L"] == (None, "no rep covers all of country XX, language fr")


def test_leads_when_there_are_no_reps_then_all_say_so():
    told, _ = route({"L": {"country": "AT"}, "unknown": {}}, build_reps())
    assert set(told.values()) == {(None, "there are no reps")}


def test_leads_when_they_are_worth_the_same_then_none_is_said_to_be_better():
    told, _ = route({"a": {}, "b": {}}, build_reps(r={"capacity": 1}))
    (reason,) = [reason for rep, reason in told.values() if rep is None]
    assert reason == "the only rep is at capacity: leads of the same worth took the slots"


def test_leads_when_places_are_few_then_the_best_get_them_and_the_rest_say_how_many_were_better():
    leads = {f"L{i}": {"win_probability": i / 10} for i in range(1, 6)}
    told, facts = route(leads, build_reps(a={"capacity": 2}, b={"capacity": 1}))
    assert [lead for lead, (rep, _) in told.items() if rep] == ["L3", "L4", "L5"]
    assert (
        told["L2"]
        == told["L1"]
        == (
            None,
            "all 2 reps are at capacity: 3 leads of a better tier, or of higher value in the same tier, "
            "took the slots",
        )
    )
    assert facts["value"] == pytest.approx(1.2)


def test_leads_when_amounts_are_known_then_they_count_and_a_missing_one_is_the_mean():
    leads = {
        "small": {"win_probability": 0.9, "expected_value": 9.0},
        "large": {"win_probability": 0.1, "expected_value": 91.0},
        "missing": {
            "win_probability": 0.5,
            "expected_value": None,
        },  # 0.5 * (9 + 91) / (0.9 + 0.1) = 50
    }
    told, facts = route(leads, build_reps(a={"capacity": 2}))
    assert [lead for lead, (rep, _) in told.items() if rep] == ["large", "missing"]
    assert facts["value"] == pytest.approx(141)
    assert facts["average"] == pytest.approx(50)


@pytest.mark.parametrize(
    ("worse", "kept"),
    [
        pytest.param(0.46, True, id="4% less than another"),
        pytest.param(0.40, False, id="a fifth less"),
    ],
)
def test_owner_when_another_lead_is_worth_little_more_then_it_keeps_its_own(worse, kept):
    told, _ = route({"owned": {"win_probability": worse, "owner_id": "a"}, "new": {}}, build_reps(a={"capacity": 1}),
                    settings=build_settings(stickiness=0.1))  # fmt: skip
    assert (told["owned"][0] == "a") == kept
    assert (told["new"][0] == "a") != kept


def test_owner_when_it_could_but_the_whole_is_worth_more_then_the_reason_says_so():
    # only a fits `de`: that a keeps `owned` is worth less than that both are worked
    reps = build_reps(a={"capacity": 1}, b={"capacity": 1, "languages": ["fr"]})
    told, _ = route({"owned": {"owner_id": "a"}, "de": {"language": "de"}}, reps)
    assert told["de"][0] == "a"
    assert told["owned"] == ("b", "best fit; 1 of 1 slots taken; its owner a is at capacity")
    reps = build_reps(a={}, b={})
    told, _ = route(
        {"L": {"owner_id": "a"}},
        reps,
        previous={"L": "b"},
        settings=build_settings(change_costs=0.2),
    )
    assert told["L"] == ("b", "same rep as last time: a change is not worth its cost; 1 of 10 slots taken; "
                              "its owner a had capacity, but another assignment has a higher total value")  # fmt: skip


def test_owner_when_it_cannot_take_the_lead_then_the_reason_says_so():
    reps = build_reps(full={"load": 10}, away={"away_from": 0}, far={"languages": ["fr"]}, there={})
    leads = {name: {"owner_id": name, "language": "de"} for name in ("full", "away", "far", "gone")}
    told, _ = route(leads, reps)
    first = "only available rep who fits: language de; 4 of 10 slots taken"
    assert told == {
        "full": ("there", f"{first}; its owner full is at capacity"),
        "away": ("there", f"{first}; its owner away is on leave"),
        "far": ("there", f"{first}; its owner far does not cover it"),
        "gone": ("there", first),
    }


@pytest.mark.parametrize(("costs", "changed"), [(0.5, 0), (0.3, 2), (0.0, 2)])
def test_previous_when_a_change_pays_less_than_it_costs_then_all_stays(costs, changed):
    # swapping p and q brings both owners their own: 2 x 0.4 average leads, against two changes
    leads = {"p": {"owner_id": "a"}, "q": {"owner_id": "b"}}
    settings = build_settings(stickiness=0.4, change_costs=costs)
    told, facts = route(leads, build_reps(a={"capacity": 1}, b={"capacity": 1}), settings=settings,
                        previous={"p": "b", "q": "a"})  # fmt: skip
    assert facts["changed"] == changed
    assert (told["p"][0] == "b") == (changed == 0)


def test_previous_when_the_rep_has_left_or_the_lead_lost_its_place_then_only_the_latter_is_a_change():
    leads = {"low": {"win_probability": 0.1}, "high": {"win_probability": 0.9}}
    told, facts = route(leads, build_reps(a={"capacity": 1}), previous={"low": "a", "high": "gone"})
    assert (told["low"][0], told["high"][0], facts["changed"]) == (None, "a", 1)


def test_fairness_when_reps_fit_alike_then_leads_are_spread_by_fullness():
    leads = {f"L{i}": {} for i in range(12)}
    _, facts = route(
        leads, build_reps(a={"load": 6}, b={"capacity": 20}), settings=build_settings(fairness=0.1)
    )
    full = {
        rep: (told["given"] + told["load"]) / told["capacity"]
        for rep, told in facts["reps"].items()
    }
    assert full == {"a": 0.6, "b": 0.6}


def test_capacity_when_it_is_as_good_as_endless_then_it_is_a_number_like_any_other():
    _, facts = route(
        {f"L{i}": {} for i in range(3)}, build_reps(a={"capacity": 2**53 - 1}, b={"capacity": 0})
    )
    assert {name: way["assigned"] for name, way in facts["beside"].items()} == {
        "ours": 3, "round_robin": 3, "least_loaded": 3, "greedy": 3
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "rep", "reason"),
    [
        ({}, "mate", "fallback in team T: does not cover product x; 1 of 10 slots taken"),
        (
            {"fallback": []},
            None,
            "the only rep for product x is at capacity: 1 lead of a better tier, or of higher value in the same "
            "tier, took the slots",
        ),
        (
            {"fallback": ["segments"], "prefer": "value"},
            None,
            "the only rep for product x is at capacity: 1 lead of higher value took the slots",
        ),
        (
            {"fallback_costs": 5, "prefer": "value"},
            None,
            "only a fallback could take it, which costs more than the lead is worth",
        ),
    ],
)
def test_team_when_those_who_fit_are_full_then_a_mate_steps_in_if_that_is_allowed_and_pays(
    settings, rep, reason
):
    reps = build_reps(
        expert={"capacity": 1, "skills": ["x"], "team": "T"},
        mate={"skills": ["y"], "team": "T"},
        stranger={"skills": ["y"], "team": "U"},
    )
    leads = {"first": {"product": "x", "win_probability": 0.6}, "second": {"product": "x"}}
    told, _ = route(leads, reps, settings=build_settings(**settings))
    assert told["first"][0] == "expert"
    assert told["second"] == (rep, reason)


def test_team_when_nobody_fits_at_all_then_whoever_lacks_least_may_step_in():
    reps = build_reps(a={"skills": ["y"]}, b={"skills": ["x"], "territories": ["DE"]})
    told, _ = route(
        {"L": {"product": "x", "country": "AT"}, "M": {"country": "DE", "tier": "D"}}, reps
    )
    assert told["L"] == ("a", "fallback: does not cover product x; 1 of 10 slots taken")


@pytest.mark.parametrize(
    ("shares", "given"),
    [
        ({"a": {"min_share": 0.5}}, {"a": 5, "b": 5}),
        ({"a": {"min_share": 0.3}}, {"a": 3, "b": 7}),
        ({"b": {"max_share": 0.4}}, {"a": 6, "b": 4}),
        ({"b": {"max_share": 0.45}}, {"a": 6, "b": 4}),
    ],
)
def test_shares_when_the_owner_would_have_all_then_they_are_kept(shares, given):
    reps = build_reps(**{name: shares.get(name, {}) for name in "ab"})
    _, facts = route({f"L{i}": {"owner_id": "b"} for i in range(10)}, reps)
    assert {rep: told["given"] for rep, told in facts["reps"].items()} == given


IMPOSSIBLE = [
    ({"a": {"territories": ["AT", "XX"]}},
     "list of reps: no lead has the country 'XX' (line 2); fine if no such lead has come yet, else correct the "
     "reps' territories"),
    ({"a": {"languages": ["it"]}, "b": {"languages": ["it", "fr", "de"]}},
     "list of reps: no lead has the language 'it' (lines 2, 3); fine if no such lead has come yet, else correct the "
     "reps' languages"),
    ({"a": {"segments": ["Retali"]}, "b": {}},
     "list of reps: no lead has the industry 'Retali' (line 2; did you mean 'Retail'?); fine if no such lead has come "
     "yet, else correct the reps' segments"),
    ({"a": {"min_share": 0.5, "capacity": 2}, "b": {}},
     "list of reps: 'a' (line 2) gets 2 of the 5 leads that its min_share asks for: its capacity and load leave room "
     "for 2"),
    ({"a": {"min_share": 0.6, "max_share": 0.5}, "b": {}},
     "list of reps: 'a' (line 2) gets 5 of the 6 leads that its min_share asks for: its max_share allows 5"),
    ({"a": {"min_share": 0.5, "languages": ["fr"]}, "b": {}},
     "list of reps: 'a' (line 2) gets 1 of the 5 leads that its min_share asks for: only 1 lead fits"),
    ({"a": {"min_share": 0.1, "languages": ["fr"]}, "b": {"min_share": 0.1, "languages": ["fr"]}, "c": {}},
     "list of reps: 'b' (line 3) gets 0 of the 1 lead that its min_share asks for: the minimum shares of other reps "
     "need the rest"),
    ({"a": {"min_share": 0.5, "capacity": 0}, "b": {}},
     "list of reps: 'a' (line 2) gets 0 of the 5 leads that its min_share asks for: its capacity and load leave room "
     "for 0"),
]  # fmt: skip


@pytest.mark.parametrize(("reps", "warning"), IMPOSSIBLE)
def test_reps_when_a_wish_cannot_be_met_then_all_others_are_routed_and_a_warning_says_so(
    reps, warning
):
    usual = {"country": "AT", "language": "de", "industry": "Retail"}
    leads = {f"L{i}": usual for i in range(9)} | {"fr": usual | {"language": "fr"}}
    _, facts = route(leads, build_reps(**reps))
    assert facts["warnings"] == [warning]
    assert facts["assigned"] == 10


RIVALS = ": the minimum shares of other reps need the rest"
TOO_MUCH = [  # reps, the sum of their shares, what each line ends in
    ({"a": {"min_share": 0.6}, "b": {"min_share": 0.6}}, "1.2", ["5 of the 6 leads"] * 2),
    ({name: {"min_share": 0.3, "capacity": 9, "load": 2} for name in "abcdef"}, "1.8",
     ["2 of the 3 leads"] * 4 + ["1 of the 3 leads"] * 2),
    ({"a": {"min_share": 0.75}, "b": {"min_share": 0.75}, "c": {"min_share": 0.5, "away_until": NOW + 1}}, "1.5",
     ["5 of the 8 leads"] * 2),  # the share of who is on leave does not count
]  # fmt: skip


@pytest.mark.parametrize(("reps", "total", "given"), TOO_MUCH)
def test_reps_when_their_minimum_shares_add_up_to_more_than_all_then_the_sum_is_named_first(
    reps, total, given
):
    _, facts = route({f"L{i}": {} for i in range(10)}, build_reps(**reps))
    first, *lines = facts["warnings"]
    assert first == f"list of reps: minimum shares add up to {total}; at most 1 can be met"
    assert sorted(line.partition(" gets ")[2] for line in lines) == sorted(
        f"{leads} that its min_share asks for{RIVALS}" for leads in given
    )
    assert facts["assigned"] == 10


def test_reps_when_very_many_shares_are_too_large_then_a_dozen_are_named_and_the_rest_counted():
    reps = build_reps(**{f"rep{i:02}": {"min_share": 0.5} for i in range(14)})
    _, facts = route({f"L{i}": {} for i in range(14)}, reps)
    assert facts["warnings"][0] == "list of reps: minimum shares add up to 7; at most 1 can be met"
    assert len(facts["warnings"]) == 14
    assert facts["warnings"][-1] == "list of reps: 2 more reps get less than their min_share"


def test_reps_when_every_wish_can_be_met_then_nothing_is_warned_of():
    reps = build_reps(
        a={"territories": ["AT"], "min_share": 0.5}, b={"min_share": 0.5, "max_share": 0.5}
    )
    _, facts = route({f"L{i}": {"country": "AT"} for i in range(10)}, reps)
    assert (facts["warnings"], facts["assigned"]) == ([], 10)


def test_reps_when_nobody_is_to_be_routed_then_shares_ask_for_nothing():
    _, facts = route({"L": {"tier": "D"}}, build_reps(a={"min_share": 1.0}))
    assert (facts["warnings"], facts["assigned"]) == ([], 0)


def test_exploration_when_a_low_lead_is_drawn_then_it_counts_as_one_of_the_best_tier():
    leads = {f"L{i:03d}": {"tier": "D", "win_probability": 0.01} for i in range(400)}
    leads |= {f"B{i}": {"tier": "B", "win_probability": 0.3} for i in range(50)} | {
        "A": {"win_probability": 0.8}
    }
    scores = pa.table({
        "lead_id": list(leads), "tier": [lead.get("tier", "A") for lead in leads.values()],
        "win_probability": [lead["win_probability"] for lead in leads.values()],
    })  # fmt: skip
    fields = pa.table({"lead_id": list(leads), "owner_id": pa.nulls(len(leads), pa.string())})
    settings = RoutingSettings(reps="reps.csv", explore_share=0.1)
    found = assign(scores, fields, build_reps(a={"capacity": 60}), settings, as_of_us=NOW, seed=1)
    rows = [row for row in found.routes.to_pylist() if row["exploration_probability"] is not None]
    assert {row["exploration_probability"] for row in rows} == {0.1}
    assert all(row["lead_id"].startswith("L") and row["rep_id"] == "a" for row in rows)
    assert found.facts["explored"] == len(rows) == pytest.approx(40, abs=15)
    assert found.facts["value"] == pytest.approx(0.8 + 0.01 * len(rows) + 0.3 * (59 - len(rows)))


def test_draw_when_repeated_then_depends_on_seed_day_and_lead_only_and_has_its_share():
    ids = [f"L{i}" for i in range(20_000)]
    drawn = draw_explored(ids, share=0.2, seed=1, as_of_us=NOW)
    assert drawn.mean() == pytest.approx(0.2, abs=0.01)  # 3.5 standard errors
    assert (
        draw_explored(ids[::-1], share=0.2, seed=1, as_of_us=NOW + DAY_US - 1)[::-1] == drawn
    ).all()
    assert drawn[:12].tolist() == draw_explored(ids[:12], share=0.2, seed=1, as_of_us=NOW).tolist()
    for other in (draw_explored(ids, share=0.2, seed=2, as_of_us=NOW),
                  draw_explored(ids, share=0.2, seed=1, as_of_us=NOW + DAY_US)):  # fmt: skip
        assert (other & drawn).mean() == pytest.approx(0.04, abs=0.006)  # independent


def test_routing_when_there_is_no_lead_then_there_is_none():
    scores = pa.table({"lead_id": pa.array([], pa.string()), "tier": pa.array([], pa.string()),
                       "win_probability": pa.array([], pa.float64())})  # fmt: skip
    fields = pa.table({"lead_id": pa.array([], pa.string()), "owner_id": pa.array([], pa.string())})
    found = assign(
        scores, fields, build_reps(a={}), RoutingSettings(reps="r.csv"), as_of_us=NOW, seed=1
    )
    assert (found.routes.num_rows, found.facts["assigned"]) == (0, 0)


@pytest.mark.parametrize(("min_share", "price"), [(0.0, 0.4), (0.5, 0.0)])
def test_shadow_price_when_a_rep_has_only_its_minimum_share_then_its_lead_is_not_taken_away(
    min_share, price
):
    reps = build_reps(
        owner={"team": "own", "capacity": 1},
        other={"team": "rest", "capacity": 1, "min_share": min_share},
    )
    leads = {"L": {"owner_id": "owner"}, "M": {"owner_id": "owner"}}
    routes, facts = route(leads, reps, settings=build_settings(stickiness=0.4))
    assert {rep for rep, _ in routes.values()} == {"owner", "other"}
    assert facts["worth_of_place"] == pytest.approx({"own": price, "rest": 0.0})
