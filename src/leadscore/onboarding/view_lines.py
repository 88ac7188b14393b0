"""The views that init writes, and how dates, numbers and ids of a source or view are written."""

from __future__ import annotations

from leadscore.engine.protocol import quoted_name
from leadscore.onboarding.closes_sql import closed_sql, date_sql
from leadscore.onboarding.events import Events
from leadscore.onboarding.mapping_lines import CLOSED, CLOSED_AT
from leadscore.onboarding.plan import Plan
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.shared_ids import kind_of_ids
from leadscore.onboarding.stage_dates import STAGE_DATES, stages_sql
from leadscore.onboarding.toml import Text, multiline, quoted


def write_views(text: Text, plan: Plan) -> None:
    """The views that the mapping names."""
    for events in plan.events:
        if events.link is not None:
            _write_view_of_people(text, plan, events)
        elif events.has_strangers:
            _write_view_of_leads(text, plan, events)
    if plan.has_closed_view:
        _write_closed_view(text, plan)
    if plan.stage_dates:
        _write_stage_view(text, plan)


def write_reading(text: Text, plan: Plan, profile: Profile) -> None:
    """How ids and dates of a file are written, as a source or a view over it states it."""
    refs = [events.ref for events in plan.events if events.names_leads]
    kind = kind_of_ids(plan.leads.id, refs)
    if kind is not None:
        text.add(f"id = {quoted(kind)} # the files write the ids in different ways")
    decimal = profile.likely_decimal
    if decimal is not None:
        mark = "," if decimal == "." else "."
        text.add(f"decimal = {quoted(decimal)} # CHECK: {mark!r} in numbers is taken for thousands")
    dates = plan.dates_of(profile)
    if dates is not None:
        is_seen = any(column.date_order == dates for column in profile.dates())
        reason = "seen in the values" if is_seen else "as you said"
        text.add(f"dates = {quoted(dates)} # {reason}")


def _write_view_of_leads(text: Text, plan: Plan, events: Events) -> None:
    """The rows of a file of events that name leads, where many name other records."""
    leads = plan.leads
    ids = (
        f"SELECT {quoted_name(leads.id.name if leads.id else '')} FROM {quoted_name(leads.source)}"
    )
    source = quoted_name(events.profile.file.source)
    rows = f"SELECT * FROM {source} WHERE {quoted_name(events.ref.name)} IN ({ids})"
    text.section(
        f"[views.{events.source}]",
        f"CHECK: {events.strangers:.0%} of the rows are of other records, and left out.",
    )
    text.add(f"sql = {quoted(rows)}")
    write_reading(text, plan, events.profile)


def _write_view_of_people(text: Text, plan: Plan, events: Events) -> None:
    """The rows of a file that names people or companies, with the leads that they belong to."""
    view = plan.people_views[events.source]
    comments = [f"CHECK: {view.connection},", f"{view.sentence()};", f"{view.doubt()}."]
    if not view.unread:
        comments.append("Rows with a date that SQL cannot read go to all of them.")
    text.section(f"[views.{events.source}]", *comments)
    text.add(f"sql = {multiline(view.sql)}")
    write_reading(text, plan, events.profile)


def _write_stage_view(text: Text, plan: Plan) -> None:
    """The stages that columns of leads give a date, a row each."""
    text.section(
        f"[views.{STAGE_DATES}]",
        "CHECK that these columns are stages which leads enter one after the other. Rows with the time of",
        "the close are left out: some CRMs give it to stages that were skipped.",
    )
    text.add(f"sql = {quoted(stages_sql(plan.leads, plan.stage_dates))}")
    write_reading(text, plan, plan.leads.profile)


def _write_closed_view(text: Text, plan: Plan) -> None:
    """The leads that closed, with the one of two dates that says when, or without any."""
    leads = plan.leads
    closed_at = "NULL"
    comment = "Nothing says when leads closed: they count as closed when an export first shows it."
    if leads.closing is not None:
        closed_at = date_sql(leads, lambda column: quoted_name(column.name))
        comment = "When leads were won stands in one column, and when they were lost in another."
    rows = f"SELECT *, {closed_at} AS {CLOSED_AT} FROM {quoted_name(leads.source)}"
    text.section(f"[views.{CLOSED}]", comment)
    text.add(f"sql = {quoted(f'{rows} WHERE {closed_sql(leads)}')}")
    if leads.closing is not None:
        write_reading(text, plan, leads.profile)
