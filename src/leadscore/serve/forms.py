"""What may be asked of the service, with the columns of the project's own mapping."""

from __future__ import annotations

from typing import Any
from unicodedata import category

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from leadscore.ingest.posted import Row, Value, posted_columns
from leadscore.settings.settings import Settings

MOST_ROWS = 1_000  # of a table
LONGEST_ID = 200  # characters
EVENTS = ("changes", "activities", "stages", "outcomes")
DESCRIPTIONS = {
    "event_at": "when it happened, as 2026-03-02T14:30:00Z; without a zone, in that of the settings",
    "available_at": "when it was known, if later",
}


class Form(BaseModel):
    """Takes nothing but what it names."""

    model_config = ConfigDict(extra="forbid")


class Question(Form):
    """A lead to score: a stored one by its id, or any other with its facts as known now."""

    lead_id: str = Field(min_length=1, max_length=LONGEST_ID, description="the id of the lead")

    @field_validator("lead_id")
    @classmethod
    def _is_one_line(cls, lead_id: str) -> str:
        if any(category(character) == "Cc" for character in lead_id):
            raise ValueError("has control characters")
        return lead_id

    @model_validator(mode="after")
    def _facts_need_a_lead(self) -> Question:
        stated = [name for name in EVENTS if getattr(self, name, None)]
        if stated and getattr(self, "lead", None) is None:
            raise ValueError(f"{stated[0]} need a lead: state at least its event_at")
        return self

    def facts(self) -> dict[str, list[Row]] | None:
        """The stated rows by table; None for a stored lead."""
        stated: dict[str, Any] = self.model_dump(exclude_unset=True)
        lead = stated.pop("lead", None)
        if lead is None:
            return None
        del stated["lead_id"]
        return {"leads": [lead], **stated}


def build_question(settings: Settings) -> type[Question]:
    """The question of a project: `Question` with the columns that its leads and events have."""
    columns: dict[str, Any] = {}
    words = "the lead itself; leave it out for a stored one"
    lead: Any = _build_row("leads", settings)
    columns["lead"] = (lead | None, Field(default=None, description=words))
    for table in EVENTS:
        row: Any = _build_row(table, settings)
        columns[table] = (list[row], Field(default=[], max_length=MOST_ROWS))
    return create_model("Lead to score", __base__=Question, **columns)


def _build_row(table: str, settings: Settings) -> type[Form]:
    columns: dict[str, Any] = {}
    for name in posted_columns(table, settings):
        if name != "lead_id":
            described = Field(default=None, description=DESCRIPTIONS.get(name))
            columns[name] = (Value, described)
    return create_model(f"Row of {table}", __base__=Form, **columns)
