"""Reasons: the largest contributions for and against a lead, worded by the features' own phrases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.contributions.evidence import describe_evidence
from leadscore.model.contributions.shapley import compute_contributions

REASONS = 3
SMALL = 0.1  # log-odds; below it a shift is shown with two digits
LEAST = 0.02  # log-odds; less moves a probability by half a percentage point at most


def explain(
    model: WinModel, matrix: Matrix, features: Sequence[Feature], *, shift: float = 0.0
) -> dict[str, list[str]]:
    """reason_up_1..3 and reason_down_1..3, each a list of n sentences, "" where there is no further reason.

    Features of one group are one reason: their contributions are added, and the sentence is that of the feature
    which says most, with what became of leads like it where there were enough. A value that is not known is never a
    reason. The `shift` of the times is a reason for all leads alike.
    """
    contributions = compute_contributions(model, matrix.columns)[:, :-1]
    encoded, evidence = model.encode(matrix.columns), model.document.get("evidence", {})
    members = group_features(features)
    of_groups = [contributions[:, at].sum(axis=1) for at in members]
    totals = np.column_stack([*of_groups, np.full(len(contributions), shift)])

    def reasons(row: int, sign: int) -> list[str]:
        said: list[str] = []
        for group in np.argsort(-sign * totals[row], kind="stable"):
            if len(said) == REASONS or sign * totals[row, group] < LEAST:
                break
            if group == len(members):
                said.append(describe_shift(shift))
                continue
            for at in sorted(members[group], key=lambda i: (-sign * contributions[row, i], i)):
                value = known_value(
                    features[at], matrix.columns[features[at].name][row], encoded[row, at]
                )
                if value is not None and sign * contributions[row, at] > 0:
                    seen = value if features[at].is_category else encoded[row, at]
                    told = describe_evidence(evidence, features[at], seen)
                    said.append(
                        features[at].sentence(value, speaks_for=sign > 0)
                        + (f" ({told})" if told else "")
                    )
                    break
        return said + [""] * (REASONS - len(said))

    found: dict[str, list[str]] = {}
    for side, sign in (("up", 1), ("down", -1)):
        rows = [reasons(row, sign) for row in range(len(totals))]
        found |= {
            f"reason_{side}_{place + 1}": [row[place] for row in rows] for place in range(REASONS)
        }
    return found


def describe_shift(shift: float) -> str:
    """What the times add to the log-odds of every lead, as "the times: +0.4"."""
    return f"the times: {shift:+.1f}" if abs(shift) >= SMALL else f"the times: {shift:+.2f}"


def group_features(features: Sequence[Feature]) -> list[list[int]]:
    """The places of the features that are about one thing, group by group, in the order of the first of each."""
    groups: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        groups.setdefault(feature.group, []).append(at)
    return list(groups.values())


def known_value(feature: Feature, log_odds: Any, encoded: float) -> Any:
    """The lead's own value, or None if it is not known; what the encoder makes from rows is its encoded value.

    None too where it names one of our own people: that is put into no words.
    """
    if feature.names_people:
        return None
    if feature.is_category:
        return log_odds
    value = float(encoded if feature.usual_for else log_odds)
    said = np.isfinite(value) and not (
        feature.unit == "flag" and value == 0
    )  # that an answer is missing is no reason
    return value if said else None
