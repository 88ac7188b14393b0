"""Commands that messages propose, as they have to be given: with the settings file and the folder that were given."""

from __future__ import annotations

import shlex
from contextvars import ContextVar

CONFIG: ContextVar[str] = ContextVar("config", default="")  # the settings file, if it is not the usual one
DATA: ContextVar[str] = ContextVar("data", default="")  # the folder of the exports, if it is not that of the settings
USUAL = "leadscore.toml"
READS_EXPORTS = {"ingest"}  # the commands that take --data


def keep_given(config: str, *, data: str | None = None) -> None:
    """Remember what was given on the command line, for the commands that messages propose."""
    CONFIG.set("" if config == USUAL else config)
    DATA.set(data or "")


def propose(words: str) -> str:
    """A command to propose, for the settings file, and the folder of exports, that were given.

    >>> propose("ingest --accept fewer_leads")
    'leadscore ingest --accept fewer_leads'
    """
    given = []
    if config := CONFIG.get():
        given += ["--config", config]
    if words.split(maxsplit=1)[0] in READS_EXPORTS and (data := DATA.get()):
        given += ["--data", data]
    return " ".join(["leadscore", words, *map(shlex.quote, given)])
