"""What a person reads of a feature's value: a sentence for each side that it can speak on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LEAST_COUNTED = 0.001  # less is none


@dataclass(frozen=True)
class Phrase:
    """What is said of the values of a feature.

    What did not happen is never praised: of what is counted, a 0 only ever speaks against a lead,
    in the words of `none`; without such words it is no reason at all.

    Sentences may hold {value}; {weekly} and {ago}, the value as a pace and as days ago; {stage},
    where the lead stands; {spent} and {usual}, its days there and what is usual.

    Attributes:
        subject: what is measured, as documents and the model card call it.
        up: said of a value that speaks for the lead; "" if none does.
        down: said of a value that speaks against it; "" if none does.
        one: said of the value 1 on both sides; "" where it is like any other.
        counted: whether a 0 means that nothing happened.
        none: said of that 0, on the side against.
        less: said of a value below 0, on both sides; "" where it is like any other.
        values: what the values 0, 1, 2 and so on are called.
        named: says a value in words of its own, for (True) or against a lead; for features whose
            number means nothing to people. They hold no placeholder but {value} and {weekly}.
        least_up: the least value that may speak for a lead.
        most_down: the largest value that may speak against it.
        never: said of an unknown value that means that it never happened; "" if it is just not
            known.
        least_age: days since the lead came in before which a value is no reason.
    """

    subject: str
    up: str
    down: str
    one: str = ""
    counted: bool = False
    none: str = ""
    less: str = ""
    values: tuple[str, ...] = ()
    named: Callable[[float, bool], str] | None = None
    least_up: float = -math.inf
    most_down: float = math.inf
    never: str = ""
    least_age: float = 0.0

    @property
    def text(self) -> str:
        """All that may be said, line by line; in words of its own only what `subject` says."""
        return "\n".join((self.up, self.down, self.one, self.none, self.less))

    def template(self, value: Any, *, speaks_for: bool) -> str:
        """The sentence of a value with its placeholders; "" if it is no reason on that side."""
        if self.counted and abs(value) < LEAST_COUNTED:
            return "" if speaks_for else self.none
        if self.named is not None and self._contradicts(value, speaks_for=speaks_for):
            return ""
        side = self.up if speaks_for else self.down
        if side and self.named is not None:
            return self.named(value, speaks_for)
        return self._special(value) or side if side else ""

    def _contradicts(self, value: float, *, speaks_for: bool) -> bool:
        return value < self.least_up if speaks_for else value > self.most_down

    def _special(self, value: Any) -> str:
        """The sentence of a value that is said in other words than most; "" for the most."""
        if self.one and value == 1:
            return self.one
        return self.less if self.less and value < 0 else ""


def both(
    subject: str,
    sentence: str,
    *,
    one: str = "",
    less: str = "",
    values: tuple[str, ...] = (),
    counted: bool = False,
    none: str = "",
    never: str = "",
) -> Phrase:
    """A phrase that says the same on both sides."""
    return Phrase(
        subject,
        sentence,
        sentence,
        one=one,
        counted=counted,
        none=none,
        less=less,
        values=values,
        never=never,
    )


def capitalised(text: str) -> str:
    """Text that begins a sentence.

    >>> capitalised("e-mails opened"), capitalised("iPhone orders")
    ('E-mails opened', 'iPhone orders')
    """
    second = text[1:2]
    if second.isupper():
        return text
    return text[:1].upper() + text[1:]


def plural(kind: str) -> str:
    """What a kind of activity is called in the plural, from its name.

    >>> [plural(kind) for kind in ("video_call", "email_opened", "reply", "visits")]
    ['video calls', 'emails opened', 'replies', 'visits']
    """
    words = kind.replace("_", " ").split(" ")
    place = len(words) - 1
    if place and words[place].endswith("ed"):
        place -= 1
    word = words[place]
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        words[place] = word[:-1] + "ies"
    elif not word.endswith("s"):
        words[place] = word + "s"
    return " ".join(words)


def singular(many: str) -> str:
    """One of what a plural in English names: its first word in -s, without it.

    >>> [singular(words) for words in ("meetings", "replies", "e-mails to the lead", "pricing pages viewed")]
    ['meeting', 'reply', 'e-mail to the lead', 'pricing page viewed']
    >>> singular("press mentions"), singular("Anrufe")
    ('press mention', 'Anrufe')
    """
    words = many.split(" ")
    for place, word in enumerate(words):
        is_plural = word.endswith("s") and not word.endswith("ss")
        if is_plural and len(word) > 2:
            words[place] = word[:-3] + "y" if word.endswith("ies") else word[:-1]
            break
    return " ".join(words)
