"""`leadscore worklist`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, checked_path, run_command
from leadscore.cli.rendering import draw_worklist

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

TO = "The file; default: worklist.xlsx in the project's folder, which only you can read."


def worklist(
    publication: Annotated[
        str | None,
        typer.Argument(help="A list's id, or its beginning; default: the current one."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", callback=checked_path, help=TO)] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write the list as a workbook for people: a summary, and a sheet for each rep or team."""

    def run(project: Project) -> tuple[Result, ...]:
        return (project.workbook(publication, to=to),)

    run_command(run, draw_worklist, config, None, as_json=as_json, writes=to)
