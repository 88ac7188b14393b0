"""`leadscore explain` and `leadscore replay`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    Config,
    Json,
    checked_path,
    checked_text,
    run_command,
)
from leadscore.cli.rendering import draw_explained
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Explained, Result, WrittenPage

Lead = Annotated[str, typer.Argument(callback=checked_text, help="A lead's id.")]
Html = Annotated[
    Path | None,
    typer.Option("--html", callback=checked_path, help="Write a web page to this file."),
]


def explain(
    lead_id: Lead,
    publication: Annotated[
        str | None,
        typer.Option(help="A publication's id, or its beginning; default: the current one."),
    ] = None,
    html: Html = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Explain one lead: what was known about it, what each part contributes, its published scores."""
    reps: dict[str, str] = {}  # for the terminal alone: no result names anybody

    def run(project: Project) -> tuple[Result, ...]:
        explained = project.explain(lead_id, publication_id=publication)
        reps.update(_name_reps(project))
        return explained, _write_page(explained, html)

    draw = partial(draw_explained, reps=reps)
    run_command(run, draw, config, None, as_json=as_json, writes=html)


def replay(
    publication: Annotated[str, typer.Argument(help="A publication's id, or its beginning.")],
    lead_id: Lead,
    html: Html = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Reproduce a publication, compare every byte, and explain one of its leads."""
    reps: dict[str, str] = {}

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.errors import LeadscoreError

        replayed = project.replay(publication, lead_id)
        if not replayed.same:
            raise LeadscoreError(
                f"{replayed.publication_id} was reproduced with differences in "
                f"{listed(replayed.differs)}: this version of leadscore, or of a library, computes "
                "differently from the one that published it"
            )
        reps.update(_name_reps(project))
        return replayed, _write_page(replayed, html)

    draw = partial(draw_explained, reps=reps)
    run_command(run, draw, config, None, as_json=as_json, writes=html)


def _name_reps(project: Project) -> dict[str, str]:
    from leadscore.project.showing import name_reps

    return name_reps(project.settings)


def _write_page(explained: Explained, path: Path | None) -> WrittenPage:
    from leadscore.atomic import write_bytes
    from leadscore.results import WrittenPage

    if path is None:
        return WrittenPage(written=None)
    write_bytes(path, explained.page.encode())
    return WrittenPage(written=str(path))
