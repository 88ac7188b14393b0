"""What is learned from the rows before the scorer: rates of categories, usual values, levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import Columns, encode, encode_level, encode_one, logit

PRIOR_ROWS = 20.0  # rows at the overall win rate that are added to those of a category
FOLDS = 5
LEAST_LEADS = 10  # a level of fewer may be a name or an address, and no model file may hold it
MOST_LEVELS = 20  # of a category; with more the trees see only its rates
ORDERED = {"stage_current"}  # its position is a number that the trees split as well
OTHER = "\0other"  # stands for all rare levels


def fold_of_group(
    groups: np.ndarray,
    *,
    folds: int = FOLDS,
    seed: Sequence[int] = (),
) -> np.ndarray:
    """A fold (n,) in [0, folds) for each row, the same for all rows of a group.

    It does not depend on the order of the rows.

    Args:
        groups: (n,) the name of each row's group, as `Matrix.groups` gives them.
        folds: how many.
        seed: deals the groups to folds at random; without it in turn.
    """
    codes, names = pd.factorize(groups, sort=True)
    number = np.arange(len(names))
    if seed:
        number = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(number[codes] % folds)


def pool_rare_levels(
    values: np.ndarray,
    leads: np.ndarray,
    *,
    least_leads: int = LEAST_LEADS,
) -> np.ndarray:
    """A category's values (n,), with `OTHER` for levels that fewer than `least_leads` leads have.

    Args:
        values: (n,) text, None where unknown.
        leads: (n,) the row's lead.
        least_leads: how many distinct leads a level needs to keep its name.
    """
    codes, names = pd.factorize(pd.Series(values, dtype=object))
    is_known = codes >= 0
    known_leads = _to_numbers(leads)[is_known]
    pairs = pd.DataFrame({"level": codes[is_known], "lead": known_leads})
    pairs = pairs.drop_duplicates()
    leads_of_level = np.bincount(pairs["level"], minlength=len(names))

    pooled = np.array([*names, None], dtype=object)  # unknown values have the code -1: the last
    pooled[:-1][leads_of_level < least_leads] = OTHER
    return np.asarray(pooled[codes])


def _to_numbers(names: np.ndarray) -> np.ndarray:
    """An integer (n,) for each distinct name."""
    if names.dtype.kind == "i":
        return names
    return pd.factorize(names)[0]


def _number_leads(matrix: Matrix) -> np.ndarray:
    """An integer (n,) for the lead of each row."""
    return _to_numbers(matrix.keys["lead_id"].to_numpy())


def fit_encoder(
    matrix: Matrix,
    label: np.ndarray,
    weight: np.ndarray,
    features: Sequence[Feature],
    *,
    least_leads: int = LEAST_LEADS,
) -> list[dict[str, Any]]:
    """An entry for each feature, as JSON for `apply.encode`.

    Args:
        matrix: n rows as they come.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        features: what the columns are.
        least_leads: a level of fewer leads counts as "other".
    """
    leads = _number_leads(matrix)

    def read_category(name: str) -> np.ndarray:
        return pool_rare_levels(matrix.columns[name], leads, least_leads=least_leads)

    encoder: list[dict[str, Any]] = []
    for feature in features:
        entry: dict[str, Any] = {"name": feature.name, "kind": "number"}
        if feature.usual_for:
            of, by = feature.usual_for
            usual = _fit_usual(matrix.columns[of], read_category(by))
            entry |= {"kind": "usual", "of": of, "by": by, "usual": usual}
        elif feature.is_category:
            rates = _fit_rates(read_category(feature.name), label, weight)
            entry |= {"kind": "rate", **rates}
        encoder.append(entry)
    return encoder


def fit_levels(matrix: Matrix, features: Sequence[Feature]) -> list[dict[str, Any]]:
    """The levels of each category that has few, as JSON for `apply.add_codes`.

    Trees split by them directly. Out of fold the rate of a level is five values, not one, and two
    levels may share it.
    """
    leads = _number_leads(matrix)
    entries: list[dict[str, Any]] = []
    for feature in features:
        if not feature.is_category or feature.name in ORDERED:
            continue
        values = set(pool_rare_levels(matrix.columns[feature.name], leads))
        known = values - {None, OTHER}
        levels = sorted(str(value) for value in known)
        if 0 < len(levels) <= MOST_LEVELS:
            entries.append({"name": feature.name, "levels": levels})
    return entries


class EncodedColumns(Protocol):
    """Encoded columns (n,) by position: the transpose of a matrix, or `TrainingColumns`."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> np.ndarray: ...


@dataclass(frozen=True)
class TrainingColumns:
    """The encoded columns (n,) of the rows that train a scorer, with out-of-fold category rates.

    In sample a rate would contain the row's own label, and a meaningless category with many levels
    would look like the best of features. A number is encoded when it is read, so that a million
    rows are not in memory a second time.

    Attributes:
        columns: the features as they come.
        encoder: an entry for each feature, as `fit_encoder` gives it.
        rates: position of a category -> its rates (n,).
    """

    columns: Columns
    encoder: list[dict[str, Any]]
    rates: Mapping[int, np.ndarray]

    @classmethod
    def of(
        cls,
        matrix: Matrix,
        label: np.ndarray,
        weight: np.ndarray,
        features: Sequence[Feature],
        *,
        least_leads: int = LEAST_LEADS,
    ) -> Self:
        """The columns of labelled rows; the arguments are those of `fit_encoder`.

        Folds are by `Matrix.groups`.
        """
        encoder = fit_encoder(matrix, label, weight, features, least_leads=least_leads)
        leads = _number_leads(matrix)
        fold = fold_of_group(matrix.groups())
        rates = {}
        for position, feature in enumerate(features):
            if feature.is_category:
                values = matrix.columns[feature.name]
                values = pool_rare_levels(values, leads, least_leads=least_leads)
                rates[position] = _encode_out_of_fold(values, label, weight, fold)
        return cls(matrix.columns, encoder, rates)

    def __len__(self) -> int:
        return len(self.encoder)

    def __getitem__(self, position: int) -> np.ndarray:
        if position in self.rates:
            return self.rates[position]
        return encode_one(self.encoder[position], self.columns)

    def stack(self, levels: Sequence[Mapping[str, Any]] = ()) -> np.ndarray:
        """The columns side by side (n, features + levels), with codes as of `apply.add_codes`."""
        first = self[0]
        features = len(self)
        stacked = np.empty((len(first), features + len(levels)))
        for position in range(features):
            stacked[:, position] = self[position]
        for position, entry in enumerate(levels, start=features):
            stacked[:, position] = encode_level(entry, self.columns)
        return stacked


def encode_training(
    matrix: Matrix,
    label: np.ndarray,
    weight: np.ndarray,
    features: Sequence[Feature],
    *,
    least_leads: int = LEAST_LEADS,
) -> np.ndarray:
    """`TrainingColumns` side by side (n, features)."""
    columns = TrainingColumns.of(matrix, label, weight, features, least_leads=least_leads)
    return columns.stack()


def _encode_out_of_fold(
    values: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    fold: np.ndarray,
) -> np.ndarray:
    """A category's rates (n,), each from the rows of the other folds."""
    encoded = np.empty(len(values))
    for k in range(FOLDS):
        inside = fold == k
        others = ~inside
        rates = _fit_rates(values[others], label[others], weight[others])
        entry = {"name": "category", "kind": "rate", **rates}
        given = {"category": values[inside]}
        encoded[inside] = encode([entry], given)[:, 0]
    return encoded


def _fit_rates(values: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Log-odds of winning by category, `missing` for unknown values and `other` for all others.

    The rate of a category is (won + PRIOR_ROWS * overall rate) / (n + PRIOR_ROWS), an empirical
    Bayes estimate that shrinks small categories toward the overall win rate.
    """
    total = weight.sum()
    overall = 0.5
    if total > 0:
        average = (weight * label).sum() / total
        overall = float(np.clip(average, 1e-6, 1 - 1e-6))

    codes, names = pd.factorize(pd.Series(values, dtype=object), sort=True)
    position = codes + 1  # unknown values come first
    places = len(names) + 1
    n = np.bincount(position, weights=weight, minlength=places)
    won = np.bincount(position, weights=weight * label, minlength=places)
    rate = (won + PRIOR_ROWS * overall) / (n + PRIOR_ROWS)
    of_missing, *of_names = logit(rate).tolist()

    levels = map(str, names)
    rates = dict(zip(levels, of_names, strict=True))
    other = rates.pop(OTHER, float(logit(overall)))
    has_missing = bool((codes < 0).any())
    return {"rates": rates, "missing": of_missing if has_missing else other, "other": other}


def _fit_usual(values: np.ndarray, categories: np.ndarray) -> dict[str, float]:
    """The median of a number by category, where it is above 0.

    `OTHER` has none, since its levels have little in common.
    """
    by_category = pd.Series(values).groupby(pd.Series(categories), sort=True)
    medians = by_category.median()
    positive = medians[medians > 0]
    usual = {str(category): float(median) for category, median in positive.items()}
    usual.pop(OTHER, None)
    return usual
