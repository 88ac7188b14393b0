"""The section `memory`, and the keys by which leads of one account or contact know each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.settings.fields import LeadField
from leadscore.tables import KEYS

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings

KnownFrom = Literal["creation", "export"]


class Memory(Frozen):
    """Since when the keys of a lead are known, so that it can be compared with earlier leads.

    Map the keys as columns `account` and `contact` of `leads`.
    """

    account: KnownFrom | None = Field(
        default=None,
        description="`creation` if a lead's account is known when the lead is created, `export` if "
        "from the first export that shows it; otherwise only its rows in `changes` are used",
    )
    contact: KnownFrom | None = Field(
        default=None, description="the same of the contact, the person a lead came from"
    )


def lead_keys(settings: Settings) -> dict[str, LeadField]:
    """The mapped keys of leads, each with since when it is known.

    A key that is declared under `fields` is an attribute instead.
    """
    mapped = settings.mapped_of_leads() - set(settings.fields)
    keys = {}
    for name in KEYS:
        if name in mapped:
            known_from = getattr(settings.memory, name) if settings.is_dated else None
            keys[name] = LeadField(known_from=known_from)
    return keys


def stored_fields(settings: Settings) -> dict[str, LeadField]:
    """All that may change of a lead: its fields, and its keys, of which a hash is stored."""
    return settings.lead_fields() | lead_keys(settings)


def learned_keys(settings: Settings) -> list[str]:
    """The keys of which something says when they were known, so that they make features."""
    keys = lead_keys(settings)
    if not settings.is_dated:
        return []
    with_history = settings.changing_fields()
    return [name for name in keys if keys[name].known_from or name in with_history]


def check_memory(settings: Settings) -> None:
    """Raise ValueError where the section names a key that no entry maps."""
    for name in KEYS:
        if getattr(settings.memory, name) and name not in lead_keys(settings):
            raise ValueError(
                f"memory.{name}: {name!r} is no key of the leads: map a column to it, as in "
                f'columns = {{ {name} = "..." }}, and do not declare it under fields'
            )
