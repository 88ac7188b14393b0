"""The assignment of the highest total worth, exact, as a minimum-cost flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.routing.flow import Arcs, solve_flow
from leadscore.routing.problem import Bonuses, Problem


@dataclass(frozen=True)
class _Nodes:
    """The numbers of the nodes: leads come first, then profiles, then reps; the last is nobody."""

    leads: int
    profiles: int
    reps: int

    def profile(self, at: np.ndarray) -> np.ndarray:
        return self.leads + at

    def rep(self, at: np.ndarray) -> np.ndarray:
        return self.leads + self.profiles + at

    @property
    def nobody(self) -> int:
        return self.leads + self.profiles + self.reps


@dataclass(frozen=True)
class _Pairs:
    """The profiles that reps with free slots may be given, each (pairs,)."""

    profile: np.ndarray
    rep: np.ndarray


def solve(problem: Problem) -> np.ndarray:
    """The position of the rep of each lead (n,), -1 for none.

    The nodes are leads, profiles, reps and nobody. A lead reaches a rep through its profile or,
    where the pair has a bonus, by an arc of its own. The slots of a rep are arcs to nobody, one for
    each step of fullness. Minimum shares are the demand of the reps.

    Raises:
        LeadscoreError: the minimum shares cannot be met; `grant_shares` makes sure that they can.
    """
    leads = len(problem.row)
    if leads == 0:
        return np.zeros(0, dtype=np.int64)

    profiles = len(problem.profiles.fit)
    nodes = _Nodes(leads, profiles, len(problem.reps.rep_id))
    pairs = _find_pairs(problem)
    bonuses = _find_open_bonuses(problem)
    by_profile, by_pair, by_bonus, _, _ = solve_flow(
        [
            _arcs_to_profiles(problem, nodes),
            _arcs_from_profiles(problem, nodes, pairs),
            _arcs_with_bonus(problem, nodes, bonuses),
            _arcs_of_slots(problem, nodes),
            _arcs_to_nobody(nodes),
        ],
        _build_supply(problem, nodes),
        what=f"the flow of {leads} leads to {nodes.reps} reps",
    )

    rep = np.full(leads, -1)
    has_bonus = by_bonus > 0
    rep[bonuses.lead[has_bonus]] = bonuses.rep[has_bonus]
    through_profile = np.flatnonzero(by_profile > 0)
    rep[through_profile] = _deal(problem, through_profile, pairs, by_pair)
    return rep


def _build_supply(problem: Problem, nodes: _Nodes) -> np.ndarray:
    """What flows into each node: a lead brings one, a rep takes its minimum share."""
    minimum = problem.reps.minimum
    rest = minimum.sum() - nodes.leads
    of_leads = np.ones(nodes.leads)
    of_profiles = np.zeros(nodes.profiles)
    return np.concatenate([of_leads, of_profiles, -minimum, [rest]])


def _find_pairs(problem: Problem) -> _Pairs:
    has_slots = problem.reps.slots > 0
    profile, rep = np.nonzero(problem.profiles.can_take & has_slots)
    return _Pairs(profile, rep)


def _find_open_bonuses(problem: Problem) -> Bonuses:
    """The bonuses of reps who have free slots."""
    bonuses = problem.bonuses
    is_open = problem.reps.slots[bonuses.rep] > 0
    return Bonuses(
        lead=bonuses.lead[is_open],
        rep=bonuses.rep[is_open],
        amount=bonuses.amount[is_open],
    )


def _arcs_to_profiles(problem: Problem, nodes: _Nodes) -> Arcs:
    return Arcs(
        tail=np.arange(nodes.leads),
        head=nodes.profile(problem.profiles.of_lead),
        capacity=np.ones(nodes.leads),
        cost=-problem.worth,
    )


def _arcs_from_profiles(problem: Problem, nodes: _Nodes, pairs: _Pairs) -> Arcs:
    is_fallback = problem.profiles.is_fallback[pairs.profile, pairs.rep]
    slots = problem.reps.slots[pairs.rep]
    return Arcs(
        tail=nodes.profile(pairs.profile),
        head=nodes.rep(pairs.rep),
        capacity=np.minimum(slots, nodes.leads),
        cost=problem.fallback_costs * is_fallback,
    )


def _arcs_with_bonus(problem: Problem, nodes: _Nodes, bonuses: Bonuses) -> Arcs:
    is_fallback = problem.is_fallback(bonuses.lead, bonuses.rep)
    costs = problem.fallback_costs * is_fallback
    brings = problem.worth[bonuses.lead] + bonuses.amount
    return Arcs(
        tail=bonuses.lead,
        head=nodes.rep(bonuses.rep),
        capacity=np.ones(len(bonuses.lead)),
        cost=costs - brings,
    )


def _arcs_of_slots(problem: Problem, nodes: _Nodes) -> Arcs:
    """One arc for each step of a rep with slots beyond the minimum share, which must be filled."""
    reps = problem.reps
    free = reps.steps - reps.fill_steps(reps.minimum)
    rep, step = np.nonzero(free)
    return Arcs(
        tail=nodes.rep(rep),
        head=np.full(len(rep), nodes.nobody),
        capacity=np.minimum(free[rep, step], nodes.leads),
        cost=-problem.step_bonus[step],
    )


def _arcs_to_nobody(nodes: _Nodes) -> Arcs:
    return Arcs(
        tail=np.arange(nodes.leads),
        head=np.full(nodes.leads, nodes.nobody),
        capacity=np.ones(nodes.leads),
        cost=np.zeros(nodes.leads),
    )


def _deal(
    problem: Problem,
    leads: np.ndarray,
    pairs: _Pairs,
    count: np.ndarray,
) -> np.ndarray:
    """The rep of each of `leads` (k,) that came through a profile.

    The flow says only how many leads of a profile each rep is given. The reps of a profile take
    turns from its best lead down, so that none gets only the best: one with n leads takes its turns
    at 1/2n, 3/2n, ... of the way.
    """
    worth = problem.worth[leads]
    profile = problem.profiles.of_lead[leads]
    best_first = np.lexsort((leads, -worth, profile))

    pair = np.repeat(np.arange(len(count)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    rank = np.arange(len(pair)) - first
    turn = (rank + 0.5) / count[pair]
    rep_in_turn = pairs.rep[pair]
    profile_in_turn = pairs.profile[pair]
    in_turn = np.lexsort((rep_in_turn, turn, profile_in_turn))

    rep = np.empty(len(leads), dtype=np.int64)
    rep[best_first] = rep_in_turn[in_turn]
    return rep
