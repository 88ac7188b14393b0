"""Commands that messages propose, as they have to be given: with the options that were given."""

from __future__ import annotations

import shlex
from contextvars import ContextVar

CONFIG: ContextVar[str] = ContextVar(
    "config", default=""
)  # the settings file, if it is not the usual one
DATA: ContextVar[str] = ContextVar(
    "data", default=""
)  # the folder of the exports, if it is not that of the settings
KNOWN_UNTIL: ContextVar[str] = ContextVar(
    "known_until", default=""
)  # the moment of the export, if it was given
USUAL = "leadscore.toml"
READS_EXPORTS = {"ingest"}  # the commands that take --data and --known-until


def keep_given(config: str, *, data: str | None = None, known_until: str | None = None) -> None:
    """Remember what was given on the command line, for the commands that messages propose."""
    CONFIG.set("" if config == USUAL else config)
    DATA.set(data or "")
    KNOWN_UNTIL.set(known_until or "")


def propose(words: str) -> str:
    """A command to propose, for the settings file, and the folder and the moment of exports, that were given.

    >>> keep_given("leadscore.toml", data="from the crm")
    >>> propose("ingest --accept closes"), propose("train")
    ("leadscore ingest --accept closes --data 'from the crm'", 'leadscore train')
    >>> keep_given("leadscore.toml")
    """
    given = []
    if config := CONFIG.get():
        given += ["--config", config]
    if words.split(maxsplit=1)[0] in READS_EXPORTS:
        options = {"--data": DATA.get(), "--known-until": KNOWN_UNTIL.get()}
        given += [word for option, value in options.items() if value for word in (option, value)]
    return " ".join(["leadscore", words, *map(shlex.quote, given)])
