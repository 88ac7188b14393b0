"""What each feature adds to the log-odds of each lead, and how that is put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from leadscore.features.alike import Surroundings, first_of_each, group_alike, number_distinct
from leadscore.features.feature import Feature
from leadscore.features.phrases import capitalised
from leadscore.history.split import History
from leadscore.model.contributions.evidence import Similar, divide_by_similar
from leadscore.scoring.encoded import Encoded
from leadscore.times import elapsed_of_day

UNKNOWN = {"unknown", "not known", "n/a", "not specified", "unspecified", "?", "-"}  # in lower case
NO_REASON = -1
DIGITS = (
    9  # of log-odds: of two features that add as much the first is named, in lists of any length
)
ENOUGH = 0.1  # of what a group adds, for a feature to stand for it


@dataclass(frozen=True)
class Shown:
    """The values (n,) of a feature, and which of them may be shown."""

    values: np.ndarray
    is_known: np.ndarray

    @classmethod
    def of(cls, feature: Feature, values: np.ndarray, encoded: np.ndarray) -> Self:
        """A missing answer is no reason, so it is not shown, nor is "unknown", nor one of your own people.

        A feature that the encoder makes of several columns has its encoded value.
        """
        if feature.names_people:
            nothing = np.zeros(len(values), dtype=bool)
            return cls(values, nothing)
        if feature.is_category:
            is_missing = pd.isna(values)
            says_nothing = np.isin(values, _unknown_among(values))
            return cls(values, ~np.asarray(is_missing | says_nothing))
        numbers = encoded if feature.usual_for else values
        is_known = np.isfinite(numbers)
        if feature.unit == "flag":
            is_known &= numbers != 0
        return cls(numbers, is_known)


@dataclass(frozen=True)
class Contributions:
    """Contributions of features to the log-odds of leads.

    Attributes:
        features: what the columns are.
        columns: feature -> (n,) values.
        encoded: (n, features) as the model's encoder makes them.
        added: (n, features) log-odds.
        evidence: of the model: what became of leads with such values.
        elapsed: share of the day that has passed at the date of the list.
    """

    features: Sequence[Feature]
    columns: Mapping[str, np.ndarray]
    encoded: np.ndarray
    added: np.ndarray
    evidence: Mapping[str, Any] = field(default_factory=dict)
    elapsed: float = 0.0

    @classmethod
    def of(
        cls,
        encoded: Encoded,
        features: Sequence[Feature],
        *,
        elapsed: float = 0.0,
    ) -> Self:
        """What the features of leads (n,) add to their log-odds."""
        return cls(
            features=features,
            columns=encoded.matrix.columns,
            encoded=encoded.for_trees[:, : len(features)],
            added=np.round(encoded.contributions(), DIGITS),
            evidence=encoded.model.document.get("evidence", {}),
            elapsed=elapsed,
        )

    def rows(self, at: np.ndarray) -> Contributions:
        """Those of the leads at positions (m,)."""
        return replace(
            self,
            columns={name: values[at] for name, values in self.columns.items()},
            encoded=self.encoded[at],
            added=self.added[at],
        )

    @cached_property
    def groups(self) -> list[list[int]]:
        """Positions of the features that are about one thing, group by group."""
        return group_features(self.features)

    @cached_property
    def totals(self) -> np.ndarray:
        """What each group adds (n, groups), in log-odds."""
        sums = [self.added[:, members].sum(axis=1) for members in self.groups]
        return np.column_stack(sums)

    @cached_property
    def shown(self) -> list[Shown]:
        """The values of each feature as they may be shown."""
        shown = []
        for at, feature in enumerate(self.features):
            values = self.columns[feature.name]
            shown.append(Shown.of(feature, values, self.encoded[:, at]))
        return shown

    def value(self, row: int, at: int) -> Any:
        """The value of a feature as it may be shown, None where it may not."""
        shown = self.shown[at]
        return shown.values[row] if shown.is_known[row] else None

    def describe_groups(self, rows: np.ndarray, group: int, *, sign: int) -> np.ndarray:
        """The reason (k,) that a group gives for each of some leads, "" where it gives none.

        It is the sentence of the feature that adds most, with what became of leads like this one;
        of a feature that only sums up others, where none of those gives one.

        Args:
            rows: (k,) of the leads.
            group: position of the group.
            sign: 1 for a reason for the lead, -1 for one against it.
        """
        members = np.array(self.groups[group])
        strength = sign * self.added[np.ix_(rows, members)]
        is_summary = [self.features[at].is_summary for at in members]
        summaries_last = np.broadcast_to(is_summary, strength.shape)
        order = np.lexsort((-strength, summaries_last), axis=1)
        places = np.arange(len(rows))

        reasons = np.full(len(rows), "", dtype=object)
        for candidate in order.T:
            speaks = strength[places, candidate] > 0
            pending = speaks & (reasons == "")
            for member in np.unique(candidate[pending]):
                chosen = pending & (candidate == member)
                reasons[chosen] = self.describe(rows[chosen], members[member], sign=sign)
        return reasons

    def describe(self, rows: np.ndarray, at: int, *, sign: int) -> np.ndarray:
        """The reason (k,) that a feature gives for some leads, with its evidence.

        "" where it is none on that side: where the value is not known, or nearly all leads have
        it, or leads with such a value did not do as it says.
        """
        reasons = np.full(len(rows), "", dtype=object)
        known = np.flatnonzero(self.shown[at].is_known[rows])
        part_of = np.full(len(known), NO_REASON)
        suffixes: list[str] = []
        for part, similar in self._divide_by_similar(rows[known], at):
            if similar is None or (similar.supports(sign) and not similar.is_common):
                part_of[part] = len(suffixes)
                suffixes.append(f" ({similar})" if similar else "")
        is_reason = part_of != NO_REASON
        speaking = known[is_reason]
        if len(speaking):
            reasons[speaking] = self._word(
                rows[speaking],
                at,
                sign=sign,
                part_of=part_of[is_reason],
                suffixes=suffixes,
            )
        return reasons

    def _word(
        self,
        rows: np.ndarray,
        at: int,
        *,
        sign: int,
        part_of: np.ndarray,
        suffixes: Sequence[str],
    ) -> np.ndarray:
        """The reasons (k,) of leads with their evidence, worded once for all that read alike.

        Args:
            rows: (k,) of the leads.
            at: position of the feature.
            sign: 1 for reasons for the leads, -1 for reasons against them.
            part_of: (k,) which evidence each has.
            suffixes: the evidence in words.
        """
        feature = self.features[at]
        values = self.shown[at].values[rows]
        alike = group_alike(feature, values, self.surroundings.rows(rows))
        number = number_distinct([alike, part_of])
        texts = []
        for place in first_of_each(number):
            around = self.surroundings.around(rows[place])
            reason = feature.reason(values[place], speaks_for=sign > 0, around=around)
            suffix = suffixes[part_of[place]]
            texts.append(f"{reason}{suffix}" if reason else "")
        return _repeat(texts, number)

    def sentence(self, row: int, at: int, *, sign: float) -> str:
        """A feature's known value in words, whether it is a reason or not."""
        feature = self.features[at]
        value = self.value(row, at)
        around = self.surroundings.around(row)
        return feature.sentence(value, speaks_for=sign > 0, around=around)

    def sentences(self, rows: np.ndarray, at: int, *, speaks_for: np.ndarray) -> np.ndarray:
        """The sentences (k,) of a feature's known values, worded once for all that read alike.

        Args:
            rows: (k,) of the leads.
            at: position of the feature.
            speaks_for: (k,) whether it speaks for the lead.
        """
        values = self.shown[at].values[rows]
        alike = group_alike(self.features[at], values, self.surroundings.rows(rows))
        number = number_distinct([alike, speaks_for])
        texts = []
        for place in first_of_each(number):
            sign = 1 if speaks_for[place] else -1
            texts.append(self.sentence(rows[place], at, sign=sign))
        return _repeat(texts, number)

    def describe_main(self, row: int, group: int) -> str:
        """What is known, or not, of the main feature of a group, whether it is a reason or not."""
        return self.describe_known(row, self.main_of(row, group))

    def main_of(self, row: int, group: int) -> int:
        """Position of the feature that stands for what its group adds; see `find_main`."""
        members = self.groups[group]
        return find_main(members, self.features, self.added[row], self.totals[row, group])

    def describe_known(self, row: int, at: int) -> str:
        """A feature's value in words; an unknown value is called so."""
        if self.value(row, at) is None:
            return _describe_gap(self.features[at])
        return self.sentence(row, at, sign=float(self.added[row, at]))

    @cached_property
    def surroundings(self) -> Surroundings:
        """What sentences may say beside a value."""
        return Surroundings.of(self.columns, rows=len(self.added), elapsed=self.elapsed)

    def similar(self, row: int, at: int) -> Similar | None:
        """What became of leads with about this value; None if there were too few."""
        _, similar = next(self._divide_by_similar(np.array([row]), at))
        return similar

    def _divide_by_similar(
        self,
        rows: np.ndarray,
        at: int,
    ) -> Iterator[tuple[np.ndarray, Similar | None]]:
        """Places among some rows (k,) of about the same value, and what became of such leads."""
        feature = self.features[at]
        values = self.shown[at].values if feature.is_category else self.encoded[:, at]
        return divide_by_similar(self.evidence, feature, values[rows])


def _repeat(texts: Sequence[str], number: np.ndarray) -> np.ndarray:
    """The texts by number (n,), from 0 on."""
    by_number = np.array(texts, dtype=object)
    repeated: np.ndarray = by_number[number]
    return repeated


def _unknown_among(values: np.ndarray) -> list[str]:
    """The values of a category that only say that nothing is known."""
    texts = pd.unique(values[pd.notna(values)])
    return [text for text in texts if str(text).strip().lower() in UNKNOWN]


def _describe_gap(feature: Feature) -> str:
    if feature.phrase.never:
        return feature.phrase.never
    why = "not shown, since it names your own people" if feature.names_people else "not known"
    return f"{capitalised(feature.phrase.subject)}: {why}"


def elapsed_at(history: History, as_of_us: int) -> float:
    """The share of the day that has passed at the date of a list; 0 where nothing is dated."""
    if not history.settings.is_dated:
        return 0.0
    return elapsed_of_day(as_of_us, zone=history.settings.timezone)


def group_features(features: Sequence[Feature]) -> list[list[int]]:
    """Positions of the features that are about one thing, group by group as they first come."""
    groups: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        groups.setdefault(feature.group, []).append(at)
    return list(groups.values())


def find_main(
    members: Sequence[int],
    features: Sequence[Feature],
    sizes: np.ndarray,
    total: float,
) -> int:
    """Position of the feature that adds most of what its group adds; see `find_mains`."""
    of_one = find_mains(members, features, sizes[None, :], np.array([total]))
    return int(of_one[0])


def find_mains(
    members: Sequence[int],
    features: Sequence[Feature],
    sizes: np.ndarray,
    totals: np.ndarray,
) -> np.ndarray:
    """Positions (n,) of the features that add most of what their group adds to leads.

    One that only sums up others is it where none of those adds on the side of the group, and enough.

    Args:
        members: positions of the features of the group.
        features: of all groups.
        sizes: (n, features) what each adds.
        totals: (n,) what the group adds.
    """
    of_members = sizes[:, members]
    whole = np.where(totals == 0, np.inf, totals)
    share = of_members / whole[:, None]
    is_direct = np.array([not features[at].is_summary for at in members])
    speaks = (share >= ENOUGH) & is_direct
    nobody_speaks = ~speaks.any(axis=1, keepdims=True)
    is_candidate = speaks | nobody_speaks
    size = np.where(is_candidate, np.abs(of_members), -1.0)
    largest = size.argmax(axis=1)
    mains: np.ndarray = np.array(members)[largest]
    return mains
