"""`leadscore customers`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    AsOf,
    Config,
    Json,
    checked_path,
    moment_of,
    run_command,
)
from leadscore.cli.rendering.customers import draw_customers

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

TO = "Also write all customers to this CSV file, with the companies' names."


def customers(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    to: Annotated[Path | None, typer.Option("--to", callback=checked_path, help=TO)] = None,
    as_json: Json = False,
) -> None:
    """Show who has bought, who is due for a follow-up, and who will probably come again."""
    companies: dict[str, str] = {}  # for people alone: no result names anybody

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.after_sale import write_customers
        from leadscore.project.showing import read_companies

        described = project.customers(moment_of(project.settings, as_of))
        companies.update(read_companies(project.settings))
        if to is not None:
            write_customers(described, companies, to)
        return (described,)

    draw = partial(draw_customers, companies=companies)
    run_command(run, draw, config, None, as_json=as_json, writes=to)
