"""Who got how many leads, and why some were given to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.report.listing.contents import ListContents
from leadscore.report.listing.leads import ListedLead
from leadscore.report.listing.texts import clean

MOST = 5  # leads named with a reason


@dataclass(frozen=True)
class RepLoad:
    """How many leads a rep has, with those of this list, and can take."""

    name: str
    given: int
    load: int
    capacity: int

    @property
    def share(self) -> float:
        """The share of the capacity that is taken, in percent of at most 100."""
        return min(100.0, 100 * self.load / self.capacity) if self.capacity else 100.0


@dataclass(frozen=True)
class Unassigned:
    """The leads that were given to nobody for one reason."""

    why: str
    leads: list[ListedLead]

    @property
    def first(self) -> list[ListedLead]:
        """Those highest on the list."""
        return self.leads[:MOST]


@dataclass(frozen=True)
class Routed:
    """The routing of a list."""

    leads: int
    assigned: int
    changed: int
    reps: list[RepLoad]
    unassigned: list[Unassigned]


def describe_routing(contents: ListContents, leads: Sequence[ListedLead]) -> Routed | None:
    """The routing of a list; None where leads are not routed."""
    facts = contents.routing
    if facts is None:
        return None
    reps = [
        RepLoad(
            name=clean(contents.rep_names.get(rep_id) or rep_id),
            given=rep["given"],
            load=rep["load"] + rep["given"],
            capacity=rep["capacity"],
        )
        for rep_id, rep in facts["reps"].items()
    ]
    return Routed(
        leads=facts["leads"],
        assigned=facts["assigned"],
        changed=facts["changed"],
        reps=reps,
        unassigned=_group_unassigned(leads),
    )


def _group_unassigned(leads: Sequence[ListedLead]) -> list[Unassigned]:
    """Leads without a rep by reason, the most frequent first; tiers that are not routed are left out."""
    groups: dict[str, list[ListedLead]] = {}
    for lead in leads:
        is_routed = lead.route_reason and not lead.route_reason.endswith("is not routed")
        if is_routed and not lead.rep and lead.route_reason != "disqualified":
            why = lead.route_reason.partition(": ")[0]
            groups.setdefault(why, []).append(lead)
    named = [Unassigned(why, members) for why, members in groups.items()]
    return sorted(named, key=lambda group: (-len(group.leads), group.why))
