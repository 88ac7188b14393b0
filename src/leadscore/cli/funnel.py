"""`leadscore funnel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, AsOf, Config, Json, moment_of, run_command
from leadscore.cli.rendering.pipeline import draw_funnel

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

YEAR = 365.0  # days
MOST_DAYS = 36_500.0
BY = "Also by a field of leads, or by rep, team or tier."


def funnel(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    days: Annotated[
        float,
        typer.Option(min=1, max=MOST_DAYS, help="Visits to stages that began in so many days."),
    ] = YEAR,
    by: Annotated[str | None, typer.Option(help=BY)] = None,
    as_json: Json = False,
) -> None:
    """Show how many leads move on from each stage, are won or lost, and how fast."""

    def run(project: Project) -> tuple[Result, ...]:
        return (project.funnel(moment_of(project.settings, as_of), days=days, by=by),)

    run_command(run, draw_funnel, config, None, as_json=as_json)
