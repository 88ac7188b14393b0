"""A line of a project's audit trail."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.results.base import Result

Event = Literal[
    "ingested",
    "quarantined",
    "stopped",
    "trained",
    "promoted",
    "refused",
    "rolled back",
    "published",
    "withheld",
    "superseded",
    "alarm",
]


class TrailEntry(Result):
    """Who did what, when and why; ids and counts, never a row, a name or a lead's id.

    Attributes:
        at: the moment, ISO 8601 in UTC; None from Python without `acting`.
        by: a user, a flow run, or "python".
        what: what was done.
        why: the reason.
        about: ids of what it was done to.
    """

    at: str | None
    by: str
    what: Event
    why: str
    about: dict[str, str] = Field(default_factory=dict)
