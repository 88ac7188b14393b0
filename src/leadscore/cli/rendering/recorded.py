"""Since when each field has a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, table_of, until

if TYPE_CHECKING:
    from leadscore.results import AuditedHistory

STATES = {  # state -> how it is shown
    "creation": "[green]learned[/]",
    "learned": "[green]learned[/]",
    "ready": "[yellow]ready[/]",
    "growing": "[yellow]growing[/]",
    "missing": "[red]missing[/]",
}


def draw_history(audited: AuditedHistory) -> None:
    """Every history, and the rule for "enough"."""
    table = table_of(
        f"Histories, {until(audited.known_until)}",
        "what",
        "state",
        "in words",
        text=3,
    )
    for field in audited.fields:
        letters = f" ({', '.join(field.letters)})" if field.letters else ""
        kind = " (activity)" if field.kind == "activities" else ""
        name = escaped(f"{field.name}{letters}{kind}")
        table.add_row(name, STATES[field.state], escaped(field.summary))
    out.print(table)
    out.print(escaped(f"{audited.rule[0].upper()}{audited.rule[1:]}."), highlight=False)
