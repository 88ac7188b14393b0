"""`leadscore models ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.group import build_group
from leadscore.cli.options import DEFAULT_CONFIG, By, Config, Json, run_command, who
from leadscore.cli.rendering import draw_compared, draw_models, draw_moved, draw_shown

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

models = build_group("Show and compare the registered models; promote or roll back.")
Version = Annotated[
    str, typer.Argument(help="A version number, the beginning of a hash, or an alias.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, logged with the change.")]


@models.command("list")
def list_versions(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List all versions and aliases, and who moved the aliases, when and why."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.models import list_models

        return (list_models(project.settings),)

    run_command(run, draw_models, config, None, as_json=as_json)


@models.command()
def show(version: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show how a version was evaluated when it was trained."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        return (models.show(project.settings, version),)

    run_command(run, draw_shown, config, None, as_json=as_json)


@models.command()
def compare(
    first: Version,
    second: Version,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Compare two versions: as evaluated in training, and their recipes on the latest leads."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.comparing import compare

        compared = compare(project.settings, first, second, progress=project.progress)
        return (compared,)

    run_command(run, draw_compared, config, None, as_json=as_json)


@models.command()
def promote(
    version: Version,
    why: Why,
    by: By = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make a version the champion, which scores from now on; the old one becomes `previous`."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        moved_by = who(by, why)
        return (models.promote(project.settings, version, who=moved_by),)

    run_command(run, draw_moved, config, None, as_json=as_json)


@models.command()
def rollback(
    why: Why,
    by: By = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Go back to the previous champion."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        moved_by = who(by, why)
        return (models.rollback(project.settings, who=moved_by),)

    run_command(run, draw_moved, config, None, as_json=as_json)
