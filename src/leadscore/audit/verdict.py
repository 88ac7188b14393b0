"""The audit: a verdict on every field, from the checks that spoke."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
from leadscore.audit.fields import (
    FieldHistory,
    Leads,
    Values,
    audited_fields,
    read_current,
    read_histories,
    read_leads,
)
from leadscore.audit.finding import Finding, Verdict, share, worst_first
from leadscore.features.fields import unlearned_fields
from leadscore.features.people import names_of_fields, unasked_fields
from leadscore.history.split import History
from leadscore.settings.audit import AuditSettings
from leadscore.settings.settings import Settings

LATER_SHARE = 0.2  # of the leads, by order, is the later part that duplicates are looked for in
MIN_FIELDS = 5
ALIKE_SHARE = 0.01


@dataclass(frozen=True)
class FieldVerdict:
    """Whether a field can be trusted at scoring time, why in one line, every check that spoke, and its own AUC."""

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
    """The verdicts on the fields, and what was found beside."""

    fields: tuple[FieldVerdict, ...]
    findings: tuple[Finding, ...]


def audit_fields(history: History, *, known_us: int) -> tuple[FieldVerdict, ...]:
    """A verdict on each field, by what was known before a moment (see `audit`)."""
    return audit(history, known_us=known_us).fields


def audit(
    history: History, *, known_us: int, skip: AbstractSet[str] = frozenset(), together: bool = True
) -> Audit:
    """Judge every mapped field of `leads`, and every field with a history, by what was known before a moment.

    A field whose history is mapped is judged by it, for its value in `leads` is never learned from; any other by its
    latest value, and one that our own exports have seen change by these changes beside: a verdict does not vanish
    because a history of our own has begun.

    Args:
        history: where the leads are.
        known_us: the moment.
        skip: fields that are not looked at.
        together: whether fields are judged in company, and by their names, too.
    """
    settings = history.settings
    leads = read_leads(history, known_us=known_us)
    changed = history.facts.changed_fields(known_us) & set(settings.lead_fields()) - skip
    mapped = history.facts.mapped_histories(known_us)
    names = [name for name in audited_fields(settings) if name not in mapped | skip]
    own = changed & set(names)
    current = list(read_current(history, leads, names, own=own))
    histories = {
        told.now.name: told for told in read_histories(history, leads, sorted(changed), own=own)
    }
    verdicts = []
    for values in current:
        auc = compute_own_auc(values, leads)
        findings = _judge_current(values, leads, auc, settings.audit)
        if values.name in own:
            findings.append(check_changed_at_close(histories[values.name], leads))
        verdicts.append(_decide(values.name, findings, auc))
    for name in sorted(set(histories) - own):
        findings = _judge_history(histories[name], leads, settings.audit)
        verdicts.append(
            _decide(name, findings, compute_own_auc(histories[name].before_close, leads))
        )
    if together:
        verdicts = _judge_in_company(verdicts, current, leads, settings)
    place = {name: i for i, name in enumerate(settings.lead_fields())}
    alike = check_alike(current, leads)
    return Audit(
        tuple(sorted(verdicts, key=lambda each: place[each.field])), (alike,) if alike else ()
    )


def _judge_in_company(
    verdicts: Sequence[FieldVerdict], current: Sequence[Values], leads: Leads, settings: Settings
) -> list[FieldVerdict]:
    """The verdicts with what the fields know together, and what their names say, beside what they say alone."""
    names = names_of_fields(settings)
    leaks = {each.field for each in verdicts if each.verdict == "leak"}
    found = judge_together([values for values in current if values.name not in leaks], leads, names)
    judged = []
    for each in verdicts:
        named = check_late_name(each.field, each.auc, names=names[each.field], settings=settings)
        judged.append(
            _decide(each.field, [*each.checks, *found.get(each.field, ()), named], each.auc)
        )
    return judged


def audit_learned(
    history: History, *, known_us: int, together: bool = True
) -> tuple[FieldVerdict, ...]:
    """A verdict on each field that a training at a moment may learn from; facts known from then on change none.

    The current value of any other field may be younger than that moment, so nothing is told of it here.
    """
    settings = history.settings
    unlearned = {
        *unlearned_fields(settings, history.facts.changed_fields(known_us)),
        *unasked_fields(settings),
    }
    return audit(history, known_us=known_us, skip=unlearned, together=together).fields


def left_out(verdicts: Collection[FieldVerdict], settings: Settings) -> frozenset[str]:
    """The leaking fields that are not to be learned from: all but those that the settings keep by name."""
    return frozenset(each.field for each in verdicts if each.verdict == "leak") - set(
        settings.audit.keep
    )


def clocks(verdicts: Collection[FieldVerdict], settings: Settings) -> frozenset[str]:
    """The fields that say when rather than who, so that the leads to score lie outside of all that was learned.

    Of those that are learned from, and that the settings do not keep by name.
    """
    found = {
        each.field for each in verdicts if any(check.check == "clock" for check in each.checks)
    }
    return frozenset(found) - left_out(verdicts, settings) - set(settings.audit.keep)


def _judge_current(
    values: Values, leads: Leads, auc: OwnAuc | None, settings: AuditSettings
) -> list[Finding | None]:
    if constant := check_constant(values, leads):
        return [constant]
    return [
        check_ends_with_lead(values, leads),
        check_certain(values, leads),
        check_filled_when_closed(values, leads),
        check_too_good(values, leads, own=auc, settings=settings),
        check_filled_by_outcome(values, leads),
        check_filled_by_age(values, leads),
        *_judge_content(values, leads),
        check_left_by_outcome(values, leads),
    ]


def _judge_history(
    told: FieldHistory, leads: Leads, settings: AuditSettings
) -> list[Finding | None]:
    return [
        check_better_than_at_creation(told, leads, settings=settings),
        check_changed_at_close(told, leads),
        *_judge_content(told.now, leads),
    ]


def _judge_content(values: Values, leads: Leads) -> list[Finding | None]:
    checks = (check_constant, check_identity, check_placeholder, check_clock, check_unseen)
    return [check(values, leads) for check in checks]


def _decide(field: str, findings: Iterable[Finding | None], auc: OwnAuc | None) -> FieldVerdict:
    """The worst verdict counts; its evidence is told first, the first finding in the order of the checks."""
    spoke = worst_first(findings)
    if not spoke:
        return FieldVerdict(field, "ok", "nothing speaks against it", (), auc)
    return FieldVerdict(field, spoke[0].verdict, spoke[0].evidence, tuple(spoke), auc)


def check_alike(fields: Sequence[Values], leads: Leads) -> Finding | None:
    """Later leads that equal an earlier one in every field: judged on them, a model looks better than it is.

    Leads of which fewer than `MIN_FIELDS` are filled do not count, for they are alike anyway.
    """
    n = len(leads.lead_id)
    if len(fields) < MIN_FIELDS or not n:
        return None
    codes = np.stack([values.identities() for values in fields], axis=1)[
        np.argsort(leads.created_us, kind="stable")
    ]
    told = (codes >= 0).sum(axis=1) >= MIN_FIELDS
    _, first, group = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    later = np.arange(n) >= n * (1 - LATER_SHARE) if leads.has_order else np.ones(n, dtype=bool)
    before = first[group.ravel()] < (np.flatnonzero(later)[0] if leads.has_order else np.arange(n))
    alike = float((before & later & told).sum() / later.sum())
    if alike < ALIKE_SHARE:
        return None
    which = f"the latest {share(LATER_SHARE)} of the leads" if leads.has_order else "the leads"
    said = f"{share(alike)} of {which} equal an earlier one in all {len(fields)} fields"
    return Finding("alike", "suspect", said, {"share": alike, "fields": len(fields)})
