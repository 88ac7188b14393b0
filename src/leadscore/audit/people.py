"""Fields whose values are our own people, whatever the fields are called."""

from __future__ import annotations

from collections.abc import Collection

from leadscore.audit.fields import audited_fields
from leadscore.features.people import people_fields
from leadscore.history.split import History

MOST = 0.8  # of a field's different values, from which on it names people
LEAST = 3  # different people, before a field is taken for a list of them


def find_people(history: History, *, known_us: int, reps: Collection[str] = ()) -> frozenset[str]:
    """The text fields whose values, known before a moment, are owners of leads or reps.

    Fields that the settings decide about by `learn`, and those that are recognised by name, are left out.

    Args:
        history: where the leads are.
        known_us: the moment.
        reps: ids and names of the list of reps.
    """
    fields = history.settings.lead_fields()
    mapped = set(audited_fields(history.settings)) | history.facts.changed_fields(known_us)
    people = {_plain(value) for value in reps} | _values_of(history, "owner_id", known_us)
    people = {value for value in people if _is_telling(value)}
    found = set()
    for name in sorted(mapped & set(fields) - people_fields(history.settings)):
        if fields[name].type != "text" or fields[name].learn is not None:
            continue
        values = _values_of(history, name, known_us)
        named = values & people
        if len(named) >= LEAST and len(named) >= MOST * len(values):
            found.add(name)
    return frozenset(found)


def _values_of(history: History, name: str, known_us: int) -> set[str]:
    """The different values of a text field that were known before a moment."""
    return {_plain(value) for value in history.facts.distinct_texts(name, known_us)}


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def _is_telling(value: str) -> bool:
    """Whether equal values are more than chance: short numbers are ids of many things."""
    return len(value) >= 2 and not (value.isdigit() and len(value) < 4)
