"""`leadscore report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, checked_path, run_command
from leadscore.cli.rendering import draw_report

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Reported, Result

TO_HELP = "The file to write; default: in the folder reports of the project."

Publication = Annotated[
    str | None,
    typer.Argument(help="A publication's id, or its beginning; default: the current one."),
]
To = Annotated[Path | None, typer.Option("--to", callback=checked_path, help=TO_HELP)]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
Digest = Annotated[
    bool,
    typer.Option("--digest", help="Print the list in five lines of Markdown, and nothing else."),
]


def report(
    publication: Publication = None,
    to: To = None,
    open_page: Open = False,
    digest: Digest = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write a list as one HTML page: what changed, whom to call and why, routing and the model."""
    digests: list[str] = []  # for the terminal alone: no result names anybody

    def run(project: Project) -> tuple[Result, ...]:
        if digest:
            digests.append(project.digest(publication))
        return (project.report(publication, to=to),)

    def draw(reported: Reported) -> None:
        draw_report(reported, digests)

    results = run_command(run, draw, config, None, as_json=as_json, writes=to)
    if open_page:
        page = Path(results[0].path).resolve()
        typer.launch(page.as_uri())
