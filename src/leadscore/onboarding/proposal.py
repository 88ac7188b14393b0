"""Settings for the parts that were found: a TOML text with the evidence beside each line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leadscore.onboarding.combined import newest
from leadscore.onboarding.field_lines import write_bant, write_fields
from leadscore.onboarding.mapping_lines import (
    write_events,
    write_kinds,
    write_leads,
    write_outcomes,
    write_stage_dates,
)
from leadscore.onboarding.plan import Plan
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.roles import Leads
from leadscore.onboarding.stages import order_stages
from leadscore.onboarding.toml import Text, array, quoted
from leadscore.onboarding.view_lines import write_reading, write_views
from leadscore.times import DAY_US, SECOND_US, format_us
from leadscore.wording import counted, listed

COPIED_US = 10 * DAY_US  # files written so long after their last fact were copied
ARCHIVED_FILES = (
    "# CHECK: the files are much newer than the last date in them, as in a copied archive.",
    "# If exports come regularly, remove the line: the times of the files then count.",
)
ARCHIVED_ROWS = (
    "# CHECK: the newest row is much older than the moment of reading. If the tables are updated",
    "# regularly, remove this line: the moment of reading then counts.",
)
HEAD = "# Written by `leadscore init`. Every key: docs/settings.md. Lines marked CHECK are guesses."


def write_proposal(
    plan: Plan,
    *,
    project: str,
    base: Path,
    config: Path,
    known_until: str | None = None,
) -> str:
    """The settings as TOML.

    Args:
        plan: what the files are, and what a person said.
        project: its name.
        base: the folder that holds all files.
        config: where the settings will be.
        known_until: when the export was made, where the caller knows it.
    """
    text = Text()
    text.add(HEAD, f"project = {quoted(project)}")
    if not plan.is_dated:
        _write_undated(text, plan)
    if not plan.leads.profile.is_table:
        text.add(folder_line(base, config))
    if plan.is_dated:
        text.add(*zone_lines(plan.profiles))
        _write_moment(text, plan, known_until)
        text.section("[target]")
        text.add('horizon_days = "auto" # a win within so many days is predicted')
    for profile in plan.profiles:
        _write_source(text, plan, profile, base)
    write_views(text, plan)
    _write_mapping(text, plan)
    _write_stages(text, plan)
    write_kinds(text, plan)
    write_fields(text, plan)
    write_bant(text, plan)
    _write_unused(text, plan)
    return str(text)


def _write_undated(text: Text, plan: Plan) -> None:
    """State that leads have no dates, and whether their order is that of time."""
    mode = "ordered" if plan.answers.is_ordered else "none"
    text.add(f"time = {quoted(mode)} # no column says when leads were created")


def _write_moment(text: Text, plan: Plan, known_until: str | None) -> None:
    """State the moment as given, or that of an archive, copied long after its last fact."""
    if known_until is not None:
        text.add(f"known_until = {quoted(known_until)} # as given; remove it for later exports")
        return
    written = max(newest(profile) for profile in plan.profiles)
    last = _last_us(plan, written)
    if written - last > COPIED_US:
        moment = format_us((last // SECOND_US + 1) * SECOND_US)
        text.add(
            *(ARCHIVED_ROWS if plan.leads.profile.is_table else ARCHIVED_FILES),
            *_later_closes(plan, last, written),
            f"known_until = {moment}",
        )


def _later_closes(plan: Plan, last: int, written: int) -> list[str]:
    """What to say of closes after the moment: they are taken for expected ones."""
    closes = _closes(plan.leads)
    later = closes[(closes > last) & (closes <= written)]
    if not len(later):
        return []
    dates = counted(len(later), "close date lies", "close dates lie")
    until = format_us(int(later.max()))
    return [
        f"# {dates} after it, up to {until}, long after everything else: taken for expected ones.",
        "# If they are real, state a moment after the last of them.",
    ]


def _closes(leads: Leads) -> np.ndarray:
    """The close dates of leads that closed; where nothing says which did, of all."""
    if leads.closing is not None:
        return leads.closing.moments()
    if leads.closed is None:
        return np.empty(0, dtype=np.int64)
    if leads.outcome is None:
        return leads.closed.moments
    closes: np.ndarray = leads.closed.moments[leads.is_won() | leads.is_lost()]
    return closes


def _last_us(plan: Plan, newest: int) -> int:
    """The last moment at which a lead was created or closed, or something happened to one.

    A close counts if it follows the fact or the close before it within days; later ones are
    expected.
    """
    columns = [plan.leads.created, *(events.when for events in plan.events)]
    last = 0
    for column in columns:
        if column is not None:
            past = column.moments[column.moments <= newest]  # later ones are planned
            last = max(last, int(past.max(initial=0)))

    closes = _closes(plan.leads)
    is_later = (closes > last) & (closes <= newest)
    later = np.sort(closes[is_later])
    for close in later.tolist():
        if close - last > COPIED_US:
            break
        last = close
    return last


def _write_mapping(text: Text, plan: Plan) -> None:
    write_leads(text, plan)
    write_outcomes(text, plan)
    if plan.stage_dates:
        write_stage_dates(text)
    for events in plan.events:
        write_events(text, plan, events)


def _write_source(text: Text, plan: Plan, profile: Profile, base: Path) -> None:
    if profile.view is None:
        text.section(f"[sources.{profile.file.source}]")
        text.add(*source_lines(profile, base))
    else:
        text.section(f"[views.{profile.file.source}]", f"CHECK: {profile.view.comment}.")
        text.add(f"sql = {quoted(profile.view.sql)}")
    if profile.missing:
        text.add(
            f"missing = {array(profile.missing)} # CHECK: seen among dates and numbers",
        )
    _write_strays(text, plan, profile)
    write_reading(text, plan, profile)


def _write_strays(text: Text, plan: Plan, profile: Profile) -> None:
    """Leave out headers that come again, and rows of leads with neither an id nor a date."""
    leads = plan.leads
    if profile is not leads.profile or leads.id is None:
        return
    name = quoted(leads.id.name)
    if profile.headers:
        text.add(f"ignore.header = {{ {name} = [{name}] }} # it comes again")
    if profile.sparse and leads.created is not None:
        keys = [leads.id.name, leads.created.name]
        if not any(profile.sparse[key].values for key in keys):
            nothing = ", ".join(f'{quoted(key)} = [""]' for key in keys)
            rows = counted(profile.sparse[keys[0]].rows, "row")
            text.add(f"ignore.no_lead = {{ {nothing} }} # CHECK: {rows}, such as totals")


def _write_stages(text: Text, plan: Plan) -> None:
    """The stages in the order in which leads went through them."""
    if plan.stage_dates:
        text.section("[stages]", "CHECK the order; it is that of the dates")
        text.add(f"open = {array(plan.stage_dates)}")
    logs = [events for events in plan.events if events.table == "stages" and events.kind]
    if not logs:
        return
    refs: list[str] = []
    stages: list[str] = []
    for events in logs:
        refs += events.ref.text.to_pylist()
        stages += events.kind.text.to_pylist() if events.kind else []
    moments = np.concatenate([events.when.moments for events in logs])
    ordered = order_stages(refs, moments, stages)

    won = list(dict.fromkeys(stage for events in logs for stage in events.won))
    lost = list(dict.fromkeys(stage for events in logs for stage in events.lost))
    still_open = [stage for stage in ordered if stage not in {*won, *lost}]
    text.section("[stages]", "CHECK the order; it is that of the histories")
    text.add(f"open = {array(still_open)}")
    text.add(f"won = {array(won)}", f"lost = {array(lost)}")
    ended = list(dict.fromkeys(stage for events in logs for stage in events.ended_kinds()))
    if ended:
        text.add(f"# CHECK: {listed(ended)} may not be open: is it won, lost, or to be left out?")


def _write_unused(text: Text, plan: Plan) -> None:
    """Name the files and columns that the settings do not read."""
    left = [profile.file.name for profile in plan.roles.unused]
    if left:
        text.add(
            "",
            f"# Not used: {', '.join(map(quoted, left))}. A list of reps goes under [routing], reps;",
            "# joins and look-ups: docs/views.md",
        )
    parts = {column.name for column in plan.parts.values()}
    stages = {column.name for column in plan.stage_dates.values()}
    read = plan.leads.parts() | parts | stages | set(plan.fields.values())
    dropped = sorted(set(plan.leads.profile.columns) - read)
    if dropped:
        names = ", ".join(map(quoted, dropped))
        text.add(f"# Not read from {quoted(plan.leads.profile.file.name)}: {names}")


def folder_line(base: Path, config: Path) -> str:
    """The line that states the folder of the files."""
    home = config.resolve().parent
    relative = os.path.relpath(base.resolve(), home)
    return f"input_folder = {quoted(Path(relative).as_posix())} # relative to this file"


def zone_lines(profiles: Sequence[Profile]) -> list[str]:
    """A line to state the time zone in, where times of the files state none."""
    columns = [column for profile in profiles for column in profile.dates()]
    without = [column.name for column in columns if column.lacks_zone]
    if not without:
        return []
    names = listed(list(dict.fromkeys(without)), most=3)
    verb = "have" if len(set(without)) > 1 else "has"
    doubt = f"CHECK: {names} {verb} no time zone: read as UTC; if times are local, state where"
    return [f'# timezone = "Europe/Berlin" # {doubt}']


def source_lines(profile: Profile, base: Path) -> list[str]:
    """The lines that state a file, relative to the folder of all, or a table."""
    lines = [_place_line(profile, base)]
    if profile.sheet is not None:
        lines.append(f"sheet = {quoted(profile.sheet)}")
    if profile.header_row is not None:
        lines.append(f"header_row = {profile.header_row} # the lines above are none of the table")
    return lines


def _place_line(profile: Profile, base: Path) -> str:
    if profile.is_table:
        return f"db_table = {quoted(profile.file.name)}"
    path = profile.file.path.resolve().relative_to(base.resolve())
    if profile.paths:
        files = counted(len(profile.paths), "file")
        path = path.with_name(profile.file.name)
        return f"path = {quoted(path.as_posix())} # {files} of the same columns, and those to come"
    return f"path = {quoted(path.as_posix())}"
