"""Reasons: the largest contributions for and against a lead, in the features' own words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.model.contributions.evidence import EVIDENCE
from leadscore.scoring.contributions import Contributions

REASONS = 3
SMALL = 0.1  # log-odds; a shift below it is shown with two digits
LEAST = 0.02  # log-odds; less moves a probability by half a percentage point at most


def explain(contributions: Contributions, *, shift: float = 0.0) -> dict[str, np.ndarray]:
    """reason_up_1..3 and reason_down_1..3: (n,) sentences each, "" where there are no more reasons.

    Features of one group are one reason: their contributions are added up, and the sentence is that
    of the feature that adds most, with what became of leads like it where there were enough. An
    unknown value is never a reason, nor what is usual, nor a value with which past leads did not do
    as it says.

    Args:
        contributions: of the leads (n,).
        shift: the running intercept, in log-odds; a reason for all leads alike.
    """
    reasons: dict[str, np.ndarray] = {}
    for side, sign in (("up", 1), ("down", -1)):
        by_place = _list_reasons(contributions, sign=sign, shift=shift)
        for place in range(REASONS):
            reasons[f"reason_{side}_{place + 1}"] = by_place[:, place]
    return reasons


def _list_reasons(contributions: Contributions, *, sign: int, shift: float) -> np.ndarray:
    """The reasons for (sign 1) or against (sign -1) each lead (n, REASONS), the largest first.

    The groups of each lead are asked from the largest on, those of all leads at once.
    """
    totals = contributions.totals
    n, running_intercept = totals.shape
    strength = sign * np.column_stack([totals, np.full(n, shift)])
    in_order = np.argsort(-strength, axis=1, kind="stable")

    reasons = _Reasons.empty(n)
    rows = np.arange(n)
    for place in range(running_intercept + 1):
        groups = in_order[rows, place]
        has_room = reasons.number[rows] < REASONS
        is_large = strength[rows, groups] >= LEAST
        is_asked = has_room & is_large
        rows = rows[is_asked]
        groups = groups[is_asked]
        for group in np.unique(groups):
            of_group = rows[groups == group]
            if group == running_intercept:
                texts = np.full(len(of_group), describe_shift(shift), dtype=object)
            else:
                texts = contributions.describe_groups(of_group, group, sign=sign)
            reasons.add(of_group, texts)
    return reasons.texts


@dataclass(frozen=True)
class _Reasons:
    """The reasons of leads (n,) on one side, which are added one by one.

    Attributes:
        texts: (n, REASONS), "" where there are no more.
        evidence: (n, REASONS) what each rests on.
        number: (n,) how many each lead has.
    """

    texts: np.ndarray
    evidence: np.ndarray
    number: np.ndarray

    @classmethod
    def empty(cls, n: int) -> _Reasons:
        """None for any of n leads."""
        shape = (n, REASONS)
        nothing = np.full(shape, "", dtype=object)
        return cls(nothing, nothing.copy(), np.zeros(n, dtype=np.int64))

    def add(self, rows: np.ndarray, texts: np.ndarray) -> None:
        """Add a text to the reasons of each row, but for "" and what is said already.

        Two reasons with the same evidence tell the same leads apart: they are one thing, said
        twice.
        """
        codes, distinct = pd.factorize(texts)
        evidence_of_text = [_evidence_of(text) for text in distinct]
        evidence = np.array(evidence_of_text, dtype=object)[codes]
        is_same = self.evidence[rows] == evidence[:, None]
        is_new = ~is_same.any(axis=1) & (texts != "")
        new = rows[is_new]
        place = self.number[new]
        self.texts[new, place] = texts[is_new]
        self.evidence[new, place] = evidence[is_new]
        self.number[new] += 1


def _evidence_of(reason: str) -> str:
    """What became of similar leads, as a reason says it; without that the reason itself.

    >>> _evidence_of("Need: high (23% of 90 similar leads were won; usual 13%)")
    '23% of 90 similar leads were won; usual 13%)'
    >>> _evidence_of("Budget confirmed (100,000 or more)")
    'Budget confirmed (100,000 or more)'
    """
    evidence = reason.rpartition(" (")[2]
    return evidence if EVIDENCE in evidence else reason


def describe_shift(shift: float) -> str:
    """What the running intercept adds to the log-odds of every lead, as "recent win rate: +0.4"."""
    digits = 1 if abs(shift) >= SMALL else 2
    return f"recent win rate: {shift:+.{digits}f}"
