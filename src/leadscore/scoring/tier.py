"""Tiers: by score, by probability, or by what can be worked and is worth it; a lead at a border does not flap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.model.apply import add_shift
from leadscore.settings.tiers import Tiers

TIERS = np.array(["A", "B", "C", "D"])
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)  # of the list, that the what-if table has in A
LAST = 1e15  # the place of a lead that is not worth a touch


@dataclass(frozen=True)
class Outlook:
    """What tiers are decided by, each (n,): score, probability, what a lead is worth to expect, and raw for ties.

    All without the times, so that no list moves up or down as a whole; `shift` is that of the times, in log-odds.
    """

    score: np.ndarray
    probability: np.ndarray
    value: np.ndarray
    log_odds: np.ndarray
    shift: float = 0.0

    @property
    def win_probability(self) -> np.ndarray:
        """What is published (n,)."""
        return np.asarray(add_shift(self.probability, self.shift))


@dataclass(frozen=True)
class Borders:
    """From which measure on a lead is A, B or C, and how far beyond a border it must be to change its tier.

    The measure is the score, the probability, or the place on the list, negative; `relative`: the margin is a share.
    """

    a: float
    b: float
    c: float
    margin: float
    relative: bool = False

    def tier(self, measure: np.ndarray) -> np.ndarray:
        """0 for A to 3 for D (n,)."""
        edges = (measure[:, None] < np.array([self.a, self.b, self.c])[None, :]).sum(axis=1)
        return np.asarray(edges)

    def decide(self, measure: np.ndarray, earlier: np.ndarray) -> np.ndarray:
        """A, B, C or D (n,): the earlier tier (n,), None if there was none, wherever it is within the margin."""
        off = self.margin * np.abs(measure) if self.relative else np.full(len(measure), self.margin)
        best, worst = self.tier(measure + off), self.tier(measure - off)
        was = np.array(
            [{"A": 0, "B": 1, "C": 2, "D": 3}.get(tier, -1) for tier in earlier], dtype=int
        )
        return np.asarray(TIERS[np.where(was < 0, self.tier(measure), np.clip(was, best, worst))])


def find_borders(tiers: Tiers) -> Borders:
    """The borders of the settings; by capacity the first `capacity` are A, as many are B, and twice as many C."""
    if tiers.by != "capacity":
        return Borders(tiers.a, tiers.b, tiers.c, tiers.margin_or_default())
    assert tiers.capacity is not None  # noqa: S101  (the settings ask for it)
    a, b, c = (-float(n * tiers.capacity) for n in (1, 2, 4))
    return Borders(a, b, c, tiers.margin_or_default(), relative=True)


def measure_by(tiers: Tiers, outlook: Outlook, *, listed: Outlook, at: np.ndarray) -> np.ndarray:
    """What the borders are compared with (m,), if the leads at the rows `at` (m,) of a list had this outlook.

    By capacity it is the place that each then had on the list `listed`; who is not worth the touch comes last.
    """
    if tiers.by != "capacity":
        return outlook.score if tiers.by == "score" else outlook.probability
    place = compute_place(outlook, listed=listed, at=at)
    return -np.where(outlook.value > tiers.touch_cost, place, LAST)


def compute_place(outlook: Outlook, *, listed: Outlook, at: np.ndarray) -> np.ndarray:
    """Which place each lead would have (m,), from 1, by value, then raw, then row: no two of a list share one.

    Only the lead itself is thought to change; where it stands now is not in its way.
    """
    n = len(listed.value)
    asked = np.arange(n + len(at)) >= n
    value, log_odds = (
        np.append(listed.value, outlook.value),
        np.append(listed.log_odds, outlook.log_odds),
    )
    order = np.lexsort((asked, np.append(np.arange(n), at), -log_odds, -value))
    ahead = np.empty(len(order), dtype=np.int64)
    ahead[order] = np.cumsum(~asked[order])
    same = listed.value[at] == outlook.value
    itself = (listed.value[at] > outlook.value) | (same & (listed.log_odds[at] >= outlook.log_odds))
    return np.asarray(1 + ahead[n:] - itself)


def earlier_tiers(lead_id: np.ndarray, tiers: Mapping[str, str]) -> np.ndarray:
    """The tier of each lead (n,) in the list before, None if it was not there."""
    return np.array([tiers.get(lead) for lead in lead_id], dtype=object)


def compute_what_if(
    measure: np.ndarray,
    tier: np.ndarray,
    probability: np.ndarray,
    expected_value: np.ndarray | None,
) -> list[dict[str, Any]]:
    """What A would hold at other sizes, and how much more than now: leads, wins to expect, value to expect.

    Sizes that say nothing are left out: nobody in A, as many as now, the share of now in whole percent, or as many as
    a smaller share gave.

    Args:
        measure: (n,) what the list is cut by.
        tier: (n,) the tiers of now.
        probability: (n,).
        expected_value: (n,), or None where there are no amounts.
    """
    order, n = np.argsort(-measure, kind="stable"), len(measure)
    now = tier == "A"
    found: list[dict[str, Any]] = []
    seen = {0, int(now.sum())}
    for share in SHARES if n else ():
        chosen = order[: round(share * n)]
        if len(chosen) in seen or round(100 * share) == round(100 * now.mean()):
            continue
        seen.add(len(chosen))
        found.append(
            {
                "share": share,
                "share_now": float(now.mean()),
                "leads": len(chosen) - int(now.sum()),
                "wins": float(probability[chosen].sum() - probability[now].sum()),
                "value": None
                if expected_value is None
                else float(expected_value[chosen].sum() - expected_value[now].sum()),
            }
        )
    return found
