"""The options that all flows have."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser
from typing import Any

OPTIONS = {
    "--data": "the folder of the exported files; default: as in the settings",
    "--as-of": "use only what was known at this moment, or now; default: known_until",
    "--known-until": "when the export was made, or now; default: from the settings or the files",
    "--url-block": "Prefect's Secret block that holds the address of the database of the sources",
    "--clock": SUPPRESS,  # rehearses a schedule
}


def read_options(about: str | None) -> dict[str, Any]:
    """What was given on the command line, by the names of a flow's parameters."""
    parser = ArgumentParser(description=about)
    parser.add_argument("--config", default="leadscore.toml", help="the settings file")
    for option, words in OPTIONS.items():
        parser.add_argument(option, help=words)
    return vars(parser.parse_args())
