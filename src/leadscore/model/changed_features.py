"""The log-odds of leads of which a few features change: only trees and terms that read these count again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lightgbm
import numpy as np

from leadscore.model.apply import Columns, LinearScorer, WinModel, sum_terms

REMEMBERED = 8  # boosters that are split: for four questions, of the champion and of a challenger
FIRST_OF_TREE = "Tree="  # with which LightGBM begins the text of a tree
AFTER_TREES = "end of trees"
READS = "split_feature="
SIZES = "tree_sizes="  # of all trees, so wrong for some of them


@dataclass(frozen=True)
class Trees:
    """Some trees of a booster, None if there are none."""

    booster: lightgbm.Booster | None

    def predict(self, for_trees: np.ndarray) -> np.ndarray:
        """What they add to the log-odds (n,) of rows (n, columns)."""
        if self.booster is None:
            return np.zeros(len(for_trees))
        predicted = self.booster.predict(for_trees, raw_score=True)
        return np.asarray(predicted, dtype=np.float64)


@dataclass(frozen=True)
class ChangedTrees:
    """Predicts for rows (n, columns) as a booster does, to rounding, while some of their columns change.

    Attributes:
        changed: the trees that read these columns.
        of_others: (n,) what the other trees add.
    """

    changed: Trees
    of_others: np.ndarray

    def predict(self, for_trees: np.ndarray, *, raw_score: bool) -> np.ndarray:
        """The log-odds (n,) of the rows with other values in these columns."""
        if not raw_score:
            raise ValueError("some of the trees give no probability")
        return np.asarray(self.of_others + self.changed.predict(for_trees))


@dataclass(frozen=True)
class ChangedTerms:
    """Gives log-odds as a linear scorer does, to rounding, while some of its columns change.

    Attributes:
        at: (k,) the places of these columns.
        terms: of them.
        of_others: (n,) what the other terms and the intercept add.
    """

    at: list[int]
    terms: Sequence[Mapping[str, Any]]
    of_others: np.ndarray

    @classmethod
    def of(
        cls, linear: LinearScorer, encoded: np.ndarray, columns: Columns, at: list[int]
    ) -> ChangedTerms:
        """Of leads (n,) as they are before the changes."""
        terms = [linear.terms[place] for place in at]
        before = sum_terms(terms, encoded[:, at], columns)
        return cls(at, terms, linear.log_odds(encoded, columns) - before)

    def log_odds(self, encoded: np.ndarray, columns: Columns) -> np.ndarray:
        """The log-odds (n,) of the rows with other values in these columns."""
        added = sum_terms(self.terms, encoded[:, self.at], columns)
        return np.asarray(self.of_others + added)


def expect_changes(
    model: WinModel,
    columns: Columns,
    for_trees: np.ndarray,
    names: Sequence[str],
) -> WinModel:
    """The model for leads of which the features in `names` will change.

    Args:
        model: a model.
        columns: the features of the leads (n,).
        for_trees: (n, columns) the leads, as `WinModel.encode_for_trees` gives them.
        names: of features.
    """
    expecting = copy(model)
    read = model.find_read(names)
    if model.booster is not None:
        changed, others = _split(model.booster_text, frozenset(read))
        expecting.booster = ChangedTrees(changed, others.predict(for_trees))
    if model.linear is not None:
        encoded = model.of_features(for_trees)
        at = [place for place in read if place < encoded.shape[1]]
        expecting.linear = ChangedTerms.of(model.linear, encoded, columns, at)
    return expecting


@lru_cache(REMEMBERED)
def _split(booster_text: str, columns: frozenset[int]) -> tuple[Trees, Trees]:
    """The trees that read some columns, and those that read none of them."""
    before, *trees = booster_text.split(f"\n{FIRST_OF_TREE}")
    lines = [line for line in before.splitlines() if not line.startswith(SIZES)]
    changed: list[str] = []
    others: list[str] = []
    for tree in trees:
        own, _, _ = tree.partition(AFTER_TREES)
        part = others if columns.isdisjoint(_list_read(own)) else changed
        part.append(own)
    return _build("\n".join(lines), changed), _build("\n".join(lines), others)


def _list_read(tree: str) -> Collection[int]:
    """The columns that a tree reads; a tree of one leaf reads none."""
    for line in tree.splitlines():
        if line.startswith(READS):
            return {int(column) for column in line.removeprefix(READS).split()}
    return ()


def _build(before: str, trees: Sequence[str]) -> Trees:
    if not trees:
        return Trees(None)
    texts = [before, *(f"{FIRST_OF_TREE}{tree}" for tree in trees), AFTER_TREES, ""]
    return Trees(lightgbm.Booster(model_str="\n".join(texts)))
