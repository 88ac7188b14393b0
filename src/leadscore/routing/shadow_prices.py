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
    if len(problem.lead_id) == 0:
        return dict.fromkeys(teams, 0.0)

    gain = np.maximum(_compute_chain_gains(problem, rep), 0)
    gain[reps.away] = 0
    prices = {}
    for team in teams:
        best = gain[reps.team == team].max()
        prices[team] = int(best) / UNIT
    return prices


def _compute_chain_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """The gain of the best chain that ends in one more lead for each rep (r,)."""
    moves = _compute_move_gains(problem, rep)
    unassigned = 0  # a chain may begin with a lead that nobody has
    start = np.append(_compute_release_gains(problem, rep), unassigned)
    best = start
    while True:
        after_a_move = (best[:, None] + moves).max(axis=0)
        better = np.maximum(start, after_a_move)
        if (better == best).all():
            return np.asarray(after_a_move[:-1])
        best = better


def _compute_release_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What it brings to leave a slot of each rep (r,) empty: the fairness bonus is lost."""
    reps = problem.reps
    taken = reps.count(rep)
    is_filled = reps.fill_steps(taken) > 0
    last_filled = STEPS - 1 - np.argmax(is_filled[:, ::-1], axis=1)
    above_minimum = taken > reps.minimum
    return np.where(above_minimum, -problem.step_bonus[last_filled], NEVER)


def _compute_move_gains(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """What moving the best lead from row to column brings (r + 1, r + 1), where the last is nobody.

    `NEVER` where no lead can move.
    """
    nobody = len(problem.reps.rep_id)
    of_lead = problem.profiles.of_lead
    fit_costs = np.where(problem.profiles.is_fallback, -problem.fallback_costs, 0)
    fit_costs[~problem.profiles.can_take] = NEVER

    here = np.where(rep < 0, nobody, rep)
    net = problem.net_worth(rep)
    leave = problem.worth - net  # what moving brings before the costs and bonuses of where it goes
    moves = np.full((nobody + 1, nobody + 1), NEVER)

    leads = pd.DataFrame({"here": here, "profile": of_lead, "leave": leave})
    best = leads.groupby(["here", "profile"], as_index=False)["leave"].max()
    for origin in np.unique(here):
        rows = best[best["here"] == origin]
        before_costs = rows["leave"].to_numpy()
        gains = before_costs[:, None] + fit_costs[rows["profile"]]
        moves[origin, :nobody] = gains.max(axis=0)

    lead = problem.bonuses.lead
    to = problem.bonuses.rep
    gains = leave[lead] + fit_costs[of_lead[lead], to] + problem.bonuses.amount
    np.maximum.at(moves, (here[lead], to), gains)

    given = rep >= 0
    np.maximum.at(moves[:, nobody], rep[given], -net[given])
    np.fill_diagonal(moves, NEVER)
    return np.asarray(np.maximum(moves, NEVER))
