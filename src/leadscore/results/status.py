"""Where a project stands: what is stored, which list is published, and which model scores."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Result
from leadscore.results.drift import Alarm


class StoreStatus(Result):
    """The current store version; without dates, or without a clock, it has no age."""

    version: str
    known_until: str
    age_hours: float | None


class QuarantinedDelivery(Result):
    """A delivery newer than the current store version that failed alarms."""

    version: str
    known_until: str
    alarms: list[str]


class PublishedList(Result):
    """The list that readers are led to.

    `valid_until` is the earliest of the targets'. It is `stale` once it is older than the settings'
    `max_staleness_hours`.
    """

    publication_id: str
    as_of: str | None
    leads: int
    age_hours: float | None
    valid_until: str | None
    expired: bool
    stale: bool = False


class WithheldList(Result):
    """A newer list that was written but not published, with what speaks against it."""

    publication_id: str
    as_of: str | None
    reasons: list[str]


class ScoringModel(Result):
    """A model version in a role: since when, by whom and why."""

    number: int
    version: str
    known_until: str
    since: str | None
    by: str | None
    why: str | None


class LastLook(Result):
    """The alarms that stood when `leadscore monitor --act` last looked, as of that moment."""

    as_of: str
    alarms: list[Alarm]


class NextRun(Result):
    """When a deployment of a Prefect server runs next."""

    deployment: str
    at: str


class Status(Result):
    """One project at a glance; what does not exist yet is None.

    Attributes:
        folder: of the project's store and lists, as the settings name it.
        next_runs: as the Prefect server says; None where none was asked, or none answers.
        training_due: from which data on the settings ask for a training; None if they do not say.
        damaged_entries: the lines of the audit trail that cannot be read.
    """

    project: str
    folder: str
    store: StoreStatus | None
    quarantined: QuarantinedDelivery | None
    ingest_stopped: str | None
    rejects: dict[str, int] = Field(default_factory=dict)
    published: PublishedList | None
    withheld: WithheldList | None
    champion: ScoringModel | None
    challenger: ScoringModel | None
    last_look: LastLook | None = None
    next_runs: list[NextRun] | None = None
    training_due: str | None = None
    damaged_entries: list[int] = Field(default_factory=list)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: at the list, the champion, or what was held back or alarmed."""
        published = self.published
        has_fresh_list = published is not None and not (published.expired or published.stale)
        has_alarms = self.last_look is not None and bool(self.last_look.alarms)
        held_back = (self.quarantined, self.ingest_stopped, self.withheld)
        return (
            not has_fresh_list
            or self.champion is None
            or has_alarms
            or any(part is not None for part in held_back)
            or bool(self.damaged_entries)
        )
