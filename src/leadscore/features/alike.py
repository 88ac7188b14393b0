"""Values that read alike: their sentence is worded once, and not for every lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from leadscore.features.feature import Around, Feature
from leadscore.features.phrases import LEAST_COUNTED
from leadscore.features.units import shown


@dataclass(frozen=True)
class Surroundings:
    """What sentences about leads (n,) may say beside a value, as `Around` has it of one.

    Attributes:
        elapsed: share of the day that has passed at the date of the list.
        stage: (n,) text, None where it is not known.
        spent: (n,) days in it, NaN where they are not known.
        age: (n,) days, NaN where they are not known.
    """

    elapsed: float
    stage: np.ndarray
    spent: np.ndarray
    age: np.ndarray

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray], *, rows: int, elapsed: float) -> Self:
        """Of the columns of a matrix; features that the settings do not give are not known."""
        unknown = np.full(rows, np.nan)
        no_stage = np.full(rows, None, dtype=object)
        return cls(
            elapsed=elapsed,
            stage=columns.get("stage_current", no_stage),
            spent=columns.get("stage_days_in_current", unknown),
            age=columns.get("stage_age", unknown),
        )

    def rows(self, at: np.ndarray) -> Surroundings:
        """Those of the leads at positions (m,)."""
        return Surroundings(
            elapsed=self.elapsed,
            stage=self.stage[at],
            spent=self.spent[at],
            age=self.age[at],
        )

    def around(self, row: int) -> Around:
        """Those of one lead."""
        stage = self.stage[row]
        return Around(
            elapsed=self.elapsed,
            stage=None if stage is None else shown(stage, "category"),
            spent=_known(self.spent[row]),
            age=_known(self.age[row]),
        )


def _known(days: Any) -> float | None:
    return float(days) if np.isfinite(days) else None


def group_alike(feature: Feature, values: np.ndarray, around: Surroundings) -> np.ndarray:
    """Numbers (n,) from 0 on, equal only where a feature says the same of its values (n,).

    Equal values read alike where the sentence speaks of nothing else. Lengths in days are read as
    whole days, so that those of one day read alike.

    Args:
        feature: what the values are of.
        values: (n,) known ones.
        around: of the same leads.
    """
    of_values = _list_value_keys(feature, values, around.elapsed)
    of_others = _list_other_keys(feature, around)
    return number_distinct([*of_values, *of_others])


def number_distinct(keys: list[np.ndarray]) -> np.ndarray:
    """Numbers (n,) of the distinct rows of some columns (n,), from 0 on as they first come.

    >>> number_distinct([np.array([7, 7, 3, 7]), np.array([0.5, np.nan, 0.5, 0.5])]).tolist()
    [0, 1, 2, 0]
    """
    number = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        codes, levels = pd.factorize(key)
        width = len(levels) + 1  # an unknown level has the code -1
        number, _ = pd.factorize(number * width + codes)
    return number


def first_of_each(number: np.ndarray) -> list[int]:
    """The position of the first row of each number, from 0 on."""
    _, first = np.unique(number, return_index=True)
    positions: list[int] = first.tolist()
    return positions


def _list_value_keys(feature: Feature, values: np.ndarray, elapsed: float) -> Iterator[np.ndarray]:
    phrase = feature.phrase
    is_read_in_days = feature.unit == "days" and phrase.named is None and not phrase.values
    if not is_read_in_days:
        yield values
        return
    yield np.rint(values)  # as {value} and {spent}
    yield np.ceil(values - elapsed)  # as {ago}
    yield np.abs(values) < LEAST_COUNTED
    yield values == 1
    yield values < 0


def _list_other_keys(feature: Feature, around: Surroundings) -> Iterator[np.ndarray]:
    """What a feature's sentences say beside the value; they are the same where these are."""
    if "stage" in feature.placeholders:
        yield around.stage
    if "usual" in feature.placeholders:
        yield around.spent
    elif "spent" in feature.placeholders:
        yield np.rint(around.spent)
    for days in feature.ages:
        yield around.age < days
