"""The audit trail of a project: who did what, when and why, a line of JSON each in `audit.jsonl`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from leadscore.errors import UnavailableError
from leadscore.files import read_if_there
from leadscore.locks import describe_write_failure, hold
from leadscore.registry.versions import Who
from leadscore.results.trail import Event, TrailEntry
from leadscore.settings.settings import Settings


@dataclass(frozen=True)
class Actor:
    """Who works with projects, and the clock that dates what they do."""

    by: str
    clock: Callable[[], str | None]


NOBODY = Actor("python", lambda: None)
ACTOR: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


@contextmanager
def acting(by: str, clock: Callable[[], str | None]) -> Iterator[None]:
    """Whatever is done inside is recorded as done by `by`, at the moments that `clock` gives."""
    token = ACTOR.set(Actor(by, clock))
    try:
        yield
    finally:
        ACTOR.reset(token)


def record(
    settings: Settings, what: Event, *, why: str, who: Who | None = None, **about: str
) -> None:
    """Append a line to the audit trail of a project.

    Args:
        settings: of the project.
        what: was done.
        why: it was done.
        who: did it, and when; by default whoever is `acting`.
        about: ids of what it was done to.

    Raises:
        UnavailableError: the trail cannot be written.
    """
    actor = ACTOR.get()
    at = who.at if who else actor.clock()
    by = who.by if who else actor.by
    entry = TrailEntry(at=at, by=by, what=what, why=why, about=about)
    _append(trail_path(settings), entry)


def trail_path(settings: Settings) -> Path:
    """Where the audit trail of a project is."""
    return settings.project_folder() / "audit.jsonl"


def _append(path: Path, entry: TrailEntry) -> None:
    """Write a line at once and whole; one that a killed process left half-written stays alone."""
    text = json.dumps(entry.to_dict(), ensure_ascii=False)
    with hold(path):
        try:
            with path.open("ab+", buffering=0) as file:
                start = b"" if _ends_whole(path) else b"\n"
                file.write(start + f"{text}\n".encode())
                os.fsync(file.fileno())
        except OSError as e:
            raise UnavailableError(describe_write_failure(path.parent, e)) from e


def _ends_whole(path: Path) -> bool:
    """Whether a file is empty or ends with its line."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def read_trail(settings: Settings) -> list[TrailEntry]:
    """The audit trail, oldest first, without the lines that cannot be read."""
    return [entry for entry in _read_lines(settings) if entry is not None]


def find_damaged_entries(settings: Settings) -> list[int]:
    """The numbers of the lines of the audit trail that cannot be read, from 1 on."""
    entries = enumerate(_read_lines(settings), start=1)
    return [number for number, entry in entries if entry is None]


def _read_lines(settings: Settings) -> Iterator[TrailEntry | None]:
    for line in (read_if_there(trail_path(settings)) or b"").splitlines():
        try:
            yield TrailEntry.from_dict(json.loads(line))
        except (ValueError, RecursionError):
            yield None
