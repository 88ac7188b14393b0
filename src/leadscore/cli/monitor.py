"""`leadscore monitor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, AsOf, Config, Json, moment_of, run_command, who
from leadscore.cli.rendering.reviewed import draw_reviewed

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
    act: Annotated[
        bool,
        typer.Option(
            "--act",
            help="Enter alarms in the audit trail, and go back to the previous champion where the "
            "settings (retraining) ask for it.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the published scores with what became of the leads."""
    if act and by:
        raise typer.BadParameter("--act does not go with --by")

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.reviewing import review

        moment = moment_of(project.settings, as_of)
        if act:
            somebody = who(None, "monitor --act")
            return (review(project.settings, who=somebody, as_of_us=moment),)
        return (project.monitor(moment, by=by),)

    run_command(run, draw_reviewed, config, None, as_json=as_json)
