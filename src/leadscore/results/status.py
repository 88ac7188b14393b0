"""Where a project stands: what is stored, which list is published, and which model scores."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Result


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
    """The list that readers are led to; `valid_until` is the earliest of the targets'."""

    publication_id: str
    as_of: str | None
    leads: int
    age_hours: float | None
    valid_until: str | None
    expired: bool


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


class Status(Result):
    """One project at a glance; what does not exist yet is None."""

    project: str
    store: StoreStatus | None
    quarantined: QuarantinedDelivery | None
    ingest_stopped: str | None
    rejects: dict[str, int] = Field(default_factory=dict)
    published: PublishedList | None
    withheld: WithheldList | None
    champion: ScoringModel | None
    challenger: ScoringModel | None
