"""`leadscore store ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.group import build_group
from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, run_command
from leadscore.cli.rendering import draw_pruned, draw_store, draw_store_version
from leadscore.settings.limits import MOST_DAYS

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

store = build_group("What was ingested: its versions, going back, and making room.")


@store.command("list")
def list_versions(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the latest known_until first, and which one counts."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.upkeep import list_store

        return (list_store(project.settings),)

    run_command(run, draw_store, config, None, as_json=as_json)


@store.command("rollback")
def rollback(
    version: Annotated[str, typer.Argument(help="The beginning of a version.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Let an earlier version count again, until the next ingest."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.upkeep import rollback_store

        return (rollback_store(project.settings, version),)

    run_command(run, draw_store_version, config, None, as_json=as_json)


@store.command()
def prune(
    config: Config = DEFAULT_CONFIG,
    keep: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="How many of the latest versions stay in any case."),
    ] = 10,
    lists: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="Also remove settled lists, except so many of the latest."
        ),
    ] = None,
    list_days: Annotated[
        float,
        typer.Option(
            min=0,
            max=MOST_DAYS,
            help="With --lists: only those more than so many days before known_until.",
        ),
    ] = 0,
    really: Annotated[
        bool, typer.Option("--yes", help="Remove; without it, only list what would go.")
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
