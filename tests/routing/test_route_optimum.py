"""Routing against an independent optimum (HiGHS), simpler ways, other row orders and one more slot."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from leadscore.routing.assign import assign
from leadscore.routing.baselines import BASELINES
from leadscore.routing.minimum_shares import grant_shares
from leadscore.routing.problem import build_problem
from leadscore.routing.reps import STEPS, UNIT
from leadscore.routing.shadow_prices import compute_shadow_prices
from leadscore.routing.solution import solve
from leadscore.settings.routing import RoutingSettings
from leadscore.tables import REPS

CHECKS = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
WORDS = {"territories": ["AT", "DE", "FR"], "languages": ["de", "fr"]}
MATCH = {"territories": "country", "languages": "language"}


@st.composite
def worlds(draw, most=12, shares=True, prefer="value"):
    """Leads, reps, settings and last time's reps; with some luck, everything binds."""
    names = [f"r{i}" for i in range(draw(st.integers(1, 5)))]
    some = {
        name: st.lists(st.sampled_from(words), unique=True, max_size=2)
        for name, words in WORDS.items()
    }
    reps = [
        {"line": i + 2, "rep_id": name, "team": draw(st.sampled_from(["T", "U", None])), "segments": [], "skills": [],
         "capacity": draw(st.integers(0, 5)), "load": draw(st.integers(0, 2)),
         "min_share": 0.0, "max_share": draw(st.sampled_from([1.0, 0.5])) if shares else 1.0,
         "away_until": draw(st.sampled_from([None, None, None, 9]))}
        | {name: draw(words) for name, words in some.items()}
        for i, name in enumerate(names)
    ]  # fmt: skip
    someone = st.sampled_from([None, *names])
    leads = pd.DataFrame([
        {"lead_id": f"L{i:02d}", "value": draw(st.integers(0, 9)) / 10, "owner_id": draw(someone),
         "country": draw(st.sampled_from([*WORDS["territories"], None])),
         "language": draw(st.sampled_from([*WORDS["languages"], None])),
         "tier": draw(st.sampled_from("ABC")), "explored": False}
        for i in range(draw(st.integers(1, most)))
    ]).assign(counts_for=lambda rows: rows["value"])  # fmt: skip
    cost = st.sampled_from([0, 0.05, 0.3, 2])
    chosen = RoutingSettings.model_validate({
        "reps": "r.csv", "match": MATCH, "prefer": prefer, "stickiness": draw(cost), "change_costs": draw(cost), "fairness": draw(cost),
        "fallback": draw(st.sampled_from([[], ["languages"], ["territories"]])), "fallback_costs": draw(cost),
    })  # fmt: skip
    previous = {lead: rep for lead in leads["lead_id"] if (rep := draw(someone))}
    return leads, pa.Table.from_pylist(reps, schema=REPS), chosen, previous


def build(world):
    leads, reps, chosen, previous = world
    return build_problem(leads, reps, chosen, previous=previous, as_of_us=5)


def optimum(problem, *, more=None):
    """The best objective, by an integer programme over all pairs and slots; `more`: a rep with one more slot."""
    n, r = len(problem.row), len(problem.reps.rep_id)
    steps = np.column_stack([problem.reps.steps, np.arange(r) == more])
    gain = (
        problem.worth[:, None]
        - problem.fallback_costs * problem.profiles.is_fallback[problem.profiles.of_lead]
    )
    np.add.at(gain, (problem.bonuses.lead, problem.bonuses.rep), problem.bonuses.amount)
    pairs, slots = n * r, r * (STEPS + 1)
    lead, rep = np.divmod(np.arange(pairs), r)
    once = csr_array((np.ones(pairs), (lead, np.arange(pairs))), shape=(n, pairs + slots))
    to = np.concatenate([rep, np.arange(slots) // (STEPS + 1)])
    balance = csr_array((np.repeat([1.0, -1.0], [pairs, slots]), (to, np.arange(pairs + slots))))
    owed = csr_array((np.ones(pairs), (rep, np.arange(pairs))), shape=(r, pairs + slots))
    upper = np.concatenate(
        [problem.profiles.can_take[problem.profiles.of_lead].ravel(), steps.ravel()]
    ).astype(float)
    cost = -np.concatenate([gain.ravel(), np.tile(np.append(problem.step_bonus, 0), r)]) / UNIT
    found = milp(cost, integrality=np.ones(pairs + slots), bounds=Bounds(0, upper), options={"mip_rel_gap": 0},
                 constraints=[LinearConstraint(once, ub=1), LinearConstraint(balance, lb=0, ub=0),
                              LinearConstraint(owed, lb=problem.reps.minimum)])  # fmt: skip
    return -found.fun


@CHECKS
@given(world=worlds())
def test_routing_when_solved_then_keeps_all_rules_and_is_worth_what_highs_finds(world):
    problem = build(world)
    rep = solve(problem)
    there = rep >= 0
    assert problem.profiles.can_take[problem.profiles.of_lead[there], rep[there]].all()
    assert (np.bincount(rep[there], minlength=len(problem.reps.slots)) <= problem.reps.slots).all()
    assert problem.objective(rep) / UNIT == pytest.approx(optimum(problem), abs=1e-6)


@CHECKS
@given(world=worlds(most=25))
def test_routing_when_beside_simpler_ways_then_is_never_worth_less(world):
    problem = build(world)
    ours = problem.objective(solve(problem))
    for name, way in BASELINES.items():
        assert ours >= problem.objective(way(problem)), name


@CHECKS
@given(world=worlds(most=25))
def test_routing_when_only_value_counts_then_captures_at_least_the_value_of_simpler_ways(world):
    leads, reps, _, _ = world
    plain = RoutingSettings.model_validate(
        {
            "reps": "r.csv",
            "match": MATCH,
            "prefer": "value",
            "stickiness": 0,
            "change_costs": 0,
            "fairness": 0,
            "fallback": [],
        }
    )
    problem = build((leads, reps, plain, {}))
    ours = problem.value[solve(problem) >= 0].sum()
    for name, way in BASELINES.items():
        assert ours >= problem.value[way(problem) >= 0].sum() - 1e-9, name


def most_assigned(problem, is_wanted):
    """The most leads of some that can have a place together, by a matching of leads and slots."""
    wanted = np.flatnonzero(is_wanted)
    slot_of = np.repeat(np.arange(len(problem.reps.slots)), problem.reps.slots)
    can_take = problem.profiles.can_take[problem.profiles.of_lead[wanted]][:, slot_of]
    matched = maximum_bipartite_matching(csr_array(can_take.astype(int)), perm_type="column")
    return int((matched >= 0).sum())


@CHECKS
@given(world=worlds(most=12, prefer="tier"))
def test_routing_when_tiers_are_preferred_then_no_better_tier_could_have_more_places(world):
    leads, reps, chosen, previous = world
    reps = reps.set_column(
        reps.schema.get_field_index("min_share"), "min_share", pa.array([0.0] * len(reps))
    )
    problem = build((leads, reps, chosen, previous))
    rep = solve(problem)
    tier = leads["tier"].iloc[problem.row].to_numpy()
    for tiers in (["A"], ["A", "B"]):
        is_wanted = np.isin(tier, tiers)
        assert (rep[is_wanted] >= 0).sum() == most_assigned(problem, is_wanted)


@CHECKS
@given(world=worlds(most=12, prefer="tier"))
def test_routing_when_tiers_are_preferred_then_figures_are_those_of_value_alone(world):
    problem = build(world)
    rep = solve(problem)
    leads, reps, chosen, previous = world
    plain = build((leads, reps, chosen.model_copy(update={"prefer": "value"}), previous))
    assert problem.objective(rep) == plain.objective(rep)
    assert problem.objective(rep) <= plain.objective(solve(plain))


@CHECKS
@given(world=worlds(most=9, shares=False))
def test_shadow_price_when_solved_anew_with_one_more_then_is_the_difference(world):
    problem = build(world)
    told = compute_shadow_prices(problem, solve(problem))
    now = optimum(problem)
    for team, worth in told.items():
        there = np.flatnonzero((problem.reps.team == team) & ~problem.reps.away)
        again = max((optimum(problem, more=j) - now for j in there), default=0.0)
        assert worth == pytest.approx(again, abs=1e-6), team


@CHECKS
@given(world=worlds(most=20), seed=st.integers(0, 99))
def test_routing_when_rows_are_shuffled_then_is_the_same(world, seed):
    leads, reps, chosen, previous = world
    rng = np.random.default_rng(seed)
    scores = pa.table(
        {"lead_id": leads["lead_id"], "tier": ["A"] * len(leads), "win_probability": leads["value"]}
    )
    fields = pa.Table.from_pandas(
        leads[["lead_id", "owner_id", "country", "language"]], preserve_index=False
    )
    fields = pa.concat_tables([fields, pa.table({"lead_id": list("xyz"), "country": WORDS["territories"]})],
                              promote_options="permissive")  # fmt: skip

    def routed(mixed):
        tables = [
            table.take(rng.permutation(len(table))) if mixed else table
            for table in (scores, fields, reps)
        ]
        found = assign(*tables, chosen, as_of_us=5, seed=1, previous=previous)
        return found.routes.sort_by("lead_id").to_pylist(), found.facts

    assert routed(mixed=True) == routed(mixed=False)


@CHECKS
@given(world=worlds(shares=False), least=st.integers(1, 5))
def test_minimum_share_when_it_can_be_kept_then_is_and_costs_least(world, least):
    problem = build(world)
    fitting = np.bincount(problem.profiles.of_lead) @ problem.profiles.can_take
    most = np.minimum(problem.reps.slots, fitting)
    wanted = np.where(np.arange(len(most)) == np.argmax(most), np.minimum(most, least), 0)
    bound = dataclasses.replace(problem, reps=dataclasses.replace(problem.reps, minimum=wanted))
    rep = solve(bound)
    assert (np.bincount(rep[rep >= 0], minlength=len(wanted)) >= wanted).all()
    assert bound.objective(rep) / UNIT == pytest.approx(optimum(bound), abs=1e-6)


def most_toward_shares(problem):
    """How many leads can count toward minimum shares at most, by a linear programme over all pairs."""
    can = problem.profiles.can_take[problem.profiles.of_lead].astype(float)
    n, r = can.shape
    lead, rep = np.divmod(np.arange(n * r), r)
    once = csr_array((np.ones(n * r), (lead, np.arange(n * r))), shape=(n, n * r))
    owed = csr_array((np.ones(n * r), (rep, np.arange(n * r))), shape=(r, n * r))
    room = np.minimum(problem.reps.minimum, problem.reps.slots)
    limits = [LinearConstraint(once, ub=1), LinearConstraint(owed, ub=room)]
    return round(-milp(-np.ones(n * r), bounds=Bounds(0, can.ravel()), constraints=limits).fun)


@CHECKS
@given(
    world=worlds(), wishes=st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]), min_size=5, max_size=5)
)
def test_minimum_shares_when_any_are_wished_for_then_as_many_are_met_as_can_be(world, wishes):
    leads, reps, chosen, previous = world
    shares = pa.array(wishes[: reps.num_rows], pa.float64())
    wished = reps.set_column(
        reps.schema.get_field_index("min_share"), REPS.field("min_share"), shares
    )
    asked = build((leads, wished, chosen, previous))
    problem, warnings = grant_shares(asked)
    rep = solve(problem)
    given_to = np.bincount(rep[rep >= 0], minlength=len(asked.reps.minimum))
    assert (given_to >= problem.reps.minimum).all()
    assert problem.reps.minimum.sum() == most_toward_shares(asked)
    assert (problem.reps.minimum <= asked.reps.minimum).all()
    assert bool(warnings) == bool((problem.reps.minimum < asked.reps.minimum).any())
    assert problem.objective(rep) / UNIT == pytest.approx(optimum(problem), abs=1e-6)
