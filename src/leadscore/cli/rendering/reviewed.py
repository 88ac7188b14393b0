"""Whether it is time to train again, and what was decided about the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import command, escaped, out
from leadscore.cli.rendering.monitored import draw_monitor

if TYPE_CHECKING:
    from leadscore.results.monitor import Monitored
    from leadscore.results.reviewed import RetrainingDue, Reviewed, RollbackDecision


def draw_reviewed(result: Monitored | Reviewed) -> None:
    """The settled lists, and what follows from them if that was asked for."""
    from leadscore.results.reviewed import Reviewed

    if not isinstance(result, Reviewed):
        draw_monitor(result)
        return
    draw_monitor(result.monitored)
    _draw_rollback(result.rollback)
    draw_due(result.retraining)


def draw_due(retraining: RetrainingDue) -> None:
    """Whether to train again, and why."""
    why = escaped(retraining.why)
    if retraining.due:
        out.print(f"[yellow]Training is due[/] ({command('train')}): {why}", highlight=False)
    else:
        out.print(f"Training is not due: {why}", highlight=False)


def _draw_rollback(rollback: RollbackDecision) -> None:
    for broken in rollback.broken:
        out.print(f"[red]Limit broken by the champion:[/] {escaped(broken)}", highlight=False)
    outcome = "[red]Rolled back[/]" if rollback.rolled_back else "The champion stays"
    out.print(f"{outcome}: {escaped(rollback.why)}", highlight=False)
