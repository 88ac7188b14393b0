"""Shadow prices: what one more slot in each team is worth, with all moves that it sets off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.routing.problem import Problem
from leadscore.routing.reps import STEPS, UNIT

NEVER = -(2**60)  # the gain of a move that cannot be made


def compute_shadow_prices(problem: Problem, rep: np.ndarray) -> dict[str, float]:
    """For each team, by how many average leads one more slot would raise the optimum.

    It is the rep where the slot brings most. A new slot is filled by an unassigned lead, or by one
    of another rep, whose slot is filled in turn or stays empty. The best such chain is the longest
    path of the residual flow over reps (Bellman 1958, "On a routing problem"); no cycle of an
    optimum gains. That is exact, and far cheaper than solving again for each team.

    The slot is one in a full rep, without a fairness bonus, and comes on top of the maximum share.
    Reps on leave gain nothing.

    Args:
        problem: as solved.
        rep: (n,) an optimal assignment, -1 for nobody.
    """
    reps = problem.reps
    teams = sorted(set(reps.team) - {""})
    if len(problem.row) == 0:
        return dict.fromkeys(teams, 0.0)

    chain_gains = _compute_chain_gains(problem, rep)
    gain = np.maximum(problem.without_tiers(np.maximum(chain_gains, 0)), 0)
    gain[reps.away] = 0
    prices = {}
    for team in teams:
        is_member = reps.team == team
        best = gain[is_member].max()
        prices[team] = int(best) / UNIT
    return prices


def _compute_chain_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """The gain of the best chain that ends in one more lead for each rep (r,)."""
    moves = _compute_move_gains(problem, rep)
    release_gains = _compute_release_gains(problem, rep)
    unassigned = 0  # a chain may begin with a lead that nobody has
    start = np.append(release_gains, unassigned)
    best = start
    while True:
        after_moves = best[:, None] + moves
        after_a_move = after_moves.max(axis=0)
        better = np.maximum(start, after_a_move)
        if (better == best).all():
            return np.asarray(after_a_move[:-1])
        best = better


def _compute_release_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What it brings to leave a slot of each rep (r,) empty: the fairness bonus is lost."""
    reps = problem.reps
    taken = reps.count(rep)
    is_filled = reps.fill_steps(taken) > 0
    reversed_steps = is_filled[:, ::-1]
    from_the_last = np.argmax(reversed_steps, axis=1)
    last_filled = STEPS - 1 - from_the_last
    lost_bonus = problem.step_bonus[last_filled]
    above_minimum = taken > reps.minimum
    return np.where(above_minimum, -lost_bonus, NEVER)


def _compute_move_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What moving the best lead from row to column brings (r + 1, r + 1), where the last is nobody.

    `NEVER` where no lead can move.
    """
    nobody = len(problem.reps.rep_id)
    here = np.where(rep < 0, nobody, rep)
    net = problem.net_worth(rep)
    leave = problem.worth - net  # what moving brings before the costs and bonuses of where it goes
    fit_costs = _cost_of_fit(problem)

    moves = np.full((nobody + 1, nobody + 1), NEVER)
    moves[:, :nobody] = _compute_plain_gains(problem, here, leave, fit_costs)
    _raise_by_bonuses(moves, problem, here, leave, fit_costs)
    given = rep >= 0
    own_rep = rep[given]
    np.maximum.at(moves[:, nobody], own_rep, -net[given])

    np.fill_diagonal(moves, NEVER)
    return np.asarray(np.maximum(moves, NEVER))


def _cost_of_fit(problem: Problem) -> np.ndarray:
    """What a profile (p, r) costs a rep, as a gain: `NEVER` where the rep cannot take it."""
    is_fallback = problem.profiles.is_fallback
    costs = np.where(is_fallback, -problem.fallback_costs, 0)
    costs[~problem.profiles.can_take] = NEVER
    return costs


def _compute_plain_gains(
    problem: Problem,
    here: np.ndarray,
    leave: np.ndarray,
    fit_costs: np.ndarray,
) -> np.ndarray:
    """The gains (r + 1, r) of moves to reps, without the bonuses of pairs."""
    reps = fit_costs.shape[1]
    gains = np.full((reps + 1, reps), NEVER)
    leads = pd.DataFrame(
        {
            "here": here,
            "profile": problem.profiles.of_lead,
            "leave": leave,
        }
    )
    groups = leads.groupby(["here", "profile"], as_index=False)
    best = groups["leave"].max()
    for origin in np.unique(here):
        rows = best[best["here"] == origin]
        before_costs = rows["leave"].to_numpy()
        by_profile = before_costs[:, None] + fit_costs[rows["profile"]]
        gains[origin] = by_profile.max(axis=0)
    return gains


def _raise_by_bonuses(
    moves: np.ndarray,
    problem: Problem,
    here: np.ndarray,
    leave: np.ndarray,
    fit_costs: np.ndarray,
) -> None:
    """Raise the gains of moves of leads that have a bonus where they go."""
    bonuses = problem.bonuses
    profile = problem.profiles.of_lead[bonuses.lead]
    before_bonus = leave[bonuses.lead] + fit_costs[profile, bonuses.rep]
    gains = before_bonus + bonuses.amount
    origin = here[bonuses.lead]
    np.maximum.at(moves, (origin, bonuses.rep), gains)
