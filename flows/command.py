"""A flow as a command: its options, its errors in words, and what it draws on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guard import start_guard
from leadscore.cli.rendering import exit_with_words
from leadscore.errors import WITHHELD
from leadscore.project.showing import read_companies
from leadscore.proposals import keep_given
from leadscore.settings.read import read_settings
from options import read_options
from quiet import errors_in_words


def main(
    run: Callable[..., Any],
    draw: Callable[..., None],
    *,
    about: str | None,
    draws_leads: bool = False,
) -> None:
    """Run a flow from the command line and draw what it returned; exit codes as those of `leadscore`.

    What people see of leads is in no result; it is read for the terminal alone.
    """
    chosen = read_options(about)
    keep_given(chosen["config"], data=chosen["data"], known_until=chosen["known_until"])
    with exit_with_words():
        settings = read_settings(Path(chosen["config"]))  # before Prefect would log a traceback
        start_guard()
        with errors_in_words():
            results = run(**chosen)
        shown = {"companies": read_companies(settings)} if draws_leads else {}
        draw(*results, **shown)
    if any(getattr(result, "withheld", None) for result in results):
        sys.exit(WITHHELD)
