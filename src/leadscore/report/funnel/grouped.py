"""The words beside the leads by group, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.report.funnel.sentences import FEWEST, UNKNOWN, write_percent
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Funnel, Interval

MOST_GROUPS = 15  # that are shown


def caption_groups(funnel: Funnel) -> str:
    """What won and lost mean in the groups of a funnel that has some."""
    words = f"won and lost within {funnel.groups[0].within_days:g} days"
    if funnel.tiers_as_of is None:
        return words
    date = funnel.tiers_as_of.partition("T")[0]
    return f"{words} of the list of {date}"


def explain_groups(funnel: Funnel) -> str:
    """Which leads are counted, and within which days."""
    counted_leads = "Leads that came in during the period, each by its first close."
    if funnel.tiers_as_of is not None:
        counted_leads = "Leads on that list, followed from its date on, and the visits begun since."
    return (
        f"{counted_leads} Within: the days after which all groups are compared, for a stage counted "
        "from entry. A dash: too few leads or visits were followed for that long."
    )


def explain_no_groups(funnel: Funnel) -> str:
    """Why a funnel by group has none; empty if it has some, or was not asked for any."""
    if funnel.groups or funnel.by is None:
        return ""
    return f"No lead came in during the period, so there are none by {funnel.by}."


def count_hidden(groups: int, one: str = "group") -> str:
    """How many of so many groups are not shown; empty if all are.

    >>> count_hidden(16, "source"), count_hidden(15)
    ('1 source with fewer leads not shown; --json has all.', '')
    """
    hidden = groups - MOST_GROUPS
    if hidden <= 0:
        return ""
    smaller = counted(hidden, f"{one} with fewer leads", f"{one}s with fewer leads")
    return f"{smaller} not shown; --json has all."


def write_share_of_leads(share: Interval, leads: int) -> str:
    """A share in percent with half the width of its interval; a dash if it rests on too few leads."""
    return UNKNOWN if leads < FEWEST else write_percent(share)
