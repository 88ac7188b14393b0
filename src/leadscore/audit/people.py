"""Fields whose values are our own people, whatever the fields are called."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from leadscore.audit.fields import audited_fields
from leadscore.features.people import people_fields
from leadscore.history.split import History

MOST = 0.8  # of a field's different values, from which on it names people
LEAST = 3  # different people, before a field is taken for a list of them


def find_people(
    history: History,
    *,
    known_us: int,
    reps: Collection[str] = (),
) -> frozenset[str]:
    """The text fields whose values, known before a moment, are owners of leads or reps.

    Fields that the settings decide about by `learn`, and those that are recognised by name, are
    left out.

    Args:
        history: where the leads are.
        known_us: the moment.
        reps: ids and names of the list of reps.
    """
    owners = _values_of(history, "owner_id", known_us)
    reps = {_plain(value) for value in reps}
    people = {value for value in owners | reps if _is_telling(value)}

    recognised = set()
    for name in _undecided_fields(history, known_us):
        values = _values_of(history, name, known_us)
        if _are_people(values, people):
            recognised.add(name)
    return frozenset(recognised)


def _undecided_fields(history: History, known_us: int) -> set[str]:
    """The filled text fields that neither `learn` nor their name decides about."""
    settings = history.settings
    filled = set(audited_fields(settings))
    filled |= history.facts.changed_fields(known_us)
    by_name = people_fields(settings)

    undecided = set()
    for name, field in settings.lead_fields().items():
        if name not in filled or name in by_name:
            continue
        if field.type == "text" and field.learn is None:
            undecided.add(name)
    return undecided


def _are_people(values: AbstractSet[str], people: AbstractSet[str]) -> bool:
    named = len(values & people)
    return named >= LEAST and named >= MOST * len(values)


def _values_of(history: History, name: str, known_us: int) -> set[str]:
    """The different values of a text field known before a moment, without case and spare spaces."""
    texts = history.facts.distinct_texts(name, known_us)
    return {_plain(text) for text in texts}


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def _is_telling(value: str) -> bool:
    """Whether equal values are more than chance: short numbers are ids of many things."""
    least = 4 if value.isdigit() else 2
    return len(value) >= least
