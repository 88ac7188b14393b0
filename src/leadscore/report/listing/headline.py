"""The few numbers at the top of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.report.listing.contents import ListContents
from leadscore.report.listing.leads import ListedLead

ROUND_FROM = 100_000  # sums of money from here on are shown in thousands


@dataclass(frozen=True)
class Headline:
    """The sums of a list; `value` is None where no lead has an amount."""

    leads: int
    wins: float
    wins_before: float | None
    leads_before: int | None
    value: float | None
    tiers: dict[str, int]
    sales_qualified: int
    needs_answers: int
    disqualified: int


def build_headline(contents: ListContents, leads: Sequence[ListedLead]) -> Headline:
    """The sums of a list, beside those of the previous one."""
    verdicts = Counter(lead.qualification for lead in leads)
    tiers = Counter(lead.tier for lead in leads)
    all_values = contents.scores["expected_value"].to_pylist()
    values = [value for value in all_values if value is not None]
    previous = contents.previous
    return Headline(
        leads=len(leads),
        wins=sum(contents.scores["win_probability"].to_pylist()),
        wins_before=sum(previous.probabilities.values()) if previous else None,
        leads_before=len(previous.probabilities) if previous else None,
        value=sum(values) if values else None,
        tiers=dict(sorted(tiers.items())),
        sales_qualified=verdicts["sales qualified"],
        needs_answers=verdicts["needs answers"],
        disqualified=verdicts["disqualified"],
    )


def format_money(value: float | None, currency: str | None) -> str:
    """A sum of money, large ones rounded.

    >>> format_money(1_234_567, "EUR"), format_money(950.4, None), format_money(None, "EUR")
    ('EUR 1.23 million', '950', '')
    """
    if value is None:
        return ""
    number = f"{value:,.0f}"
    if abs(value) >= 1_000_000:
        number = f"{value / 1_000_000:,.2f} million"
    elif abs(value) >= ROUND_FROM:
        number = f"{round(value, -3):,.0f}"
    return f"{currency} {number}" if currency else number
