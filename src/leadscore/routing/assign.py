"""Who should call: gives leads to reps so that the whole is worth most, by a flow of least cost.

Maximised, over all ways to give each lead to one rep or none within places and shares: the worth of the leads that
are given, plus the bonus of owners and of yesterday's reps, plus fairness, less the costs of team mates. The optimum is
exact (Goldberg 1997, as OR-tools solves it), and the same for any order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.routing.baselines import BASELINES
from leadscore.routing.explore import draw_explored
from leadscore.routing.flow import solve_flow
from leadscore.routing.problem import NOT, TEAM_MATE, UNIT, Problem, build_problem, fill_steps
from leadscore.routing.reasons import say_not_routed, say_reasons
from leadscore.routing.shadow_prices import compute_worth_of_place
from leadscore.routing.wishes import find_unmatched, grant_shares
from leadscore.settings.routing import RoutingSettings

ROUTES = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("rep_id", pa.string()),
        pa.field("route_reason", pa.string(), nullable=False),
        pa.field("exploration_probability", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Routing:
    """`routes`, a row a lead in the shape of `ROUTES` and the order asked for, and the run's `facts` as JSON.

    Facts: `leads` routed, `assigned`, `changed` (taken from the rep of last time), `explored`, `value` (of the
    leads that are given; money where amounts are known, else wins), `average` (what a routed lead is worth, the unit of
    `worth_of_place`: by team, what one more place is worth), `reps` (by rep_id: given, load, capacity), and `beside`:
    for our way and simpler ones, assigned, value and `whole`, which is what we maximise, in average leads.
    `warnings`: what the list of reps asks for and cannot get, in words.
    """

    routes: pa.Table
    facts: dict[str, Any]


def assign(
    scores: pa.Table,
    fields: pa.Table,
    reps: pa.Table,
    settings: RoutingSettings,
    *,
    as_of_us: int,
    seed: int,
    previous: Mapping[str, str] | None = None,
) -> Routing:
    """Which rep takes each lead, and why.

    Args:
        scores: lead_id, tier, win_probability and, where there are amounts, expected_value of the open leads.
        fields: lead_id, owner_id and the fields of `match`, of all leads, open or not.
        reps: in the shape of `REPS`.
        settings: the section `routing`.
        as_of_us: the moment, for leave and exploration.
        seed: of the settings, for exploration.
        previous: lead_id -> rep_id of the last run.
    """
    leads = _build_leads(scores, fields, settings, seed=seed, as_of_us=as_of_us)
    routed = leads["tier"].isin(settings.tiers) | leads["explored"]
    asked = build_problem(leads[routed], reps, settings, previous=previous or {}, as_of_us=as_of_us)
    problem, lowered = grant_shares(asked)
    rep = solve(problem)
    found = pd.DataFrame(
        {"lead_id": problem.lead_id, "at": rep, "route_reason": say_reasons(problem, rep)}
    )
    leads = leads.merge(found, on="lead_id", how="left", validate="one_to_one")
    names = np.array([*problem.reps.rep_id, None], dtype=object)
    routes = {
        "lead_id": leads["lead_id"],
        "rep_id": names[leads["at"].fillna(-1).to_numpy(dtype=np.int64)],
        "route_reason": leads["route_reason"].where(
            leads["route_reason"].notna(), say_not_routed(leads["tier"])
        ),
        "exploration_probability": leads["explored"].map(
            {True: settings.explore_share, False: None}
        ),
    }
    facts = _build_facts(problem, rep) | {
        "explored": int(leads["explored"].sum()),
        "warnings": [*find_unmatched(fields, reps, settings), *lowered],
    }
    arrays = [pa.array(routes[each.name], type=each.type, from_pandas=True) for each in ROUTES]
    return Routing(pa.table(arrays, schema=ROUTES), facts)


def _build_leads(
    scores: pa.Table, fields: pa.Table, settings: RoutingSettings, *, seed: int, as_of_us: int
) -> pd.DataFrame:
    """A row a scored lead: its value, what it counts for, whether it is explored, and its fields.

    A lead without an expected value has that of its probability times the mean amount of the others; without any
    amount the value is the probability. An explored lead counts for the median lead of the best tier, if that is more.
    """
    columns = list(dict.fromkeys(["lead_id", "owner_id", *settings.match.columns().values()]))
    frame = scores.select(
        [
            n
            for n in ("lead_id", "tier", "win_probability", "expected_value")
            if n in scores.column_names
        ]
    )
    leads: pd.DataFrame = frame.to_pandas().merge(
        fields.select(columns).to_pandas(), on="lead_id", how="left", validate="one_to_one"
    )
    leads["value"] = leads["win_probability"]
    if "expected_value" in leads and (known := leads["expected_value"].notna()).any():
        chance = leads.loc[known, "win_probability"].sum()
        mean = leads.loc[known, "expected_value"].sum() / chance if chance else 0.0
        leads["value"] = (
            leads["expected_value"].where(known, leads["win_probability"] * mean).astype(np.float64)
        )
    low = ~leads["tier"].isin(settings.tiers)
    drawn = draw_explored(
        leads["lead_id"], share=settings.explore_share, seed=seed, as_of_us=as_of_us
    )
    leads["explored"] = low & drawn
    best = leads.loc[leads["tier"] == min(settings.tiers), "value"].median()
    leads["counts_for"] = leads["value"].mask(leads["explored"] & (leads["value"] < best), best)
    return leads


def solve(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none.

    Nodes are leads, profiles, reps and nobody; a lead reaches a rep by its profile or, where the pair has a bonus, by
    an arc of its own. Places are arcs from the rep on, one a step of fullness; minimum shares are the rep's demand.

    Raises:
        LeadscoreError: the minimum shares cannot be met; `grant_shares` makes them so.
    """
    reps, n, profiles = problem.reps, len(problem.lead_id), len(problem.fit)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    first_rep, nobody = n + profiles, n + profiles + len(reps.rep_id)
    leads, open_ = np.arange(n), reps.places > 0
    to_profile, to_rep = np.nonzero((problem.fit > NOT) & open_)
    mates = problem.fit[to_profile, to_rep] == TEAM_MATE
    own = open_[problem.bonus_rep]
    lead, rep, bonus = problem.bonus_lead[own], problem.bonus_rep[own], problem.bonus[own]
    own_mates = problem.fit[problem.profile[lead], rep] == TEAM_MATE
    free = reps.steps - fill_steps(reps.steps, reps.least)
    at, step = np.nonzero(free)
    arcs = [
        (leads, n + problem.profile, np.ones(n), -problem.worth),
        (
            n + to_profile,
            first_rep + to_rep,
            np.minimum(reps.places[to_rep], n),
            problem.mate_costs * mates,
        ),
        (
            lead,
            first_rep + rep,
            np.ones(len(lead)),
            problem.mate_costs * own_mates - problem.worth[lead] - bonus,
        ),
        (
            first_rep + at,
            np.full(len(at), nobody),
            np.minimum(free[at, step], n),
            -problem.step_bonus[step],
        ),
        (leads, np.full(n, nobody), np.ones(n), np.zeros(n)),
    ]
    supply = np.concatenate([np.ones(n), np.zeros(profiles), -reps.least, [reps.least.sum() - n]])
    taken = solve_flow(arcs, supply, what=f"the flow of {n} leads to {len(reps.rep_id)} reps")
    begin = n + len(to_profile)
    found = np.full(n, -1)
    held = taken[begin : begin + len(lead)] > 0
    found[lead[held]] = rep[held]
    _deal(
        problem,
        found,
        by_profile=np.flatnonzero(taken[:n] > 0),
        pairs=(to_profile, to_rep, taken[n:begin]),
    )
    return found


def _deal(
    problem: Problem,
    found: np.ndarray,
    *,
    by_profile: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Name the leads that the flow gave a rep by profile only: the best are spread evenly over the reps."""
    profile, rep, count = pairs
    leads = by_profile[
        np.lexsort((by_profile, -problem.worth[by_profile], problem.profile[by_profile]))
    ]
    owner = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    turn = np.lexsort((rep[owner], (rank + 0.5) / count[owner], profile[owner]))
    found[leads] = rep[owner[turn]]


def _build_facts(problem: Problem, rep: np.ndarray) -> dict[str, Any]:
    reps, given = problem.reps, rep >= 0
    count = np.bincount(rep[given], minlength=len(reps.rep_id))
    before = problem.previous >= 0
    beside = {"ours": rep} | {name: baseline(problem) for name, baseline in BASELINES.items()}
    return {
        "leads": len(rep),
        "assigned": int(given.sum()),
        "changed": int((before & (rep != problem.previous)).sum()),
        "value": float(problem.value[given].sum()),
        "average": float(problem.value.mean()) if len(rep) else 0.0,
        "worth_of_place": compute_worth_of_place(problem, rep),
        "reps": {
            name: {"given": n, "load": load, "capacity": capacity}
            for name, n, load, capacity in zip(
                reps.rep_id.tolist(),
                count.tolist(),
                reps.load.tolist(),
                reps.capacity.tolist(),
                strict=True,
            )
        },
        "beside": {
            name: {
                "assigned": int((way >= 0).sum()),
                "value": float(problem.value[way >= 0].sum()),
                "whole": problem.objective(way) / UNIT,
            }
            for name, way in beside.items()
        },
    }
