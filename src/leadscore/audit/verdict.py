"""The audit: a verdict on every field, from the checks that spoke."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from leadscore.audit.checks.content import (
    check_clock,
    check_constant,
    check_identity,
    check_unseen,
)
from leadscore.audit.checks.ending import (
    check_better_than_at_creation,
    check_changed_at_close,
    check_ends_with_lead,
    check_filled_by_age,
    check_filled_when_closed,
)
from leadscore.audit.checks.joint import judge_together
from leadscore.audit.checks.late_name import check_late_name
from leadscore.audit.checks.outcome import (
    OwnAuc,
    check_certain,
    check_filled_by_outcome,
    check_too_good,
    compute_own_auc,
)
from leadscore.audit.checks.placeholders import check_left_by_outcome, check_placeholder
from leadscore.audit.fields import audited_fields, read_current, read_histories
from leadscore.audit.finding import Finding, Verdict, share, worst_first
from leadscore.audit.keys import check_keys
from leadscore.audit.leads import Leads, read_leads
from leadscore.audit.values import FieldHistory, Values
from leadscore.features.account import unlearned_keys
from leadscore.features.fields import unlearned_fields
from leadscore.features.people import names_of_fields, unasked_fields
from leadscore.history.split import History
from leadscore.settings.audit import AuditSettings
from leadscore.settings.memory import stored_fields
from leadscore.settings.settings import Settings

LATER_SHARE = 0.2  # of the leads, by order, is the later part that duplicates are looked for in
MIN_FIELDS = 5
ALIKE_SHARE = 0.01


@dataclass(frozen=True)
class FieldVerdict:
    """Whether a field can be trusted at scoring time, why, all findings, and its AUC alone."""

    field: str
    verdict: Verdict
    evidence: str
    checks: tuple[Finding, ...]
    auc: OwnAuc | None = None

    def in_words(self) -> str:
        """How good the field is alone, and what speaks against it."""
        return f"{self.auc.in_words()}; {self.evidence}" if self.auc else self.evidence


@dataclass(frozen=True)
class Audit:
    """The verdicts on the fields, and the findings that concern all of them."""

    fields: tuple[FieldVerdict, ...]
    findings: tuple[Finding, ...]


def audit_fields(history: History, *, known_us: int) -> tuple[FieldVerdict, ...]:
    """A verdict on each field, by what was known before a moment (see `audit`)."""
    return audit(history, known_us=known_us).fields


def audit(
    history: History,
    *,
    known_us: int,
    skip: AbstractSet[str] = frozenset(),
    together: bool = True,
) -> Audit:
    """A verdict on every mapped field and every field with a history, by what was known then.

    A field whose history is mapped is checked by it, since its value in `leads` is never learned
    from. Any other is checked by its latest value, and, if our own exports saw it change, by these
    changes too: a verdict must not vanish because a history of our own has begun.

    Args:
        history: where the leads are.
        known_us: the moment.
        skip: fields that are not looked at.
        together: whether to check fields also in groups, and by their names.
    """
    settings = history.settings
    leads = read_leads(history, known_us=known_us)
    evidence = _read_evidence(history, leads, skip)

    verdicts = _judge_alone(evidence, leads, settings.audit)
    if together:
        verdicts = _judge_in_company(verdicts, evidence.current, leads, settings)
    for key, findings in check_keys(history, leads, skip):
        verdicts.append(_decide(key, findings, None))
    order = list(stored_fields(settings))
    verdicts.sort(key=lambda verdict: order.index(verdict.field))

    alike = check_alike(evidence.current, leads)
    return Audit(fields=tuple(verdicts), findings=(alike,) if alike else ())


@dataclass(frozen=True)
class _Evidence:
    """What the fields hold.

    Attributes:
        current: the latest values of the fields without a mapped history.
        histories: name -> history, of the fields whose changes are known.
        own: the fields whose history our exports saw.
    """

    current: Sequence[Values]
    histories: Mapping[str, FieldHistory]
    own: AbstractSet[str]


def _read_evidence(history: History, leads: Leads, skip: AbstractSet[str]) -> _Evidence:
    known_us = leads.known_us
    settings = history.settings
    changed = history.facts.changed_fields(known_us) & set(settings.lead_fields())
    changed -= skip
    passed_over = history.facts.mapped_histories(known_us) | skip
    names = [name for name in audited_fields(settings) if name not in passed_over]
    own = changed & set(names)

    current = list(read_current(history, leads, names, own=own))
    histories = {}
    for field_history in read_histories(history, leads, sorted(changed), own=own):
        histories[field_history.now.name] = field_history
    return _Evidence(current, histories, own)


def _judge_alone(
    evidence: _Evidence,
    leads: Leads,
    settings: AuditSettings,
) -> list[FieldVerdict]:
    """A verdict on each field, by what it holds itself."""
    histories = evidence.histories
    verdicts = []
    for values in evidence.current:
        seen = histories.get(values.name)
        verdicts.append(_judge_current(values, seen, leads, settings))

    only_histories = sorted(set(histories) - evidence.own)
    of_histories = [_judge_history(histories[name], leads, settings) for name in only_histories]
    return verdicts + of_histories


def _judge_in_company(
    verdicts: Sequence[FieldVerdict],
    current: Sequence[Values],
    leads: Leads,
    settings: Settings,
) -> list[FieldVerdict]:
    """The verdicts, with what the fields know together and what their names say."""
    names = names_of_fields(settings)
    leaks = {verdict.field for verdict in verdicts if verdict.verdict == "leak"}
    not_leaking = [values for values in current if values.name not in leaks]
    in_groups = judge_together(not_leaking, leads, names)

    judged = []
    for verdict in verdicts:
        field = verdict.field
        auc = verdict.auc
        of_groups = in_groups.get(field, [])
        late_name = check_late_name(field, auc, names=names[field], settings=settings)
        findings = [*verdict.checks, *of_groups, late_name]
        judged.append(_decide(field, findings, auc))
    return judged


def audit_learned(
    history: History,
    *,
    known_us: int,
    together: bool = True,
) -> tuple[FieldVerdict, ...]:
    """A verdict on each field that a training at a moment may learn from.

    Facts known from then on change none of them.

    The current value of any other field may be younger than that moment, so it is not looked at
    here.
    """
    settings = history.settings
    changed = history.facts.changed_fields(known_us)
    unlearned = {*unlearned_fields(settings, changed), *unlearned_keys(settings, changed)}
    skip = unlearned | set(unasked_fields(settings))
    return audit(history, known_us=known_us, skip=skip, together=together).fields


def left_out(verdicts: Collection[FieldVerdict], settings: Settings) -> frozenset[str]:
    """The leaking fields, which are not learned from, but for those that the settings keep."""
    leaks = frozenset(verdict.field for verdict in verdicts if verdict.verdict == "leak")
    return leaks - set(settings.audit.keep)


def clocks(verdicts: Collection[FieldVerdict], settings: Settings) -> frozenset[str]:
    """The proxies for time that are learned from, but for those that the settings keep.

    They say when rather than who, so the leads to score have values that nothing was learned about.
    """
    proxies = set()
    for verdict in verdicts:
        checks = {finding.check for finding in verdict.checks}
        if "clock" in checks:
            proxies.add(verdict.field)
    learned = proxies - left_out(verdicts, settings)
    return frozenset(learned - set(settings.audit.keep))


def _judge_current(
    values: Values,
    seen: FieldHistory | None,
    leads: Leads,
    settings: AuditSettings,
) -> FieldVerdict:
    """By the latest values, and by the changes that our own exports have seen, if any."""
    auc = compute_own_auc(values, leads)
    constant = check_constant(values, leads)
    findings = [constant]
    if not constant:
        findings = [
            check_ends_with_lead(values, leads),
            check_certain(values, leads),
            check_filled_when_closed(values, leads),
            check_too_good(values, leads, own=auc, settings=settings),
            check_filled_by_outcome(values, leads),
            check_filled_by_age(values, leads),
            *_check_content(values, leads),
            check_left_by_outcome(values, leads),
        ]
    if seen:
        findings.append(check_changed_at_close(seen, leads))
    return _decide(values.name, findings, auc)


def _judge_history(
    history: FieldHistory,
    leads: Leads,
    settings: AuditSettings,
) -> FieldVerdict:
    """By a history that the mapping gives."""
    findings = [
        check_better_than_at_creation(history, leads, settings=settings),
        check_changed_at_close(history, leads),
        *_check_content(history.now, leads),
    ]
    auc = compute_own_auc(history.before_close, leads)
    return _decide(history.now.name, findings, auc)


def _check_content(values: Values, leads: Leads) -> list[Finding | None]:
    checks = (check_constant, check_identity, check_placeholder, check_clock, check_unseen)
    return [check(values, leads) for check in checks]


def _decide(
    field: str,
    findings: Iterable[Finding | None],
    auc: OwnAuc | None,
) -> FieldVerdict:
    """The worst finding is the verdict, and its evidence is shown.

    Of equally bad findings it is the first.
    """
    ordered = tuple(worst_first(findings))
    if not ordered:
        return FieldVerdict(field, "ok", "no problem found", (), auc)
    first = ordered[0]
    return FieldVerdict(field, first.verdict, first.evidence, ordered, auc)


def check_alike(fields: Sequence[Values], leads: Leads) -> Finding | None:
    """Later leads that equal an earlier one in every field: a model looks too good on them.

    Leads with fewer than `MIN_FIELDS` filled fields do not count, since they are alike anyway.
    """
    n = len(leads.lead_id)
    if len(fields) < MIN_FIELDS or not n:
        return None
    by_creation = np.argsort(leads.created_us, kind="stable")
    identities = [values.identities() for values in fields]
    codes = np.stack(identities, axis=1)[by_creation]
    is_filled = (codes >= 0).sum(axis=1) >= MIN_FIELDS
    first = _first_equal_row(codes)

    if leads.has_order:
        which = f"the latest {share(LATER_SHARE)} of the leads"
        is_later = np.arange(n) >= n * (1 - LATER_SHARE)
        is_copy = first < np.flatnonzero(is_later)[0]
    else:
        which = "the leads"
        is_later = np.ones(n, dtype=bool)
        is_copy = first < np.arange(n)
    later_copies = (is_copy & is_later & is_filled).sum()
    alike = float(later_copies / is_later.sum())
    if alike < ALIKE_SHARE:
        return None
    evidence = f"{share(alike)} of {which} equal an earlier one in all {len(fields)} fields"
    numbers = {"share": alike, "fields": len(fields)}
    return Finding("alike", "suspect", evidence, numbers)


def _first_equal_row(rows: np.ndarray) -> np.ndarray:
    """For each row (n, k), the place of the first row that equals it."""
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[group.ravel()])
