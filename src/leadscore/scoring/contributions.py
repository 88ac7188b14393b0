"""What each feature adds to the log-odds of each lead, and how that is put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.model.contributions.evidence import describe_evidence


@dataclass(frozen=True)
class Contributions:
    """Contributions of features to the log-odds of leads.

    Attributes:
        features: what the columns are.
        columns: feature -> (n,) values.
        encoded: (n, features) as the model's encoder makes them.
        added: (n, features) log-odds.
        evidence: of the model: what became of leads with such values.
    """

    features: Sequence[Feature]
    columns: Mapping[str, np.ndarray]
    encoded: np.ndarray
    added: np.ndarray
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def groups(self) -> list[list[int]]:
        """Positions of the features that are about one thing, group by group."""
        return group_features(self.features)

    @cached_property
    def totals(self) -> np.ndarray:
        """What each group adds (n, groups), in log-odds."""
        sums = [self.added[:, members].sum(axis=1) for members in self.groups]
        return np.column_stack(sums)

    def value(self, row: int, at: int) -> Any:
        """The value of a feature as it may be shown, None if it is not known; see `known_value`."""
        feature = self.features[at]
        return known_value(feature, self.columns[feature.name][row], self.encoded[row, at])

    def describe_group(
        self,
        row: int,
        group: int,
        *,
        sign: int,
    ) -> str | None:
        """The reason that a group gives, or None if no known value of it speaks on that side.

        It is the sentence of the feature that adds most, with what became of leads like this one.

        Args:
            row: of the lead.
            group: position of the group.
            sign: 1 for a reason for the lead, -1 for one against it.
        """

        def strength(at: int) -> float:
            return float(sign * self.added[row, at])

        for at in sorted(self.groups[group], key=strength, reverse=True):
            value = self.value(row, at)
            if value is not None and strength(at) > 0:
                sentence = self.features[at].sentence(value, speaks_for=sign > 0)
                evidence = self.describe_evidence(row, at)
                return f"{sentence} ({evidence})" if evidence else sentence
        return None

    def describe_evidence(self, row: int, at: int) -> str:
        """What became of leads with about this value, "" if there were too few."""
        feature = self.features[at]
        if feature.is_category:
            return describe_evidence(self.evidence, feature, self.value(row, at))
        return describe_evidence(self.evidence, feature, self.encoded[row, at])


def group_features(features: Sequence[Feature]) -> list[list[int]]:
    """Positions of the features that are about one thing, group by group as they first come."""
    groups: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        groups.setdefault(feature.group, []).append(at)
    return list(groups.values())


def known_value(
    feature: Feature,
    value: Any,
    encoded: float,
) -> Any:
    """The value of a lead as it may be shown, or None.

    None where it is not known, where it is a missing answer, which is no reason, and where the
    feature names our own people. A feature that the encoder makes of several columns has its
    encoded value.
    """
    if feature.names_people:
        return None
    if feature.is_category:
        return value
    number = float(encoded if feature.usual_for else value)
    is_missing_answer = feature.unit == "flag" and number == 0
    return number if np.isfinite(number) and not is_missing_answer else None
