"""`leadscore explain` and `leadscore replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, checked_path, run_command
from leadscore.cli.rendering import draw_explained

if TYPE_CHECKING:
    from leadscore.progress import Progress
    from leadscore.settings.settings import Settings

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

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs

        return _written(jobs.explain(settings, lead_id, publication_id=publication), html)

    run_command(run, draw_explained, config, None, as_json=as_json)


def replay(
    publication: Annotated[str, typer.Argument(help="The beginning of a publication's id.")],
    lead_id: Lead,
    html: Html = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Score a publication again from what was kept, compare every byte, and explain one lead of it."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import project as jobs
        from leadscore.errors import ReplayError

        told = jobs.replay(settings, publication, lead_id)
        if not told["same"]:
            raise ReplayError(told["publication_id"], told["differs"])
        return _written(told, html)

    run_command(run, draw_explained, config, None, as_json=as_json)


def _written(told: dict[str, Any], html: Path | None) -> dict[str, Any]:
    from leadscore.atomic import write_bytes

    page = told.pop("page")
    if html:
        write_bytes(html, page.encode())
    return told | {"written": str(html) if html else None}
