"""`leadscore store ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.group import build_group
from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, run_command
from leadscore.cli.rendering import draw_forgotten, draw_pruned, draw_store, draw_store_version
from leadscore.settings.limits import MOST_DAYS

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

store = build_group("List, roll back or prune the versions of the store.")


@store.command("list")
def list_versions(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List all versions, the latest known_until first, and which one is current."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.upkeep import list_store

        return (list_store(project.settings),)

    run_command(run, draw_store, config, None, as_json=as_json)


@store.command("rollback")
def rollback(
    version: Annotated[str, typer.Argument(help="A version, or the beginning of its name.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Go back to an earlier version, until the next ingest."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.upkeep import rollback_store

        return (rollback_store(project.settings, version),)

    run_command(run, draw_store_version, config, None, as_json=as_json)


@store.command()
def prune(
    config: Config = DEFAULT_CONFIG,
    keep: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="Number of latest versions to keep in any case."),
    ] = 10,
    lists: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="Also remove settled lists, except this number of the latest."
        ),
    ] = None,
    list_days: Annotated[
        float,
        typer.Option(
            min=0,
            max=MOST_DAYS,
            help="With --lists: only lists this many days before known_until.",
        ),
    ] = 0,
    really: Annotated[
        bool, typer.Option("--yes", help="Remove; without it, only list what would be removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove versions that nothing was published or trained from and, with --lists, old lists."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.upkeep import prune_store
        from leadscore.publish.pruning import ListLimits

        limits = ListLimits(lists, list_days) if lists else None
        return (prune_store(project.settings, keep=keep, really=really, lists=limits),)

    run_command(run, draw_pruned, config, None, as_json=as_json)


@store.command()
def forget(
    lead_id: Annotated[str | None, typer.Argument(help="The id of a lead.")] = None,
    contact: Annotated[
        str | None,
        typer.Option(help="All leads of this person: a name, e-mail address or phone number."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Erase the names and addresses that people see of a lead or a contact, for good."""

    def run(project: Project) -> tuple[Result, ...]:
        return (project.forget(lead_id, contact=contact),)

    run_command(run, draw_forgotten, config, None, as_json=as_json)
