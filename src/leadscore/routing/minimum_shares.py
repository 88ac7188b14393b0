"""Minimum shares, lowered to what can be met, so that they stop nobody else's leads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadscore.routing.flow import Arcs, solve_flow
from leadscore.routing.problem import Problem
from leadscore.routing.reps import STEPS, UNIT, Reps, to_units
from leadscore.wording import counted

MOST_LINES = 12


def grant_shares(problem: Problem) -> tuple[Problem, list[str]]:
    """The problem with minimum shares that can be met, and a warning for each lowered one.

    As many leads as possible go toward minimum shares; reps who compete for them each get about the
    same part of what they ask for.
    """
    if not problem.reps.minimum.any():
        return problem, []
    granted = _compute_granted(problem)
    lines = _describe_short(problem, granted)
    if lines:
        lines = _describe_sum(problem.reps) + lines
    reps = replace(problem.reps, minimum=granted)
    warnings = [f"list of reps: {line}" for line in lines]
    return replace(problem, reps=reps), warnings


def _compute_granted(problem: Problem) -> np.ndarray:
    """How many leads (r,) each rep can be granted: the flow that sends most leads, spread evenly.

    The nodes are the source, the profiles, the reps and the sink. The last leads of a rep's share
    cost more than its first ones.
    """
    reps = problem.reps
    profiles, r = problem.profiles.fit.shape
    source = 0
    first_profile = 1
    first_rep = first_profile + profiles
    sink = first_rep + r

    size = np.bincount(problem.profiles.of_lead, minlength=profiles)
    wanted = np.minimum(reps.minimum, reps.slots)
    profile, rep = np.nonzero(problem.profiles.can_take)
    from_source = Arcs(
        tail=np.full(profiles, source),
        head=first_profile + np.arange(profiles),
        capacity=size,
        cost=np.zeros(profiles),
    )
    to_reps = Arcs(
        tail=first_profile + profile,
        head=first_rep + rep,
        capacity=size[profile],
        cost=np.zeros(len(profile)),
    )
    to_sink = _arcs_to_sink(wanted, first_rep=first_rep, sink=sink)
    supply = np.zeros(sink + 1)
    supply[source] = wanted.sum()
    supply[sink] = -wanted.sum()
    what = f"the flow of minimum shares to {r} reps"
    *_, granted = solve_flow([from_source, to_reps, to_sink], supply, what=what, partial=True)
    by_step = granted.reshape(r, STEPS)
    granted_by_rep = by_step.sum(axis=1)
    return np.asarray(granted_by_rep, dtype=np.int64)


def _arcs_to_sink(wanted: np.ndarray, *, first_rep: int, sink: int) -> Arcs:
    """The arcs of what each rep (r,) wants, in `STEPS` steps of rising cost."""
    r = len(wanted)
    numbers = np.arange(STEPS + 1)
    edges = wanted[:, None] * numbers // STEPS
    steps = np.diff(edges, axis=1)
    return Arcs(
        tail=np.repeat(first_rep + np.arange(r), STEPS),
        head=np.full(r * STEPS, sink),
        capacity=steps.ravel(),
        cost=np.tile(np.arange(STEPS), r),
    )


def _describe_sum(reps: Reps) -> list[str]:
    """One line if the minimum shares of the reps who are not on leave add up to more than 1."""
    shares = to_units(reps.rows["min_share"])
    total = int(shares[~reps.away].sum())
    if total <= UNIT:
        return []
    return [f"minimum shares add up to {total / UNIT:.9g}; at most 1 can be met"]


def _describe_short(problem: Problem, granted: np.ndarray) -> list[str]:
    """A line for each rep whose minimum share cannot be met, or for the first `MOST_LINES`."""
    profiles = problem.profiles
    profiles_count = len(profiles.fit)
    size = np.bincount(profiles.of_lead, minlength=profiles_count)
    fitting = size @ profiles.can_take
    short = np.flatnonzero(granted < problem.reps.minimum).tolist()
    lines = []
    for rep in short[:MOST_LINES]:
        line = _describe_rep(problem.reps, rep, granted=granted[rep], fitting=fitting[rep])
        lines.append(line)

    more = len(short) - MOST_LINES
    if more > 0:
        one = "more rep gets less than its min_share"
        many = "more reps get less than their min_share"
        lines.append(counted(more, one, many))
    return lines


def _describe_rep(reps: Reps, rep: int, *, granted: int, fitting: int) -> str:
    """What a rep asks for and gets, and which limit binds."""
    slots = int(reps.slots[rep])
    if granted < min(slots, fitting):
        why = "the minimum shares of other reps need the rest"
    elif fitting < slots:
        why = f"only {counted(fitting, 'lead fits', 'leads fit')}"
    elif reps.is_capped[rep]:
        why = f"its max_share allows {slots}"
    else:
        why = f"its capacity and load leave room for {slots}"
    wanted = counted(int(reps.minimum[rep]), "lead")
    line = reps.rows["line"][rep].as_py()
    name = f"{reps.rep_id[rep]!r} (line {line})"
    return f"{name} gets {granted} of the {wanted} that its min_share asks for: {why}"
