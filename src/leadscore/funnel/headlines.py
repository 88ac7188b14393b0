"""Whether what closed in a period differs from the period before by more than chance explains."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from leadscore.results.win_loss import HeadlineChange

LEAST = 10  # leads of both periods: of fewer a normal approximation says little


def describe_headlines(now: pd.DataFrame, before: pd.DataFrame) -> list[HeadlineChange]:
    """Wins, losses, the share of closes that are wins, and what wins brought, beside the period before.

    Each is left out where both periods have fewer than `LEAST` such leads.

    Args:
        now: a row a lead that closed in the period: won, and amount (NaN where unknown).
        before: the same of the period before, which is equally long.
    """
    wins, wins_before = now[now["won"]], before[before["won"]]
    lost, lost_before = now[~now["won"]], before[~before["won"]]
    changes = [
        _compare_sums("won", _count(wins), _count(wins_before)),
        _compare_sums("lost", _count(lost), _count(lost_before)),
        _compare_shares(now["won"], before["won"]),
        _compare_sums("revenue", wins["amount"].dropna(), wins_before["amount"].dropna()),
    ]
    return [change for change in changes if change is not None]


def _count(leads: pd.DataFrame) -> pd.Series[float]:
    return pd.Series(1.0, index=leads.index)


def _compare_sums(
    name: Literal["won", "lost", "revenue"], now: pd.Series[float], before: pd.Series[float]
) -> HeadlineChange | None:
    """The change of a sum over leads that close independently, at one rate: a compound Poisson process.

    The variance of such a sum is estimated by its sum of squares (for a count, the count itself).
    """
    variance = float((now**2).sum() + (before**2).sum())
    if len(now) + len(before) < LEAST or variance == 0:
        return None
    total, total_before = float(now.sum()), float(before.sum())
    z = (total - total_before) / math.sqrt(variance)
    return HeadlineChange(name=name, now=total, before=total_before, p_value=_two_sided(z))


def _compare_shares(won: pd.Series[bool], won_before: pd.Series[bool]) -> HeadlineChange | None:
    """The change of the share of closes that are wins: the z-test with the rate of both periods."""
    n, n_before = len(won), len(won_before)
    if min(n, n_before) < LEAST:
        return None
    wins, wins_before = int(won.sum()), int(won_before.sum())
    pooled = (wins + wins_before) / (n + n_before)
    variance = pooled * (1 - pooled) * (1 / n + 1 / n_before)
    if variance == 0:
        return None
    share, share_before = wins / n, wins_before / n_before
    z = (share - share_before) / math.sqrt(variance)
    return HeadlineChange(
        name="won_of_closed", now=share, before=share_before, p_value=_two_sided(z)
    )


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
