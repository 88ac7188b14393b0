"""The rules that exported rows must keep, and the alarms that compare an export with the one before.

Settings choose severities by these names, rejects carry them, and docs/settings.md lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["refuse", "warn"]
Answer = Literal["stop", "warn"]


@dataclass(frozen=True)
class Rule:
    """What every row must keep.

    Attributes:
        meaning: what a row that breaks the rule is, or has; for the docs.
        severity: what happens to such a row. It is refused, or kept with a warning; a value that
            cannot be used then counts as missing.
        choosable: whether the settings may choose the other severity.
    """

    meaning: str
    severity: Severity = "refuse"
    choosable: bool = False


RULES: dict[str, Rule] = {
    "columns": Rule(
        "has a different number of values than the header; or is, in JSON Lines, no JSON object"
    ),
    "unselected": Rule("is neither selected by a mapping entry nor ignored"),
    "unmapped": Rule("has a value that the value map does not list", choosable=True),
    "required": Rule("lacks a required value"),
    "type": Rule("has a number or a time that cannot be read", choosable=True),
    "range": Rule("has a number outside the field's `minimum` and `maximum`", choosable=True),
    "allowed": Rule("has a value that is not allowed (stage, kind, actor, outcome, field)"),
    "money": Rule("has an amount in a currency without a rate in the settings", choosable=True),
    "id_rounded": Rule(
        "has an id that lost its last digits in a spreadsheet, such as `1.61E+17`: export the ids "
        "as text, and do not save the file from a spreadsheet"
    ),
    "id_kind": Rule("has an id that is not of the kind that `id` states"),
    "not_a_lead": Rule(
        "has no creation date, and an id that is missing or unlike all others: a total, a footer"
    ),
    "unique": Rule("shares its `lead_id` with a different row of `leads`; all of them are refused"),
    "outcome_refused": Rule(
        "is a lead whose outcome was refused: without it a closed lead would look open"
    ),
    "closed_before_created": Rule("is a lead that closed before it was created"),
    "reference": Rule("belongs to a lead that does not exist, or was refused"),
    "before_creation": Rule(
        "is dated before its lead was created; if kept, it counts from the creation on",
        "warn",
        choosable=True,
    ),
    "close_date": Rule(
        "closes its lead without a date, or with one at or after `known_until`: "
        "it counts as closed by `known_until`",
        "warn",
    ),
    "after_export": Rule(
        "is dated at or after `known_until`; kept as a plan, it counts once a later export has it",
        "warn",
        choosable=True,
    ),
}


@dataclass(frozen=True)
class Alarm:
    """A way in which an export must not differ from the previous one.

    Attributes:
        meaning: when the alarm is raised; for the docs.
        answer: whether the alarm stops the ingest, or warns.
    """

    meaning: str
    answer: Answer = "stop"


ALARMS: dict[str, Alarm] = {
    "empty": Alarm("a table that had rows has none"),
    "half_delivered": Alarm(
        "more than `validation.max_shrink` of the leads, or of a table, are gone"
    ),
    "facts_vanished": Alarm(
        "more than `validation.max_closes_vanished` of the closed leads, and at least five, have "
        "lost their outcome or their closing stage; or more than `validation.max_vanished` of the "
        "leads, or of a table's facts, dated before the previous export are gone; or more than "
        "`validation.max_shrink` of the open leads, or of the closed ones, or half of those created "
        "since some month of the last year"
    ),
    "facts_added": Alarm(
        "a table's facts older than a week before the previous export grew by more than "
        "`validation.max_added`; or the share of new activities that equal another one is 40 "
        "percentage points above that of the year before"
    ),
    "feed_ended": Alarm(
        "the newest fact of a table is older than 1.5 times the table's longest gap in a year, "
        "while other tables go on; or a kind, an actor, an open stage or an answered field that "
        "came in each of the eight periods before has less than a tenth of the facts expected, if "
        "these are 15 or more"
    ),
    "known_until_ahead": Alarm(
        "`known_until` lies more than 1.5 times the longest gap of a year, and more than ten days, "
        "past the newest fact of any table; not if it is the moment of the last ingest"
    ),
    "same_files": Alarm(
        "`known_until` is later, but every file is the same as last time; not of a database, which "
        "is asked anew"
    ),
    "older_export": Alarm("the export was made before the previous one"),
    "renamed": Alarm(
        "a value of past facts has another name, or is gone while a new one, or one that the "
        "settings do not know, is about as common"
    ),
    "unknown_value": Alarm(
        "a stage, kind or status that the settings do not know is common", "warn"
    ),
    "emptied": Alarm(
        "more than 5% of a column's values are gone from facts that were exported before "
        "(of leads 20%)"
    ),
    "rewritten": Alarm(
        "more than 5% of the facts exported before say something else, such as won for lost (of "
        "leads' texts 50%, or 20% if two values changed places; of their numbers and dates 20% of "
        "the leads closed before, if the new values are unrelated to the old: rank correlation "
        "below 0.5)"
    ),
    "reassigned": Alarm("more than 20% of the leads closed before have another owner", "warn"),
    "currency_switch": Alarm(
        "many leads have another currency, or amounts that changed by one and the same factor"
    ),
    "scale": Alarm(
        "more than 5% of the numbers exported before changed by a power of ten, or the median of "
        "new ones is more than five times, or less than a fifth of, what it was"
    ),
    "shares": Alarm(
        "the share of an actor, an outcome or missing values among new facts rose by more than 40 "
        "percentage points"
    ),
    "time_shift": Alarm(
        "the creation of many leads, or their first facts in a table, moved by the same number of "
        "half hours"
    ),
}
