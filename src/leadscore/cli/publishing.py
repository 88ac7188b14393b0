"""`leadscore publish` and `leadscore check-file`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    Config,
    EvenIfUnlike,
    Json,
    ReplaceNewer,
    checked_path,
    checked_text,
    run_command,
    show_results,
)
from leadscore.cli.rendering import draw_checked_file, draw_failed_rows, draw_publish
from leadscore.errors import WITHHELD

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Published, Result

UNDELIVERED = 2
FAILED_HELP = "A CRM's file of failed rows: say why they failed, and write them again."
JOB_HELP = "The job or import request; default: the one beside the file."

Publication = Annotated[
    str | None,
    typer.Argument(callback=checked_text, help="The id of a list; default: the current one."),
]
Target = Annotated[
    list[str] | None, typer.Option("--target", help="Write for this target only; repeatable.")
]
Full = Annotated[
    bool, typer.Option("--full", help="Write all leads, not only those whose values changed.")
]
Failed = Annotated[Path | None, typer.Option("--failed", callback=checked_path, help=FAILED_HELP)]
Rollback = Annotated[bool, typer.Option("--rollback", help="Make the previous list current again.")]


def publish(
    publication: Publication = None,
    target: Target = None,
    full: Full = False,
    failed: Failed = None,
    rollback: Rollback = False,
    replace_newer: ReplaceNewer = False,
    even_if_unlike: EvenIfUnlike = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make a list current, and write it for the CRMs and databases of the settings; repeating it changes nothing."""
    targets = target or []
    if failed is not None:
        if publication or full or rollback or replace_newer or even_if_unlike:
            raise typer.BadParameter(
                "--failed goes with --target alone: it writes failed rows again"
            )
        _rewrite(targets, failed, config, as_json=as_json)
        return

    def run(project: Project) -> tuple[Result, ...]:
        published: Published | None = None
        if rollback:
            published = project.roll_back()
        elif publication and not targets:
            published = project.publish(
                publication, replace_newer=replace_newer, even_if_unlike=even_if_unlike
            )
        if published is not None and not published.published:
            return (published,)
        asked = publication if targets and not rollback else None
        delivered = project.deliver(asked, targets=targets, mode=_mode(rollback, full=full))
        return (delivered,) if published is None else (published, delivered)

    results = run_command(run, draw_publish, config, None, as_json=as_json)
    _exit(results)


def _mode(rollback: bool, *, full: bool) -> Literal["full", "delta"] | None:
    """How targets are written; None as their settings say."""
    if full:
        return "full"
    return "delta" if rollback else None


def _exit(results: tuple[Result, ...]) -> None:
    """End with the code for a withheld list, or for a target that was not written."""
    from leadscore.results import Deliveries, Published

    for result in results:
        if isinstance(result, Published) and result.withheld:
            raise typer.Exit(WITHHELD)
        if isinstance(result, Deliveries) and result.failed:
            raise typer.Exit(UNDELIVERED)


def _rewrite(targets: list[str], failed: Path, config: Path, *, as_json: bool) -> None:
    if len(targets) != 1:
        raise typer.BadParameter("--failed needs one --target, whose file was loaded")

    def run(project: Project) -> tuple[Result, ...]:
        return (project.rewrite_failed(targets[0], failed),)

    run_command(run, draw_failed_rows, config, None, as_json=as_json)


def check_file(
    file: Annotated[Path, typer.Argument(help="A file to import.", callback=checked_path)],
    contract: Annotated[
        str,
        typer.Option("--for", help="salesforce, hubspot, dynamics, odoo, pipedrive or generic."),
    ],
    job: Annotated[Path | None, typer.Option("--job", callback=checked_path, help=JOB_HELP)] = None,
    as_json: Json = False,
) -> None:
    """Check a file as strictly as its CRM does: what would be refused, with line and reason."""
    from leadscore.project.delivering import check_file as check

    checked = check(file, contract, job=job)
    show_results((checked,), draw_checked_file, as_json=as_json)
    if checked.problems:
        raise typer.Exit(UNDELIVERED)
