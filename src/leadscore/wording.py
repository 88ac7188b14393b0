"""The small words of messages: numbers with their nouns, enumerations, shortened values, near misses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches

LONGEST_SHOWN = 100  # characters of a name in an enumeration
SIMILARITY = 0.6  # from which on a word counts as a misspelling
PRODUCTS = {
    "salesforce": "Salesforce",
    "hubspot": "HubSpot",
    "dynamics": "Dynamics 365",
    "odoo": "Odoo",
    "pipedrive": "Pipedrive",
}
ACTIONS = {  # by the names of the settings, where those are not what somebody does
    "demo": "give a demo",
    "proposal": "send a proposal",
    "revive": "get back in touch",
}
EXACT = 9  # decimals of a percentage that are no error of binary fractions

ACTIVITY = "activity"  # the field of patterns that are kinds of activity


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: `one` after 1, else `many`, by default `one` with an s.

    >>> counted(1, "row"), counted(0, "row"), counted(1234, "lead has no date", "leads have no date")
    ('1 row', '0 rows', '1,234 leads have no date')
    """
    noun = one if n == 1 else many or f"{one}s"
    return f"{n:,} {noun}"


def say_action(action: str) -> str:
    """What to do next with a lead, as people say it.

    >>> say_action("proposal"), say_action("ask for a decision")
    ('send a proposal', 'ask for a decision')
    """
    return ACTIONS.get(action, action)


def whole_percent(share: float) -> int:
    """A share in whole percent, a half rounded up as spreadsheets do.

    >>> whole_percent(0.5649), whole_percent(0.565), whole_percent(0.125)
    (56, 57, 13)
    """
    percent = round(100 * share, EXACT)  # 100 * 0.565 is 56.49999999999999
    return math.floor(percent + 0.5)


def listed(words: Sequence[str], *, most: int = 12) -> str:
    """Words as an enumeration, cut after `most` of them.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(shortened(word, most=LONGEST_SHOWN) for word in words[:most])
    omitted = len(words) - most
    return f"{shown} and {omitted} more" if omitted > 0 else shown


def cut(text: str, *, most: int = 200) -> str:
    """Text, cut after `most` characters."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def shortened(value: object, *, most: int = 60) -> str:
    """A value as Python writes it, cut after `most` characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number of thousands of digits"
    return cut(text, most=most)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` is most likely a misspelling of, or None.

    >>> nearest("horizn", ["horizon", "cadence"])
    'horizon'
    """
    matches = get_close_matches(word, known, n=1, cutoff=SIMILARITY)
    return matches[0] if matches else None


def list_problems(problems: Sequence[tuple[int, str]], *, most: int = 12) -> str:
    """The problems of a file with their lines, in order, cut after `most` of them.

    >>> list_problems([(3, "no id"), (2, "no date")])
    'line 2: no date; line 3: no id'
    """
    shown = "; ".join(f"line {line}: {problem}" for line, problem in sorted(problems)[:most])
    omitted = len(problems) - most
    return f"{shown} and {omitted} more" if omitted > 0 else shown


def describe_memory_step(keys: Sequence[str]) -> str:
    """The lines of TOML with which a model learns from earlier leads of an account or contact."""
    always = " and ".join(f'{key} = "creation"' for key in keys)
    from_export = " and ".join(f'{key} = "export"' for key in keys)
    return (
        f"write {always} under [memory] if the CRM has it from the creation of a lead and keeps it, "
        f"else {from_export}, which counts from the first export that shows it"
    )


def describe_next_step(names: Sequence[str]) -> str:
    """What to export or to state, so that a model may learn from these fields."""
    tables = ", ".join(f"[fields.{name}]" for name in names)
    return (
        f"export the history of {', '.join(names)} (a row per change: lead, time, new value), and map "
        "it to the table changes; if your CRM keeps none, run leadscore ingest every night, write "
        f'known_from = "export" under {tables}, and see leadscore audit --history for when the '
        "record is long enough"
    )
