"""Profile: the lead's own attributes, numbers as numbers and categories as text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Amount, DaysUntil, Finish, Text
from leadscore.features.people import people_fields
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings


def build_profile(
    settings: Settings, *, leave_out: AbstractSet[str] = frozenset()
) -> list[Feature]:
    """A feature for each field that may be learned from, is not in `leave_out`, and answers no letter of BANT."""
    answers = {bant.field for bant in settings.bant.values()}
    people = people_fields(settings)
    found = []
    for name, field in settings.lead_fields().items():
        columns = field_column(name, settings)
        if columns is None or name in answers | leave_out:
            continue
        label = field.label or name.replace("_", " ")
        column = f"field_{name}"
        inner, unit = _finish(field, column)
        finish = field_finish(inner, name, settings)
        said = f"{label}: {{value}}"
        group = f"profile_{name}"
        found.append(
            Feature(group, columns, finish, unit, said, said, group, names_people=name in people)
        )
    return found


def _finish(field: LeadField, column: str) -> tuple[Finish, str]:
    """How a field's latest value becomes the feature's, and its unit."""
    if field.type == "text":
        return Text(column), "category"
    if field.type == "number":
        return Amount(column, field.decimals), "number"
    return DaysUntil(column), "days ahead"
