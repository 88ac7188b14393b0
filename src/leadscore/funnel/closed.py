"""Leads that closed in a period: how many, for how much and why, and which to look at in a review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from leadscore.funnel.competing import HOURS, UNKNOWN, wilson_interval
from leadscore.funnel.headlines import describe_headlines
from leadscore.results.base import Interval
from leadscore.results.win_loss import Chances, Closed, LossReason, ReviewedLead
from leadscore.times import format_us

MOST = 10  # leads in a list
CLEARLY = 2.0  # times the usual odds, or half of them, make a close unexpected


def describe_closed(closed: pd.DataFrame) -> dict[str, Any]:
    """The parts of a `WinLoss` about leads, by their names.

    Args:
        closed: a row a lead that closed in the period or the one before: lead_id, won, close_us,
            hours since it came in, stage and reason ("" where unknown), amount and probability
            (NaN where unknown), and is_now, whether it closed in the period.
    """
    now = closed[closed["is_now"]]
    won = now[now["won"]]
    lost = now[~now["won"]]
    before = closed[~closed["is_now"]]
    won_before = before[before["won"]]
    lost_before = before[~before["won"]]
    chances = _describe_chances(now["probability"])
    return {
        "won": _sum_up(won),
        "lost": _sum_up(lost),
        "won_before": _sum_up(won_before),
        "lost_before": _sum_up(lost_before),
        "won_of_closed": _share(len(won), len(now)),
        "won_of_closed_before": _share(len(won_before), len(before)),
        "changes": describe_headlines(now, before),
        "reasons": _list_reasons(lost, lost_before),
        "listed": int(now["probability"].count()),
        "chances": chances,
        "unexpected_losses": _list_unexpected_losses(lost, chances),
        "unexpected_wins": _list_unexpected_wins(won, chances),
        "largest_losses": _list_highest(lost, "amount"),
        "largest_wins": _list_highest(won, "amount"),
    }


def _sum_up(leads: pd.DataFrame) -> Closed:
    amounts = leads["amount"].dropna()
    hours = leads["hours"]
    return Closed(
        leads=len(leads),
        amount=float(amounts.sum()) if len(amounts) else None,
        median_days=float(hours.median()) / HOURS if len(hours) else None,
    )


def _share(part: int, whole: int) -> Interval:
    return wilson_interval(part, whole) if whole else UNKNOWN


def _list_reasons(lost: pd.DataFrame, lost_before: pd.DataFrame) -> list[LossReason]:
    """The stated reasons of the period, most losses first."""
    counts = Counter(lost["reason"])
    counts_before = Counter(lost_before["reason"])
    reasons = []
    for reason, leads in counts.items():
        leads_before = counts_before[reason]
        loss_reason = LossReason(
            reason=reason,
            leads=leads,
            share=_share(leads, len(lost)),
            leads_before=leads_before,
            share_before=_share(leads_before, len(lost_before)),
        )
        reasons.append(loss_reason)
    return sorted(reasons, key=lambda reason: (-reason.leads, reason.reason))


def _describe_chances(probability: pd.Series) -> Chances | None:
    """The usual chance of closed leads (n,), NaN where no list had them; None if none had any."""
    listed = probability.dropna()
    if listed.empty:
        return None
    usual = float(listed.mean())
    return Chances(
        usual=usual,
        good=_multiply_odds(usual, CLEARLY),
        poor=_multiply_odds(usual, 1 / CLEARLY),
    )


def _multiply_odds(probability: float, times: float) -> float:
    """The probability with so many times the odds.

    >>> round(_multiply_odds(0.5, 2.0), 3), _multiply_odds(1.0, 2.0), _multiply_odds(0.0, 2.0)
    (0.667, 1.0, 0.0)
    """
    return times * probability / (times * probability + 1 - probability)


def _list_unexpected_losses(lost: pd.DataFrame, chances: Chances | None) -> list[ReviewedLead]:
    """The lost leads that had a good chance, the best first."""
    if chances is None:
        return []
    had_good_chance = lost["probability"] >= chances.good
    return _list_highest(lost[had_good_chance], "probability")


def _list_unexpected_wins(won: pd.DataFrame, chances: Chances | None) -> list[ReviewedLead]:
    """The won leads that had a poor chance, the poorest first."""
    if chances is None:
        return []
    had_poor_chance = won["probability"] <= chances.poor
    return _list_lowest(won[had_poor_chance], "probability")


def _list_highest(leads: pd.DataFrame, by: str) -> list[ReviewedLead]:
    """The first leads by a column where it is known, from the highest down."""
    known = leads.dropna(subset=by)
    in_order = known.sort_values([by, "lead_id"], ascending=[False, True])
    return _describe_leads(in_order[:MOST])


def _list_lowest(leads: pd.DataFrame, by: str) -> list[ReviewedLead]:
    """The first leads by a column where it is known, from the lowest up."""
    known = leads.dropna(subset=by)
    in_order = known.sort_values([by, "lead_id"])
    return _describe_leads(in_order[:MOST])


def _describe_leads(leads: pd.DataFrame) -> list[ReviewedLead]:
    return [_describe_lead(row) for row in leads.to_dict("records")]


def _describe_lead(row: Mapping[Hashable, Any]) -> ReviewedLead:
    return ReviewedLead(
        lead_id=row["lead_id"],
        closed=format_us(int(row["close_us"])),
        stage=row["stage"],
        reason="" if row["won"] else row["reason"],
        amount=_known(row["amount"]),
        days=row["hours"] / HOURS,
        probability=_known(row["probability"]),
    )


def _known(number: float) -> float | None:
    return None if pd.isna(number) else float(number)
