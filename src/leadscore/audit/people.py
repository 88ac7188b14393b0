"""Fields whose values are our own people, whatever the fields are called."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from leadscore.audit.fields import audited_fields
from leadscore.features.people import people_fields
from leadscore.history.split import History

MOST = 0.8  # of a field's different values, from which on it names people
LEAST = 3  # different people, before a field is taken for a list of them


def find_people(history: History, *, known_us: int, reps: Collection[str] = ()) -> frozenset[str]:
    """The text fields whose values, known before a moment, are owners of leads or reps.

    Fields that the settings decide about by `learn`, and those that are recognised by name, are
    left out.

    Args:
        history: where the leads are.
        known_us: the moment.
        reps: ids and names of the list of reps.
    """
    settings = history.settings
    fields = settings.lead_fields()
    filled = set(audited_fields(settings)) | history.facts.changed_fields(known_us)
    candidates = filled & set(fields) - people_fields(settings)
    owners = _values_of(history, "owner_id", known_us)
    people = owners | {_plain(value) for value in reps}
    people = {value for value in people if _is_telling(value)}

    recognised = set()
    for name in candidates:
        field = fields[name]
        is_undecided = field.type == "text" and field.learn is None
        if is_undecided and _are_people(_values_of(history, name, known_us), people):
            recognised.add(name)
    return frozenset(recognised)


def _are_people(values: AbstractSet[str], people: AbstractSet[str]) -> bool:
    named = len(values & people)
    return named >= LEAST and named >= MOST * len(values)


def _values_of(history: History, name: str, known_us: int) -> set[str]:
    """The different values of a text field known before a moment, without case and spare spaces."""
    return {_plain(value) for value in history.facts.distinct_texts(name, known_us)}


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def _is_telling(value: str) -> bool:
    """Whether equal values are more than chance: short numbers are ids of many things."""
    return len(value) >= 2 and not (value.isdigit() and len(value) < 4)
