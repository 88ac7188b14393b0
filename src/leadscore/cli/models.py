"""`leadscore models ...`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.cli.options import DEFAULT_CONFIG, By, Config, Json, run_command, who
from leadscore.terminal import draw_models, draw_moved, draw_shown

if TYPE_CHECKING:
    from leadscore.config import Settings
    from leadscore.progress import Progress

models = typer.Typer(help="The models in the registry: which one scores, and why.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="A number, the beginning of a version, or an alias.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the move.")]


@models.command("list")
def list_models(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the newest first, with their aliases; and who moved those, when and why."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        registry = Registry(settings)
        versions = [asdict(version) for version in registry.versions()]
        return {"registered_model": registry.name, "versions": versions, "moves": registry.moves()}

    run_command(run, draw_models, config, None, as_json=as_json)


@models.command()
def show(version: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """How good a version was when it was trained."""
    run_command(lambda settings, _: _told([version], settings), draw_shown, config, None, as_json=as_json)


@models.command()
def compare(first: Version, second: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Two versions side by side, each as it was judged when it was trained."""
    run_command(lambda settings, _: _told([first, second], settings), draw_shown, config, None, as_json=as_json)


@models.command()
def promote(version: Version, why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Let a version score from now on; the champion until now becomes `previous`."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        return asdict(Registry(settings).promote(version, who(by, why)))

    run_command(run, draw_moved, config, None, as_json=as_json)


@models.command()
def rollback(why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Let the champion before this one score again."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        return asdict(Registry(settings).rollback(who(by, why)))

    run_command(run, draw_moved, config, None, as_json=as_json)


def _told(versions: list[str], settings: Settings) -> dict[str, Any]:
    from leadscore.model.registry import Registry

    registry = Registry(settings)
    found = [registry.find(version) for version in versions]
    return {"versions": [asdict(each) | {"evaluation": registry.read_evaluation(each)} for each in found]}
