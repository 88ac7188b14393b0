"""First settings: what each column was taken for, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from leadscore.cli.rendering.console import command, escaped, out, table_of
from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.results import Checkup, Started


def draw_started(started: Started) -> None:
    """What the settings rest on."""
    table = table_of("What the files are", "part", "where", "because", "check", text=4)
    for part in started.parts:
        doubt = f"[yellow]{escaped(part.doubt)}[/]" if part.doubt else ""
        place = escaped(part.place)
        table.add_row(part.part, place, escaped(part.evidence), doubt)
    out.print(table)
    if started.unused:
        out.print(
            f"Not used: {escaped(listed(started.unused))}. A list of reps goes under "
            f"{escape('[routing]')}, reps (docs/routing.md); other tables can be joined (docs/views.md).",
            soft_wrap=True,
        )
    out.print(f"Settings written to [bold]{escaped(started.config)}[/]", soft_wrap=True)


def draw_start(started: Started) -> None:
    """What to confirm, and the next step."""
    if started.to_confirm:
        fields = "Not learned from yet" if started.is_dated else "Learned from, but not confirmed"
        out.print(
            f"{fields}: {escaped(listed(started.to_confirm, most=30))}. "
            f'In {escaped(started.config)}, give known_from = "creation" to those that were known '
            "when the lead was created and have not changed since, never to what the audit calls a "
            "leak.",
            soft_wrap=True,
        )
    if started.url_env:
        out.print(
            f"The address of the database is not in the settings: set {started.url_env} for later runs.",
            soft_wrap=True,
        )
    if started.has_outcomes:
        out.print(f"Next: {command('train')}", soft_wrap=True)
        return
    out.print(
        f"Next: in {escaped(started.config)}, add an entry that says which leads were won and lost "
        f"(docs/settings.md), then {command('ingest')}. There is nothing to learn from until then.",
        soft_wrap=True,
    )


STATES = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "problem": "[bold red]problem[/]"}


def draw_checkup(checkup: Checkup) -> None:
    """A line for each check, and under it how to mend what is wrong."""
    for check in checkup.checks:
        words = f"{STATES[check.state]} {check.name}: {escaped(check.seen)}"
        out.print(words, soft_wrap=True, highlight=False)
        if check.cure:
            out.print(f"   to fix it: {escaped(check.cure)}", soft_wrap=True, highlight=False)
