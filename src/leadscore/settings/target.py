"""The section `target`: what the model predicts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_serializer

from leadscore.settings.base import Frozen

AUTO = 0  # stands for "auto" until the history says how many days


def _read_days(value: object) -> object:
    if value == 0:
        raise ValueError('must be 1 or more, or "auto"')
    return AUTO if value == "auto" else value


class Target(Frozen):
    """What is predicted, and which snapshots the model learns from."""

    horizon_days: Annotated[int, BeforeValidator(_read_days)] = Field(
        default=30,
        ge=0,
        le=3650,
        json_schema_extra={"minimum": 1},  # as it is stated: 0 stands for "auto" only within
        description="days within which a win counts; `auto`: the days within which 90% of wins "
        "arrive, read from the maturity curve",
    )
    cadence_days: int = Field(
        default=1,
        ge=1,
        le=366,
        description="days between two scorings of the open leads, and so between two snapshots",
    )
    max_per_lead: int = Field(
        default=6, ge=1, le=1000, description="most snapshots to learn from in one spell of a lead"
    )
    weight_cap: float = Field(
        default=10.0,
        ge=1,
        le=1000,
        description="largest weight that a snapshot can take over from censored ones",
    )
    correction_days: float = Field(
        default=7,
        ge=0,
        le=366,
        description="a second close within so many days of the first corrects the outcome",
    )
    undated_close: Literal["last_activity", "last_stage"] | None = Field(
        default=None,
        description="what replaces a close date that is missing or later than the export: the time "
        "of the lead's last activity, or of its last stage; by default nothing does, and the model "
        "learns nothing that depends on that date. Ingest again after changing it",
    )

    @field_serializer("horizon_days", when_used="json")
    def _write_days(self, value: int) -> int | str:
        """The setting as it was given, so that saved settings can be read again."""
        return "auto" if value == AUTO else value
