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

models = build_group("The models in the registry: which one scores, and why.")
Version = Annotated[str, typer.Argument(help="A number, the beginning of a version, or an alias.")]
Why = Annotated[str, typer.Option("--why", help="Logged with the change.")]


@models.command("list")
def list_versions(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the newest first, with their aliases; and who moved those, when and why."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.models import list_models

        return (list_models(project.settings),)

    run_command(run, draw_models, config, None, as_json=as_json)


@models.command()
def show(version: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """How good a version was when it was trained."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        return (models.show(project.settings, version),)

    run_command(run, draw_shown, config, None, as_json=as_json)


@models.command()
def compare(
    first: Version, second: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Two versions side by side: as evaluated when trained, and their recipes on the latest leads."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        compared = models.compare(project.settings, first, second, progress=project.progress)
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
    """Let a version score from now on; the champion until now becomes `previous`."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        return (models.promote(project.settings, version, who=who(by, why)),)

    run_command(run, draw_moved, config, None, as_json=as_json)


@models.command()
def rollback(
    why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Let the champion before this one score again."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project import models

        return (models.rollback(project.settings, who=who(by, why)),)

    run_command(run, draw_moved, config, None, as_json=as_json)
