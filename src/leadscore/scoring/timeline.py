"""What happened with leads, and what is planned, in words: the latest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from leadscore.features.phrases import capitalised, plural, singular
from leadscore.features.units import ago, ahead
from leadscore.history.facts import KnownFact
from leadscore.history.split import History
from leadscore.scoring.contributions import elapsed_at
from leadscore.scoring.field_text import format_value
from leadscore.settings.fields import LeadField
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, name_local_day

LATEST = 15  # lines about a lead; what happened several times on a day is one
READ = 40  # facts of a lead, from which they are made
PLANS = 3  # of a lead, the next ones


@dataclass(frozen=True)
class Happening:
    """What happened or is planned, and when, as "3 weeks ago, 8 February 2026"."""

    when: str
    what: str


EARLIER = Happening("earlier", "More, which is not listed here")


def build_timelines(
    history: History,
    lead_ids: Sequence[str],
    *,
    as_of_us: int,
) -> dict[str, list[Happening]]:
    """The plans and the latest facts known of each open lead at a moment, the latest first."""
    known_us = history.known_us(as_of_us)
    known = history.facts.about_leads(lead_ids, known_us, latest=READ)
    planned = _list_plans(history, lead_ids, as_of_us=as_of_us)
    settings = history.settings
    name_when = _name_moments(history, as_of_us)
    timelines = {}
    for lead_id in lead_ids:
        happened = [
            Happening(name_when(fact.event_us), describe_fact(fact, settings))
            for fact in known[lead_id]
        ]
        ahead_of_it = [
            Happening(name_when(event_us), f"Planned: {_name_kind(kind, settings)}")
            for event_us, kind in planned.get(lead_id, [])[:PLANS]
        ]
        timelines[lead_id] = [*reversed(ahead_of_it), *_shorten(happened)]
    return timelines


def _shorten(happened: Sequence[Happening]) -> list[Happening]:
    """The latest first, and a last line that says so where there is more."""
    lines = _count_equal(reversed(happened))
    is_cut = len(lines) > LATEST or len(happened) == READ
    return [*lines[:LATEST], EARLIER] if is_cut else lines


def _count_equal(happened: Iterable[Happening]) -> list[Happening]:
    """What happened several times on a day as one, with how often."""
    return [
        one if times == 1 else replace(one, what=f"{one.what}, {times} times")
        for one, times in Counter(happened).items()
    ]


def _list_plans(
    history: History,
    lead_ids: Sequence[str],
    *,
    as_of_us: int,
) -> dict[str, list[tuple[int, str]]]:
    """lead_id -> moment and kind of what is planned, the next one first."""
    rows = history.open_list(as_of_us)
    own_rows = rows[rows["lead_id"].isin(lead_ids)]
    snapshot = history.snapshot(own_rows)
    planned: dict[str, list[tuple[int, str]]] = {}
    if snapshot.activities.has_plans:
        for plan in snapshot.plans().to_pylist():
            of_lead = planned.setdefault(plan["lead_id"], [])
            of_lead.append((plan["event_us"], plan["kind"]))
    return planned


def _name_moments(history: History, as_of_us: int) -> Callable[[int], str]:
    """What moments are called, seen from one of them."""
    elapsed = elapsed_at(history, as_of_us)
    zone = history.settings.timezone

    def name_when(event_us: int) -> str:
        days = (as_of_us - event_us) / DAY_US
        distance = ahead(elapsed - days) if days <= 0 else ago(days, elapsed=elapsed)
        return f"{distance}, {name_local_day(event_us, zone=zone)}"

    return name_when


def describe_fact(fact: KnownFact, settings: Settings) -> str:
    """A fact as a person says it: "Entered Proposal", "Call (rep), not reached", "Budget: 5,000"."""
    if fact.source == "leads":
        return "Created"
    if fact.source == "stages":
        return f"Entered {fact.what}"
    if fact.source == "outcomes":
        return f"Closed as {fact.what}"
    if fact.source == "activities":
        return _describe_activity(fact, settings)
    return _describe_change(fact, settings)


def _describe_activity(fact: KnownFact, settings: Settings) -> str:
    """What was done, by whom where the kind does not say it, and what came of it."""
    words = capitalised(_name_kind(fact.what, settings))
    is_clear = "lead" in words.split() or fact.actor == "system"
    by = "" if is_clear else f" ({fact.actor})"
    outcome = f", {fact.value.replace('_', ' ')}" if fact.value else ""
    return f"{words}{by}{outcome}"


def _name_kind(kind: str, settings: Settings) -> str:
    return singular(settings.kinds.get(kind) or plural(kind))


def _describe_change(fact: KnownFact, settings: Settings) -> str:
    """A field with its value as a person writes it; a key has only a hash."""
    field = settings.lead_fields().get(fact.what, LeadField())
    label = capitalised(field.label or fact.what.replace("_", " "))
    if fact.what in lead_keys(settings):
        return f"{label} changed"
    return f"{label}: {format_value(fact.value, field, zone=settings.timezone)}"
