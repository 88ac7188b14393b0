"""Why a column is taken for what it is, and what may be wrong with that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from leadscore.ingest.mapping.numbers import CREDIT, read_money
from leadscore.onboarding import words
from leadscore.onboarding.event_doubts import doubt_activities, doubt_closes
from leadscore.onboarding.events import Events
from leadscore.onboarding.outcomes import may_say_outcome
from leadscore.onboarding.people import lists_people
from leadscore.onboarding.people_view import PeopleView
from leadscore.onboarding.profile import NOWHERE, Column, Profile, among, missing_share
from leadscore.onboarding.roles import (
    Leads,
    Roles,
    ids_by_name,
    names_amount,
    names_money,
    says_stage_changed,
)
from leadscore.onboarding.shared_ids import describe_overlap, doubt_ids, find_ref, overlap
from leadscore.onboarding.stage_dates import find_stage_dates
from leadscore.onboarding.times_of_day import doubt_time_of_day
from leadscore.wording import counted, listed

MORE_LEADS = (
    "to read both, give the source a path that fits both and no other file, such as "
    'path = "{}"; no lead may be in both'
)
OTHER_IDS = (
    "if it has them in another spelling, or leads are in several files, join these in a view: "
    "docs/views.md"
)
LISTS_PEOPLE = "a list of contacts or companies, not of what happened to leads"
JOIN_PEOPLE = "to use its columns as fields of leads, join it to leads in a view: docs/views.md"
NO_SUCH_NAME = "no column is called so"
NO_CREATED = "no date fits; without one nothing is known of when fields were filled in"
NO_CLOSE = "no date fits; leads count as closed when an export first shows it"
NO_OUTCOME = "map it by hand, or there is nothing to learn from"
ALL_CLOSED = "no lead would be open: maybe those that are count as lost"
STAGE_DOUBT = "guessed from dates after the creation that only some leads have"
SHARED = " ".join([words.NUMBER, *words.KEYS.values()])  # how ids of any record are called
CHECK_WORDS = "guessed from the words: check that every value means what it seems to"


@dataclass(frozen=True)
class Finding:
    """A part that a column plays: where, why we think so, and what may be wrong with it."""

    part: str
    place: str
    evidence: str
    doubt: str | None = None


def describe(roles: Roles, views: Mapping[str, PeopleView]) -> list[Finding]:
    """A finding for each part that a column plays, and for parts that none plays.

    Args:
        roles: what the files are.
        views: of the files that name people of leads, by their names.
    """
    used = _describe(roles.leads, roles.events, views)
    return used + _describe_unused(roles.leads, roles.unused)


def _describe(
    leads: Leads, events: Sequence[Events], views: Mapping[str, PeopleView]
) -> list[Finding]:
    file = leads.profile.file.name
    rows = counted(leads.profile.rows, "row")
    findings = [Finding("leads", file, rows, _doubt_rows(leads.profile))]
    findings += _describe_leads(leads)
    has_closes = any(source.won and source.lost for source in events)
    findings += _describe_lacking(leads, has_closes=has_closes)
    if not leads.has_outcomes() and not has_closes:
        findings.append(Finding("outcome", "not found", _lack_of_outcome(leads), NO_OUTCOME))
    stages = find_stage_dates(leads)
    if stages and not any(source.table == "stages" for source in events):
        names = ", ".join(column.name for column in stages.values())
        findings.append(Finding("stages", f"{file}: {names}", listed(list(stages)), STAGE_DOUBT))
    for source in events:
        findings += _describe_events(source, leads, views.get(source.source))
    return findings


def _doubt_rows(profile: Profile) -> str | None:
    """Rows that seem to be no leads."""
    doubts = []
    if profile.headers:
        doubts.append(f"the header comes again {counted(profile.headers, 'time')}")
    if profile.repeats:
        doubts.append(f"{counted(profile.repeats, 'row equals', 'rows equal')} an earlier one")
    if profile.sparse:
        rows = next(iter(profile.sparse.values())).rows
        doubts.append(f"{counted(rows, 'row is', 'rows are')} nearly empty: titles or totals?")
    return "; ".join(doubts) or None


def _lack_of_outcome(leads: Leads) -> str:
    """Which columns may say it all the same, in codes or in words that are not known."""
    evidence = "no column has values that mean won and others that mean lost"
    likely = [
        f"{column.name} ({listed(list(column.values), most=5)})"
        for column in leads.profile.columns.values()
        if may_say_outcome(column)
    ]
    return f"{evidence}; maybe {' or '.join(likely)}" if likely else evidence


def _describe_events(events: Events, leads: Leads, view: PeopleView | None) -> list[Finding]:
    """What a file of events says of leads."""
    place = events.profile.file.name
    shared = f"{overlap(events.ref, leads.id):.0%} of its {events.ref.name} are leads"
    doubts = list(filter(None, [doubt_time_of_day(events.when, events.profile)]))
    if view is not None:
        rows = counted(events.profile.rows, "row")
        connection = view.connection
        if events.names_leads:
            connection = f"{shared}; {connection}"
        shared = f"{connection}: {view.rows:,} of {rows} reach a lead"
        doubts.append(f"by a view, {view.sentence()}; {view.doubt()}")
    if events.profile.view is not None:
        doubts.append(events.profile.view.comment)
    if events.has_strangers:
        strangers = f"{events.strangers:.0%} of the rows are of other records"
        doubts.append(f"{strangers}, and left out by a view")
    if events.table == "activities":
        doubts += doubt_activities(events)
    doubt = "; ".join(doubts) or None
    findings = [Finding("events", place, f"{shared}; dated by {events.when.name}", doubt)]
    if events.won and events.lost:
        evidence = f"won: {listed(events.won, most=4)}; lost: {listed(events.lost, most=4)}"
        column = f"{place}: {_name(events.kind)}"
        doubts = [CHECK_WORDS, *doubt_closes(events, leads)]
        findings.append(Finding("outcome", column, evidence, "; ".join(doubts)))
    if events.kind is not None and events.other_kinds():
        values = listed(events.other_kinds(), most=6)
        doubt = _doubt_open(events.ended_kinds())
        findings.append(Finding(events.table, f"{place}: {events.kind.name}", values, doubt))
    return findings


def _doubt_open(ended: Sequence[str]) -> str | None:
    """Values that count as open, but may not be."""
    if not ended:
        return None
    return f"{listed(ended, most=4)} may not be open: lost, or to be left out?"


def _describe_unused(leads: Leads, unused: Sequence[Profile]) -> list[Finding]:
    """Files that look like more leads, a second region or another month, or that name no leads."""
    findings = []
    for profile in unused:
        if profile.columns.keys() == leads.profile.columns.keys():
            evidence = f"the same columns as {leads.profile.file.name}"
            has_same_name = profile.file.path.name == leads.profile.file.path.name
            doubt = MORE_LEADS.format("*/deals.csv" if has_same_name else "deals*.csv")
            findings.append(Finding("not used", profile.file.name, evidence, doubt))
        elif lists_people(profile):
            findings.append(Finding("not used", profile.file.name, LISTS_PEOPLE, JOIN_PEOPLE))
        elif profile.dates() and leads.id is not None:
            evidence = f"dated, but {describe_overlap(profile, leads.id)}"
            doubt = _name_shared(profile, leads) or OTHER_IDS
            findings.append(Finding("not used", profile.file.name, evidence, doubt))
    return findings


def _name_shared(profile: Profile, leads: Leads) -> str | None:
    """What a file shares with leads that is no id of theirs, such as the id of a contact."""
    for key in leads.profile.columns.values():
        if key is leads.id or not words.speaks_of(key.name, SHARED):
            continue
        ref = find_ref(profile, key)
        if ref is None or not words.speaks_of(ref.name, SHARED):
            continue
        kinds = {words.kind_of_person(column.name) for column in (ref, key)} - {None}
        if len(kinds) < 2:
            shared = f"its {ref.name} has values of {key.name}"
            return f"{shared}: to use it, join it to leads by them in a view: docs/views.md"
    return None


def _describe_leads(leads: Leads) -> list[Finding]:
    findings = []
    place = leads.profile.file.name
    if leads.id is not None:
        evidence = "a different value in every row"
        doubts = [doubt_ids(leads.id), _name_other_ids(leads, leads.id)]
        doubt = "; ".join(filter(None, doubts)) or None
        findings.append(Finding("id", f"{place}: {leads.id.name}", evidence, doubt))
    if leads.created is not None:
        findings.append(_describe_created(leads, leads.created))
    if leads.closed is not None:
        evidence = f"after {_name(leads.created)}; {_coverage(leads.closed)}"
        doubt = _doubt_closes(leads, leads.closed)
        findings.append(Finding("closed", f"{place}: {leads.closed.name}", evidence, doubt))
    if leads.outcome is not None:
        evidence = f"won: {listed(leads.won, most=4)}; lost: {listed(leads.lost, most=4)}"
        if leads.flag is not None:
            flagged = "lost" if leads.flag.is_of_losses else "both"
            evidence += (
                f"; {flagged} only where {leads.flag.column.name} is {listed(leads.flag.yes)}"
            )
        if leads.open_values():
            evidence += f"; open: {listed(leads.open_values(), most=4)}"
        doubt = _doubt_outcome(leads, leads.outcome)
        findings.append(Finding("outcome", f"{place}: {leads.outcome.name}", evidence, doubt))
    if leads.closing is not None:
        dates = (leads.closing.won, leads.closing.lost)
        names = ", ".join(column.name for column in dates)
        evidence = "dates of which hardly any lead has both"
        part = "outcome" if leads.outcome is None else "closed"
        findings.append(Finding(part, f"{place}: {names}", evidence, CHECK_WORDS))
    if leads.amount is not None:
        doubt = "today's value: learned from only if it was known when the lead was created"
        doubt = "; ".join(filter(None, [doubt, _doubt_crores(leads.amount)]))
        evidence = "amounts of money" if names_money(leads.amount) else "numbers"
        findings.append(Finding("amount", f"{place}: {leads.amount.name}", evidence, doubt))
    if leads.owner is not None:
        names = counted(len(leads.owner.values), "value")
        findings.append(Finding("owner", f"{place}: {leads.owner.name}", names))
    return findings


def _describe_lacking(leads: Leads, *, has_closes: bool) -> list[Finding]:
    """What no column was taken for, though one may well be it."""
    findings = []
    if leads.created is None:
        findings.append(Finding("created", "not found", NO_CREATED, "map a column if one says it"))
    lacks_date = leads.created is not None and leads.outcome is not None and not leads.ends()
    if lacks_date and not has_closes:
        findings.append(Finding("closed", "not found", NO_CLOSE, "map a column if one says it"))
    lacking = [
        ("amount", leads.amount, _lack_of_amount(leads)),
        ("owner", leads.owner, NO_SUCH_NAME),
    ]
    for part, column, evidence in lacking:
        if column is None:
            findings.append(Finding(part, "not found", evidence, "map it if there is one"))
    return findings


def _lack_of_amount(leads: Leads) -> str:
    """Which column is called like an amount, though its values are not read as numbers."""
    for column in leads.profile.columns.values():
        is_date = column.date_order is not None
        if is_date or column.is_number or not names_amount(column) or column is leads.outcome:
            continue
        texts = pa.array(list(column.values), pa.string())
        _, ok, _ = read_money(texts, decimals=2, decimal=".")
        unread = [value for value, is_read in zip(column.values, ok, strict=True) if not is_read]
        values = f"many values of {column.name} are not read as numbers"
        return f"{values}, such as {listed(unread[:2])}" if unread else NO_SUCH_NAME
    return NO_SUCH_NAME


def _doubt_crores(amount: Column) -> str | None:
    """Amounts that may be credits rather than crores of rupees."""
    crores = [value for value in amount.values if CREDIT.search(value)]
    if not crores:
        return None
    counts = f"{listed(crores[:1])} counts as crores, 10,000,000 each"
    return f"{counts}: if Cr marks credits, remove it in a view"


def _name_other_ids(leads: Leads, chosen: Column) -> str | None:
    """Other columns that may be the id of leads."""
    ids = ids_by_name(list(leads.profile.columns.values()))
    others = [column.name for column in ids if column is not chosen]
    if not others:
        return None
    verb = "has" if len(others) == 1 else "have"
    return f"{listed(others, most=3)} {verb} a different value in every row too"


def _coverage(column: Column) -> str:
    """How many rows have a date."""
    missing = int((~column.has_moment).sum())
    return f"missing in {missing:,} of {column.rows:,} rows" if missing else "every row has it"


def _doubt_closes(leads: Leads, closed: Column) -> str | None:
    """Why a date of the close may be a forecast: open leads have it too, or its name says so."""
    if words.speaks_of(closed.name, words.EXPECTED):
        return "a forecast by its name: check that it is the real date once a lead has closed"
    if says_stage_changed(closed):
        return "when the stage last changed: the close, unless a stage was corrected since"
    if leads.outcome is None:
        return "may be the expected date while a lead is open, and even after"
    is_open = ~(leads.is_won() | leads.is_lost() | among(leads.outcome, leads.ended_values()))
    dated = int((is_open & closed.has_moment).sum())
    if not dated:
        return None
    return (
        f"{dated:,} of {int(is_open.sum()):,} open leads have one too: it may be the expected date, "
        "even of closed leads"
    )


def _doubt_outcome(leads: Leads, outcome: Column) -> str:
    """What may be wrong with won, lost and open."""
    doubts = [_doubt_losses(leads, outcome), _doubt_open(leads.ended_values())]
    return "; ".join(filter(None, doubts))


def _doubt_losses(leads: Leads, outcome: Column) -> str:
    """Open leads that a flag may count as lost."""
    if leads.flag is not None:
        return CHECK_WORDS
    if leads.closed is None:
        is_open = ~among(outcome, [*leads.won, *leads.lost])
        return CHECK_WORDS if is_open.any() else f"{CHECK_WORDS}; {ALL_CLOSED}"
    is_undated = leads.closed.moments == NOWHERE
    is_lost = among(outcome, leads.lost)
    undated = int((is_lost & is_undated).sum())
    if not undated:
        return CHECK_WORDS
    lost = counted(undated, "lost lead has", "lost leads have")
    return f"{CHECK_WORDS}; {lost} no {leads.closed.name}: maybe they are still open"


def _describe_created(leads: Leads, created: Column) -> Finding:
    lacking = missing_share(created)
    evidence = f"the earliest date; {_coverage(created)}"
    doubts = [doubt_time_of_day(created, leads.profile)]
    if lacking > 0:
        doubts.append("leads without it are scored, but never learned from")
    doubt = "; ".join(filter(None, doubts)) or None
    return Finding("created", f"{leads.profile.file.name}: {created.name}", evidence, doubt)


def _name(column: Column | None) -> str:
    return column.name if column is not None else ""
