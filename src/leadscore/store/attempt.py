"""What the last ingest rejected, and why it stopped, if it did: kept beside the versions."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from leadscore.atomic import write_pointer
from leadscore.errors import CorruptFileError
from leadscore.files import is_there
from leadscore.json_files import canonical_json, read_json
from leadscore.store.objects import FILES
from leadscore.store.version import read_current

ATTEMPT = {
    "rejects": FILES | {"rules": {str: int}, "warned": {str: int}},
    "stopped": (str, type(None)),
}
logger = logging.getLogger(__name__)


def write_attempt(folder: Path, rejects: dict[str, Any], *, stopped: str | None) -> None:
    """Note which rows the last ingest rejected, and why it stopped, if it did."""
    attempt = {"rejects": rejects, "stopped": stopped}
    write_pointer(folder / "attempt.json", canonical_json(attempt))


def read_attempt(folder: Path, *, project: str) -> dict[str, Any]:
    """What `write_attempt` noted; if that is gone or damaged, the rejects of the current version.

    Raises:
        NoStoreError: nothing was ingested yet.
    """
    path = folder / "attempt.json"
    if is_there(path):
        try:
            return read_json(
                path, ATTEMPT, cure="what the current version rejected is shown instead"
            )
        except CorruptFileError as e:
            logger.warning("%s", e)
    rejects = read_current(folder, project=project).manifest["rejects"]
    return {"rejects": {"warned": {}, **rejects}, "stopped": None}
