"""Profile: the lead's own attributes, numbers as numbers and categories as text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.features.feature import Feature
from leadscore.features.fields import currency_behind, field_column, field_finish
from leadscore.features.finish import Amount, DaysUntil, Finish, Text
from leadscore.features.moves import build_moves
from leadscore.features.people import people_fields
from leadscore.features.phrases import both
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings

UNITS = {"text": "category", "number": "number", "date": "days ahead"}


def build_profile(
    settings: Settings,
    *,
    leave_out: AbstractSet[str] = frozenset(),
) -> list[Feature]:
    """A feature for each field that may be learned from and answers no letter of BANT."""
    answers = {bant.field for bant in settings.bant.values()}
    people = people_fields(settings)
    features = []
    for name, field in settings.lead_fields().items():
        columns = field_column(name, settings)
        if columns is None or name in answers | leave_out:
            continue
        label = field.label or name.replace("_", " ")
        sentence = f"{label}: {{value}}"
        feature = Feature(
            name=f"profile_{name}",
            columns=columns,
            finish=field_finish(_read_value(field, f"field_{name}"), name, settings),
            unit=UNITS[field.type],
            phrase=both(label, field.sentence or sentence),
            group=f"profile_{name}",
            rests_on=currency_behind(name, settings),
            names_people=name in people,
        )
        features += [feature, *build_moves(name, settings)]
    return features


def _read_value(field: LeadField, column: str) -> Finish:
    """How a field's latest value becomes the feature's."""
    if field.type == "text":
        return Text(column)
    if field.type == "number":
        return Amount(column, field.decimals)
    return DaysUntil(column)
