"""`leadscore serve` and `leadscore mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import DEFAULT_CONFIG, Config, clock_us, moment_of
from leadscore.proposals import keep_given

if TYPE_CHECKING:
    from leadscore.project.project import Project

HOST_HELP = (
    "The address to answer at. Other than this machine's own, it takes a token of at least 16 "
    "characters in the environment variable LEADSCORE_TOKEN."
)
AT_HELP = (
    "Score as of this moment; default: the end of the present quarter of an hour, which moves on."
)
RATE_HELP = "How many requests a second each client may send."


def serve(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[str, typer.Option(help=HOST_HELP)] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port.")] = 8000,
    as_of: Annotated[str | None, typer.Option("--as-of", help=AT_HELP)] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help=RATE_HELP)] = 20,
) -> None:
    """Score single leads over HTTP, such as a lead that has just come in, as `leadscore score` would."""
    from leadscore.serve.run import open_listener, run_service

    project = _open_project(config)
    as_of_us = moment_of(project.settings, as_of)
    listener = open_listener(host, port)
    address = f"[{host}]" if ":" in host else host
    print(f"leadscore answers at http://{address}:{port}; Ctrl+C ends it", flush=True)
    run_service(
        project.settings,
        listener=listener,
        per_second=rate,
        clock_us=clock_us,
        as_of_us=as_of_us,
    )


def mcp(config: Config = DEFAULT_CONFIG) -> None:
    """Answer an agent's questions about the published list, over standard input and output (MCP)."""
    from leadscore.serve.agents import run_agent_server

    run_agent_server(_open_project(config))


def _open_project(config: Path) -> Project:
    from leadscore.project.project import Project

    keep_given(str(config))
    return Project(config)
