"""Checks of fields in company: what several know together that none of them knows alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from leadscore.audit.checks.ending import check_adds_up
from leadscore.audit.checks.together import predict_out_of_fold
from leadscore.audit.finding import Finding
from leadscore.audit.leads import Leads, take_smallest_hashes
from leadscore.audit.relatives import Relatives, find_relatives
from leadscore.audit.statistics import AucInterval, compute_auc_within
from leadscore.audit.values import Values

SAMPLED = 5000  # closed leads, by hash: enough to tell AUCs apart that differ by 0.02
LEAST_OUTCOMES = 50  # leads won, and as many lost: of fewer, what a group gains is mostly luck
FOLDS = 3
MOST_LEVELS = 50  # of a text field; all others count as one
TOO_GOOD = 0.85  # AUC of all fields, surely, before what a group brings is a reason to ask
MIN_GAIN = 0.05  # of AUC, over the rest
MIN_CLOSED = 0.4  # of what the rest leaves to an AUC of 1: sound fields add up, each to less


@dataclass(frozen=True)
class GroupFinding:
    """What was found in a group, and the fields that it holds for."""

    fields: tuple[str, ...]
    finding: Finding


def judge_together(
    fields: Sequence[Values],
    leads: Leads,
    names: Mapping[str, Collection[str]],
) -> dict[str, list[Finding]]:
    """Field -> what was found in the groups to which it belongs.

    The findings are suspect at most, since a group may be sound.

    Args:
        fields: the fields that nothing calls a leak.
        leads: whose they are.
        names: field -> all that it is called.
    """
    groups = find_relatives(fields, names)
    by_field: dict[str, list[Finding]] = {}
    gains = _find_gains(fields, leads, groups)
    sums = _find_sums(fields, leads, groups)
    for group in [*gains, *sums]:
        for name in group.fields:
            by_field.setdefault(name, []).append(group.finding)
    return {name: _smallest_group(findings) for name, findings in by_field.items()}


def _smallest_group(findings: list[Finding]) -> list[Finding]:
    """Of each check the finding in the smallest group, which says most about a field."""
    smallest_first = sorted(findings, key=lambda finding: len(finding.numbers["fields"]))
    by_check: dict[str, Finding] = {}
    for finding in smallest_first:
        by_check.setdefault(finding.check, finding)
    return list(by_check.values())


def _find_gains(
    fields: Sequence[Values],
    leads: Leads,
    groups: Sequence[Relatives],
) -> list[GroupFinding]:
    """The groups without which the fields would be far from too good to be true."""
    sample = take_sample(fields, leads)
    if sample is None or not groups:
        return []
    whole = sample.compute_auc(without=())
    if whole.low < TOO_GOOD:
        return []

    gains = []
    for group in groups:
        rest = sample.compute_auc(without=group.fields).value
        least_gain = max(MIN_GAIN, MIN_CLOSED * (1 - rest))
        if whole.low - rest >= least_gain:
            gain = _report_gain(group, whole, rest, leads=len(sample.label))
            gains.append(gain)
    return gains


def _report_gain(
    group: Relatives,
    whole: AucInterval,
    rest: float,
    *,
    leads: int,
) -> GroupFinding:
    evidence = (
        f"{len(group.fields)} fields {group.why}; "
        f"with them all fields together reach AUC {whole.value:.2f}, without them {rest:.2f}: "
        "more than fields known beforehand usually reach; confirm that these were known"
    )
    numbers = {
        "fields": list(group.fields),
        "with": whole.value,
        "low": whole.low,
        "without": rest,
        "leads": leads,
    }
    finding = Finding("gain_together", "suspect", evidence, numbers)
    return GroupFinding(group.fields, finding)


def _find_sums(
    fields: Sequence[Values],
    leads: Leads,
    groups: Sequence[Relatives],
) -> list[GroupFinding]:
    """The groups whose numbers add up to the time that a lead took to close."""
    by_name = {values.name: values for values in fields}
    sums = []
    for group in groups:
        members = [by_name[name] for name in group.fields]
        numbers = [values for values in members if values.type == "number"]
        if len(numbers) < 2:
            continue
        finding = check_adds_up(numbers, leads)
        if finding:
            names = tuple(values.name for values in numbers)
            sums.append(GroupFinding(names, finding))
    return sums


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

    @cached_property
    def fold(self) -> np.ndarray:
        """The fold (n,) of each lead.

        Leads equal in every field share one, for they would give the answer away.
        """
        comparable = np.nan_to_num(self.values, nan=-np.inf)
        groups, group = np.unique(comparable, axis=0, return_inverse=True)
        random = np.random.default_rng(0)
        shuffled = random.permutation(len(groups))
        return np.asarray(shuffled[group.ravel()] % FOLDS)

    def compute_auc(self, *, without: Collection[str]) -> AucInterval:
        """The AUC of all fields but some, out of fold and within blocks of time."""
        columns = [place for place, name in enumerate(self.names) if name not in without]
        categories = [new for new, place in enumerate(columns) if place in self.categories]
        values = self.values[:, columns]
        score = predict_out_of_fold(values, self.label, self.fold, categories=categories)
        block_of_fold = self.block * FOLDS + self.fold
        return compute_auc_within(score, self.label, block_of_fold)


def take_sample(fields: Sequence[Values], leads: Leads) -> Sample | None:
    """The closed leads with the smallest hashes; None if too few of them were won, or lost."""
    rows = take_smallest_hashes(leads, leads.judged, most=SAMPLED)
    label = leads.label[rows]
    won = label.sum()
    lost = (1 - label).sum()
    if not fields or min(won, lost) < LEAST_OUTCOMES:
        return None
    columns = [_column(values, leads, rows) for values in fields]
    return Sample(
        names=tuple(values.name for values in fields),
        values=np.stack(columns, axis=1),
        categories=tuple(place for place, values in enumerate(fields) if values.is_text),
        label=label,
        block=leads.block[rows],
    )


def _column(values: Values, leads: Leads, rows: np.ndarray) -> np.ndarray:
    """A field's values (rows,) as numbers: of a date the time since creation, of text a rank."""
    if values.is_text:
        return _rank_levels(values.codes[rows], levels=len(values.words))
    numbers = values.numbers[rows]
    if values.type == "date" and leads.dated:
        numbers = numbers - leads.created_us[rows]
    return np.asarray(numbers)


def _rank_levels(codes: np.ndarray, *, levels: int) -> np.ndarray:
    """The rank (n,) of each code by how common it is, at most `MOST_LEVELS`; NaN if missing."""
    if not levels:
        return np.full(len(codes), np.nan)
    is_missing = codes < 0
    counts = np.bincount(codes[~is_missing], minlength=levels)
    most_common_first = np.argsort(-counts, kind="stable")
    rank = np.empty(levels)
    rank[most_common_first] = np.arange(levels)
    capped = np.minimum(rank, MOST_LEVELS)
    return np.where(is_missing, np.nan, capped[codes])
