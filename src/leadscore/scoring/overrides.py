"""What people decided by hand, which wins over the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Override = Mapping[str, Any]  # a row as `ingest.overrides` reads it


def overrides_in_force(overrides: Sequence[Override], *, as_of_us: int) -> list[Override]:
    """The overrides that have not ended; of each lead the last one of its tier, and of the rest."""
    last: dict[tuple[str, bool], Override] = {}
    for override in overrides:
        until_us = override["until_us"]
        if until_us is None or until_us > as_of_us:
            last[override["lead_id"], override["action"] == "tier"] = override
    return list(last.values())


def override_tiers(
    overrides: Sequence[Override],
    lead_id: pa.Array,
    tier: np.ndarray,
) -> np.ndarray:
    """The tiers (n,), with those that people chose in place of the model's."""
    of_tiers = [row for row in overrides if row["action"] == "tier"]
    tiers = tier.astype(object)
    for place, row in _find_listed(of_tiers, lead_id):
        tiers[place] = row["value"]
    return tiers


def override_verdicts(
    overrides: Sequence[Override],
    lead_id: pa.Array,
    verdict: np.ndarray,
    rule: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Verdict, rule, and what people decided in words, "" where nobody did; each (n,) text."""
    verdict = verdict.copy()
    rule = rule.copy()
    words = np.full(len(lead_id), "", dtype=object)
    for at, override in _find_listed(overrides, lead_id):
        text = _describe(override)
        words[at] = f"{words[at]}; {text}" if words[at] else text
        if override["action"] == "exclude":
            verdict[at] = "disqualified"
            rule[at] = "decided by hand; back when the override ends"
        elif override["action"] == "qualify":
            verdict[at] = override["value"]
            rule[at] = "decided by hand"
    return verdict, rule, words


def decided_by_hand(
    overrides: Sequence[Override],
    lead_id: pa.Array,
    *,
    tier: bool,
) -> np.ndarray:
    """Of which leads (n,) a person chose the tier, or else the qualification."""
    rows = [row for row in overrides if (row["action"] == "tier") == tier]
    is_named = np.zeros(len(lead_id), dtype=bool)
    for place, _ in _find_listed(rows, lead_id):
        is_named[place] = True
    return is_named


def _find_listed(
    overrides: Sequence[Override],
    lead_id: pa.Array,
) -> Iterator[tuple[int, Override]]:
    """The position of the lead of each override, of those whose lead is on the list (n,)."""
    named = [row["lead_id"] for row in overrides]
    places = pc.index_in(pa.array(named, pa.string()), lead_id)
    for place, override in zip(places.to_pylist(), overrides, strict=True):
        if place is not None:
            yield place, override


def _describe(override: Override) -> str:
    """As "put into A by Kim until 2026-03-01: a friend"."""
    actions = {
        "exclude": "excluded",
        "qualify": f"called {override['value']}",
        "tier": f"put into {override['value']}",
    }
    text = f"{actions[override['action']]} by {override['by'] or 'somebody'}"
    if override["until"]:
        text += f" until {override['until']}"
    if override["why"]:
        text += f": {override['why']}"
    return text
