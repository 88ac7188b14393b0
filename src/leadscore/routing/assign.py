"""Who should call: assigns leads to reps so that the total worth is highest.

The total is the worth of the assigned leads, plus the bonuses of owners and of yesterday's reps,
plus fairness, less the costs of fallbacks, within slots and shares. The optimum is exact (a
minimum-cost flow in whole numbers; Goldberg 1997, "An efficient implementation of a scaling
minimum-cost flow algorithm", as OR-tools has it), and the same for any order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.routing.baselines import BASELINES
from leadscore.routing.leads import build_leads
from leadscore.routing.minimum_shares import grant_shares
from leadscore.routing.problem import Problem, build_problem
from leadscore.routing.reasons import describe_not_routed, describe_routes
from leadscore.routing.reps import UNIT
from leadscore.routing.shadow_prices import compute_shadow_prices
from leadscore.routing.solution import solve
from leadscore.routing.unmatched import find_unmatched
from leadscore.settings.routing import RoutingSettings

CODED = pa.dictionary(pa.int32(), pa.string())  # many leads share a text, which is there once
ROUTES = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("rep_id", CODED),
        pa.field("route_reason", CODED, nullable=False),
        pa.field("exploration_probability", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Routing:
    """The routes of a run, and what it came to.

    Attributes:
        routes: a row a lead, in the shape of `ROUTES` and the order of the scores.
        facts: as JSON. `leads` routed; `assigned`; `changed`, taken from the rep of last time;
            `explored`; `value` of the assigned leads, money where amounts are known, else wins;
            `average`, the value of a routed lead, which is the unit of the shadow prices;
            `worth_of_place`, the shadow price of a slot by team; `reps`, by rep_id given, load and
            capacity; `beside`, for ours and each baseline assigned, value and `whole`, the
            objective in average leads; `warnings`, what the list of reps asks for and cannot get.
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
        scores: lead_id, tier, win_probability and, where there are amounts, expected_value of the
            open leads.
        fields: lead_id, owner_id and the fields of `match`, of all leads, open or not.
        reps: in the shape of `REPS`.
        settings: the section `routing`.
        as_of_us: the moment, for leave and exploration.
        seed: of the settings, for exploration.
        previous: lead_id -> rep_id of the last run.
    """
    leads = build_leads(scores, fields, settings, seed=seed, as_of_us=as_of_us)
    unmatched = find_unmatched(fields, reps, settings)
    del scores, fields  # of a long list they take as much memory as what follows
    is_routed = leads["tier"].isin(settings.tiers) | leads["explored"]
    wanted = build_problem(
        leads[is_routed], reps, settings, previous=previous or {}, as_of_us=as_of_us
    )
    leads = leads[["lead_id", "tier", "explored"]]  # the problem has the rest
    problem, lowered = grant_shares(wanted)
    rep = solve(problem)

    of_problem = np.flatnonzero(is_routed)[problem.row]
    routes = _build_routes(leads, problem, rep, of_problem, explore_share=settings.explore_share)
    facts = _build_facts(problem, rep)
    facts["explored"] = int(leads["explored"].sum())
    facts["warnings"] = unmatched + lowered
    return Routing(routes, facts)


def _build_routes(
    leads: pd.DataFrame,
    problem: Problem,
    rep: np.ndarray,
    of_problem: np.ndarray,
    *,
    explore_share: float,
) -> pa.Table:
    """The routes of all leads, those included whose tier is not routed.

    Args:
        leads: all of them (n,).
        problem: of the routed ones (k,).
        rep: (k,) its solution.
        of_problem: (k,) their rows.
        explore_share: the probability of the explored ones.
    """
    rep_of_lead = np.full(len(leads), -1)
    rep_of_lead[of_problem] = rep
    reason = _describe_by_tier(leads["tier"])
    reason[of_problem] = describe_routes(problem, rep)
    explored = np.where(leads["explored"], explore_share, np.nan)
    columns = [
        pa.array(leads["lead_id"], pa.string()),
        _encode(rep_of_lead, problem.reps.rep_id),
        _encode(*pd.factorize(reason)),
        pa.array(explored, from_pandas=True),
    ]
    return pa.table(columns, schema=ROUTES)


def _describe_by_tier(tier: pd.Series[str]) -> np.ndarray:
    """The reason for each lead (n,) as if no tier were routed."""
    code, tiers = pd.factorize(tier)
    reasons = [describe_not_routed(name) for name in tiers]
    return np.array(reasons, dtype=object)[code]


def _encode(code: np.ndarray, texts: np.ndarray) -> pa.DictionaryArray:
    """Texts (n,) by their codes, null where that is -1."""
    codes = pa.array(code, pa.int32(), mask=code < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(texts, pa.string()))


def _build_facts(problem: Problem, rep: np.ndarray) -> dict[str, Any]:
    """What an assignment comes to, as JSON; see `Routing`."""
    is_given = rep >= 0
    had_rep = problem.previous >= 0
    is_changed = had_rep & (rep != problem.previous)
    compared = {"ours": _sum_up(problem, rep)}
    for name, baseline in BASELINES.items():
        compared[name] = _sum_up(problem, baseline(problem))
    value = problem.value[is_given].sum()
    average = float(problem.value.mean()) if len(rep) else 0.0
    return {
        "leads": len(rep),
        "assigned": int(is_given.sum()),
        "changed": int(is_changed.sum()),
        "value": float(value),
        "average": average,
        "worth_of_place": compute_shadow_prices(problem, rep),
        "reps": _count_by_rep(problem, rep),
        "beside": compared,
    }


def _count_by_rep(problem: Problem, rep: np.ndarray) -> dict[str, dict[str, int]]:
    reps = problem.reps
    given = reps.count(rep)
    return {
        rep_id: {
            "given": int(given[at]),
            "load": int(reps.load[at]),
            "capacity": int(reps.capacity[at]),
        }
        for at, rep_id in enumerate(reps.rep_id.tolist())
    }


def _sum_up(problem: Problem, rep: np.ndarray) -> dict[str, Any]:
    is_given = rep >= 0
    return {
        "assigned": int(is_given.sum()),
        "value": float(problem.value[is_given].sum()),
        "whole": problem.objective(rep) / UNIT,
    }
