"""`leadscore models ...`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.cli.group import build_group
from leadscore.cli.options import DEFAULT_CONFIG, By, Config, Json, run_command, who
from leadscore.cli.rendering import draw_compared, draw_models, draw_moved, draw_shown

if TYPE_CHECKING:
    from leadscore.progress import Progress
    from leadscore.settings.settings import Settings

models = build_group("The models in the registry: which one scores, and why.")
Version = Annotated[str, typer.Argument(help="A number, the beginning of a version, or an alias.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the move.")]


@models.command("list")
def list_models(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the newest first, with their aliases; and who moved those, when and why."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.registry.registry import Registry

        registry = Registry(settings)
        versions = [asdict(version) for version in registry.versions()]
        return {"registered_model": registry.name, "versions": versions, "moves": registry.moves()}

    run_command(run, draw_models, config, None, as_json=as_json)


@models.command()
def show(version: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """How good a version was when it was trained."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.registry.registry import Registry

        registry = Registry(settings)
        found = registry.find(version)
        return {"versions": [asdict(found) | {"evaluation": registry.read_evaluation(found)}]}

    run_command(run, draw_shown, config, None, as_json=as_json)


@models.command()
def compare(
    first: Version, second: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Two versions side by side: as they were judged when trained, and their recipes on the latest leads."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        return jobs.compare(settings, first, second, progress=progress)

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

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.registry.registry import Registry

        return asdict(Registry(settings).promote(version, who(by, why)))

    run_command(run, draw_moved, config, None, as_json=as_json)


@models.command()
def rollback(
    why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Let the champion before this one score again."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        return jobs.rollback(settings, who=who(by, why))

    run_command(run, draw_moved, config, None, as_json=as_json)
