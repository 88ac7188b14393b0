"""Simpler ways to give leads to reps, to be printed beside ours; none of them keeps the minimum shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leadscore.routing.problem import FITS, NOT, TEAM_MATE, Problem

Choose = Callable[
    [np.ndarray, np.ndarray], int
]  # (reps who fit and have a place, how many each was given) -> rep


def round_robin(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: leads as they come, each to the next rep in turn who fits."""
    turn, r = 0, len(problem.reps.rep_id)

    def choose(fitting: np.ndarray, taken: np.ndarray) -> int:  # noqa: ARG001
        nonlocal turn
        chosen = int(fitting[np.argmin((fitting - turn) % r)])
        turn = chosen + 1
        return chosen

    return _walk(problem, np.arange(len(problem.lead_id)), choose)


def least_loaded(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: the best first, each to the rep who fits and is the least full."""
    load, capacity = problem.reps.load, problem.reps.capacity

    def choose(fitting: np.ndarray, taken: np.ndarray) -> int:
        return int(fitting[np.argmin((load[fitting] + taken[fitting]) / capacity[fitting])])

    return _walk(problem, _best_first(problem), choose)


def greedy(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: the best first, each to where it brings most by our own measure."""
    found = np.full(len(problem.lead_id), -1)
    filled = np.cumsum(problem.reps.steps, axis=1)
    taken = np.zeros(len(problem.reps.rep_id), dtype=np.int64)
    extra: dict[int, list[tuple[int, int]]] = {}
    for lead, rep, bonus in zip(
        problem.bonus_lead.tolist(), problem.bonus_rep.tolist(), problem.bonus.tolist(), strict=True
    ):
        extra.setdefault(lead, []).append((rep, bonus))
    for lead in _best_first(problem).tolist():
        if not (taken < problem.reps.places).any():
            break
        fit = problem.fit[problem.profile[lead]]
        fitting = np.flatnonzero((fit > NOT) & (taken < problem.reps.places))
        if not len(fitting):
            continue
        step = (filled[fitting] <= taken[fitting, None]).sum(axis=1)
        net = problem.step_bonus[step] - problem.mate_costs * (fit[fitting] == TEAM_MATE)
        for rep, bonus in extra.get(lead, []):
            net[fitting == rep] += bonus
        best = int(np.argmax(net))
        if problem.worth[lead] + net[best] >= 0:
            found[lead] = fitting[best]
            taken[fitting[best]] += 1
    return found


def _best_first(problem: Problem) -> np.ndarray:
    return np.lexsort((np.arange(len(problem.worth)), -problem.worth))


def _walk(problem: Problem, order: np.ndarray, choose: Choose) -> np.ndarray:
    """Give leads one by one to the chosen of those who fit, while there are places."""
    found = np.full(len(problem.lead_id), -1)
    taken = np.zeros(len(problem.reps.rep_id), dtype=np.int64)
    fits = problem.fit == FITS
    left = int(problem.reps.places.sum())
    for lead in order.tolist():
        if left == 0:
            break
        fitting = np.flatnonzero(fits[problem.profile[lead]] & (taken < problem.reps.places))
        if len(fitting):
            found[lead] = choose(fitting, taken)
            taken[found[lead]] += 1
            left -= 1
    return found


BASELINES: dict[str, Callable[[Problem], np.ndarray]] = {
    "round_robin": round_robin,
    "least_loaded": least_loaded,
    "greedy": greedy,
}
