"""Why each lead went where it went, or nowhere, in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from leadscore.routing.problem import FITS, NOT, TEAM_MATE, Problem
from leadscore.times import format_us


def say_not_routed(tier: pd.Series[str]) -> pd.Series[str]:
    """The reason (n,) of leads whose tier is not given to reps."""
    return "tier " + tier + " is not given to reps"


def say_reasons(problem: Problem, rep: np.ndarray) -> np.ndarray:
    """One sentence for each lead (n,), where `rep` (n,) is what it was given, -1 for nobody."""
    reps, given = problem.reps, rep >= 0
    taken = np.bincount(rep[given], minlength=len(reps.rep_id))
    said = np.full(len(rep), "", dtype=object)
    fit = problem.fit[problem.profile, np.maximum(rep, 0)]
    many = ((problem.fit == FITS) & (reps.places > 0)).sum(axis=1)[problem.profile]
    kinds: list[tuple[np.ndarray, Callable[[int], str]]] = [
        (rep == problem.owner, lambda _: "owner"),
        (fit == TEAM_MATE, lambda i: _say_mate(problem, problem.profile[i], rep[i])),
        (
            many == 1,
            lambda i: (
                "only rep there who fits" + _say_asked(problem, problem.profile[i], before=": ")
            ),
        ),
        (rep == problem.previous, lambda _: "kept from last time: nobody else is worth the change"),
        (given, lambda i: "best fit" + _say_asked(problem, problem.profile[i], before=": ")),
    ]
    left = given.copy()
    load = [
        f"load {a + b} of {c}" + (f" a {period}" if period else "")
        for a, b, c, period in zip(
            reps.load, taken, reps.capacity, reps.rows["period"].to_pylist(), strict=True
        )
    ]
    for kind, say in kinds:
        for i in np.flatnonzero(left & kind).tolist():
            said[i] = f"{say(i)}; {load[rep[i]]}"
        left &= ~kind
    lost_owner = given & (problem.owner >= 0) & (rep != problem.owner)
    why = [_say_absence(problem, j, taken[j]) for j in range(len(reps.rep_id))]
    for i in np.flatnonzero(lost_owner).tolist():
        j = problem.owner[i]
        fits = problem.fit[problem.profile[i], j] > NOT
        said[i] += f"; its owner {reps.rep_id[j]} " + (why[j] if fits else "does not cover it")
    _say_nowhere(problem, rep, taken, said)
    return said


def _say_asked(problem: Problem, profile: int, *, before: str) -> str:
    asked = [
        f"{problem.called[name]} {words[profile]}"
        for name, words in problem.asked.items()
        if words[profile]
    ]
    return before + ", ".join(asked) if asked else ""


def _say_mate(problem: Problem, profile: int, rep: int) -> str:
    lacks = [
        f"{problem.called[name]} {problem.asked[name][profile]}"
        for name, who in problem.covers.items()
        if not who[profile, rep]
    ]
    team = problem.reps.team[rep]
    return (f"team {team} steps in" if team else "steps in") + f", without {', '.join(lacks)}"


def _say_absence(problem: Problem, rep: int, taken: int) -> str:
    """Why a rep who could take a lead did not."""
    reps = problem.reps
    if reps.away[rep]:
        return f"is on leave{_until(problem, rep)}"
    if taken < reps.places[rep]:
        return "could take it, but the whole is worth more so"
    return "has the largest share" if _is_capped(problem)[rep] else "is at capacity"


def _is_capped(problem: Problem) -> np.ndarray:
    """Whose places (r,) are fewer than capacity leaves, by the largest share."""
    reps = problem.reps
    return np.asarray((reps.places < reps.capacity - reps.load) & ~reps.away)


def _until(problem: Problem, rep: int) -> str:
    until = problem.reps.rows["away_until"].cast("int64")[int(rep)].as_py()
    return "" if until is None else f" until {format_us(until)[:10]}"


def _say_nowhere(problem: Problem, rep: np.ndarray, taken: np.ndarray, said: np.ndarray) -> None:
    """Fill in why leads were given to nobody; what depends on the profile only is said once."""
    nowhere = np.flatnonzero(rep < 0)
    can = problem.fit > NOT
    full = np.asarray(
        (can & (problem.reps.places > 0)).any(axis=1)
        & ~(can & (problem.reps.places > taken)).any(axis=1)
    )
    whole = {
        p: _say_profile(problem, p)
        for p in np.unique(problem.profile[nowhere]).tolist()
        if not full[p]
    }
    for i in nowhere[~full[problem.profile[nowhere]]]:
        said[i] = whole[problem.profile[i]]
    if len(crowded := nowhere[full[problem.profile[nowhere]]]):
        _say_crowded(problem, rep, crowded, said)


def _say_crowded(problem: Problem, rep: np.ndarray, crowded: np.ndarray, said: np.ndarray) -> None:
    """Fill in how many better leads took the places that these ones could have had."""
    can = problem.fit > NOT
    sets, member = np.unique(np.packbits(can, axis=1), axis=0, return_inverse=True)
    member = member.ravel()[problem.profile[crowded]]
    crowded = crowded[np.argsort(member, kind="stable")]
    groups, begin = np.unique(np.sort(member), return_index=True)
    placed = np.flatnonzero(rep >= 0)
    placed = placed[np.argsort(-problem.worth[placed], kind="stable")]
    above = np.searchsorted(
        -problem.worth[placed], -problem.worth
    )  # how many of those placed are worth more
    for group, leads in zip(groups, np.split(crowded, begin[1:]), strict=True):
        who = np.unpackbits(sets[group], count=can.shape[1]).astype(bool)
        better = np.append(0, np.cumsum(who[rep[placed]]))[above[leads]]
        full_by = (
            "at capacity or has the largest share"
            if (_is_capped(problem) & who).any()
            else "at capacity"
        )
        for i, n in zip(leads, better, strict=True):
            said[i] = f"everybody who fits is {full_by}: {n} better leads took the places"


def _say_profile(problem: Problem, profile: int) -> str:
    can = problem.fit[profile] > NOT
    reps = problem.reps
    if not can.any():
        for name, who in problem.covers.items():
            if not who[profile].any():
                return f"no rep covers {problem.called[name]} {problem.asked[name][profile]}"
        return "no rep covers" + _say_asked(problem, profile, before=" all of ")
    if reps.away[can].all():
        until = reps.rows["away_until"].cast("int64").to_pylist()
        back = [(until[j], j) for j in np.flatnonzero(can).tolist() if until[j] is not None]
        return "nobody is there: on leave" + (_until(problem, min(back)[1]) if back else "")
    if not (reps.places[can] > 0).any():
        return "everybody who fits is at capacity by the present load" + (
            "; the rest are on leave" if reps.away[can].any() else ""
        )
    return "worth less than it costs to give it to a team mate"
