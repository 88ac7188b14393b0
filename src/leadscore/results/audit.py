"""What the audit hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadscore.results.base import Interval, Result

if TYPE_CHECKING:
    import pandas as pd


class OwnAuc(Interval):
    """How well a field alone separates won from lost, on so many leads."""

    leads: int


class Finding(Result):
    """A check of the audit that found something."""

    check: str
    verdict: str
    evidence: str
    numbers: dict[str, Any] = Field(default_factory=dict)


class FieldReport(Result):
    """Whether a field can be trusted at scoring time, and what training makes of it."""

    field: str
    verdict: str
    evidence: str
    checks: list[Finding]
    auc: OwnAuc | None
    use: str


class Audited(Result):
    """The verdicts on all fields, and what was found besides."""

    project: str
    store_version: str
    known_until: str
    fields: list[FieldReport]
    findings: list[Finding]

    def to_pandas(self) -> pd.DataFrame:
        """A row a field: verdict, use, evidence, and AUC."""
        import pandas as pd

        rows = [
            {
                "field": report.field,
                "verdict": report.verdict,
                "use": report.use,
                "auc": report.auc.value if report.auc else None,
                "evidence": report.evidence,
            }
            for report in self.fields
        ]
        return pd.DataFrame(rows, columns=["field", "verdict", "use", "auc", "evidence"])
