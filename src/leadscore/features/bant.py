"""BANT: how strongly budget, authority, need and timeline are answered, and how many are answered at all."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

import numpy as np

from leadscore.config import BantLetter, Settings
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column
from leadscore.features.finish import Columns, FullAmount, Known, Levels, Titles, Total, WithinDays


def build_bant(settings: Settings, changed: AbstractSet[str]) -> list[Feature]:
    """For each letter whose field may be learned from a strength in [0, 1] and a known flag; and completeness.

    An unknown answer is not "no": its strength is unknown, its flag 0. The better the answer, the higher the
    probability, all else equal: directions say so to the model.
    """
    found, flags, all_columns = [], [], {}
    for letter, bant in settings.bant.items():
        columns = field_column(bant.field, settings=settings, changed=changed)
        if columns is None:
            continue
        strength = _strength(bant, settings)
        flags.append(Known(strength))
        for relation, named in columns.items():
            all_columns.setdefault(relation, {}).update(named)
        found += [
            Feature(f"bant_{letter}", columns, strength, "share",
                    f"{letter}: answered at {{value}} of full strength", f"{letter}: only {{value}} of full strength",
                    direction=1),
            Feature(f"bant_{letter}_known", columns, Known(strength), "count",
                    f"{letter} is known", f"{letter} is not known"),
        ]  # fmt: skip
    if flags:
        said = "{value} of " + f"{len(flags)} BANT questions answered"
        found.append(Feature("bant_completeness", all_columns, Total(tuple(flags)), "count", said, said))
    return found


def _strength(bant: BantLetter, settings: Settings) -> Callable[[Columns, np.ndarray], np.ndarray]:
    column, decimals = f"field_{bant.field}", settings.lead_fields()[bant.field].decimals
    if bant.levels:
        return Levels(column, bant.levels)
    if bant.titles:
        return Titles(column, bant.titles)
    if bant.full_amount:
        return FullAmount(column, decimals, bant.full_amount)
    assert bant.within_days is not None  # noqa: S101  (the settings allow exactly one way)
    return WithinDays(column, *bant.within_days)
