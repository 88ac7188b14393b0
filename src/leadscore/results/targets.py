"""What was written for CRMs and databases, and what they would refuse or refused."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Result


class Delivered(Result):
    """A list as written for one target.

    Attributes:
        target: its name in the settings.
        kind: its contract.
        folder: of the files; None for a target that has none, or could not be written.
        files: to load, in this order.
        written, unchanged, cleared: leads.
        refused: lead_id -> why the target cannot hold it.
        problem: why nothing was written; None if it was.
    """

    target: str
    kind: str
    publication_id: str
    mode: str
    folder: str | None = None
    files: list[str] = Field(default_factory=list)
    written: int = 0
    unchanged: int = 0
    cleared: int = 0
    refused: dict[str, str] = Field(default_factory=dict)
    problem: str | None = None


class Deliveries(Result):
    """A list as written for every target; none if the settings name none."""

    targets: list[Delivered]

    @property
    def failed(self) -> list[Delivered]:
        """The targets that were not written."""
        return [target for target in self.targets if target.problem]


class FailedGroup(Result):
    """Rows that a CRM refused for one reason."""

    reason: str
    rows: int
    leads: list[str]


class FailedRows(Result):
    """What a CRM refused, and the files with these rows again.

    Attributes:
        unknown: keys in the results that this target was never given.
        without_key: lines of the results without a key, which cannot be written again.
    """

    target: str
    rows: int
    groups: list[FailedGroup]
    unknown: list[str]
    without_key: list[int] = Field(default_factory=list)
    folder: str | None
    files: list[str]


class FileProblem(Result):
    """What a CRM would refuse in a file; line 0 is the file as a whole, or its job."""

    line: int
    field: str
    reason: str


class CheckedFile(Result):
    """Whether a CRM would take a file."""

    file: str
    contract: str
    problems: list[FileProblem]
