"""BANT: how strongly budget, authority, need and timeline are answered, and how many are answered at all."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.config import Settings
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Finish, FullAmount, Known, Levels, Titles, Total, WithinDays
from leadscore.sections import BantLetter


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
    if flags:
        said = f"BANT questions answered: {{value}} of {len(flags)}"
        total = Total(tuple(flags))
        found.append(Feature("bant_completeness", all_columns, total, "count", said, said, "bant_completeness"))
    return found


def _strength(bant: BantLetter, settings: Settings) -> Finish:
    column, decimals = f"field_{bant.field}", settings.lead_fields()[bant.field].decimals
    if bant.levels:
        return Levels(column, bant.levels)
    if bant.titles:
        return Titles(column, bant.titles)
    if bant.full_amount:
        return FullAmount(column, decimals, bant.full_amount)
    assert bant.within_days is not None  # noqa: S101  (the settings allow exactly one way)
    return WithinDays(column, *bant.within_days)
