"""What changed since the previous list: leads that rose or fell, new ones, and those that left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.report.listing.contents import LeftLead, ListContents
from leadscore.report.listing.leads import ListedLead, name_lead
from leadscore.report.listing.texts import name_day

MOST = 3  # leads named of each kind
ORDER = ("won", "lost")  # of the reasons for leaving; others come after them


@dataclass(frozen=True)
class NamedLeft:
    """A lead that left, by the name that people know."""

    name: str
    lead: LeftLead


@dataclass(frozen=True)
class Changes:
    """What changed since a day; the leads named are the first few of those counted."""

    since: str
    rose: list[ListedLead]
    fell: list[ListedLead]
    new: list[ListedLead]
    left: list[NamedLeft]
    rose_count: int
    fell_count: int
    new_count: int
    reopened_count: int
    left_counts: dict[str, int]

    @property
    def left_count(self) -> int:
        """How many leads of the previous list are not on this one."""
        return sum(self.left_counts.values())


def find_changes(contents: ListContents, leads: Sequence[ListedLead]) -> Changes | None:
    """What changed since the previous list; None without one."""
    previous = contents.previous
    if previous is None:
        return None
    rose = [lead for lead in leads if lead.trend > 0]
    fell = [lead for lead in leads if lead.trend < 0]
    new = [lead for lead in leads if lead.is_new]
    left = sorted(contents.left, key=lambda lead: (-lead.win_probability, lead.lead_id))
    reasons = Counter(lead.why for lead in contents.left)
    return Changes(
        since=name_day(previous.as_of),
        rose=sorted(rose, key=_rise, reverse=True)[:MOST],
        fell=sorted(fell, key=_rise)[:MOST],
        new=new[:MOST],
        left=[_name_left(lead, contents) for lead in left[:MOST]],
        rose_count=len(rose),
        fell_count=len(fell),
        new_count=len(new),
        reopened_count=sum(lead.lead_id in contents.reopened for lead in new),
        left_counts=dict(sorted(reasons.items(), key=_order_reason)),
    )


def _name_left(lead: LeftLead, contents: ListContents) -> NamedLeft:
    return NamedLeft(name_lead(lead.lead_id, contents), lead)


def _rise(lead: ListedLead) -> float:
    return lead.change_points or 0.0


def _order_reason(reason: tuple[str, int]) -> tuple[int, str]:
    words, _ = reason
    place = ORDER.index(words) if words in ORDER else len(ORDER)
    return place, words
