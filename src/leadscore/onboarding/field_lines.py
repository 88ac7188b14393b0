"""The sections `fields` and `bant`."""

from __future__ import annotations

from leadscore.onboarding import words
from leadscore.onboarding.plan import Plan
from leadscore.onboarding.profile import Column
from leadscore.onboarding.toml import Text, array, quoted
from leadscore.onboarding.words import slug

MOST_LEVELS = 8
SCALES = (  # answers from weakest to strongest
    ("no", "unknown", "yes"),
    ("no", "poor", "info gathering", "yes"),
    ("none", "low", "mid", "medium", "high"),
    ("no", "maybe", "yes"),
    ("cold", "warm", "hot"),
)
UNCONFIRMED = '# known_from = "creation" # only if it was known then, and not changed since'


def write_fields(text: Text, plan: Plan) -> None:
    """A section for each field of leads, and for each field with a history."""
    for name, column in plan.fields.items():
        _write_field(text, plan, name, plan.leads.profile.columns[column])
    if plan.leads.amount is not None and plan.is_dated:
        _write_field(text, plan, "amount", plan.leads.amount)
    for name in plan.histories.values():
        text.section(f"[fields.{name}]")


def _write_field(text: Text, plan: Plan, name: str, column: Column) -> None:
    text.section(f"[fields.{name}]")
    if column.date_order is not None:
        text.add('type = "date"')
    elif column.is_plain_number or column is plan.leads.amount:
        text.add('type = "number"')
    if name != column.name or name != slug(column.name):
        text.add(f"label = {quoted(column.name)}")
    is_known = column.name in plan.answers.known
    text.add('known_from = "creation"' if is_known else UNCONFIRMED)


def write_bant(text: Text, plan: Plan) -> None:
    """BANT where a field's name says the letter, and its answers are a known scale."""
    names = [*plan.fields, *plan.histories.values()]
    for letter, letter_words in words.LETTERS.items():
        speaking = [name for name in names if words.speaks_of(name, letter_words)]
        if not speaking:
            continue
        field = speaking[0]
        answers = plan.answers_to(field)
        levels = level_order(answers)
        if 0 < len(levels) <= MOST_LEVELS:
            text.section(f"[bant.{letter}]", "CHECK the order, weakest first")
            text.add(f"field = {quoted(field)}", f"levels = {array(levels)}")


def level_order(values: set[str]) -> tuple[str, ...]:
    """The values from weakest to strongest, if they are answers of a known scale, else none.

    >>> level_order({"Yes", "No", "Unknown"})
    ('No', 'Unknown', 'Yes')
    >>> level_order({"red", "blue"})
    ()
    """
    by_word = {value.casefold(): value for value in values}
    for scale in SCALES:
        if set(by_word) <= set(scale) and len(by_word) > 1:
            return tuple(by_word[word] for word in scale if word in by_word)
    return ()
