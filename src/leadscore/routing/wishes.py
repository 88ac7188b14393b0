"""What the list of reps asks for and this run cannot give: given as far as it goes, and put into words.

A wish that cannot be met must not keep everybody else from their leads.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from leadscore.errors import nearest
from leadscore.routing.flow import solve_flow
from leadscore.routing.problem import NOT, STEPS, UNIT, Problem, Reps
from leadscore.settings.routing import RoutingSettings
from leadscore.wording import counted

MOST_NAMED, MOST_LINES = 5, 12


def find_unmatched(fields: pa.Table, reps: pa.Table, settings: RoutingSettings) -> list[str]:
    """One warning for each list of the reps with values that no lead has: a new market, or a misspelling."""
    if not fields.num_rows:
        return []
    warnings = []
    for criterion, column in settings.match.columns().items():
        known = [value for value in fields[column].unique().to_pylist() if value is not None]
        lines = _lines_by_value(reps, criterion)
        unmatched = [
            _name_value(value, lines[value], known) for value in lines if value not in known
        ]
        if unmatched:
            warnings.append(
                f"list of reps: no lead has the {column} {_enumerate(unmatched)}; "
                f"fine if no such lead has come yet, else correct the reps' {criterion}"
            )
    return warnings


def _lines_by_value(reps: pa.Table, criterion: str) -> dict[str, list[int]]:
    """Value -> the lines of the list of reps that name it, in the order of the lines."""
    lines: dict[str, list[int]] = {}
    rows = reps.sort_by("line")
    for line, values in zip(rows["line"].to_pylist(), rows[criterion].to_pylist(), strict=True):
        for value in dict.fromkeys(values):
            lines.setdefault(value, []).append(line)
    return lines


def _name_value(value: str, lines: list[int], known: list[str]) -> str:
    where = (
        f"line {lines[0]}"
        if len(lines) == 1
        else f"lines {', '.join(map(str, lines[:MOST_NAMED]))}"
    )
    near = nearest(value, sorted(known))
    return f"{value!r} ({where}" + (f"; did you mean {near!r}?)" if near else ")")


def _enumerate(parts: list[str]) -> str:
    more = len(parts) - MOST_NAMED
    return ", ".join(parts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def grant_shares(problem: Problem) -> tuple[Problem, list[str]]:
    """The problem with minimum shares that can all be met, and a warning about those that had to be lowered.

    As many leads as possible go toward minimum shares; where reps compete for them, each gets about the same
    part of what it asks for.
    """
    wanted = problem.reps.least
    if not wanted.any():
        return problem, []
    granted = _meet_shares(problem)
    reps = replace(problem.reps, least=granted)
    lines = _find_short(problem, granted)
    if lines:
        lines = _find_too_large_sum(problem.reps) + lines
    return replace(problem, reps=reps), [f"list of reps: {line}" for line in lines]


def _find_too_large_sum(reps: Reps) -> list[str]:
    """One line if the minimum shares of those who are there ask for more than all leads."""
    shares = np.rint(reps.rows["min_share"].to_numpy() * UNIT).astype(np.int64)
    total = int(shares[~reps.away].sum())
    if total <= UNIT:
        return []
    return [f"minimum shares add up to {total / UNIT:.9g}; at most 1 can be met"]


def _find_short(problem: Problem, granted: np.ndarray) -> list[str]:
    """A line for each rep whose minimum share cannot be met, the first `MOST_LINES` of them."""
    short = np.flatnonzero(granted < problem.reps.least).tolist()
    fitting = np.bincount(problem.profile, minlength=len(problem.fit)) @ (problem.fit > NOT)
    lines = [_say_short(problem, j, granted[j], fitting[j]) for j in short[:MOST_LINES]]
    more = len(short) - MOST_LINES
    if more > 0:
        lines.append(
            counted(
                more,
                "more rep gets less than its min_share",
                "more reps get less than their min_share",
            )
        )
    return lines


def _meet_shares(problem: Problem) -> np.ndarray:
    """How many leads (r,) each rep can be granted toward its minimum share: a flow of most leads, then even.

    Nodes are the source, the profiles, the reps and the sink. A rep's last leads cost more than its first ones.
    """
    n, r = problem.fit.shape
    size = np.bincount(problem.profile, minlength=n)
    wanted = np.minimum(problem.reps.least, problem.reps.places)
    profile, rep = np.nonzero(problem.fit > NOT)
    source, first_rep, sink = 0, 1 + n, 1 + n + r
    edges = wanted[:, None] * np.arange(STEPS + 1) // STEPS
    steps = np.diff(edges, axis=1)
    from_rep = np.repeat(first_rep + np.arange(r), STEPS)
    arcs = [
        (np.full(n, source), 1 + np.arange(n), size, np.zeros(n)),
        (1 + profile, first_rep + rep, size[profile], np.zeros(len(profile))),
        (from_rep, np.full(r * STEPS, sink), steps.ravel(), np.tile(np.arange(STEPS), r)),
    ]
    supply = np.zeros(sink + 1)
    supply[[source, sink]] = wanted.sum(), -wanted.sum()
    flow = solve_flow(arcs, supply, what=f"the flow of minimum shares to {r} reps", partial=True)
    taken = flow[-r * STEPS :]
    return np.asarray(taken.reshape(r, STEPS).sum(axis=1), dtype=np.int64)


def _say_short(problem: Problem, rep: int, granted: int, fitting: int) -> str:
    """What one rep asks for and gets, and which limit bound."""
    reps = problem.reps
    places = int(reps.places[rep])
    if granted < min(places, fitting):
        why = "the minimum shares of other reps need the rest"
    elif fitting < places:
        why = f"only {counted(fitting, 'lead fits', 'leads fit')}"
    elif places < reps.capacity[rep] - reps.load[rep]:
        why = f"its max_share allows {places}"
    else:
        why = f"its capacity and load leave room for {places}"
    wanted = counted(int(reps.least[rep]), "lead")
    line = reps.rows["line"][rep].as_py()
    return f"{reps.rep_id[rep]!r} (line {line}) gets {granted} of the {wanted} that its min_share asks for: {why}"
