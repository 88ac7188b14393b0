"""Shapley values of trees, path by path, for many rows at once.

A leaf counts for a row if the row meets the conditions of all features on its path. If only the
features S are known, it counts for the product over S of whether the row meets them (o, 0 or 1)
times the product over the others of the share of the training rows that did (r). The Shapley value
of feature j in this game (path-dependent, as LightGBM's; Lundberg et al. 2020) is

    value (o_j - r_j) * integral over t from 0 to 1 of the product over k != j of (1 - t) r_k + t o_k

since the integral of t^s (1 - t)^(u-1-s) is the weight of a set of s of the other u - 1 features.
The integrand is a polynomial, so Gauss and Legendre's rule is exact. It depends on a row only by
which conditions it meets: it is tabulated once for each such pattern, and then looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import lightgbm
import numpy as np

MOST_FEATURES = 16  # on a path; a table has two to the power of so many columns
PATTERN = np.uint16  # has a bit for each of them
ZERO = 1e-35  # LightGBM takes what is nearer to 0 for 0


class TooDeepError(ValueError):
    """A path has more features than are tabulated."""


@dataclass(frozen=True)
class Columns:
    """Rows to explain, feature by feature: values (features, n), and which of them are missing."""

    values: np.ndarray
    is_missing: np.ndarray


@dataclass(frozen=True)
class Split:
    """A condition on a feature, as LightGBM decides it: `goes_left` for each row.

    Attributes:
        feature: its position.
        threshold: values up to it go left; NaN for a category.
        levels: whether each code of a category goes left; empty for a number.
        missing: "None" (NaN is read as 0), "Zero" (0 and NaN are missing) or "NaN".
        default_left: where missing numbers go.
    """

    feature: int
    threshold: float
    levels: np.ndarray
    missing: str
    default_left: bool

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Split:
        """Of a node in LightGBM's JSON."""
        levels = np.zeros(0, dtype=bool)
        threshold = np.nan
        if node["decision_type"] == "==":
            texts = str(node["threshold"]).split("||")
            codes = list(map(int, texts))
            levels = np.zeros(max(codes) + 2, dtype=bool)
            levels[codes] = True
        else:
            threshold = float(node["threshold"])
        return cls(
            feature=node["split_feature"],
            threshold=threshold,
            levels=levels,
            missing=node["missing_type"],
            default_left=node["default_left"],
        )

    def goes_left(self, columns: Columns) -> np.ndarray:
        """Whether each row (n,) does."""
        values = columns.values[self.feature]
        is_missing = columns.is_missing[self.feature]
        if len(self.levels):
            beyond = len(self.levels) - 1  # a level that no split names goes right
            is_other = is_missing | (values < 0) | (values > beyond)
            codes = np.where(is_other, beyond, values).astype(np.int64)
            return np.asarray(self.levels[codes])

        left = values <= self.threshold
        if self.missing == "Zero":
            is_default = is_missing | (np.abs(values) <= ZERO)
            return np.where(is_default, self.default_left, left)
        missing_left = self.default_left if self.missing == "NaN" else self.threshold >= 0
        return np.asarray(left | is_missing if missing_left else left)


@dataclass(frozen=True)
class Path:
    """The features (u,) on the way to a leaf, and what each adds by pattern (u, patterns)."""

    features: tuple[int, ...]
    table: np.ndarray

    def add_to(self, added: np.ndarray, pattern: np.ndarray) -> None:
        """Add to the contributions (features, n) of rows with such patterns (n,)."""
        index = pattern.astype(np.intp)
        of_rows = np.empty(len(pattern))
        for of_feature, feature in zip(self.table, self.features, strict=True):
            np.take(of_feature, index, out=of_rows, mode="clip")
            added[feature] += of_rows


@dataclass(frozen=True)
class Node:
    """A split and what lies below it.

    Attributes:
        split: the condition.
        bit: its feature's place in the pattern.
        is_first: whether no split above it is on the same feature.
        left: a node or the path of a leaf.
        right: the same.
        both: the paths of two leaves as one, if they are told apart by one bit alone.
    """

    split: Split
    bit: int
    is_first: bool
    left: Node | Path
    right: Node | Path
    both: Path | None

    def explain(self, columns: Columns, pattern: np.ndarray, added: np.ndarray) -> None:
        """Add what the leaves below make of each feature (features, n); `pattern` (n,) is of here."""
        mask = PATTERN(1 << self.bit)
        meets_left = self.split.goes_left(columns) * mask
        if self.both is not None:
            self.both.add_to(added, pattern | meets_left)
            return
        meets_right = meets_left ^ mask
        for child, meets in ((self.left, meets_left), (self.right, meets_right)):
            of_child = pattern | meets if self.is_first else pattern & (meets | ~mask)
            if isinstance(child, Path):
                child.add_to(added, of_child)
            else:
                child.explain(columns, of_child, added)


def read_trees(booster: lightgbm.Booster) -> list[Node]:
    """The trees of a booster that have splits.

    Raises:
        TooDeepError: a path has more than `MOST_FEATURES` features.
    """
    trees = booster.dump_model()["tree_info"]
    roots = [tree["tree_structure"] for tree in trees]
    nodes = [_read_node(root, {}) for root in roots if "split_feature" in root]
    return [node for node in nodes if isinstance(node, Node)]


def explain_rows(trees: list[Node], encoded: np.ndarray) -> np.ndarray:
    """What each feature adds (n, features) to the log-odds of rows, the intercept aside."""
    values = np.ascontiguousarray(encoded.T)
    columns = Columns(values, np.isnan(values))
    added = np.zeros(values.shape)
    nothing_met = np.zeros(len(encoded), dtype=PATTERN)
    for tree in trees:
        tree.explain(columns, nothing_met, added)
    return added.T


def _read_node(node: Mapping[str, Any], shares: Mapping[int, float]) -> Node | Path:
    """A node with all that lies below; `shares` of the training rows met the conditions above."""
    if "split_feature" not in node:
        table = _table(np.array(list(shares.values())), node["leaf_value"])
        return Path(tuple(shares), table)

    split = Split.of(node)
    feature = split.feature
    so_far = shares.get(feature, 1)

    def read_child(child: Mapping[str, Any]) -> Node | Path:
        share = _count(child) / _count(node)
        return _read_node(child, {**shares, feature: so_far * share})

    left = read_child(node["left_child"])
    right = read_child(node["right_child"])
    is_first = feature not in shares
    bit = [*shares, feature].index(feature)
    both = None
    if is_first and isinstance(left, Path) and isinstance(right, Path):
        both = _unite(left, right, bit=bit)
    return Node(split, bit, is_first, left, right, both)


def _unite(left: Path, right: Path, *, bit: int) -> Path:
    """The paths of two leaves that a bit alone tells apart, by the pattern of the left one."""
    patterns = np.arange(right.table.shape[1])
    flipped = patterns ^ (1 << bit)
    return Path(left.features, left.table + right.table[:, flipped])


def _count(node: Mapping[str, Any]) -> float:
    is_split = "split_feature" in node
    count: float = node["internal_count"] if is_split else node["leaf_count"]
    return count


def _table(shares: np.ndarray, value: float) -> np.ndarray:
    """What each feature (u,) of a leaf adds by pattern (u, 2^u)."""
    u = len(shares)
    if u > MOST_FEATURES:
        raise TooDeepError(f"{u} features on a path")
    patterns = np.arange(1 << u)
    meets = (patterns >> np.arange(u)[:, None]) & 1
    nodes, weights = _gauss_rule((u + 1) // 2)
    t = (nodes[:, None, None] + 1) / 2
    share = shares[:, None]
    factors = (1 - t) * share + t * meets
    of_others = factors.prod(axis=1, keepdims=True) / factors
    integral = np.tensordot(weights / 2, of_others, axes=1)
    return np.ascontiguousarray(value * (meets - share) * integral)


@cache
def _gauss_rule(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Legendre's rule, which take longer than a table."""
    return np.polynomial.legendre.leggauss(points)
