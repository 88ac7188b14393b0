"""`leadscore funnel`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    AsOf,
    Config,
    Json,
    checked_path,
    moment_of,
    number_parser,
    run_command,
)
from leadscore.cli.rendering.pipeline import draw_file, draw_funnel
from leadscore.settings.limits import MOST_DAYS

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Funnel, Result

YEAR = 365.0  # days
DAYS = "Visits to stages that began in so many days, 1 to 36,500."
HTML = "Also write it as one HTML page with its charts, to this file."
REVIEW = "Also write what was won and lost in these days as one HTML page, for a review."
BY = "Also by a field of leads, or by rep, team, tier or pipeline."


PARSE_DAYS = number_parser(
    1,
    MOST_DAYS,
    no_number="{text} is not a number of days",
    outside=f"{{text}}: a period has from 1 to {MOST_DAYS:,} days",
)

Days = Annotated[
    float, typer.Option(parser=PARSE_DAYS, min=1, max=MOST_DAYS, metavar="DAYS", help=DAYS)
]


def funnel(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    days: Days = YEAR,
    by: Annotated[str | None, typer.Option(help=BY)] = None,
    html: Annotated[Path | None, typer.Option(callback=checked_path, help=HTML)] = None,
    review: Annotated[Path | None, typer.Option(callback=checked_path, help=REVIEW)] = None,
    as_json: Json = False,
) -> None:
    """Show how many leads move on from each stage, are won or lost, and how fast."""

    def run(project: Project) -> tuple[Result, ...]:
        measured = project.funnel(moment_of(project.settings, as_of), days=days, by=by)
        if html:
            project.write_funnel(measured, to=html)
        if review:
            closed = project.win_loss(moment_of(project.settings, as_of), days=days)
            project.write_win_loss(closed, measured, to=review)
        return (measured,)

    def draw(measured: Funnel) -> None:
        draw_funnel(measured)
        for page in filter(None, (html, review)):
            draw_file("Page", page)

    run_command(run, draw, config, None, as_json=as_json, writes=(html, review))
