"""The reason, in words, why each lead was given to its rep."""

from __future__ import annotations

import numpy as np

from leadscore.routing.problem import Problem
from leadscore.routing.profiles import FALLBACK, FITS, NO_FIT, Profiles
from leadscore.routing.reps import Reps
from leadscore.routing.unassigned import describe_unassigned


def describe_not_routed(tier: str) -> str:
    """The reason of leads whose tier is not routed."""
    return f"tier {tier} is not routed"


def describe_routes(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """The reason (n,) of each lead, where `rep` (n,) is the solution, -1 for nobody."""
    profiles = problem.profiles
    taken = problem.reps.count(rep)
    load = _describe_load(problem.reps, taken)
    absence = []
    for at, n in enumerate(taken):
        absence.append(_describe_absence(problem.reps, at, n))
    has_one_rep = _has_one_rep(problem)

    reasons = describe_unassigned(problem, rep)
    for lead in np.flatnonzero(rep >= 0).tolist():
        profile = profiles.of_lead[lead]
        choice = _describe_choice(
            problem,
            lead,
            rep[lead],
            has_one_rep=has_one_rep[profile],
        )
        reason = f"{choice}; {load[rep[lead]]}"
        owner = problem.owner[lead]
        if owner not in (-1, rep[lead]):
            can_take = profiles.fit[profile, owner] != NO_FIT
            why = absence[owner] if can_take else "does not cover it"
            reason += f"; its owner {problem.reps.rep_id[owner]} {why}"
        reasons[lead] = reason
    return reasons


def _describe_load(reps: Reps, taken: np.ndarray) -> list[str]:
    """How full each rep is with this run's leads, as "12 of 40 slots a week taken"."""
    total = reps.load + taken
    texts = [
        f"{n} of {most} slots"
        for n, most in zip(
            total,
            reps.capacity,
            strict=True,
        )
    ]
    periods = reps.rows["period"].to_pylist()
    return [
        f"{text} a {period} taken" if period else f"{text} taken"
        for text, period in zip(texts, periods, strict=True)
    ]


def _has_one_rep(problem: Problem) -> np.ndarray:
    """Whether just one rep with free slots fits each profile (profiles,)."""
    is_available = problem.reps.slots > 0
    available = (problem.profiles.fit == FITS) & is_available
    return np.asarray(available.sum(axis=1) == 1)


def _describe_choice(
    problem: Problem,
    lead: int,
    rep: int,
    *,
    has_one_rep: bool,
) -> str:
    profiles = problem.profiles
    profile = profiles.of_lead[lead]
    if rep == problem.owner[lead]:
        return "already owns the lead"
    if profiles.fit[profile, rep] == FALLBACK:
        return _describe_fallback(
            profiles,
            profile,
            rep,
            team=problem.reps.team[rep],
        )
    if has_one_rep:
        return "only available rep who fits" + _describe_asked(profiles, profile)
    if rep == problem.previous[lead]:
        return "same rep as last time: a change is not worth its cost"
    return "best fit" + _describe_asked(profiles, profile)


def _describe_asked(profiles: Profiles, profile: int) -> str:
    asked = profiles.list_asked(profile)
    return f": {', '.join(asked)}" if asked else ""


def _describe_fallback(
    profiles: Profiles,
    profile: int,
    rep: int,
    *,
    team: str,
) -> str:
    missing = ", ".join(profiles.list_missing(profile, rep))
    who = f"fallback in team {team}" if team else "fallback"
    return f"{who}: does not cover {missing}"


def _describe_absence(
    reps: Reps,
    rep: int,
    taken: int,
) -> str:
    """Why an owner who could take a lead did not."""
    if reps.away[rep]:
        end = reps.leave_ends(rep)
        return f"is on leave until {end}" if end else "is on leave"
    if taken < reps.slots[rep]:
        return "had capacity, but another assignment has a higher total value"
    return "has reached its max_share" if reps.is_capped[rep] else "is at capacity"
