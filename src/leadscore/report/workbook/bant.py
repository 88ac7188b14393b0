"""BANT at a glance: for each letter how strongly it is answered, if at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from leadscore.features.bant import strength_of
from leadscore.settings.bant import BantLetter
from leadscore.settings.settings import Settings
from leadscore.times import to_us

STRONG = 2 / 3  # strength, of 1, from which an answer is strong
UNKNOWN = "unknown"
FAIR = 0.4  # strength from which on it is fair
LEGEND = "++ strong, + fair, - weak or none, ? not known"


def glance_at(words: Sequence[str], settings: Settings, *, as_of_us: int) -> list[str]:
    """The answers of leads (n,), such as "B++ A+ N? T?"; "" where no question is declared.

    Args:
        words: the column `bant` of the scores, as "budget: 50,000; need: unknown".
        settings: which say how strong an answer is.
        as_of_us: the moment that dates are compared with.
    """
    parsed = [_split(text) for text in words]
    letters: set[str] = set().union(*parsed)
    marks = {letter: _mark(letter, parsed, settings, as_of_us=as_of_us) for letter in letters}
    glances = []
    for row, answers in enumerate(parsed):
        glance = [letter[:1].upper() + marks[letter][row] for letter in answers]
        glances.append(" ".join(glance))
    return glances


def _split(words: str) -> dict[str, str]:
    """Letter -> answer; what is not learned from counts like any other."""
    answers = {}
    for part in words.split("; "):
        letter, is_answer, value = part.partition(": ")
        if is_answer:
            answers[letter] = value.partition(" (not learned from")[0]
    return answers


def _mark(
    letter: str,
    parsed: Sequence[dict[str, str]],
    settings: Settings,
    *,
    as_of_us: int,
) -> list[str]:
    """How each lead (n,) answered a letter: "++", "+", "-" or "?"."""
    texts = [answers.get(letter, UNKNOWN) for answers in parsed]
    declared = {str(name): bant for name, bant in settings.bant.items()}
    strengths = np.full(len(texts), np.nan)
    if letter in declared:
        strengths = _measure(texts, declared[letter], settings, as_of_us=as_of_us)
    marks = []
    for text, strength in zip(texts, strengths, strict=True):
        marks.append("?" if text == UNKNOWN else _mark_strength(strength))
    return marks


def _mark_strength(strength: float) -> str:
    if strength >= STRONG:
        return "++"
    return "-" if strength < FAIR else "+"  # an answer that cannot be read is an answer


def _measure(
    texts: Sequence[str],
    bant: BantLetter,
    settings: Settings,
    *,
    as_of_us: int,
) -> np.ndarray:
    """The strengths (n,) of answers as people write them; NaN where that cannot be read."""
    stored = [_restore(text, bant, settings) for text in texts]
    columns = {f"field_{bant.field}": np.array(stored, dtype=object)}
    moments = np.full(len(texts), as_of_us)
    measure = strength_of(bant, settings)
    return np.asarray(measure(columns, moments), dtype=float)


def _restore(text: str, bant: BantLetter, settings: Settings) -> object:
    """An answer as the store has it: minor units, the last microsecond of a day, or text."""
    if text == UNKNOWN:
        return None
    field = settings.lead_fields()[bant.field]
    try:
        if field.type == "number":
            number = float(text.replace(",", ""))
            return str(round(number * 10**field.decimals))
        if field.type == "date":
            day = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(settings.timezone))
            last_second = day.replace(hour=23, minute=59, second=59)
            return str(to_us(last_second))
    except ValueError:
        return None
    return text
