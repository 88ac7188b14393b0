"""`leadscore explain` and `leadscore replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, checked_path, run_command
from leadscore.cli.rendering import draw_explained
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Explained, Result, WrittenPage

Lead = Annotated[str, typer.Argument(help="A lead's id.")]
Html = Annotated[
    Path | None,
    typer.Option("--html", callback=checked_path, help="Write it to this file, as one page."),
]


def explain(
    lead_id: Lead,
    publication: Annotated[
        str | None,
        typer.Option(help="The beginning of a publication's id; default: the current one."),
    ] = None,
    html: Html = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """One lead in full: what was known of it, what each thing adds, and its published scores."""

    def run(project: Project) -> tuple[Result, ...]:
        explained = project.explain(lead_id, publication_id=publication)
        return explained, _write_page(explained, html)

    run_command(run, draw_explained, config, None, as_json=as_json)


def replay(
    publication: Annotated[str, typer.Argument(help="The beginning of a publication's id.")],
    lead_id: Lead,
    html: Html = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Score a publication again from what was kept, compare every byte, and explain one lead of it."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.errors import LeadscoreError

        replayed = project.replay(publication, lead_id)
        if not replayed.same:
            raise LeadscoreError(
                f"{replayed.publication_id} scored again is not the same, it differs in "
                f"{listed(replayed.differs)}: this version of leadscore, or of a library, computes "
                "otherwise than the one that published it"
            )
        return replayed, _write_page(replayed, html)

    run_command(run, draw_explained, config, None, as_json=as_json)


def _write_page(explained: Explained, path: Path | None) -> WrittenPage:
    from leadscore.atomic import write_bytes
    from leadscore.results import WrittenPage

    if path is None:
        return WrittenPage(written=None)
    write_bytes(path, explained.page.encode())
    return WrittenPage(written=str(path))
