"""`leadscore status`."""

from __future__ import annotations

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, clock_us, run_command
from leadscore.cli.rendering import draw_status


def status(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show the store, the published list and the models, how old each is, and what was held back."""
    run_command(
        lambda project: (project.status(clock=clock_us()),),
        draw_status,
        config,
        None,
        as_json=as_json,
    )
