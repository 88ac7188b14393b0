"""Where a field may be read without looking ahead: in its history, or as known at creation.

The settings alone decide, so that no later fact can change where an earlier snapshot reads from.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.engine.protocol import literal
from leadscore.features.finish import Finish, SinceCreation
from leadscore.settings.settings import Settings


def field_column(name: str, settings: Settings) -> dict[str, dict[str, str]] | None:
    """Relation -> column -> SQL of a field's latest known value; None if it is not to be learned.

    A field declared known from creation is read from `leads`, and from the changes that later
    exports showed. Any other is read from its history, before whose first row it is unknown: its
    value in `leads` is the present one, which says nothing about the past. Without dates every
    mapped field is read from `leads`.
    """
    column = f"field_{name}"
    latest = f"MAX(CASE WHEN field = {literal(name)} AND recency = 1 THEN value END)"
    if name in settings.fields_of_leads():
        at_creation = {"leads": {column: f"MAX(at_creation_{name})"}}
        if not settings.is_dated:
            return at_creation
        changes = f"COUNT(CASE WHEN field = {literal(name)} THEN 1 END)"
        since = {f"{column}_later": latest, f"{column}_changes": changes}
        return at_creation | {"changes": since}

    if name in recorded_fields(settings):
        return {"changes": {column: latest}}
    return None


def recorded_fields(settings: Settings) -> set[str]:
    """The fields that are read from their history alone, mapped or recorded by our own exports."""
    fields = settings.lead_fields()
    by_exports = {name for name, field in fields.items() if field.known_from == "export"}
    with_history = by_exports | settings.changing_fields()
    return with_history - settings.fields_of_leads()


def field_finish(inner: Finish, name: str, settings: Settings) -> Finish:
    """`inner`, a finish of the column `field_<name>`, made to read the latest known value."""
    may_change = settings.is_dated and name in settings.fields_of_leads()
    return SinceCreation(f"field_{name}", inner) if may_change else inner


def currency_behind(name: str, settings: Settings) -> tuple[str, ...]:
    """What the values of a number rest on: the currency into which ingest converts amounts, if any.

    Amounts that a model learned as they stood are others once they are converted.
    """
    is_number = settings.lead_fields()[name].type == "number"
    return (settings.money.currency,) if is_number and settings.money is not None else ()


def unlearned_fields(settings: Settings, changed: AbstractSet[str]) -> list[str]:
    """The mapped fields that no feature reads, or whose history is empty.

    Args:
        settings: say which fields may be read, and from where.
        changed: the fields with a history by now. One that our own exports recorded is read only
            once the settings state `known_from = "export"`.
    """
    with_history = recorded_fields(settings) & changed
    learned = settings.fields_of_leads() | with_history
    return sorted(mapped_fields(settings) - learned)


def mapped_fields(settings: Settings) -> set[str]:
    """The fields that a mapping entry fills in `leads`, or that BANT asks for."""
    mapped = {bant.field for bant in settings.bant.values()}
    for entry in settings.mapping:
        if entry.table == "leads":
            mapped |= set(entry.targets())
    return mapped & set(settings.lead_fields())
