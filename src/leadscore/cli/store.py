"""`leadscore store ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.cli.group import build_group
from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, run_command
from leadscore.cli.rendering import draw_pruned, draw_store, draw_store_version
from leadscore.settings.limits import MOST_DAYS

if TYPE_CHECKING:
    from leadscore.progress import Progress
    from leadscore.settings.settings import Settings

store = build_group("What was ingested: its versions, going back, and making room.")


@store.command("list")
def list_store(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the latest known_until first, and which one counts."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        return jobs.list_store(settings)

    run_command(run, draw_store, config, None, as_json=as_json)


@store.command("rollback")
def rollback_store(
    version: Annotated[str, typer.Argument(help="The beginning of a version.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Let an earlier version count again, until the next ingest."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        return jobs.rollback_store(settings, version)

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
            min=1, max=10_000, help="Remove settled lists, too, but for so many of the latest."
        ),
    ] = None,
    list_days: Annotated[
        float,
        typer.Option(
            min=0,
            max=MOST_DAYS,
            help="With --lists: only those of more than so many days before known_until.",
        ),
    ] = 0,
    really: Annotated[
        bool, typer.Option("--yes", help="Remove; without it only what would go is told.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove versions that nothing was published or trained from and, with --lists, old lists."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        limits = jobs.ListLimits(lists, list_days) if lists else None
        return jobs.prune_store(settings, keep=keep, really=really, lists=limits)

    run_command(run, draw_pruned, config, None, as_json=as_json)
