"""`leadscore init`: first settings for exported files, and a first look at them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    Config,
    Json,
    KnownUntil,
    checked_path,
    clock_us,
    moment_of,
    show_results,
    watched,
)
from leadscore.cli.rendering import draw_audit, draw_ingest, draw_start, draw_started, out
from leadscore.proposals import keep_given

if TYPE_CHECKING:
    from leadscore.onboarding.plan import Answers
    from leadscore.onboarding.roles import Roles

FILES = "Exported files, folders that hold them, or the address of a database."
PROJECT = (
    "What the project is called; default: like the folder of the files, or the one around exports/."
)
YES = "Ask nothing. What only you can confirm then stays unconfirmed."
SHOW = "Print this preset (stages/NAME: one of stages), and do nothing else."


def init(
    places: Annotated[list[str] | None, typer.Argument(metavar="FILE...|URL", help=FILES)] = None,
    config: Config = DEFAULT_CONFIG,
    project: Annotated[str | None, typer.Option(help=PROJECT)] = None,
    known_until: KnownUntil = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=YES)] = False,
    show_preset: Annotated[str | None, typer.Option("--show-preset", help=SHOW)] = None,
    as_json: Json = False,
) -> None:
    """Write settings for exported files, with evidence and doubts, then ingest and audit them."""
    if show_preset is not None:
        _print_preset(show_preset)
        return
    checked = _checked_places(places)

    from leadscore.project.project import Project
    from leadscore.project.starting import start

    asks = _ask if sys.stdin.isatty() and not (yes or as_json) else None
    keep_given(str(config), known_until=known_until)
    with watched(shown=not as_json) as progress:
        started = start(
            checked, config, project=project, ask=asks, known_until=known_until, progress=progress
        )
    if not as_json:
        draw_started(started)
    with watched(shown=not as_json) as progress:
        opened = Project(config, progress=progress)
        moment = moment_of(opened.settings, known_until)
        ingested = opened.ingest(known_until=moment, clock=clock_us())
        audited = opened.audit()
    if as_json:
        show_results((started, ingested, audited), draw_started, as_json=True)
        return
    draw_ingest(ingested)
    draw_audit(audited)
    draw_start(started)


def _checked_places(places: list[str] | None) -> list[str]:
    if not places:
        raise typer.BadParameter(
            "name the exported files, the folder that holds them, or the address of a database"
        )
    for place in places:
        checked_path(Path(place))
    return places


def _print_preset(name: str) -> None:
    from leadscore.errors import UserError
    from leadscore.settings.preset import preset_text
    from leadscore.settings.stage_preset import stage_preset_text

    stages = name.removeprefix("stages/")
    try:
        print(preset_text(name) if stages == name else stage_preset_text(stages), end="")
    except ValueError as e:
        raise UserError(str(e)) from e


def _ask(roles: Roles) -> Answers:
    """Ask a person what the files do not say."""
    from leadscore.onboarding.plan import Answers, Plan

    order = _ask_date_order(roles)
    is_ordered = False
    if roles.leads.created is None:
        question = (
            "No date says when leads came. Do the rows stand in the order in which they came?"
        )
        is_ordered = typer.confirm(question, default=False)
    known = _ask_known(list(Plan(roles).fields.values()))
    return Answers(order, is_ordered=is_ordered, known=known)


def _ask_date_order(roles: Roles) -> str | None:
    """The order of day and month, where dates of some file can be read in two ways."""
    profiles = [roles.leads.profile, *(events.profile for events in roles.events)]
    dates = [column for profile in profiles for column in profile.dates()]
    if all(column.date_order != "either" for column in dates):
        return None
    day_first = typer.confirm("Dates like 03/04/2025: is the day first?", default=True)
    return "dmy" if day_first else "mdy"


def _ask_known(columns: list[str]) -> frozenset[str]:
    """The columns whose value was known when a lead was created."""
    if not columns:
        return frozenset()
    out.print("Which of these were known when the lead was created, and have not changed since?")
    for number, column in enumerate(columns, 1):
        out.print(f"  {number}: {column}", markup=False, highlight=False)
    while True:
        answer = typer.prompt("Their numbers, like 1, 3; press Enter for none", default="")
        words = answer.replace(",", " ").split()
        named = {str(number): column for number, column in enumerate(columns, 1)}
        if all(word in named for word in words):
            return frozenset(named[word] for word in words)
        out.print(f"Please give numbers from 1 to {len(columns)}.")
