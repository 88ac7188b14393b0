"""Which rows cross-validation keeps together: those of one lead, account or contact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

LARGEST_SHARE = 0.2  # of the leads: what is larger does not fit into a fold
ALWAYS_TOGETHER = 2  # leads that may share a key, however few there are in all


def group_leads(lead_id: np.ndarray, keys: Sequence[np.ndarray]) -> np.ndarray:
    """A group (n,) for each row: equal if a chain of equal leads and keys connects two rows.

    A key that more than a fifth of the leads share stands for no company or person, or for one
    that no fold can hold, and connects nothing. Nor does a later key (contacts come after accounts)
    that would connect as many.

    Args:
        lead_id: (n,) the lead of each row.
        keys: (n,) texts each, None where unknown.

    >>> accounts = np.array(["x", None, "x", "y"], dtype=object)
    >>> group_leads(np.array(["a", "b", "c", "d"]), [accounts]).tolist()
    [0, 1, 0, 2]
    """
    leads, names = pd.factorize(lead_id, sort=True)
    groups = np.arange(len(names))
    largest = max(ALWAYS_TOGETHER, LARGEST_SHARE * len(names))
    for key in keys:
        texts, _ = pd.factorize(pd.Series(key, dtype=object), sort=True)
        connected = _connect(groups, leads, texts, largest=largest)
        sizes = np.bincount(connected, minlength=1)
        if sizes.max() <= largest:
            groups = connected
    return np.asarray(groups[leads])


def _connect(
    groups: np.ndarray,
    leads: np.ndarray,
    texts: np.ndarray,
    *,
    largest: float,
) -> np.ndarray:
    """The groups (leads,) once those that share a text are one.

    Args:
        groups: (leads,) so far.
        leads: (n,) the lead of each row.
        texts: (n,) a number for each text, -1 where unknown.
        largest: leads that a text may have.
    """
    pairs = pd.DataFrame({"lead": leads, "text": texts})
    pairs = pairs[texts >= 0].drop_duplicates()
    size = pairs.groupby("text")["lead"].transform("size")
    pairs = pairs[size <= largest]

    parent = list(range(len(groups)))
    group_of_lead = groups.tolist()
    group_of_pair = groups[pairs["lead"]].tolist()
    texts_of_pair = pairs["text"].tolist()
    first_of_text: dict[int, int] = {}
    for group, text in zip(group_of_pair, texts_of_pair, strict=True):
        first = first_of_text.setdefault(text, group)
        _unite(parent, group, first)

    roots = [_find_root(parent, group) for group in group_of_lead]
    numbered, _ = pd.factorize(np.array(roots, dtype=np.int64))  # in the order of the leads
    return np.asarray(numbered)


def _unite(parent: list[int], one: int, other: int) -> None:
    """Make two trees one, under the smaller root."""
    first = _find_root(parent, one)
    second = _find_root(parent, other)
    smaller, larger = sorted((first, second))
    parent[larger] = smaller


def _find_root(parent: list[int], node: int) -> int:
    """The root of a node's tree; the way there is halved for the next search."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
