"""The section `mapping`: leads, outcomes, and the files of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from leadscore.onboarding import words
from leadscore.onboarding.closing_dates import ClosingDates
from leadscore.onboarding.events import Events
from leadscore.onboarding.findings import CHECK_WORDS
from leadscore.onboarding.flags import Flag
from leadscore.onboarding.plan import Plan
from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.stage_dates import STAGE_DATES
from leadscore.onboarding.toml import Text, array, inline, quoted
from leadscore.onboarding.words import numbered, slug
from leadscore.wording import listed

ACTORS = {"lead", "rep", "system"}
CLOSED = "closed"  # the view of leads that closed, whose date stands in no one column
CLOSED_AT = "closed_at"

Values = Mapping[str, Mapping[str, str]]


def write_leads(text: Text, plan: Plan) -> None:
    """The entry of leads: the parts that columns play, and the fields."""
    leads = plan.leads
    parts = {"lead_id": leads.id}
    if plan.is_dated:
        parts["event_at"] = leads.created
    parts["owner_id"] = leads.owner
    parts["amount"] = leads.amount
    parts |= plan.parts
    columns = {name: column.name for name, column in parts.items() if column is not None}
    _write_entry(text, leads.source, "leads", columns | plan.fields)
    if plan.keys and plan.is_dated:
        lines = [f'# {name} = "creation"' for name in plan.keys]
        text.add(
            "# Leads with the same account or contact are compared, by salted hashes. If they were",
            "# known when a lead was created, add this, and the model learns how earlier leads ended:",
            "# [memory]",
            *lines,
        )


def write_outcomes(text: Text, plan: Plan) -> None:
    """Won and lost from the leads' own column, unless a file of events has them."""
    leads = plan.leads
    if plan.has_closes:
        return
    if leads.outcome is None:
        if leads.closing is not None:
            _write_closing_dates(text, plan, leads.closing)
        return
    columns = {}
    if leads.id:
        columns["lead_id"] = leads.id.name
    if plan.is_dated:
        columns["event_at"] = leads.closed.name if leads.closed else CLOSED_AT
    source = CLOSED if plan.has_closed_view else leads.source
    ends = (leads.won, leads.lost)
    _write_closes(text, source, columns, leads.outcome, ends, flag=leads.flag)
    if leads.open_values():
        text.add(f"# Leads with any other value are open: {listed(leads.open_values())}")
    ended = leads.ended_values()
    if ended:
        kind = "sources" if leads.profile.view is None else "views"
        text.add(
            f"# CHECK: {listed(ended)} may not be open. Add what is lost above, to `where` too, and",
            f"# leave the rest out with this line under [{kind}.{leads.source}]:",
            f"# ignore.ended = {{ {quoted(leads.outcome.name)} = {array(ended)} }}",
        )


def _write_closing_dates(text: Text, plan: Plan, closing: ClosingDates) -> None:
    """An entry for the date of a win, and one for that of a loss."""
    text.add(f"# CHECK: {CHECK_WORDS}")
    leads = plan.leads
    for outcome, column in (("won", closing.won), ("lost", closing.lost)):
        columns = {"lead_id": leads.id.name} if leads.id else {}
        columns["event_at"] = column.name
        constants = {"outcome": outcome}
        _write_entry(text, leads.source, "outcomes", columns, constants=constants)
        text.add("[mapping.where_not]", f'{quoted(column.name)} = [""]')


def write_stage_dates(text: Text) -> None:
    """The entry of the view of stages that stand side by side."""
    columns = {"lead_id": "lead", "event_at": "entered", "stage": "stage"}
    _write_entry(text, STAGE_DATES, "stages", columns)


def write_events(text: Text, plan: Plan, events: Events) -> None:
    """The entries of a file of events."""
    source = events.source
    columns = {"lead_id": events.lead_column, "event_at": events.when.name}
    of_activities = columns | _of_activities(events)
    kind = events.kind
    if kind is None:
        profile = events.profile.original
        name = plan.unspelt_kinds.get(profile.stem) or slug(profile.file.source)
        constants = {"kind": name, "actor": "rep"}
        _write_entry(text, source, "activities", of_activities, constants=constants)
        return
    if events.table == "stages":
        _write_entry(text, source, "stages", columns | {"stage": kind.name})
        return
    if events.won or events.lost:
        ends = (events.won, events.lost)
        _write_closes(text, source, columns, kind, ends)
    if events.value is not None:
        _write_entry(text, source, "changes", columns | {"value": events.value.name})
        fields = {value: {"field": name} for value, name in plan.histories.items()}
        _write_values(text, kind, fields)
    if events.table == "activities":
        _write_activities(text, plan, events, kind, of_activities)


def _of_activities(events: Events) -> dict[str, str]:
    """What activities carry beside their time and kind: an id, and how long they lasted."""
    columns = {} if events.id is None else {"activity_id": events.id.name}
    duration = events.duration
    if duration is not None and duration.target is not None:
        columns[duration.target] = duration.column.name
    return columns


def _write_closes(
    text: Text,
    source: str,
    columns: Mapping[str, str],
    column: Column,
    values: tuple[list[str], list[str]],
    *,
    flag: Flag | None = None,
) -> None:
    won, lost = values
    if flag is not None and flag.is_of_losses:
        _write_flags(text, source, columns, {"won": (column, won), "lost": (flag.column, flag.yes)})
        return
    where = {column.name: [*won, *lost]}
    if flag is not None:
        where[flag.column.name] = flag.yes
    _write_entry(text, source, "outcomes", columns, where=where)
    text.add(f"# CHECK: {CHECK_WORDS}")
    outcomes = {value: {"outcome": "won"} for value in won}
    outcomes |= {value: {"outcome": "lost"} for value in lost}
    _write_values(text, column, outcomes)


def _write_flags(
    text: Text,
    source: str,
    columns: Mapping[str, str],
    flags: Mapping[str, tuple[Column, list[str]]],
) -> None:
    """An entry for each outcome that a column of its own says yes to."""
    for outcome, (column, yes) in flags.items():
        where = {column.name: yes}
        constants = {"outcome": outcome}
        _write_entry(text, source, "outcomes", columns, where=where, constants=constants)


def _write_activities(
    text: Text, plan: Plan, events: Events, kind: Column, columns: Mapping[str, str]
) -> None:
    """Every kind that closes no lead, and who began it."""
    where = None
    if events.won or events.lost:
        where = {kind.name: events.other_kinds()}
    actor = _find_actor(events.profile)
    direction = None if actor is not None else _find_direction(events)
    if actor is not None:
        columns = {**columns, "actor": actor.name}
    _write_entry(text, events.source, "activities", columns, where=where)
    if events.duration is not None and events.duration.target is None:
        name = quoted(events.duration.column.name)
        text.add(f"# CHECK the unit: duration_s = {name}, duration_min or duration_ms")
    kinds = _name_kinds(events.other_kinds(), plan.unspelt_kinds)
    values = {value: {"kind": name} for value, name in kinds.items()}
    if direction is not None:
        began = {value: {"actor": words.began(value) or ""} for value in direction.values}
        nothing: dict[str, dict[str, str]] = {"": {}}
        _write_values(text, direction, began | nothing)
    elif actor is None:
        text.add("# CHECK who began each: lead, rep or system")
        for value, given in values.items():
            is_inbound = words.speaks_of(value, words.INBOUND)
            given["actor"] = "lead" if is_inbound else "rep"
    _write_values(text, kind, values)


def _write_entry(
    text: Text,
    source: str,
    table: str,
    columns: Mapping[str, str],
    *,
    where: Mapping[str, Sequence[str]] | None = None,
    constants: Mapping[str, str] | None = None,
) -> None:
    text.section("[[mapping]]")
    text.add(f"source = {quoted(source)}", f"table = {quoted(table)}")
    if where is not None:
        conditions = [f"{quoted(name)} = {array(values)}" for name, values in where.items()]
        text.add(f"where = {{ {', '.join(conditions)} }}")
    if constants:
        text.add(f"constants = {inline(constants)}")
    text.add("[mapping.columns]")
    for name, source_column in columns.items():
        text.add(f"{name} = {quoted(source_column)}")


def _write_values(text: Text, column: Column, values: Values) -> None:
    text.add(f"[mapping.values.{quoted(column.name)}]")
    for value, given in values.items():
        text.add(f"{quoted(value)} = {inline(given)}")


def _find_actor(profile: Profile) -> Column | None:
    """The column that says who began an activity, in our words."""
    for column in profile.columns.values():
        if column.values and column.values.keys() <= ACTORS:
            return column
    return None


def _find_direction(events: Events) -> Column | None:
    """The column that says whether activities came in or went out."""
    others = [column for column in events.profile.columns.values() if column is not events.kind]
    for column in others:
        began = {words.began(value) for value in column.values}
        if began and None not in began:
            return column
    return None


def write_kinds(text: Text, plan: Plan) -> None:
    """What people call the kinds of activity whose names do not say it."""
    if plan.unspelt_kinds:
        text.section("[kinds]", "what reasons call each kind; a plural reads best")
        for value, name in plan.unspelt_kinds.items():
            text.add(f"{name} = {quoted(value)}")


def _name_kinds(values: Iterable[str], unspelt: Mapping[str, str]) -> dict[str, str]:
    """Our name of each kind of activity, none twice."""
    names: dict[str, str] = {}
    for value in values:
        taken = [*names.values(), *unspelt.values()]
        names[value] = unspelt.get(value) or numbered(slug(value), taken)
    return names
