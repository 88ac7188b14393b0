"""Values in the list of reps that no lead has: a new market, or a misspelling."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from leadscore.settings.routing import RoutingSettings
from leadscore.wording import nearest

MOST_NAMED = 5


def find_unmatched(
    fields: pa.Table,
    reps: pa.Table,
    settings: RoutingSettings,
) -> list[str]:
    """One warning for each criterion with values that no lead has; none without leads.

    Args:
        fields: the fields of `match`, of all leads, open or not.
        reps: in the shape of `REPS`.
        settings: the section `routing`.
    """
    if not fields.num_rows:
        return []
    warnings = []
    for criterion, column in settings.match.columns().items():
        known = fields[column].drop_null().unique().to_pylist()
        lines = _lines_by_value(reps, criterion)
        unmatched = [value for value in lines if value not in known]
        if not unmatched:
            continue
        names = [_name_value(value, lines[value], known) for value in unmatched]
        warnings.append(
            f"list of reps: no lead has the {column} {_enumerate(names)}; "
            f"fine if no such lead has come yet, else correct the reps' {criterion}"
        )
    return warnings


def _lines_by_value(reps: pa.Table, criterion: str) -> dict[str, list[int]]:
    """Value -> the lines of the list of reps that name it, in the order of the lines."""
    lines: dict[str, list[int]] = {}
    rows = reps.sort_by("line")
    for line, values in zip(
        rows["line"].to_pylist(),
        rows[criterion].to_pylist(),
        strict=True,
    ):
        for value in dict.fromkeys(values):
            lines.setdefault(value, []).append(line)
    return lines


def _name_value(
    value: str,
    lines: Sequence[int],
    known: Sequence[str],
) -> str:
    """A value as "'Retali' (line 2; did you mean 'Retail'?)", with the most similar known one."""
    noun = "line" if len(lines) == 1 else "lines"
    numbers = ", ".join(map(str, lines[:MOST_NAMED]))
    near = nearest(value, sorted(known))
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{value!r} ({noun} {numbers}{hint})"


def _enumerate(parts: Sequence[str]) -> str:
    words = ", ".join(parts[:MOST_NAMED])
    more = len(parts) - MOST_NAMED
    return f"{words} and {more} more" if more > 0 else words
