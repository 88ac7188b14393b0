"""BANT: how strongly budget, authority, need and timeline are answered, and how many are."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from leadscore.engine.protocol import literal
from leadscore.features.bant_words import word_answer, word_answers, word_known, word_mean
from leadscore.features.feature import Feature
from leadscore.features.fields import currency_behind, field_column, field_finish
from leadscore.features.finish import (
    Count,
    Filled,
    Finish,
    FullAmount,
    Known,
    Levels,
    Mean,
    Titles,
    Total,
    WithinDays,
)
from leadscore.features.phrases import both
from leadscore.settings.bant import BantLetter
from leadscore.settings.settings import Settings

Strength = Levels | Titles | FullAmount | WithinDays

LATEST = 8  # answers that are averaged: hardly a lead has more, and each is a column to read


def build_bant(settings: Settings, *, leave_out: AbstractSet[str] = frozenset()) -> list[Feature]:
    """For each letter that may be learned from a strength in [0, 1] and a flag; and completeness.

    A letter whose field is in `leave_out` goes as a whole. An unknown answer is not "no": its
    strength is unknown, its flag 0. The better the answer, the higher the probability, all else
    equal: directions say so to the model.
    """
    features: list[Feature] = []
    flags: list[Finish] = []
    all_columns: dict[str, dict[str, str]] = {}
    for letter, bant in settings.bant.items():
        columns = field_column(bant.field, settings)
        if columns is None or bant.field in leave_out:
            continue
        strength = field_finish(strength_of(bant, settings), bant.field, settings)
        answered = _build_letter(letter, bant, columns, strength)
        if settings.is_dated:
            answered += _build_answers(letter, bant, settings)
        rests_on = currency_behind(bant.field, settings)
        features += [replace(feature, rests_on=rests_on) for feature in answered]
        flags.append(Known(strength))
        for relation, expressions in columns.items():
            all_columns.setdefault(relation, {}).update(expressions)
    if flags:
        features.append(_build_completeness(all_columns, flags))
    return features


def _build_letter(
    letter: str,
    bant: BantLetter,
    columns: dict[str, dict[str, str]],
    strength: Finish,
) -> list[Feature]:
    """How strongly a letter is answered, and whether it is."""
    group = f"bant_{letter}"
    return [
        Feature(
            name=group,
            columns=columns,
            finish=strength,
            unit="share",
            phrase=word_answer(letter, bant),
            group=group,
            direction=1,
        ),
        Feature(
            name=f"{group}_known",
            columns=columns,
            finish=Known(strength),
            unit="flag",
            phrase=word_known(letter),
            group=group,
            is_summary=True,
        ),
    ]


def _build_completeness(columns: dict[str, dict[str, str]], flags: list[Finish]) -> Feature:
    """How many letters are answered."""
    phrase = both(
        "BANT questions answered",
        f"{{value}} of {len(flags)} BANT questions answered",
        counted=True,
        none="No BANT question answered yet",
    )
    return Feature(
        name="bant_completeness",
        columns=columns,
        finish=Total(tuple(flags)),
        unit="count",
        phrase=phrase,
        group="bant_completeness",
    )


def _build_answers(letter: str, bant: BantLetter, settings: Settings) -> list[Feature]:
    """How often a letter was answered, and how strongly on average, since one answer may be a mood.

    An answer that is raised, all else equal, raises the average; how many there are may speak
    either way.
    """
    answers = _read_answers(bant.field, strength_of(bant, settings), settings)
    group = f"bant_{letter}"
    return [
        Feature(
            name=f"{group}_mean",
            columns=answers.columns,
            finish=Mean(tuple(answers.strengths)),
            unit="share",
            phrase=word_mean(letter),
            group=group,
            direction=1,
            is_summary=True,
        ),
        Feature(
            name=f"{group}_answers",
            columns=answers.columns,
            finish=Total(tuple(answers.counts)),
            unit="count",
            phrase=word_answers(letter),
            group=group,
            is_summary=True,
        ),
    ]


@dataclass(frozen=True)
class _Answers:
    """All answers to a letter: SQL by relation and column, a strength for each, and counts to add."""

    columns: dict[str, dict[str, str]]
    strengths: list[Finish]
    counts: list[Finish]


def _read_answers(name: str, strength: Strength, settings: Settings) -> _Answers:
    """The latest answers in a field's history, and the one at creation if leads have the field."""
    is_field = f"field = {literal(name)}"
    latest = _select_latest(name, is_field)
    n_answers = f"COUNT(CASE WHEN {is_field} AND value IS NOT NULL THEN 1 END)"
    columns = {"changes": latest | {f"field_{name}_answers": n_answers}}
    strengths: list[Finish] = [replace(strength, column=column) for column in latest]
    counts: list[Finish] = [Count(f"field_{name}_answers")]

    if name in settings.fields_of_leads():
        columns["leads"] = {f"field_{name}": f"MAX(at_creation_{name})"}
        strengths.append(strength)
        counts.append(Filled(f"field_{name}"))
    return _Answers(columns, strengths, counts)


def _select_latest(name: str, is_field: str) -> dict[str, str]:
    """SQL of the latest values of a field, by column; `is_field` is the SQL of its changes."""
    return {
        f"field_{name}_{k}": f"MAX(CASE WHEN {is_field} AND recency = {k} THEN value END)"
        for k in range(1, LATEST + 1)
    }


def strength_of(bant: BantLetter, settings: Settings) -> Strength:
    """How an answer becomes a strength in [0, 1]: the settings allow exactly one way."""
    column = f"field_{bant.field}"
    if bant.levels:
        return Levels(column, bant.levels)
    if bant.titles:
        return Titles(column, bant.titles)
    if bant.full_amount:
        decimals = settings.lead_fields()[bant.field].decimals
        return FullAmount(column, decimals, bant.full_amount)
    assert bant.within_days is not None  # noqa: S101  (the only way that is left)
    return WithinDays(column, *bant.within_days)
