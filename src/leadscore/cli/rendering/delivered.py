"""What was written for CRMs and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import command, escaped, out
from leadscore.wording import PRODUCTS, counted, listed

if TYPE_CHECKING:
    from leadscore.results import (
        CheckedFile,
        Delivered,
        Deliveries,
        FailedRows,
        FileProblem,
        Published,
        Result,
    )

MOST_SHOWN = 20
MOST_REFUSED = 3


def draw_publish(*results: Result) -> None:
    """Which list is current, and what was written of it."""
    from leadscore.results import Deliveries, Published

    for result in results:
        if isinstance(result, Published):
            _draw_published(result)
        elif isinstance(result, Deliveries):
            if not result.targets:
                out.print("The settings have no \\[targets]: nothing else was written")
            draw_delivered(result)


def _draw_published(published: Published) -> None:
    folder = escaped(published.folder)
    if published.published:
        out.print(f"Published in {folder}", soft_wrap=True)
        return
    anyway = f"publish {published.publication_id}"
    if published.withheld:
        why = f"it differs too much from the previous one: {'; '.join(published.withheld)}"
        anyway = command(f"{anyway} --even-if-unlike")
    else:
        newer = published.newer.publication_id if published.newer else ""
        why = f"a newer one remains current: {newer}"
        anyway = command(f"{anyway} --replace-newer")
    out.print(
        f"[yellow]Not published:[/] {escaped(why)}. To publish it anyway: {anyway}", soft_wrap=True
    )


def draw_delivered(delivered: Deliveries) -> None:
    """A line for every target, and what it refuses."""
    for target in delivered.targets:
        _draw_target(target)


def _draw_target(target: Delivered) -> None:
    name = escaped(target.target)
    if target.problem:
        again = command(f"publish {target.publication_id} --target {target.target}")
        problem = escaped(target.problem)
        out.print(f"[red]Not written for {name}:[/] {problem}. Again: {again}", soft_wrap=True)
        return
    counts = (
        f"{counted(target.written, 'lead')} written, {target.unchanged:,} unchanged, "
        f"{target.cleared:,} cleared"
    )
    place = f", in {escaped(target.folder)}" if target.folder else ""
    out.print(
        f"For {name} ({PRODUCTS.get(target.kind, target.kind)}): {counts}{place}", soft_wrap=True
    )
    if target.refused:
        reasons = [f"{lead}: {why}" for lead, why in target.refused.items()]
        shown = "; ".join(reasons[:MOST_REFUSED])
        number = counted(len(target.refused), "lead")
        out.print(f"  [yellow]{number} left out:[/] {escaped(shown)}", soft_wrap=True)


def draw_failed_rows(failed: FailedRows) -> None:
    """Why rows failed, and where they are written again."""
    out.print(f"{counted(failed.rows, 'row')} failed in {escaped(failed.target)}:")
    for group in failed.groups:
        leads = escaped(f": {listed(group.leads)}" if group.leads else "")
        out.print(f"  {group.rows:,}  {escaped(group.reason)}{leads}", soft_wrap=True)
    if failed.unknown:
        known = escaped(listed(failed.unknown))
        out.print(f"Never written for this target: {known}", soft_wrap=True)
    if failed.without_key:
        lines = ", ".join(map(str, failed.without_key[:MOST_SHOWN]))
        number = counted(len(failed.without_key), "row")
        out.print(
            f"[yellow]{number} without a key, not written again:[/] line {lines}", soft_wrap=True
        )
    if failed.folder:
        files = escaped(", ".join(failed.files))
        out.print(f"Written again in {escaped(failed.folder)}: {files}", soft_wrap=True)


def _describe_problem(problem: FileProblem) -> str:
    """Where a problem is, and what it is; a field without a line is one of the job."""
    if problem.line:
        field = f", {problem.field}" if problem.field else ""
        return f"line {problem.line}{field}: {problem.reason}"
    return f"job: {problem.field} {problem.reason}" if problem.field else f"file: {problem.reason}"


def draw_checked_file(checked: CheckedFile) -> None:
    """Whether a file would be taken, or line by line why not."""
    name = escaped(checked.file)
    program = PRODUCTS.get(checked.contract, "a strict CSV reader")
    if not checked.problems:
        out.print(
            f"[green]OK:[/] nothing that {program} would refuse; its fields must exist",
            soft_wrap=True,
        )
        return
    number = counted(len(checked.problems), "problem")
    out.print(f"[red]{program} would refuse this file:[/] {number} in {name}", soft_wrap=True)
    for problem in checked.problems[:MOST_SHOWN]:
        out.print(f"  {escaped(_describe_problem(problem))}", soft_wrap=True)
    omitted = len(checked.problems) - MOST_SHOWN
    if omitted > 0:
        out.print(f"  and {omitted:,} more")
