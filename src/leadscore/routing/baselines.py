"""Simpler ways to assign leads, to compare ours with; none of them keeps the minimum shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leadscore.routing.problem import Problem
from leadscore.routing.profiles import FITS

NOBODY = -1
# (lead, reps who may take it and have a free slot, how many leads each rep was given) -> rep or
# NOBODY
Choose = Callable[[int, np.ndarray, np.ndarray], int]


def round_robin(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: each to the next rep in turn who fits."""
    reps = len(problem.reps.rep_id)
    turn = 0

    def choose(
        lead: int,  # noqa: ARG001
        fitting: np.ndarray,
        taken: np.ndarray,  # noqa: ARG001
    ) -> int:
        nonlocal turn
        waits = (fitting - turn) % reps
        chosen = int(fitting[np.argmin(waits)])
        turn = chosen + 1
        return chosen

    in_order = np.arange(len(problem.row))
    return _walk(
        problem,
        in_order,
        choose,
        may_take=problem.profiles.fit == FITS,
    )


def least_loaded(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: best first, each to the least full rep who fits."""
    reps = problem.reps

    def choose(
        lead: int,  # noqa: ARG001
        fitting: np.ndarray,
        taken: np.ndarray,
    ) -> int:
        load = reps.load[fitting] + taken[fitting]
        fullness = load / reps.capacity[fitting]
        return int(fitting[np.argmin(fullness)])

    return _walk(
        problem,
        _best_first(problem),
        choose,
        may_take=problem.profiles.fit == FITS,
    )


def greedy(problem: Problem) -> np.ndarray:
    """The rep of each lead (n,), -1 for none: best first, each to where it is worth most."""
    reps = problem.reps
    bonuses = problem.bonuses
    fullness = np.cumsum(reps.steps, axis=1)

    def choose(
        lead: int,
        fitting: np.ndarray,
        taken: np.ndarray,
    ) -> int:
        is_filled = fullness[fitting] <= taken[fitting, None]
        step = is_filled.sum(axis=1)
        is_fallback = problem.is_fallback(np.array(lead), fitting)
        net = problem.step_bonus[step] - problem.fallback_costs * is_fallback

        first, end = np.searchsorted(
            bonuses.lead, [lead, lead + 1]
        )  # they are in the order of leads
        bonus = np.zeros(len(reps.rep_id), dtype=np.int64)
        of_lead = slice(first, end)
        bonus[bonuses.rep[of_lead]] = bonuses.amount[of_lead]
        net += bonus[fitting]

        best = int(np.argmax(net))
        pays = problem.worth[lead] + net[best] >= 0
        return int(fitting[best]) if pays else NOBODY

    return _walk(
        problem,
        _best_first(problem),
        choose,
        may_take=problem.profiles.can_take,
    )


def _best_first(problem: Problem) -> np.ndarray:
    return np.argsort(-problem.worth, kind="stable")


def _walk(
    problem: Problem,
    order: np.ndarray,
    choose: Choose,
    *,
    may_take: np.ndarray,
) -> np.ndarray:
    """Assign the leads one by one, in that order, while there are free slots.

    Args:
        problem: leads and reps.
        order: (n,) positions of the leads.
        choose: picks the rep of a lead.
        may_take: (profiles, r) who may be chosen.
    """
    slots = problem.reps.slots
    rep = np.full(len(problem.row), NOBODY)
    taken = np.zeros(len(slots), dtype=np.int64)
    free = int(slots.sum())
    profiles = problem.profiles.of_lead
    fitting_by_profile: dict[int, np.ndarray] = {}  # until a rep is full
    for lead in map(int, order):  # a list of them all would be long, and the slots are soon filled
        if free == 0:
            break
        profile = int(profiles[lead])
        if profile not in fitting_by_profile:
            fitting_by_profile[profile] = np.flatnonzero(may_take[profile] & (taken < slots))
        fitting = fitting_by_profile[profile]
        if len(fitting) == 0:
            continue
        chosen = choose(lead, fitting, taken)
        if chosen == NOBODY:
            continue
        rep[lead] = chosen
        taken[chosen] += 1
        free -= 1
        if taken[chosen] == slots[chosen]:
            fitting_by_profile.clear()
    return rep


BASELINES: dict[str, Callable[[Problem], np.ndarray]] = {
    "round_robin": round_robin,
    "least_loaded": least_loaded,
    "greedy": greedy,
}
