"""Which fields can be trusted, and what training does without."""

from __future__ import annotations

from dataclasses import asdict

from leadscore.audit.people import find_people
from leadscore.audit.verdict import FieldVerdict, audit_learned, clocks, left_out
from leadscore.audit.verdict import audit as audit_history
from leadscore.features.account import unlearned_keys
from leadscore.features.fields import unlearned_fields
from leadscore.features.people import unasked_fields
from leadscore.history.split import History
from leadscore.ingest.reps import read_rep_names
from leadscore.project.opened import open_store
from leadscore.results import Audited, FieldReport, Finding
from leadscore.settings.settings import Settings


def audit(settings: Settings) -> Audited:
    """Whether each field can be trusted at scoring time, by all that is known until now.

    `use` is what training makes of a field: "learned", "left out" (a leak), "kept" (a leak that the settings keep), or
    "shown" (nothing says when it was known, so it is not learned from whatever the verdict).
    """
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        audited = audit_history(history, known_us=known_us)
        people = find_people(history, known_us=known_us, reps=read_rep_names(settings))
        changed = history.facts.changed_fields(known_us)
        undated = unlearned_fields(settings, changed) + unlearned_keys(settings, changed)
        version = history.version
    shown = {*undated, *unasked_fields(settings), *people}
    leaks = left_out(audited.fields, settings)

    def use(verdict: FieldVerdict) -> str:
        if verdict.field in shown:
            return "shown"
        if verdict.field in leaks:
            return "left out"
        return "kept" if verdict.verdict == "leak" else "learned"

    reports = []
    for verdict in audited.fields:
        document = asdict(verdict) | {"use": use(verdict)}
        reports.append(FieldReport.from_dict(document))
    findings = [Finding.from_dict(asdict(finding)) for finding in audited.findings]
    return Audited(
        project=settings.project,
        store_version=version.id,
        known_until=version.manifest["known_until"],
        fields=reports,
        findings=findings,
    )


def doubt_fields(history: History, *, known_us: int) -> dict[str, frozenset[str]]:
    """What `fit_model` must do without: leaking fields, and proxies for time, by what was known at a moment.

    What fields give away only together is for a person to confirm, so it is not left out here.
    """
    settings = history.settings
    verdicts = audit_learned(history, known_us=known_us, together=False)
    people = find_people(history, known_us=known_us, reps=read_rep_names(settings))
    return {
        "leave_out": left_out(verdicts, settings) | people,
        "time_proxies": clocks(verdicts, settings),
    }
