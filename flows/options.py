"""The options that all flows have."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser
from typing import Any

OPTIONS = {
    "--data": "the folder of the exported files, if not as the settings say",
    "--as-of": "the moment to look from, or now; default: known_until",
    "--known-until": "when the export was made, or now; default: as settings or files say",
    "--clock": SUPPRESS,  # rehearses a schedule
}


def read_options(about: str | None) -> dict[str, Any]:
    """What was given on the command line, by the names of a flow's parameters."""
    parser = ArgumentParser(description=about)
    parser.add_argument("--config", default="leadscore.toml", help="the settings file")
    for option, words in OPTIONS.items():
        parser.add_argument(option, help=words)
    return vars(parser.parse_args())
