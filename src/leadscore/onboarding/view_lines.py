"""The views that init writes, and how dates, numbers and ids of a source or view are written."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.engine.protocol import literal, quoted_name
from leadscore.onboarding.events import Events
from leadscore.onboarding.mapping_lines import CLOSED, CLOSED_AT
from leadscore.onboarding.plan import Plan
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.shared_ids import kind_of_ids
from leadscore.onboarding.stage_dates import STAGE_DATES, stages_sql
from leadscore.onboarding.toml import Text, quoted


def write_views(text: Text, plan: Plan) -> None:
    """The views that the mapping names."""
    for events in plan.events:
        if events.has_strangers:
            _write_view_of_leads(text, plan, events)
    if plan.has_closed_view:
        _write_closed_view(text, plan)
    if plan.stage_dates:
        _write_stage_view(text, plan)


def write_reading(text: Text, plan: Plan, profile: Profile) -> None:
    """How ids and dates of a file are written, as a source or a view over it states it."""
    refs = [events.ref for events in plan.events]
    kind = kind_of_ids(plan.leads.id, refs)
    if kind is not None:
        text.add(f"id = {quoted(kind)} # the files write the ids in different ways")
    decimal = profile.likely_decimal
    if decimal is not None:
        mark = "," if decimal == "." else "."
        text.add(f"decimal = {quoted(decimal)} # CHECK: {mark!r} in numbers is taken for thousands")
    forms = {column.date_order for column in profile.dates()}
    stated = sorted(form for form in forms if form not in (None, "iso", "either"))
    if stated:
        text.add(f"dates = {quoted(stated[0])} # seen in the values")
    elif "either" in forms and plan.answers.date_order:
        text.add(f"dates = {quoted(plan.answers.date_order)} # as you said")


def _write_view_of_leads(text: Text, plan: Plan, events: Events) -> None:
    """The rows of a file of events that name leads, where many name other records."""
    leads = plan.leads
    ids = f"SELECT {quoted_name(leads.id.name if leads.id else '')} FROM {leads.source}"
    rows = f"SELECT * FROM {events.profile.file.source} WHERE {quoted_name(events.ref.name)} IN ({ids})"
    text.section(
        f"[views.{events.source}]",
        f"CHECK: {events.strangers:.0%} of the rows are of other records, and left out.",
    )
    text.add(f"sql = {quoted(rows)}")
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
    outcome = quoted_name(leads.outcome.name if leads.outcome else "")
    won, lost = _sql_list(leads.won), _sql_list(leads.lost)
    closed_at = "NULL"
    comment = "Nothing says when leads closed: they count as closed when an export first shows it."
    if leads.closing is not None:
        dates = [quoted_name(column.name) for column in leads.ends()]
        closed_at = f"CASE WHEN {outcome} IN ({won}) THEN {dates[0]} ELSE {dates[1]} END"
        comment = "When leads were won stands in one column, and when they were lost in another."
    rows = f"SELECT *, {closed_at} AS {CLOSED_AT} FROM {leads.source}"
    condition = f"{outcome} IN ({won}, {lost})"
    if leads.flag is not None:
        flagged = f"{quoted_name(leads.flag.column.name)} IN ({_sql_list(leads.flag.yes)})"
        is_won = f" OR {outcome} IN ({won})" if leads.flag.is_of_losses else ""
        condition += f" AND ({flagged}{is_won})"
    text.section(f"[views.{CLOSED}]", comment)
    text.add(f"sql = {quoted(f'{rows} WHERE {condition}')}")
    if leads.closing is not None:
        write_reading(text, plan, leads.profile)


def _sql_list(values: Sequence[str]) -> str:
    return ", ".join(literal(value) for value in values)
