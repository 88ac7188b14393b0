"""The reason, in words, why leads were given to nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.routing.problem import Problem
from leadscore.routing.profiles import Profiles
from leadscore.routing.reps import Reps
from leadscore.wording import counted


def describe_unassigned(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """The reason (n,) of the leads that `rep` (n,) gives to nobody, "" for all others."""
    reasons = np.full(len(rep), "", dtype=object)
    unassigned = np.flatnonzero(rep < 0)
    profile = problem.profiles.of_lead[unassigned]
    is_full = _find_full(problem, rep)[profile]

    outranked = unassigned[is_full]
    reasons[outranked] = _describe_outranked(problem, rep, outranked)

    # every other reason depends on the profile only
    others = profile[~is_full]
    by_profile = {}
    for at in np.unique(others):
        by_profile[at] = _describe_profile(problem, at)
    without_slots = unassigned[~is_full]
    reasons[without_slots] = [by_profile[at] for at in others]
    return reasons


def _find_full(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """Of which profiles (profiles,) leads have filled all the slots that there were."""
    slots = problem.reps.slots
    taken = problem.reps.count(rep)
    can_take = problem.profiles.can_take
    had_slots = (can_take & (slots > 0)).any(axis=1)
    has_slots = (can_take & (slots > taken)).any(axis=1)
    return np.asarray(had_slots & ~has_slots)


def _describe_outranked(
    problem: Problem,
    rep: np.ndarray,
    leads: np.ndarray,
) -> np.ndarray:
    """The reasons (k,) of leads whose slots went to others, equal ones as one object."""
    profiles = problem.profiles
    profile = profiles.of_lead[leads]
    capped = profiles.can_take & problem.reps.is_capped
    is_capped = capped.any(axis=1)[profile]
    better = _count_better(problem, rep, leads)
    ahead = "of higher value"
    if problem.tier_step:
        ahead = "of a better tier, or of higher value in the same tier,"
    who = _name_who_fits(problem)
    first, alike = _number_pairs(profile, better)
    reasons = []
    for place in first.tolist():
        why = "at capacity or at their max_share" if is_capped[place] else "at capacity"
        others = f"{counted(int(better[place]), 'lead')} {ahead}"
        if not better[place]:
            others = "leads of the same worth"
        reasons.append(f"{who[profile[place]]} {why}: {others} took the slots")
    return np.asarray(np.array(reasons, dtype=object)[alike])


def _number_pairs(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each distinct pair of counts first comes (pairs,), and which one each place (k,) has."""
    width = right.max(initial=0) + 1
    _, first, alike = np.unique(left * width + right, return_index=True, return_inverse=True)
    return first, alike


def _name_who_fits(problem: Problem) -> list[str]:
    """The reps who can take a lead of each profile, as "all 3 reps for country DE are"."""
    names = []
    has_slots = problem.reps.slots > 0
    for at, can_take in enumerate(problem.profiles.can_take):
        reps = int((can_take & has_slots).sum())
        asked = ", ".join(problem.profiles.list_asked(at))
        whom = f" for {asked}" if asked else ""
        names.append(f"the only rep{whom} is" if reps == 1 else f"all {reps} reps{whom} are")
    return names


def _count_better(problem: Problem, rep: np.ndarray, leads: np.ndarray) -> np.ndarray:
    """How many leads of higher worth were given to the reps who can take each of `leads` (k,)."""
    best_first = np.argsort(-problem.worth, kind="stable")
    assigned = best_first[rep[best_first] >= 0]
    falling = -problem.worth[assigned]
    worth_more = np.searchsorted(falling, -problem.worth[leads])

    # profiles that the same reps can take are counted together
    can_take = problem.profiles.can_take
    keys = [who.tobytes() for who in can_take]
    sets, _ = pd.factorize(np.array(keys, dtype=object))
    profile = problem.profiles.of_lead[leads]
    group = pd.Series(sets[profile])
    better = np.zeros(len(leads), dtype=np.int64)
    for rows in group.groupby(group).indices.values():
        who = can_take[profile[rows[0]]]
        who_has_it = who[rep[assigned]]
        count = np.append(0, np.cumsum(who_has_it))
        better[rows] = count[worth_more[rows]]
    return better


def _describe_profile(problem: Problem, profile: int) -> str:
    """Why no lead of a profile that has free slots, or never had any, was given to a rep."""
    reps = problem.reps
    can_take = problem.profiles.can_take[profile]
    if not len(can_take):
        return "there are no reps"
    if not can_take.any():
        return _describe_gap(problem.profiles, profile)
    if reps.away[can_take].all():
        return _describe_leave(reps, np.flatnonzero(can_take))
    if not reps.slots[can_take].any():
        others = " or on leave" if reps.away[can_take].any() else ""
        return f"all reps who fit are already at capacity{others}"
    return "only a fallback could take it, which costs more than the lead is worth"


def _describe_gap(profiles: Profiles, profile: int) -> str:
    """What no rep covers: one thing that the lead asks for, or all of it together."""
    for criterion, covers in profiles.covers.items():
        if not covers[profile].any():
            value = profiles.asked[criterion][profile]
            return f"no rep covers {profiles.fields[criterion]} {value}"
    return f"no rep covers all of {', '.join(profiles.list_asked(profile))}"


def _describe_leave(reps: Reps, who: np.ndarray) -> str:
    ends = [reps.leave_ends(rep) for rep in who.tolist()]
    known = [end for end in ends if end]
    first = f", the first until {min(known)}" if known else ""
    return f"all reps who fit are on leave{first}"
