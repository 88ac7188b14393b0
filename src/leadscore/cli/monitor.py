"""`leadscore monitor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, AsOf, Config, Json, moment_of, run_command
from leadscore.cli.rendering.monitored import draw_monitor

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result


def monitor(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    by: Annotated[
        str | None,
        typer.Option(help="A text field to divide the leads by; default: model.segment."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the published scores with what became of the leads."""

    def run(project: Project) -> tuple[Result, ...]:
        moment = moment_of(project.settings, as_of)
        return (project.monitor(moment, by=by),)

    run_command(run, draw_monitor, config, None, as_json=as_json)
