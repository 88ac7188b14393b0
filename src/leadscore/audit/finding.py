"""What a check found in a field, and the verdicts that it can lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "suspect", "leak"]
WORST: tuple[Verdict, ...] = ("leak", "suspect", "ok")


@dataclass(frozen=True)
class Finding:
    """What a check found in a field.

    Attributes:
        check: its name, as in docs/audit.md.
        verdict: how bad it is.
        evidence: a line for a salesperson.
        numbers: what the evidence rests on, as JSON. Like the evidence it names no value but a
            placeholder, since a value may be somebody's name.
    """

    check: str
    verdict: Verdict
    evidence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def worst_first(findings: Iterable[Finding | None]) -> list[Finding]:
    """The findings, leaks first, else in their order; without the checks that found nothing."""
    made = [finding for finding in findings if finding]
    made.sort(key=lambda finding: WORST.index(finding.verdict))
    return made


def worst(findings: Iterable[Finding | None]) -> Finding | None:
    """The first of the worst findings, or None if no check found anything."""
    ordered = worst_first(findings)
    return ordered[0] if ordered else None


def share(part: float) -> str:
    """A share as a person reads it; never 0% or 100% where that is not so.

    >>> share(0.5), share(0.9996), share(0.0004), share(1.0), share(0.024)
    ('50%', '99.9%', '0.1%', '100%', '2.4%')
    """
    if min(part, 1 - part) < 1e-9:
        return f"{part * 100:.0f}%"
    percent = min(max(part * 100, 0.1), 99.9)
    decimals = 0 if 10 <= percent < 99 else 1
    return f"{percent:.{decimals}f}%"
