"""`leadscore judge`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, AsOf, Config, Json, moment_of, run_command
from leadscore.cli.rendering.judged import draw_judge

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result


def judge(
    name: Annotated[str, typer.Argument(help="The name of a score in the table scores.")],
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Compare another score with leadscore's, by what both said of a lead before its close."""

    def run(project: Project) -> tuple[Result, ...]:
        return (project.judge(name, as_of=moment_of(project.settings, as_of)),)

    run_command(run, draw_judge, config, None, as_json=as_json)
