"""The explanation of one score, as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.report.page import render_page


def build_explanation(told: Mapping[str, Any]) -> str:
    """A page from what `jobs.explain` returns."""
    bars, at = [], told["base"]
    for group in told["groups"]:
        bars.append(
            {
                "said": group["said"],
                "from": at,
                "to": at + group["value"],
                "value": group["value"],
                "evidence": group["features"][0]["evidence"],
            }
        )
        at += group["value"]
    edges = [told["base"], told["log_odds"], *(bar[end] for bar in bars for end in ("from", "to"))]
    low, high = min(edges), max(edges)
    span = (high - low) or 1.0
    for bar in bars:
        bar["left"] = 100 * (min(bar["from"], bar["to"]) - low) / span
        bar["width"] = max(100 * abs(bar["value"]) / span, 0.4)
    return render_page(
        "explanation.html.j2",
        told=told,
        bars=[bar for bar in bars if abs(bar["value"]) >= 0.005],
        rest=sum(abs(bar["value"]) < 0.005 for bar in bars),
    )
