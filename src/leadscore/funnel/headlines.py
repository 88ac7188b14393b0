"""Whether what closed in a period differs from the period before by more than chance explains."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from leadscore.evaluation.stability import compare_shares
from leadscore.results.win_loss import HeadlineChange

LEAST = 10  # leads of both periods: of fewer a normal approximation says little


def describe_headlines(now: pd.DataFrame, before: pd.DataFrame) -> list[HeadlineChange]:
    """Wins, losses, the share of closes that are wins, and what wins brought, beside the period before.

    Each is left out where both periods have fewer than `LEAST` such leads.

    Args:
        now: a row a lead that closed in the period: won, and amount (NaN where unknown).
        before: the same of the period before, which is equally long.
    """
    wins = now[now["won"]]
    wins_before = before[before["won"]]
    lost = now[~now["won"]]
    lost_before = before[~before["won"]]
    amounts = wins["amount"].dropna()
    amounts_before = wins_before["amount"].dropna()
    changes = [
        _compare_sums("won", _count(wins), _count(wins_before)),
        _compare_sums("lost", _count(lost), _count(lost_before)),
        _compare_won(now["won"], before["won"]),
        _compare_sums("revenue", amounts, amounts_before),
    ]
    return [change for change in changes if change is not None]


def _count(leads: pd.DataFrame) -> pd.Series[float]:
    return pd.Series(1.0, index=leads.index)


def _compare_sums(
    name: Literal["won", "lost", "revenue"],
    now: pd.Series[float],
    before: pd.Series[float],
) -> HeadlineChange | None:
    """The change of a sum over leads that close independently, at one rate: a compound Poisson process.

    The variance of such a sum is estimated by its sum of squares (for a count, the count itself).
    """
    variance = float((now**2).sum() + (before**2).sum())
    if len(now) + len(before) < LEAST or variance == 0:
        return None
    total = float(now.sum())
    total_before = float(before.sum())
    z = abs(total - total_before) / math.sqrt(variance)
    p_value = math.erfc(z / math.sqrt(2))  # two-sided
    return HeadlineChange(name=name, now=total, before=total_before, p_value=p_value)


def _compare_won(won: pd.Series[bool], won_before: pd.Series[bool]) -> HeadlineChange | None:
    """The change of the share of closes that are wins."""
    n = len(won)
    n_before = len(won_before)
    if min(n, n_before) < LEAST:
        return None
    share = float(won.mean())
    share_before = float(won_before.mean())
    p_value = compare_shares(share_before, share, n_before=n_before, n_now=n)
    return HeadlineChange(name="won_of_closed", now=share, before=share_before, p_value=p_value)
