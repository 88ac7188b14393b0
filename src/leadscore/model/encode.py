"""What is learned from rows before the scorer: category rates and usual times, on the earlier side only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import encode

PRIOR_ROWS = 20.0  # how many rows of the base rate a category's own rows are mixed with
FOLDS = 5
LEAST_LEADS = 10  # of fewer, a category's level may be a name or an address: no model, and no copy of one, holds it
MOST_LEVELS = 20  # of a category; with more the trees see its rates alone
ORDERED = {"stage_current"}  # the stage's place is a number beside it, by which trees split as well
OTHER = "\0other"  # stands for all such levels


def fold_of_group(
    groups: np.ndarray, *, folds: int = FOLDS, seed: Sequence[int] = ()
) -> np.ndarray:
    """A fold (n,) in [0, folds) for each row, the same for all rows of a group, whatever the order of rows.

    Args:
        groups: (n,) the name of each row's group, as `Matrix.groups` gives them.
        folds: how many.
        seed: deals the groups at random; without it by turns.
    """
    codes, names = pd.factorize(groups, sort=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) if seed else np.arange(len(names))
    return np.asarray(dealt[codes] % folds)


def pool_rare_levels(
    values: np.ndarray, leads: np.ndarray, *, least_leads: int = LEAST_LEADS
) -> np.ndarray:
    """A category's values (n,), with `OTHER` for each level that fewer than `least_leads` different leads have.

    Args:
        values: (n,) text, None where unknown.
        leads: (n,) the rows' leads.
        least_leads: how many leads keep a level by its name.
    """
    codes, names = pd.factorize(pd.Series(values, dtype=object))
    known = codes >= 0
    pairs = pd.DataFrame({"code": codes[known], "lead": _numbers(leads)[known]}).drop_duplicates()
    leads_of_level = np.bincount(pairs["code"], minlength=len(names))
    pooled = np.array(
        [*names, None], dtype=object
    )  # the last stands for unknown values, whose code is -1
    pooled[:-1][leads_of_level < least_leads] = OTHER
    return np.asarray(pooled[codes])


def _numbers(names: np.ndarray) -> np.ndarray:
    """A number (n,) for each different name."""
    return names if names.dtype.kind == "i" else pd.factorize(names)[0]


def fit_encoder(
    matrix: Matrix,
    label: np.ndarray,
    weight: np.ndarray,
    features: Sequence[Feature],
    *,
    least_leads: int = LEAST_LEADS,
) -> list[dict[str, Any]]:
    """An entry for each feature (see `apply.encode`), as JSON.

    Args:
        matrix: n raw rows.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        features: what the columns are.
        least_leads: a category's level of fewer leads counts as "other".
    """
    encoder: list[dict[str, Any]] = []
    leads = _numbers(matrix.keys["lead_id"].to_numpy())
    for feature in features:
        if feature.usual_for:
            of, by = feature.usual_for
            categories = pool_rare_levels(matrix.columns[by], leads, least_leads=least_leads)
            usual = _usual(matrix.columns[of], categories)
            encoder.append(
                {"name": feature.name, "kind": "usual", "of": of, "by": by, "usual": usual}
            )
        elif feature.is_category:
            values = pool_rare_levels(matrix.columns[feature.name], leads, least_leads=least_leads)
            encoder.append({"name": feature.name, "kind": "rate", **_rates(values, label, weight)})
        else:
            encoder.append({"name": feature.name, "kind": "number"})
    return encoder


def fit_levels(matrix: Matrix, features: Sequence[Feature]) -> list[dict[str, Any]]:
    """The levels of each category that has few, as JSON for `apply.add_codes`, by which trees can split directly.

    Out of fold a level's rate is not one value but five, and two levels may share it.
    """
    leads = _numbers(matrix.keys["lead_id"].to_numpy())
    entries: list[dict[str, Any]] = []
    for feature in features:
        if not feature.is_category or feature.name in ORDERED:
            continue
        values = pool_rare_levels(matrix.columns[feature.name], leads)
        levels = sorted({str(value) for value in values if value is not None and value != OTHER})
        if 0 < len(levels) <= MOST_LEVELS:
            entries.append({"name": feature.name, "levels": levels})
    return entries


def encode_training(
    matrix: Matrix,
    label: np.ndarray,
    weight: np.ndarray,
    features: Sequence[Feature],
    *,
    least_leads: int = LEAST_LEADS,
) -> np.ndarray:
    """The matrix (n, features) for the rows that train the scorer, category rates out of fold by lead (see `groups`).

    In sample a rate would already contain the row's own label: a meaningless category with many levels would look
    like the best of features.
    """
    encoded = encode(
        fit_encoder(matrix, label, weight, features, least_leads=least_leads), matrix.columns
    )
    leads = _numbers(matrix.keys["lead_id"].to_numpy())
    fold = fold_of_group(matrix.groups())
    for at, feature in enumerate(features):
        if not feature.is_category:
            continue
        values = pool_rare_levels(matrix.columns[feature.name], leads, least_leads=least_leads)
        for k in range(FOLDS):
            out, within = fold == k, fold != k
            entry = {
                "name": feature.name,
                "kind": "rate",
                **_rates(values[within], label[within], weight[within]),
            }
            encoded[out, at] = encode([entry], {feature.name: values[out]})[:, 0]
    return encoded


def _rates(values: np.ndarray, label: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Log-odds of winning by category, each mixed with `PRIOR_ROWS` rows of the base rate; "other" is `OTHER`'s."""
    total = weight.sum()
    base = float(np.clip((weight * label).sum() / total, 1e-6, 1 - 1e-6)) if total > 0 else 0.5
    codes, names = pd.factorize(pd.Series(values, dtype=object), sort=True)
    place = codes + 1  # unknown values come first
    n = np.bincount(place, weights=weight, minlength=len(names) + 1)
    won = np.bincount(place, weights=weight * label, minlength=len(names) + 1)
    rate = (won + PRIOR_ROWS * base) / (n + PRIOR_ROWS)
    odds = np.log(rate / (1 - rate)).tolist()
    known = {str(name): x for name, x in zip(names, odds[1:], strict=True)}
    other = known.pop(OTHER, float(np.log(base / (1 - base))))
    return {"rates": known, "missing": odds[0] if (codes < 0).any() else other, "other": other}


def _usual(values: np.ndarray, categories: np.ndarray) -> dict[str, float]:
    """The median by category, where it is above 0; `OTHER` has none, since its levels have little in common."""
    medians = pd.Series(values).groupby(pd.Series(categories), sort=True).median()
    return {
        str(category): float(x) for category, x in medians.items() if x > 0 and category != OTHER
    }
