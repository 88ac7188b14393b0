"""The rules that exported rows must keep, and the alarms that compare an export with the one before, by name.

Settings choose severities by these names, rejects carry them, the docs list them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["refuse", "warn"]
Answer = Literal["stop", "warn"]


@dataclass(frozen=True)
class Rule:
    """What a row must keep.

    `severity` is what happens to a row that does not: it is refused, or kept with a warning, a value that cannot be
    used then counting as missing. `choosable`: whether the settings may choose the other one.
    """

    meaning: str
    severity: Severity = "refuse"
    choosable: bool = False


RULES: dict[str, Rule] = {
    "columns": Rule("has not as many values as the header"),
    "unselected": Rule("is selected by no entry and not ignored"),
    "unmapped": Rule("has a value that a value map does not know", choosable=True),
    "required": Rule("lacks a value that it must have"),
    "type": Rule("has a number or a time that cannot be read", choosable=True),
    "range": Rule("has a number outside the field's `minimum` and `maximum`", choosable=True),
    "allowed": Rule("has a value that is not on the list (stage, kind, actor, outcome, field)"),
    "money": Rule("has an amount in a currency of which the settings give no rate", choosable=True),
    "not_a_lead": Rule(
        "has no creation date, and an id unlike all others or none: a total, a footer"
    ),
    "unique": Rule("shares its `lead_id` with a different row of `leads`; all of them are refused"),
    "outcome_refused": Rule(
        "is a lead whose outcome was refused: without it a closed lead would look open"
    ),
    "closed_before_created": Rule("is a lead that closed before it was created"),
    "reference": Rule("belongs to a lead that is not there, or was refused"),
    "before_creation": Rule(
        "happened before its lead was created; kept, it counts from the creation on",
        "warn",
        choosable=True,
    ),
    "close_date": Rule(
        "closes its lead without a date, or on one at or after `known_until`: it counts as closed by `known_until`",
        "warn",
    ),
    "after_export": Rule(
        "is dated at or after `known_until`; kept as planned, it counts once a later export has it",
        "warn",
        choosable=True,
    ),
}


@dataclass(frozen=True)
class Alarm:
    """What an export must not look like compared with the previous one."""

    meaning: str
    answer: Answer = "stop"


ALARMS: dict[str, Alarm] = {
    "empty": Alarm("a table had rows and has none"),
    "half_delivered": Alarm("many leads, or much of a table, are gone"),
    "facts_vanished": Alarm(
        "leads, or facts dated before the export before, are gone; of closes hardly any may be: their leads would be "
        "open again"
    ),
    "facts_added": Alarm(
        "a table has many new facts with old dates, or activities come more than once"
    ),
    "feed_ended": Alarm(
        "the newest fact of a table is older than its gaps usually are, or facts of a kind that always came are gone, "
        "while others go on"
    ),
    "known_until_ahead": Alarm("`known_until` lies far past the newest fact of any table"),
    "same_files": Alarm(
        "`known_until` is later, but every file is the one that was read before", "warn"
    ),
    "older_export": Alarm("the export ends earlier than the one before"),
    "renamed": Alarm(
        "a value of past facts has another name, or is gone and one that is new is about as common"
    ),
    "unknown_value": Alarm(
        "a stage, kind or status that the settings do not know is common", "warn"
    ),
    "emptied": Alarm("many values of a column are gone in facts that were exported before"),
    "rewritten": Alarm(
        "many facts that were exported before say something else, such as won for lost"
    ),
    "reassigned": Alarm("many closed leads have another owner", "warn"),
    "currency_switch": Alarm(
        "many leads have another currency, or amounts that changed by one and the same factor"
    ),
    "scale": Alarm(
        "numbers are a power of ten of what they were, or those of new facts are of another size"
    ),
    "shares": Alarm("new facts differ in who acts, how leads end, or what is missing"),
    "time_shift": Alarm(
        "many leads, or the first facts of a table, moved by one and the same number of half hours"
    ),
}
