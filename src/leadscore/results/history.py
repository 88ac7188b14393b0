"""Since when each field has a history, and what that is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leadscore.results.base import Result

if TYPE_CHECKING:
    import pandas as pd


class OutcomeCounts(Result):
    """How many leads were won, and how many were not."""

    won: int
    not_won: int


class FieldHistory(Result):
    """The history of one field, of the stages, or of one kind of activity.

    Attributes:
        name: the field, "stages", or the kind.
        kind: which of the three.
        letters: the letters of BANT that the field answers.
        origin: where the history comes from: the mapping, our own exports, or nowhere.
        state: what it is good for; see `docs/audit.md`.
        since: when it began; None if it has not.
        leads: leads with a history.
        changed: of a recorded field, the leads that changed since.
        labelled: leads with an outcome to learn from.
        lost: leads that had closed before it began.
        open_before: leads that were open when it began, whose values of before are lost.
        enough_from: from when it is enough to learn from, at the present rate; None if no date can
            be given.
        line: the settings that are still to be written.
        summary: all of it in words.
    """

    name: str
    kind: Literal["field", "stages", "activities"]
    letters: list[str]
    origin: Literal["mapped", "recorded", "none"]
    state: Literal["creation", "learned", "ready", "growing", "missing"]
    since: str | None
    leads: int
    changed: int
    labelled: OutcomeCounts | None
    lost: OutcomeCounts | None
    open_before: int
    enough_from: str | None
    line: str | None
    summary: str


class AuditedHistory(Result):
    """The histories of all fields, of stages and of activities, and the rule for "enough"."""

    project: str
    store_version: str
    known_until: str
    least: int
    horizon_days: int
    rule: str
    fields: list[FieldHistory]

    def to_pandas(self) -> pd.DataFrame:
        """A row a history: its origin, state, beginning, counts, and when it will be enough."""
        import pandas as pd

        columns = ["name", "kind", "origin", "state", "since", "leads", "enough_from", "summary"]
        rows = [{name: getattr(field, name) for name in columns} for field in self.fields]
        return pd.DataFrame(rows, columns=columns)
