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
    "not_a_lead": Rule("has no creation date, and an id unlike all others or none: a total, a footer"),
    "unique": Rule("shares its `lead_id` with a different row of `leads`; all of them are refused"),
    "outcome_refused": Rule("is a lead whose outcome was refused: without it a closed lead would look open"),
    "closed_before_created": Rule("is a lead that closed before it was created"),
    "reference": Rule("belongs to a lead that is not there, or was refused"),
    "before_creation": Rule(
        "happened before its lead was created; kept, it counts from the creation on", "warn", choosable=True
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
    """What an export must not look like beside the one before."""

    meaning: str
    answer: Answer = "stop"


ALARMS: dict[str, Alarm] = {
    "empty": Alarm("a table had rows and has none"),
    "half_delivered": Alarm("many leads, or much of a table, are gone"),
    "same_files": Alarm("`known_until` is later, but every file is the one that was read before", "warn"),
    "older_export": Alarm("the export ends earlier than the one before"),
    "renamed": Alarm("a value that was common is gone, and one that was not there is about as common", "warn"),
    "currency_switch": Alarm("many leads have another currency, or amounts that changed by one and the same factor"),
    "time_shift": Alarm("the creation of many leads moved by one and the same number of half hours"),
}
