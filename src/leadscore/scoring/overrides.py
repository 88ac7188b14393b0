"""What people decided by hand, which wins over the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
    lead_id: np.ndarray,
    tier: np.ndarray,
) -> np.ndarray:
    """The tiers (n,), with those that people chose in place of the model's."""
    of_tiers = [row for row in overrides if row["action"] == "tier"]
    by_hand = {row["lead_id"]: row["value"] for row in of_tiers}
    pairs = zip(lead_id, tier, strict=True)
    tiers = [by_hand.get(lead, own) for lead, own in pairs]
    return np.array(tiers, dtype=object)


def override_verdicts(
    overrides: Sequence[Override],
    lead_id: np.ndarray,
    verdict: np.ndarray,
    rule: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Verdict, rule, and what people decided in words, "" where nobody did; each (n,) text."""
    verdict = verdict.copy()
    rule = rule.copy()
    words = np.full(len(lead_id), "", dtype=object)
    position = {lead: at for at, lead in enumerate(lead_id)}
    for override in overrides:
        at = position.get(override["lead_id"])
        if at is None:
            continue
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
    lead_id: np.ndarray,
    *,
    tier: bool,
) -> np.ndarray:
    """Of which leads (n,) a person chose the tier, or else the qualification."""
    rows = [row for row in overrides if (row["action"] == "tier") == tier]
    leads = {row["lead_id"] for row in rows}
    is_named = [lead in leads for lead in lead_id]
    return np.array(is_named, dtype=bool)


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
