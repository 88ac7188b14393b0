"""Shapley values of trees, path by path, for many rows at once.

A leaf counts for a row if the row meets the conditions of all features on its path. If only the
features S are known, it counts for the product over S of whether the row meets them (o, 0 or 1)
times the product over the others of the share of the training rows that did (r). The Shapley value
of feature j in this game (path-dependent, as LightGBM's; Lundberg et al. 2020) is

    value (o_j - r_j) * integral over t from 0 to 1 of the product over k != j of (1 - t) r_k + t o_k

since the integral of t^s (1 - t)^(u-1-s) is the weight of a set of s of the other u - 1 features.
The integrand is a polynomial, so Gauss and Legendre's rule is exact. It depends on a row only by
which conditions it meets: it is tabulated once for each such pattern, and then looked up. Leaves
that lie near each other are added up in one table, which is looked up once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import lightgbm
import numpy as np

MOST_FEATURES = 16  # on a path; a table has two to the power of so many columns
PATTERN = np.uint16  # has a bit for each of them
BITS = 12  # of a pattern of several leaves
ZERO = 1e-35  # LightGBM takes what is nearer to 0 for 0


Shares = Mapping[int, float]  # feature -> share


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
class Condition:
    """A split among those on the way to a leaf.

    Attributes:
        split: the condition.
        bit: its feature's place among those on the way.
        is_first: whether no split above it is on the same feature.
    """

    split: Split
    bit: int
    is_first: bool

    @classmethod
    def of(cls, node: Mapping[str, Any], shares: Shares) -> Condition:
        """Of a node in LightGBM's JSON; `shares` are of the features above it."""
        split = Split.of(node)
        bit = [*shares, split.feature].index(split.feature)
        return cls(split, bit, split.feature not in shares)

    def narrow(self, pattern: np.ndarray, meets: np.ndarray) -> np.ndarray:
        """Which features a row (n,) meets, given those above: one has to meet all its conditions."""
        met = meets * PATTERN(1 << self.bit)
        others = ~PATTERN(1 << self.bit)
        return pattern | met if self.is_first else pattern & (met | others)


@dataclass(frozen=True)
class Leaves:
    """All leaves below a node, as one table.

    Attributes:
        above: how many features have conditions above the node.
        splits: the conditions below it.
        features: (k,) those on the paths to the leaves.
        table: (k, patterns) what each adds by pattern: a bit for each feature above, and one for
            each split, set where a row goes left.
    """

    above: int
    splits: Sequence[Split]
    features: Sequence[int]
    table: np.ndarray

    def explain(self, columns: Columns, pattern: np.ndarray, added: np.ndarray) -> None:
        """Add what the leaves make of each feature (features, n); `pattern` (n,) is of the node."""
        for bit, split in enumerate(self.splits, start=self.above):
            pattern = pattern | split.goes_left(columns) * PATTERN(1 << bit)
        index = pattern.astype(np.intp)
        of_rows = np.empty(len(pattern))
        for of_feature, feature in zip(self.table, self.features, strict=True):
            np.take(of_feature, index, out=of_rows, mode="clip")
            added[feature] += of_rows


@dataclass(frozen=True)
class Node:
    """A condition, and what lies below it on either side."""

    condition: Condition
    left: Tree
    right: Tree

    def explain(self, columns: Columns, pattern: np.ndarray, added: np.ndarray) -> None:
        """Add what the leaves below make of each feature (features, n); `pattern` (n,) is of here."""
        goes_left = self.condition.split.goes_left(columns)
        for child, meets in ((self.left, goes_left), (self.right, ~goes_left)):
            child.explain(columns, self.condition.narrow(pattern, meets), added)


Tree = Node | Leaves


def read_trees(booster: lightgbm.Booster) -> list[Tree]:
    """The trees of a booster that have splits.

    Raises:
        TooDeepError: a path has more than `MOST_FEATURES` features.
    """
    trees = booster.dump_model()["tree_info"]
    roots = [tree["tree_structure"] for tree in trees]
    return [_read_tree(root, {}) for root in roots if "split_feature" in root]


def explain_rows(trees: Sequence[Tree], encoded: np.ndarray) -> np.ndarray:
    """What each feature adds (n, features) to the log-odds of rows, the intercept aside."""
    values = np.ascontiguousarray(encoded.T)
    columns = Columns(values, np.isnan(values))
    added = np.zeros(values.shape)
    nothing_met = np.zeros(len(encoded), dtype=PATTERN)
    for tree in trees:
        tree.explain(columns, nothing_met, added)
    return added.T


def _read_tree(node: Mapping[str, Any], shares: Shares) -> Tree:
    """A node with all that lies below; `shares` of the training rows met the conditions above."""
    splits = _count_splits(node)
    if not splits or len(shares) + splits <= BITS:
        return _LeafTable(shares, splits).read(node)
    left, right = (_read_tree(child, below) for child, below in _children(node, shares))
    return Node(Condition.of(node, shares), left, right)


class _LeafTable:
    """What the leaves below a node add by pattern, leaf by leaf; `shares` are of the features above it."""

    def __init__(self, shares: Shares, splits: int) -> None:
        self.shares = shares
        self.patterns = np.arange(1 << (len(shares) + splits), dtype=PATTERN)
        self.splits: list[Split] = []
        self.added: dict[int, np.ndarray] = {}

    def read(self, node: Mapping[str, Any]) -> Leaves:
        """All leaves below the node."""
        above = len(self.shares)
        self._add(node, self.shares, self.patterns & PATTERN((1 << above) - 1))
        table = np.array([*self.added.values()])
        return Leaves(above, self.splits, [*self.added], table)

    def _add(self, node: Mapping[str, Any], shares: Shares, met: np.ndarray) -> None:
        """Add the leaves below a node; each pattern meets the features `met` (patterns,) above it."""
        if "split_feature" not in node:
            of_leaf = _table(np.array([*shares.values()]), node["leaf_value"])
            index = met.astype(np.intp)
            for feature, values in zip(shares, of_leaf, strict=True):
                self.added[feature] = self.added.get(feature, 0) + values[index]
            return
        condition = Condition.of(node, shares)
        bit = len(self.shares) + len(self.splits)
        self.splits.append(condition.split)
        goes_left = (self.patterns >> bit) & 1 == 1
        for (child, below), meets in zip(
            _children(node, shares), (goes_left, ~goes_left), strict=True
        ):
            self._add(child, below, condition.narrow(met, meets))


def _children(
    node: Mapping[str, Any], shares: Shares
) -> Iterator[tuple[Mapping[str, Any], Shares]]:
    """What lies left and right of a node, each with the shares that met the conditions above it."""
    feature = node["split_feature"]
    so_far = shares.get(feature, 1)
    for child in (node["left_child"], node["right_child"]):
        share = _count(child) / _count(node)
        yield child, {**shares, feature: so_far * share}


def _count_splits(node: Mapping[str, Any]) -> int:
    if "split_feature" not in node:
        return 0
    return 1 + _count_splits(node["left_child"]) + _count_splits(node["right_child"])


def _count(node: Mapping[str, Any]) -> float:
    is_split = "split_feature" in node
    count: float = node["internal_count"] if is_split else node["leaf_count"]
    return count


def _table(shares: np.ndarray, value: float) -> np.ndarray:
    """What each feature (u,) of a leaf adds by pattern (u, 2^u)."""
    u = len(shares)
    if u > MOST_FEATURES:
        raise TooDeepError(f"{u} features on a path")
    nodes, weights = _gauss_rule((u + 1) // 2)
    t = (nodes + 1) / 2
    unmet = np.outer(shares, 1 - t)
    factors = np.stack([unmet, unmet + t], axis=1)  # (u, met or not, points)

    product = np.ones((len(t), 1))  # of the factors of all features, (points, patterns)
    for of_unmet, of_met in factors[:, :, :, None]:
        product = np.concatenate([product * of_unmet, product * of_met], axis=1)

    integral = (weights / 2 / factors) @ product  # (u, met or not, patterns)
    meets = (np.arange(1 << u) >> np.arange(u)[:, None]) & 1 == 1
    added = np.where(
        meets, (1 - shares[:, None]) * integral[:, 1], -shares[:, None] * integral[:, 0]
    )
    return np.asarray(value * added)


@cache
def _gauss_rule(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Legendre's rule, which take longer than a table."""
    return np.polynomial.legendre.leggauss(points)
