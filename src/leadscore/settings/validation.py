"""The section `validation`: how strictly exported rows are checked."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from leadscore.settings.base import Frozen, Share, hint
from leadscore.settings.rules import ALARMS, RULES, Answer, Severity


class Validation(Frozen):
    """How strictly exported rows are checked."""

    severity: dict[str, Severity] = Field(
        default={},
        description="rule -> what happens to a row that breaks it; default: see [rules](#rules)",
    )
    alarms: dict[str, Answer] = Field(
        default={},
        description="alarm -> what it does to the ingest; "
        "default: see [alarms](#every-ingest-after-the-first)",
    )
    max_refused: Share = Field(
        default=0.05,
        description="largest share of a file's or table's rows that may be refused; "
        "above it nothing is stored",
    )
    max_shrink: Share = Field(
        default=0.2,
        description="largest share of the leads, or of a table, that may be gone without an alarm",
    )
    max_vanished: Share = Field(
        default=0.05,
        description="largest share of a table's past facts that may be gone without an alarm",
    )
    max_added: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="largest share by which a table's past facts may grow without an alarm",
    )
    max_closes_vanished: Share = Field(
        default=0.01,
        description="largest share of the closed leads that may be open again without an alarm",
    )

    @field_validator("severity", "alarms")
    @classmethod
    def _can_be_chosen(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        choosable_rules = [name for name, rule in RULES.items() if rule.choosable]
        known = sorted(ALARMS if info.field_name == "alarms" else choosable_rules)
        for name in value:
            if name not in known:
                raise ValueError(f"there is no choice for {name!r}{hint(name, known)}")
        return value

    def severity_of(self, rule: str) -> Severity:
        """What happens to a row that breaks a rule."""
        return self.severity.get(rule, RULES[rule].severity)

    def answer_to(self, alarm: str) -> Answer:
        """What an alarm does to the ingest."""
        return self.alarms.get(alarm, ALARMS[alarm].answer)
