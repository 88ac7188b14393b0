"""Checks of fields in company: what several know together that none of them knows alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leadscore.audit.checks.ending import check_adds_up
from leadscore.audit.checks.together import predict_out_of_fold
from leadscore.audit.fields import Leads, Values
from leadscore.audit.finding import Finding
from leadscore.audit.relatives import Relatives, find_relatives
from leadscore.audit.statistics import compute_auc_within

SAMPLED = 5000  # closed leads, by hash: enough to tell AUCs apart that differ by 0.02
LEAST_OUTCOMES = 50  # leads won, and as many lost: of fewer, what a group gains is mostly luck
FOLDS = 3
MOST_LEVELS = 50  # of a text field; all others count as one
TOO_GOOD = 0.85  # AUC of all fields, surely, before what a group brings is a reason to ask
MIN_GAIN = 0.05  # of AUC, over the rest
MIN_CLOSED = 0.4  # of what the rest leaves to an AUC of 1: sound fields add up, each to less


def judge_together(
    fields: Sequence[Values], leads: Leads, names: Mapping[str, Collection[str]]
) -> dict[str, list[Finding]]:
    """Field -> what was found in the groups to which it belongs; suspect at most, since a group may be sound.

    Args:
        fields: the fields that nothing calls a leak.
        leads: whose they are.
        names: field -> all that it is called.
    """
    groups = find_relatives(fields, names)
    found: dict[str, list[Finding]] = {}
    for group, finding in [*_find_gains(fields, leads, groups), *_find_sums(fields, leads, groups)]:
        for name in group.fields:
            found.setdefault(name, []).append(finding)
    return {name: _once(findings) for name, findings in found.items()}


def _once(findings: list[Finding]) -> list[Finding]:
    """Of each check the finding of the smallest group, which tells most of a field."""
    by_check: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda each: len(each.numbers["fields"])):
        by_check.setdefault(finding.check, finding)
    return list(by_check.values())


def _find_gains(
    fields: Sequence[Values], leads: Leads, groups: Sequence[Relatives]
) -> list[tuple[Relatives, Finding]]:
    """The groups without which the fields would be far from too good to be true."""
    sample = Sample.of(fields, leads)
    if sample is None or not groups:
        return []
    whole, low = sample.compute_auc(without=())
    if low < TOO_GOOD:
        return []
    found = []
    for group in groups:
        rest, _ = sample.compute_auc(without=group.fields)
        if low - rest < max(MIN_GAIN, MIN_CLOSED * (1 - rest)):
            continue
        evidence = (
            f"{len(group.fields)} fields {group.why}; with them all fields together reach AUC {whole:.2f}, "
            f"without them {rest:.2f}: more than fields known beforehand usually tell; confirm that these were"
        )
        numbers = {
            "fields": list(group.fields),
            "with": whole,
            "low": low,
            "without": rest,
            "leads": len(sample.label),
        }
        found.append((group, Finding("gain_together", "suspect", evidence, numbers)))
    return found


def _find_sums(
    fields: Sequence[Values], leads: Leads, groups: Sequence[Relatives]
) -> list[tuple[Relatives, Finding]]:
    """The groups whose numbers add up to the time that a lead took to close."""
    by_name = {values.name: values for values in fields}
    found = []
    for group in groups:
        numbers = [by_name[name] for name in group.fields if by_name[name].type == "number"]
        if len(numbers) >= 2 and (finding := check_adds_up(numbers, leads)):
            found.append((Relatives(group.why, tuple(each.name for each in numbers)), finding))
    return found


@dataclass(frozen=True)
class Sample:
    """At most `SAMPLED` closed leads, n of them, as a learner sees them.

    Attributes:
        names: the fields (m,).
        values: (n, m) numbers, NaN where missing; codes of text.
        categories: which columns hold codes.
        label: (n,) 1 won, 0 lost.
        block: (n,) block of time, within which leads are ranked.
    """

    names: tuple[str, ...]
    values: np.ndarray
    categories: tuple[int, ...]
    label: np.ndarray
    block: np.ndarray

    @classmethod
    def of(cls, fields: Sequence[Values], leads: Leads) -> Sample | None:
        """The closed leads with the smallest hashes; None if too few of them were won, or lost."""
        rows = leads.judged
        if len(rows) > SAMPLED:
            hashes = pd.util.hash_array(leads.lead_id[rows])
            rows = np.sort(rows[np.argsort(hashes, kind="stable")[:SAMPLED]])
        label = leads.label[rows]
        if not fields or min(label.sum(), (1 - label).sum()) < LEAST_OUTCOMES:
            return None
        columns = [_column(values, leads, rows) for values in fields]
        categories = tuple(at for at, values in enumerate(fields) if values.is_text)
        names = tuple(values.name for values in fields)
        return cls(names, np.stack(columns, axis=1), categories, label, leads.block[rows])

    @cached_property
    def fold(self) -> np.ndarray:
        """The fold (n,) of each lead; leads equal in every field share one, for they would give the answer away."""
        _, group = np.unique(np.nan_to_num(self.values, nan=-np.inf), axis=0, return_inverse=True)
        dealt = np.random.default_rng(0).permutation(int(group.max()) + 1)
        return np.asarray(dealt[group.ravel()] % FOLDS)

    def compute_auc(self, *, without: Collection[str]) -> tuple[float, float]:
        """The AUC of all fields but some, out of fold and within blocks of time, and its lower 95 % bound."""
        places = [at for at, name in enumerate(self.names) if name not in without]
        categories = [new for new, at in enumerate(places) if at in self.categories]
        score = predict_out_of_fold(
            self.values[:, places], self.label, self.fold, categories=categories
        )
        auc, low, _ = compute_auc_within(score, self.label, self.block * FOLDS + self.fold)
        return auc, low


def _column(values: Values, leads: Leads, rows: np.ndarray) -> np.ndarray:
    """A field's values (rows,) as numbers: a date counts from creation, of text the common values have a code each."""
    if values.type == "date" and leads.dated:
        return np.asarray(values.numbers[rows] - leads.created_us[rows])
    if not values.is_text:
        return np.asarray(values.numbers[rows])
    codes = values.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(values.words))
    rank = np.empty(len(counts))
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    ranks = (
        np.minimum(rank[np.maximum(codes, 0)], MOST_LEVELS) if len(counts) else np.zeros(len(codes))
    )
    return np.where(codes < 0, np.nan, ranks)
