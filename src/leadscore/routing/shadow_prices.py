"""What one more place is worth: the best chain of moves that it would set off, by team."""

from __future__ import annotations

import numpy as np

from leadscore.routing.problem import NOT, TEAM_MATE, UNIT, Problem, fill_steps

NEVER = -(2**60)


def compute_worth_of_place(problem: Problem, rep: np.ndarray) -> dict[str, float]:
    """For each team, by how much one more place of the rep where it brings most would raise the optimum.

    In average leads; `rep` (n,) is an optimal assignment. A new place is filled by a lead that nobody has, or by one of
    another rep, whose place is filled in turn or given up: the best such chain is the longest path of the residual flow
    over reps (Bellman 1958), which has no cycle that gains. Exact, and far cheaper than solving again for each team.
    The place is one in a full rep (no fairness), and comes on top of the largest share. Who is on leave gains none.
    """
    teams = sorted({team for team in problem.reps.team if team})
    if not len(problem.lead_id):
        return dict.fromkeys(teams, 0.0)
    gain = np.where(problem.reps.away, 0, np.maximum(_longest(problem, rep), 0))
    return {team: int(gain[problem.reps.team == team].max()) / UNIT for team in teams}


def _longest(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What the best chain that ends in each rep (r,) gains."""
    reps = problem.reps
    r = len(reps.rep_id)
    moves = _best_moves(problem, rep)
    taken = np.bincount(rep[rep >= 0], minlength=r)
    used = fill_steps(reps.steps, taken) > 0
    last = np.where(used.any(axis=1), reps.steps.shape[1] - 1 - np.argmax(used[:, ::-1], axis=1), 0)
    give_up = np.where(
        taken > reps.least, -problem.step_bonus[last], NEVER
    )  # a place that stays empty
    start = np.append(give_up, 0)  # the last node is nobody, whose leads are free
    reached = start
    while True:
        into = (reached[:, None] + moves).max(axis=0)
        better = np.maximum(start, into)
        if (better == reached).all():
            return np.asarray(into[:r])
        reached = better


def _best_moves(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What moving the best lead from a to b brings (r + 1, r + 1), the last being nobody; NEVER if none can move."""
    r = len(problem.reps.rep_id)
    here = np.where(rep < 0, r, rep)
    leave = problem.worth - problem.net(
        rep
    )  # to be added to what it brings elsewhere, but for its worth
    moves = np.full((r + 1, r + 1), NEVER)
    cost = np.where(
        problem.fit > NOT, np.where(problem.fit == TEAM_MATE, -problem.mate_costs, 0), NEVER
    )
    order = np.lexsort(
        (-leave, problem.profile, here)
    )  # one lead speaks for all of its profile with one rep
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(here[order]) != 0) | (np.diff(problem.profile[order]) != 0)
    speakers = order[first]
    for a, movable in zip(*_by_place(here[speakers], speakers), strict=True):
        moves[a, :r] = (leave[movable, None] + cost[problem.profile[movable]]).max(axis=0)
    at, to = problem.bonus_lead, problem.bonus_rep
    np.maximum.at(moves, (here[at], to), leave[at] + cost[problem.profile[at], to] + problem.bonus)
    np.maximum.at(moves[:, r], here[rep >= 0], -problem.net(rep)[rep >= 0])
    np.fill_diagonal(moves, NEVER)
    return np.asarray(np.maximum(moves, NEVER))


def _by_place(place: np.ndarray, leads: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The distinct places of a sorted `place` (k,), and the leads at each."""
    places, begin = np.unique(place, return_index=True)
    return places, np.split(leads, begin[1:])
