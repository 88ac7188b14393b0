"""BANT: how strongly budget, authority, need and timeline are answered, and how many are answered at all."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
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
from leadscore.settings.bant import BantLetter
from leadscore.settings.settings import Settings

LATEST = (
    8  # answers of which the average is taken: hardly a lead has more, and each is a column to read
)


def build_bant(settings: Settings, *, leave_out: AbstractSet[str] = frozenset()) -> list[Feature]:
    """For each letter whose field may be learned from a strength in [0, 1] and a known flag; and completeness.

    A letter whose field is in `leave_out` goes as a whole. An unknown answer is not "no": its strength is unknown, its
    flag 0. The better the answer, the higher the probability, all else equal: directions say so to the model.
    """
    found: list[Feature] = []
    flags: list[Finish] = []
    all_columns: dict[str, dict[str, str]] = {}
    for letter, bant in settings.bant.items():
        columns = field_column(bant.field, settings)
        if columns is None or bant.field in leave_out:
            continue
        strength = field_finish(_strength(bant, settings), bant.field, settings)
        flags.append(Known(strength))
        for relation, named in columns.items():
            all_columns.setdefault(relation, {}).update(named)
        group, is_known = f"bant_{letter}", f"{letter}: {{value}}"
        said = f"{letter}: {{value}} of full strength"
        found += [
            Feature(group, columns, strength, "share", said, said, group, direction=1),
            Feature(f"{group}_known", columns, Known(strength), "flag", is_known, is_known, group),
        ]
        if settings.is_dated:
            found += _build_answers(letter, bant, settings)
    if flags:
        said = f"BANT questions answered: {{value}} of {len(flags)}"
        total = Total(tuple(flags))
        found.append(
            Feature(
                "bant_completeness", all_columns, total, "count", said, said, "bant_completeness"
            )
        )
    return found


def _build_answers(letter: str, bant: BantLetter, settings: Settings) -> list[Feature]:
    """How often a letter was answered, and how strongly on average: one answer of many may be a mood.

    An answer that is raised, all else equal, raises the average; how many there are may speak either way.
    """
    name, strength = bant.field, _strength(bant, settings)
    which = f"field = {literal(name)}"
    latest = {
        f"field_{name}_{k}": f"MAX(CASE WHEN {which} AND recency = {k} THEN value END)"
        for k in range(1, LATEST + 1)
    }
    parts: list[Finish] = [replace(strength, column=column) for column in latest]
    number: list[Finish] = [Count(f"field_{name}_answers")]
    columns = {
        "changes": latest
        | {f"field_{name}_answers": f"COUNT(CASE WHEN {which} AND value IS NOT NULL THEN 1 END)"}
    }
    if name in settings.fields_of_leads():
        columns["leads"] = {f"field_{name}": f"MAX(at_creation_{name})"}
        parts.append(strength)
        number.append(Filled(f"field_{name}"))
    group = f"bant_{letter}"
    mean, answers = (
        f"{letter}: {{value}} of full strength on average",
        f"answers on {letter} so far: {{value}}",
    )
    return [
        Feature(
            f"{group}_mean", columns, Mean(tuple(parts)), "share", mean, mean, group, direction=1
        ),
        Feature(
            f"{group}_answers", columns, Total(tuple(number)), "count", answers, answers, group
        ),
    ]


def _strength(bant: BantLetter, settings: Settings) -> Levels | Titles | FullAmount | WithinDays:
    column, decimals = f"field_{bant.field}", settings.lead_fields()[bant.field].decimals
    if bant.levels:
        return Levels(column, bant.levels)
    if bant.titles:
        return Titles(column, bant.titles)
    if bant.full_amount:
        return FullAmount(column, decimals, bant.full_amount)
    assert bant.within_days is not None  # noqa: S101  (the settings allow exactly one way)
    return WithinDays(column, *bant.within_days)
