"""The explanation of one score as one HTML page, without scripts or external requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadscore.report.lead_words import describe_score
from leadscore.report.page import render_page

SMALLEST = 0.005  # log-odds that round to 0.01; what adds less is only counted
THINNEST = 0.4  # percent of the width: any less cannot be seen


@dataclass(frozen=True)
class Bar:
    """What one group of features adds to log-odds and probability, and its place in percent of the width."""

    words: str
    evidence: str | None
    value: float
    points: float
    left: float
    width: float


def build_explanation(explanation: Mapping[str, Any], *, reps: Mapping[str, str]) -> str:
    """The page of an explanation as `project.explain` returns it.

    Args:
        explanation: of a lead.
        reps: rep_id -> name, as far as they are known.
    """
    groups = explanation["groups"]
    bars = _build_bars(groups, intercept=explanation["base"], log_odds=explanation["log_odds"])
    return render_page(
        "explanation.html.j2",
        explanation=explanation,
        words=describe_score(explanation["score"], reps),
        bars=[bar for bar in bars if abs(bar.value) >= SMALLEST],
        rest=sum(abs(bar.value) < SMALLEST for bar in bars),
        rest_points=sum(bar.points for bar in bars if abs(bar.value) < SMALLEST),
    )


def _build_bars(
    groups: Sequence[Mapping[str, Any]],
    *,
    intercept: float,
    log_odds: float,
) -> list[Bar]:
    """A waterfall: every bar begins where the one before it ended, the first at the intercept."""
    ends = [intercept]
    for group in groups:
        ends.append(ends[-1] + group["value"])

    low = min(*ends, log_odds)
    high = max(*ends, log_odds)
    span = (high - low) or 1.0

    bars = []
    for group, start, end in zip(groups, ends, ends[1:], strict=False):
        main = group["features"][0]
        width = 100 * abs(group["value"]) / span
        bar = Bar(
            words=group["summary"],
            evidence=main["evidence"],
            value=group["value"],
            points=group["points"],
            left=100 * (min(start, end) - low) / span,
            width=max(width, THINNEST),
        )
        bars.append(bar)
    return bars
