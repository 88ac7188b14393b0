"""Commands that messages propose, with the options that were given on the command line."""

from __future__ import annotations

import shlex
from contextvars import ContextVar

USUAL = "leadscore.toml"
READS_EXPORTS = {"ingest"}  # the commands that take --data and --known-until

# Each is empty unless it was given and differs from the default.
CONFIG: ContextVar[str] = ContextVar("config", default="")
DATA: ContextVar[str] = ContextVar("data", default="")
KNOWN_UNTIL: ContextVar[str] = ContextVar("known_until", default="")


def keep_given(config: str, *, data: str | None = None, known_until: str | None = None) -> None:
    """Remember options of the command line for the commands that messages propose.

    Args:
        config: the settings file.
        data: the folder of the exports.
        known_until: the moment of the export.
    """
    CONFIG.set("" if config == USUAL else config)
    DATA.set(data or "")
    KNOWN_UNTIL.set(known_until or "")


def propose(words: str) -> str:
    """A command to propose, such as "train", with the remembered options that it takes.

    >>> keep_given("leadscore.toml", data="from the crm")
    >>> propose("ingest --accept closes"), propose("train")
    ("leadscore ingest --accept closes --data 'from the crm'", 'leadscore train')
    >>> keep_given("leadscore.toml")
    """
    options = {"--config": CONFIG.get()}
    command = words.split(maxsplit=1)[0]
    if command in READS_EXPORTS:
        options |= {"--data": DATA.get(), "--known-until": KNOWN_UNTIL.get()}

    parts = ["leadscore", words]
    for option, value in options.items():
        if value:
            parts += [option, shlex.quote(value)]
    return " ".join(parts)
