"""`leadscore status`."""

from __future__ import annotations

from typing import Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, Json, clock_us, run_command
from leadscore.cli.rendering import draw_status
from leadscore.errors import WITHHELD
from leadscore.settings.environment import prefect_api


def status(
    config: Config = DEFAULT_CONFIG,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with code 3 if there is no valid, fresh list, or something was held back or raised an alarm.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the store, the list, the models and the alarms, how old each is, what was held back, and what runs next."""
    (standing,) = run_command(
        lambda project: (project.status(clock=clock_us(), prefect=prefect_api()),),
        draw_status,
        config,
        None,
        as_json=as_json,
    )
    if check and standing.needs_attention:
        raise typer.Exit(WITHHELD)
