"""Where a lead's field may be read from without looking ahead: its history, or its value known at creation."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.config import Settings
from leadscore.engine.protocol import literal


def field_column(name: str, *, settings: Settings, changed: AbstractSet[str]) -> dict[str, dict[str, str]] | None:
    """Relation -> column name -> SQL of a field's latest known value, or None if it may not be learned from.

    A field in `changed` has a history: its value in `leads` is the present one and is never read, and before its
    first change it is unknown. One without is read from `leads` only if it is declared known from creation.
    """
    column = f"field_{name}"
    if name in changed:
        return {"changes": {column: f"MAX(CASE WHEN field = {literal(name)} AND recency = 1 THEN value END)"}}
    if settings.lead_fields()[name].known_from == "creation":
        return {"leads": {column: f"MAX(at_creation_{name})"}}
    return None


def created_columns(settings: Settings, changed: AbstractSet[str]) -> tuple[str, ...]:
    """The columns of `leads` that a snapshot may show: known from creation, and without a history."""
    fields = settings.lead_fields().items()
    return tuple(name for name, field in fields if field.known_from == "creation" and name not in changed)


def unlearned_fields(settings: Settings, changed: AbstractSet[str]) -> list[str]:
    """The mapped fields that are shown but not learned from, since nothing says when they were known."""
    mapped = {name for entry in settings.mapping if entry.table == "leads" for name in entry.targets()}
    asked = mapped | {bant.field for bant in settings.bant.values()}
    return sorted(
        name for name in asked & set(settings.lead_fields())
        if field_column(name, settings=settings, changed=changed) is None
    )  # fmt: skip
