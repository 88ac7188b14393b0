"""The records that figures are drawn from: which can be drawn, and how they read in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from leadscore.report.figures.canvas import MISSING, percent
from leadscore.results import Interval, Result

Records = Sequence[Mapping[str, Any]]  # numbers or None, and perhaps a name

LARGEST = 1e12  # beyond it nothing is a share, a weight or a number of days


def as_records(results: Sequence[Result]) -> Records:
    """The results as a table: a row a result, a column a field."""
    return [dict(result) for result in results]


def usable(records: Records, *names: str) -> list[dict[str, float]]:
    """Those columns of the records in which all of them can be drawn: known, finite, at least 0.

    >>> usable([{"a": 1.0, "b": None}, {"a": 2.0, "b": 3.0}], "a", "b")
    [{'a': 2.0, 'b': 3.0}]
    """
    rows = []
    for record in records:
        row = {name: record.get(name) for name in names}
        cells = row.items()
        drawable = {name: value for name, value in cells if is_drawable(value)}
        if len(drawable) == len(names):
            rows.append(drawable)
    return rows


def is_drawable(value: float | None) -> TypeGuard[float]:
    """Whether a value is known, finite and at least 0."""
    return value is not None and 0 <= value <= LARGEST


def column(rows: Sequence[Mapping[str, float]], name: str) -> list[float]:
    """The values of one column."""
    return [row[name] for row in rows]


def describe_interval(name: str, interval: Interval | None) -> str:
    """A number with its interval, as far as they are known.

    >>> describe_interval("AUC", Interval(value=0.784, low=0.751, high=0.812))
    'AUC 0.78 (0.75 to 0.81)'
    """
    if interval is None or interval.value is None:
        return f"{name} not known"
    if interval.low is None or interval.high is None:
        return f"{name} {interval.value:.2f}"
    return f"{name} {interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def describe_rows(rows: Sequence[Mapping[str, float]], sentence: str) -> str:
    """A sentence for every row, its shares in percent, for screen readers.

    >>> describe_rows([{"share": 0.1}, {"share": 0.3}], "first {share}")
    'first 10%; first 30%'
    """
    sentences = []
    for row in rows:
        shares = {name: percent(value) for name, value in row.items()}
        sentences.append(sentence.format(**shares))
    return "; ".join(sentences) or MISSING
