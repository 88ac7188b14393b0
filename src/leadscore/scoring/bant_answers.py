"""The answers on BANT that are known of leads: those that the model learns from, and all others.

Most CRMs keep no history of these fields. Then nothing says when an answer was given, so no model
may learn from it. But people, rules and questions need the answer that is known today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.alike import first_of_each, number_distinct
from leadscore.features.bant import strength_of
from leadscore.features.fields import unlearned_fields
from leadscore.features.matrix import Matrix, read_texts
from leadscore.history.split import History
from leadscore.scoring.field_text import format_value
from leadscore.settings.bant import BantLetter
from leadscore.settings.base import Letter
from leadscore.settings.settings import Settings
from leadscore.wording import describe_next_step

GUESSES = 5  # strengths that are tried where an amount or a date was never given
NOT_LEARNED = "not learned from"
NOT_YET = "not learned from yet"


@dataclass(frozen=True)
class BantAnswers:
    """What leads (n,) answered, by letter; of every letter that the settings declare.

    Attributes:
        strengths: (n,) from 0 to 1, NaN where there is no answer.
        values: (n,) the answers as people write them; "" where there is none.
        unlearned: the letters that the model does not learn from, and how to call that.
        is_past: whether the moment is before the export; what nothing dates may be later than it.
    """

    strengths: Mapping[str, np.ndarray]
    values: Mapping[Letter, np.ndarray] = field(default_factory=dict)
    unlearned: Mapping[Letter, str] = field(default_factory=dict)
    is_past: bool = False

    @classmethod
    def join(cls, parts: Sequence[BantAnswers]) -> BantAnswers:
        """The answers of parts of a list, one after the other; equal ones are one object."""
        first = parts[0]
        strengths = {}
        for letter in first.strengths:
            strengths[letter] = np.concatenate([part.strengths[letter] for part in parts])
        values = {}
        for letter in first.values:
            code, distinct = pd.factorize(np.concatenate([part.values[letter] for part in parts]))
            values[letter] = distinct[code]
        return replace(first, strengths=strengths, values=values)

    def in_words(self, rows: np.ndarray) -> np.ndarray:
        """The answers of leads (m,), as "budget: 50,000 (not learned from yet); need: unknown"."""
        answers = [values[rows] for values in self.values.values()]
        if not answers:
            return np.full(len(rows), "", dtype=object)
        alike = number_distinct(answers)
        words = [self._describe(rows[place]) for place in first_of_each(alike)]
        return np.asarray(np.array(words, dtype=object)[alike])

    def _describe(self, row: int) -> str:
        answers = []
        for letter, values in self.values.items():
            text = f"{letter}: {values[row] or 'unknown'}"
            if values[row] and letter in self.unlearned:
                text += f" ({self.unlearned[letter]})"
            answers.append(text)
        return "; ".join(answers)


def read_answers(
    history: History,
    matrix: Matrix,
    *,
    as_of_us: int,
    changed: AbstractSet[str] | None = None,
) -> BantAnswers:
    """The answers of the leads of a matrix (n,), by what was known at `as_of_us`.

    A letter that the model learns from is as strong as its feature says. Any other is read from the
    value known then: the latest change, else what the export shows.

    Args:
        history: where the leads are.
        matrix: of the leads.
        as_of_us: the moment.
        changed: the fields of which a change was known by then; by default as the history says.
    """
    settings = history.settings
    if not settings.bant:
        return BantAnswers({})
    known = _read_values(history, matrix, as_of_us=as_of_us)
    moment = matrix.keys["as_of_us"].to_numpy()

    strengths: dict[str, np.ndarray] = {}
    values: dict[Letter, np.ndarray] = {}
    for letter, bant in settings.bant.items():
        stored = known[bant.field]
        strength = matrix.columns.get(f"bant_{letter}")
        if strength is None:
            strength = strength_of(bant, settings)({f"field_{bant.field}": stored}, moment)
        strengths[letter] = strength
        values[letter] = _write_values(stored, strength, bant, settings)
    if changed is None:
        changed = history.facts.changed_fields(history.known_us(as_of_us))
    unlearned = _name_unlearned(settings, matrix, changed)
    is_past = as_of_us < history.version.known_until_us
    return BantAnswers(strengths, values, unlearned, is_past)


def _read_values(history: History, matrix: Matrix, *, as_of_us: int) -> dict[str, np.ndarray]:
    """The values (n,) of the fields that answer, as known at `as_of_us`, None where nothing is."""
    names = sorted({bant.field for bant in history.settings.bant.values()})
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    stored = history.known_values(names, as_of_us=as_of_us, lead_id=lead_id)
    asked = pa.array(lead_id, pa.string())
    place = pc.index_in(asked, stored["lead_id"].combine_chunks())
    return {name: read_texts(stored[name].take(place)) for name in names}


def _write_values(
    stored: np.ndarray,
    strength: np.ndarray,
    bant: BantLetter,
    settings: Settings,
) -> np.ndarray:
    """The answers (n,) as people write them, equal ones once; "" where there is none that counts."""
    declared = settings.lead_fields()[bant.field]
    codes, distinct = pd.factorize(stored, use_na_sentinel=False)
    words = [format_value(value, declared, zone=settings.timezone) for value in distinct]
    written = np.array(words, dtype=object)[codes]
    written[np.isnan(strength)] = ""
    return np.asarray(written)


def _name_unlearned(
    settings: Settings,
    matrix: Matrix,
    changed: AbstractSet[str],
) -> dict[Letter, str]:
    """The letters that are no feature, with "yet" where a history would let a model learn."""
    undated = unlearned_fields(settings, set(changed))
    return {
        letter: NOT_YET if bant.field in undated else NOT_LEARNED
        for letter, bant in settings.bant.items()
        if f"bant_{letter}" not in matrix.columns
    }


def describe_unlearned(answers: BantAnswers, settings: Settings) -> list[str]:
    """Warnings about letters that count in rules and questions, but not in the probability."""
    waiting = [letter for letter, why in answers.unlearned.items() if why == NOT_YET]
    ruled_out = [letter for letter, why in answers.unlearned.items() if why == NOT_LEARNED]
    warnings = []
    if waiting:
        fields = sorted({settings.bant[letter].field for letter in waiting})
        which = "today's answers"
        if answers.is_past:
            which = "answers of the first export, perhaps given after this as_of,"
        warnings.append(
            f"{', '.join(waiting)}: {which} count in qualification and questions, but are "
            f"not learned from yet, since nothing says when they were given; "
            f"{describe_next_step(fields)}"
        )
    if ruled_out:
        warnings.append(
            f"{', '.join(ruled_out)}: the answers count in qualification and questions, but this "
            "model does not learn from them; see leadscore audit"
        )
    return warnings


def list_possible_strengths(bant: BantLetter) -> np.ndarray:
    """The strengths (k,) that an answer can have, rising; of amounts and dates evenly spaced ones."""
    if bant.levels:
        return np.linspace(0.0, 1.0, len(bant.levels))
    if bant.titles:
        return np.unique([strength for _, strength in bant.titles])
    return np.linspace(0.0, 1.0, GUESSES)
