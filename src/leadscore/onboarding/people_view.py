"""The view that gives activities of people or companies to their leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadscore.engine.closed import SelectError
from leadscore.engine.protocol import literal, quoted_name
from leadscore.errors import UserError
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.text_for_views import text_for_views
from leadscore.ingest.view_trials import run_select
from leadscore.onboarding.closes_sql import end_sql
from leadscore.onboarding.events import Events
from leadscore.onboarding.links import Bridge, Link
from leadscore.onboarding.moment_sql import MomentSql, find_moment_sql
from leadscore.onboarding.people import COMPANY
from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.roles import Leads
from leadscore.wording import listed, shortened

DatesOf = Callable[[Profile], str | None]
ENDS = "ends"
CROWD = 10  # leads that a row may well reach
MOST_REACHED = 1_000  # leads of one person or company: what has more is a word for many of them
NEAR_MOST = (
    100  # leads among the rows that were looked at, from which on the view keeps to the most
)
NEXT_LINE = "\n        "
AND = "\n    AND"


@dataclass(frozen=True)
class Crowd:
    """A person or company, and how many leads a row of theirs reaches."""

    name: str
    leads: int


@dataclass(frozen=True)
class PeopleView:
    """The SELECT of the view, and what it does.

    Attributes:
        sql: the SELECT.
        link: what connects the rows with leads, or the rest of them.
        rest: the column of leads' ids that these rows lack; None if all do.
        rows: how many of the rows that were looked at reach a lead.
        unread: the columns whose dates SQL does not read: nothing is left out by time.
        has_ends: whether it knows when leads closed.
        is_by_day: whether some moments are compared by their days alone.
        crowd: whose row reaches most leads.
        excluded: who has so many leads that their rows reach none.
    """

    sql: str
    link: Link
    rest: str | None
    rows: int
    unread: Sequence[str]
    has_ends: bool
    is_by_day: bool
    crowd: Crowd
    excluded: Crowd | None

    @property
    def connection(self) -> str:
        """What the rows name, and the columns that connect them with leads."""
        kinds, columns = self.link.first.kinds, self.link.columns
        if self.rest is not None:
            return f"rows without {self.rest} name {kinds} ({columns})"
        return f"its rows name {kinds}, not leads ({columns})"

    def doubt(self) -> str:
        """What to check of the view; it names companies, but no people, since the settings keep it."""
        doubts = []
        if self.crowd.leads > CROWD:
            doubts.append(
                f"a row with {self._name(self.crowd)} goes to {self.crowd.leads} leads at once"
            )
        if self.excluded is not None:
            doubts.append(
                f"a row with {self._name(self.excluded)} goes to none, because "
                f"{self.excluded.leads:,} leads have that {self.link.kind}"
            )
        check = "check that it is right"
        return f"{check}: {'; '.join(doubts)}" if doubts else check

    def _name(self, crowd: Crowd) -> str:
        is_company = self.link.kind == COMPANY
        return shortened(crowd.name) if is_company else f"one {self.link.kind}"

    def sentence(self) -> str:
        """What the view does with a row."""
        leads = f"leads with the same {self.link.kind}"
        rows = "each row" if self.rest is None else f"each row without {self.rest}"
        if self.unread:
            names = listed(self.unread)
            return f"{rows} goes to all {leads}, open or not: SQL cannot read every date in {names}"
        if self.has_ends:
            when = "on that day" if self.is_by_day else "at the time"
            return f"{rows} goes to the {leads} that were open {when}"
        return f"{rows} goes to the {leads} that existed by then: no column says for sure when they closed"


def find_people_view(events: Events, link: Link, leads: Leads, dates_of: DatesOf) -> PeopleView:
    """The view of a file whose rows name people or companies of leads.

    Args:
        events: the file.
        link: what connects it with leads.
        leads: which are dated.
        dates_of: how the settings will state that the dates of a file are written.

    Raises:
        UserError: the view fails over the rows that were looked at, or takes too long.
    """
    moments = [leads.created] if leads.created is not None else []
    moments += leads.ends()
    when = find_moment_sql(events.when, dates_of(events.profile))
    dates = dates_of(leads.profile)
    sql_of = {column.name: find_moment_sql(column, dates) for column in moments}
    read = {name: sql for name, sql in sql_of.items() if sql is not None}
    unread = [name for name in sql_of if name not in read]

    limits: list[_Limit] = []
    if when is None:
        unread.append(events.when.name)
    elif not unread:
        limits = _find_limits(when, leads, read)
    sql = _view_sql(events, link, leads, limits)
    rows, crowd = _count_rows(sql, events, link, leads)
    rest = events.ref.name if events.names_leads else None
    return PeopleView(
        sql,
        link,
        rest,
        rows,
        unread,
        has_ends=any(limit.name == ENDS for limit in limits),
        is_by_day=any(limit.is_by_day for limit in limits),
        crowd=crowd,
        excluded=_find_excluded(link),
    )


def _find_excluded(link: Link) -> Crowd | None:
    """Who has more leads than one person or company may have."""
    crowds = [Crowd(*part.largest) for part in (link.first, link)]
    largest = max(crowds, key=lambda crowd: crowd.leads)
    return largest if largest.leads > MOST_REACHED else None


def _is_near_most(link: Link) -> bool:
    return link.largest[1] > NEAR_MOST


@dataclass(frozen=True)
class _Limit:
    """A moment of leads, called `name`: its SQL, and how that of a row compares with it."""

    name: str
    moment: str
    comparison: str
    is_by_day: bool


def _find_limits(when: MomentSql, leads: Leads, read: Mapping[str, MomentSql]) -> list[_Limit]:
    """When leads began, and when they ended where something says it."""
    limits = []
    if leads.created is not None:
        began = read[leads.created.name]
        limits.append(_limit("begins", began.of(), ">=", when, [began]))
    ended = end_sql(leads, lambda column: read[column.name].of())
    if ended is not None:
        ends = [read[column.name] for column in leads.ends()]
        limits.append(_limit(ENDS, ended, "<=", when, ends))
    return limits


def _limit(
    name: str, moment: str, sign: str, when: MomentSql, others: Sequence[MomentSql]
) -> _Limit:
    """A limit that is a day where moments cannot be compared; a row without a date keeps to it."""
    happened = when.of("activity")
    is_by_day = not all(when.is_comparable(other) for other in others)
    if is_by_day:
        happened, moment = f"CAST({happened} AS DATE)", f"CAST({moment} AS DATE)"
    comparison = f"COALESCE({happened} {sign} spans.{name}, true)"
    return _Limit(name, moment, comparison, is_by_day)


def _view_sql(events: Events, link: Link, leads: Leads, limits: Sequence[_Limit]) -> str:
    """Each row with the id of a lead, as often as it has leads; without a date, it has them all."""
    lead_id = quoted_name(leads.id.name if leads.id else "")
    columns = [f"{lead_id} AS {events.lead_column}", f"{_key_sql(link.key, link)} AS person"]
    columns += [f"{limit.moment} AS {limit.name}" for limit in limits]
    if _is_near_most(link):
        columns.append(f"COUNT(*) OVER (PARTITION BY {_key_sql(link.key, link)}) AS leads")
    lines = [
        "WITH spans AS (",
        f"    SELECT {f',{NEXT_LINE}'.join(columns)}",
        f"    FROM {quoted_name(link.leads.file.source)}",
        *(_bridge_lines(link, link.bridge) if link.bridge is not None else []),
        ")",
        f"SELECT spans.{events.lead_column}, activity.*",
        f"FROM {quoted_name(events.profile.file.source)} AS activity",
    ]
    first = link.first
    named = _key_sql(first.ref, first, "activity")
    if link.bridge is None:
        lines.append(f"JOIN spans ON spans.person = {named}")
    else:
        lines.append(f"JOIN people ON people.named = {named}")
        lines.append("JOIN spans ON spans.person = people.person")
    conditions = [limit.comparison for limit in limits]
    conditions += _no_placeholders(first, "activity")
    if _is_near_most(link):
        conditions.append(f"spans.leads <= {MOST_REACHED}")
    if events.names_leads:
        conditions.append(_lacks_lead(events))
    if conditions:
        lines.append(f"WHERE {f'{AND} '.join(conditions)}")
    if events.names_leads:
        lines += _direct_lines(events)
    lines.append(f"ORDER BY _file, _line, {events.lead_column}")
    return "\n".join(lines)


def _lacks_lead(events: Events) -> str:
    """The condition that a row names no lead, or has a word for none."""
    ref = f"activity.{quoted_name(events.ref.name)}"
    if not events.words_for_none:
        return f"{ref} IS NULL"
    values = ", ".join(map(literal, events.words_for_none))
    return f"({ref} IS NULL OR {ref} IN ({values}))"


def _direct_lines(events: Events) -> list[str]:
    """The rows that name a lead; where many name other records, those of leads alone."""
    ref = quoted_name(events.ref.name)
    is_of_lead = f"IN (SELECT {events.lead_column} FROM spans)"
    is_mixed = events.has_strangers or events.words_for_none
    return [
        "UNION ALL",
        f"SELECT {ref} AS {events.lead_column}, *",
        f"FROM {quoted_name(events.profile.file.source)}",
        f"WHERE {ref} {is_of_lead if is_mixed else 'IS NOT NULL'}",
    ]


def _bridge_lines(link: Link, bridge: Bridge) -> list[str]:
    """The rows of a file between activities and leads."""
    named = _key_sql(bridge.link.key, bridge.link)
    lines = [
        "), people AS (",
        f"    SELECT {named} AS named,",
        f"        {_key_sql(link.ref, link)} AS person",
        f"    FROM {quoted_name(bridge.profile.file.source)}",
    ]
    lines += [f"    WHERE {condition}" for condition in _no_placeholders(link)]
    lines.append("    GROUP BY 1, 2")
    if _is_near_most(bridge.link):
        lines.append(f"    QUALIFY COUNT(*) OVER (PARTITION BY {named}) <= {MOST_REACHED}")
    return lines


def _no_placeholders(link: Link, table: str = "") -> list[str]:
    """The condition that a row says whom it names, where some have a word for a missing value."""
    if not link.placeholders:
        return []
    words = ", ".join(literal(word) for word in link.placeholders)
    return [f"{_place(link.ref, table)} NOT IN ({words})"]


def _place(column: Column, table: str) -> str:
    return f"{table}.{quoted_name(column.name)}".lstrip(".")


def _key_sql(column: Column, link: Link, table: str = "") -> str:
    place = _place(column, table)
    return f"lower({place})" if link.ignores_case else place


def _count_rows(sql: str, events: Events, link: Link, leads: Leads) -> tuple[int, Crowd]:
    """How many of the rows that were looked at reach a lead, and the row that reaches most leads."""
    lead_columns = [leads.id, link.key, leads.created, leads.outcome, *leads.ends()]
    lead_columns += [leads.flag.column] if leads.flag else []
    named = link.first.ref
    of_rows = [events.ref, named, events.when]
    tables = {
        events.profile.file.source: _rows_for_views(events.profile, of_rows),
        link.leads.file.source: _rows_for_views(
            link.leads, [link.leads.columns[column.name] for column in lead_columns if column]
        ),
    }
    if link.bridge is not None:
        bridge = link.bridge.profile
        tables[bridge.file.source] = _rows_for_views(bridge, [link.bridge.link.key, link.ref])
    rows = (
        f"SELECT COUNT(*) AS n, MAX({quoted_name(named.name)}) AS name FROM ({sql}) GROUP BY _line"
    )
    most = f"SELECT COUNT(*) AS rows, MAX(n) AS leads, MAX_BY(name, n) AS name FROM ({rows})"
    try:
        counted = run_select(most, tables).to_pylist()[0]
    except SelectError as e:
        raise UserError(
            f"{events.profile.file.name}: the view that would give its rows to leads {e}. Leave the "
            "file out, or write a view by hand: docs/views.md"
        ) from e
    return counted["rows"], Crowd(counted["name"] or "", counted["leads"] or 0)


def _rows_for_views(profile: Profile, columns: Iterable[Column]) -> pa.Table:
    """Some columns of the rows that were looked at, as a view sees them."""
    texts = {column.name: column.text for column in columns}
    batch = Batch(np.arange(profile.rows), pa.table(texts))
    return text_for_views(profile.file, batch.lines, Texts(batch), list(texts))
