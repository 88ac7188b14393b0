"""Profile: the lead's own attributes, numbers as numbers and categories as text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.config import Settings
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column
from leadscore.features.finish import Amount, DaysUntil, Text


def build_profile(settings: Settings, changed: AbstractSet[str]) -> list[Feature]:
    """A feature for each field that may be learned from and answers no letter of BANT."""
    answers = {bant.field for bant in settings.bant.values()}
    found = []
    for name, field in settings.lead_fields().items():
        columns = field_column(name, settings=settings, changed=changed)
        if columns is None or name in answers:
            continue
        label = field.label or name.replace("_", " ")
        column = f"field_{name}"
        if field.type == "text":
            said, finish, unit = f"{label}: {{value}}", Text(column), "category"
        elif field.type == "number":
            said, finish, unit = f"{label}: {{value}}", Amount(column, field.decimals), "number"
        else:
            said, finish, unit = f"{label}: in {{value}}", DaysUntil(column), "days"
        found.append(Feature(f"profile_{name}", columns, finish, unit, said, said))
    return found
