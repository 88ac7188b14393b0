"""Leads that closed in a period: how many, for how much and why, and which to look at in a review."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leadscore.funnel.competing import HOURS, UNKNOWN, wilson_interval
from leadscore.funnel.headlines import describe_headlines
from leadscore.results.base import Interval
from leadscore.results.win_loss import Closed, LossReason, ReviewedLead
from leadscore.times import format_us

MOST = 10  # leads in a list


def describe_closed(closed: pd.DataFrame) -> dict[str, Any]:
    """The parts of a `WinLoss` about leads, by their names.

    Args:
        closed: a row a lead that closed in the period or the one before: lead_id, won, close_us,
            hours since it came in, stage and reason ("" where unknown), amount and probability
            (NaN where unknown), and is_now, whether it closed in the period.
    """
    now = closed[closed["is_now"]]
    before = closed[~closed["is_now"]]
    won = now[now["won"]]
    lost = now[~now["won"]]
    listed_lost = lost.dropna(subset="probability")
    listed_won = won.dropna(subset="probability")
    return {
        "won": _sum_up(won),
        "lost": _sum_up(lost),
        "won_before": _sum_up(before[before["won"]]),
        "lost_before": _sum_up(before[~before["won"]]),
        "won_of_closed": _share(len(won), len(now)),
        "won_of_closed_before": _share(int(before["won"].sum()), len(before)),
        "changes": describe_headlines(now, before),
        "reasons": _list_reasons(lost, before[~before["won"]]),
        "listed": len(listed_lost) + len(listed_won),
        "unexpected_losses": _list_first(listed_lost, "probability", ascending=False),
        "unexpected_wins": _list_first(listed_won, "probability", ascending=True),
        "largest_losses": _list_first(lost.dropna(subset="amount"), "amount", ascending=False),
        "largest_wins": _list_first(won.dropna(subset="amount"), "amount", ascending=False),
    }


def _sum_up(leads: pd.DataFrame) -> Closed:
    has_amounts = bool(leads["amount"].notna().any())
    return Closed(
        leads=len(leads),
        amount=float(leads["amount"].sum()) if has_amounts else None,
        median_days=float(leads["hours"].median()) / HOURS if len(leads) else None,
    )


def _share(part: int, whole: int) -> Interval:
    return wilson_interval(part, whole) if whole else UNKNOWN


def _list_reasons(lost: pd.DataFrame, lost_before: pd.DataFrame) -> list[LossReason]:
    """The stated reasons of the period, most losses first."""
    counts = lost["reason"].value_counts()
    counts_before = lost_before["reason"].value_counts()
    reasons = [
        LossReason(
            reason=str(reason),
            leads=int(leads),
            share=_share(int(leads), len(lost)),
            leads_before=int(counts_before.get(reason, 0)),
            share_before=_share(int(counts_before.get(reason, 0)), len(lost_before)),
        )
        for reason, leads in counts.items()
    ]
    return sorted(reasons, key=lambda reason: (-reason.leads, reason.reason))


def _list_first(leads: pd.DataFrame, by: str, *, ascending: bool) -> list[ReviewedLead]:
    in_order = leads.sort_values([by, "lead_id"], ascending=[ascending, True])
    return [
        ReviewedLead(
            lead_id=row["lead_id"],
            closed=format_us(int(row["close_us"])),
            stage=row["stage"],
            reason="" if row["won"] else row["reason"],
            amount=_known(row["amount"]),
            days=row["hours"] / HOURS,
            probability=_known(row["probability"]),
        )
        for row in in_order[:MOST].to_dict("records")
    ]


def _known(number: float) -> float | None:
    return None if pd.isna(number) else float(number)
