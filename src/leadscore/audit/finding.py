"""What a check found in a field, and the verdicts that it can lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "suspect", "leak"]
WORST: tuple[Verdict, ...] = ("leak", "suspect", "ok")


@dataclass(frozen=True)
class Finding:
    """A check that spoke.

    `evidence` is a line for a salesperson, `numbers` are what it rests on, as JSON. Neither names a value but a
    placeholder, for a value may be somebody's name.
    """

    check: str
    verdict: Verdict
    evidence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def worst_first(findings: Iterable[Finding | None]) -> list[Finding]:
    """The checks that spoke, leaks first, else in their order."""
    return sorted((each for each in findings if each), key=lambda each: WORST.index(each.verdict))


def worst(findings: Iterable[Finding | None]) -> Finding | None:
    """The first of the worst findings, or None if no check spoke."""
    return next(iter(worst_first(findings)), None)


def share(part: float) -> str:
    """A share as a person reads it; never 0 % or 100 % where that is not so.

    >>> share(0.5), share(0.9996), share(0.0004), share(1.0), share(0.024)
    ('50 %', '99.9 %', '0.1 %', '100 %', '2.4 %')
    """
    if min(part, 1 - part) < 1e-9:
        return f"{part * 100:.0f} %"
    percent = min(max(part * 100, 0.1), 99.9)
    return f"{percent:.0f} %" if 10 <= percent < 99 else f"{percent:.1f} %"
