"""The lists in a folder: which were written, which were published, and which one stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadscore.errors import CorruptFileError
from leadscore.files import is_there, list_folder
from leadscore.json_files import read_json
from leadscore.publish.publication import read_as_of, read_known_until, read_manifest
from leadscore.times import to_us

ID = re.compile(r"(\d{8}T\d{6}Z|undated)-[0-9a-f]{12}")
POINTER = {"publication_id": str, "manifest_sha256": str}


@dataclass(frozen=True)
class Listed:
    """A list by its id, which may be damaged.

    Attributes:
        id: of the publication.
        manifest: None if it cannot be read.
        problem: why it cannot be read.
    """

    id: str
    manifest: dict[str, Any] | None
    problem: str = ""

    @property
    def as_of_us(self) -> int | None:
        """The date of the list; without a manifest that in its id, which is cut to the second."""
        if self.manifest is not None:
            return read_as_of(self.manifest)
        stamp = self.id.rpartition("-")[0]
        try:
            named = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007
        except ValueError:  # undated
            return None
        return to_us(named.replace(tzinfo=UTC))

    @property
    def known_until_us(self) -> int:
        """Up to when the store of the list knew the facts; -1 if that is not known."""
        return read_known_until(self.manifest or {})

    @property
    def previous_id(self) -> str | None:
        """The id of the list that this one was compared with."""
        manifest = self.manifest or {}
        previous: str | None = manifest.get("previous")
        return previous


def read_listed(folder: Path, publication_id: str) -> Listed:
    """A list by its id, or why it cannot be read."""
    home = folder / publication_id
    if not is_there(home):
        return Listed(publication_id, None, f"its folder {home} is gone")
    try:
        return Listed(publication_id, read_manifest(home))
    except CorruptFileError as e:
        return Listed(publication_id, None, str(e))


def list_written(folder: Path) -> list[str]:
    """The ids of the lists in a folder, published or not, whole or not."""
    names = [path.name for path in list_folder(folder)]
    return [name for name in names if ID.fullmatch(name)]


def list_published(folder: Path, store_folder: Path) -> list[Listed]:
    """Every published list, by id: it has receipts, is current, or another was compared with it.

    Lists that were only written are not among them.
    """
    written = {name: read_listed(folder, name) for name in list_written(folder)}
    receipts = list_folder(store_folder / "receipts", "*.parquet")
    ids = {path.stem for path in receipts}
    ids |= {listed.previous_id or "" for listed in written.values()}
    ids.add(read_current_id(folder) or "")
    published = sorted(name for name in ids if ID.fullmatch(name))
    return [written.get(name) or read_listed(folder, name) for name in published]


def read_current_id(folder: Path) -> str | None:
    """The id that current.json names; None if the file is missing or damaged."""
    cure = "it is written again with the next list"
    try:
        pointer = read_json(folder / "current.json", POINTER, cure=cure)
    except CorruptFileError:
        return None
    name: str = pointer["publication_id"]
    return name if ID.fullmatch(name) else None


def find_standing(folder: Path, store_folder: Path) -> Listed | None:
    """The list that readers are led to; if current.json names none, the newest whole one."""
    current = read_current_id(folder)
    if current is not None:
        listed = read_listed(folder, current)
        if listed.manifest is not None:
            return listed
    published = list_published(folder, store_folder)
    whole = [listed for listed in published if listed.manifest is not None]
    return max(whole, key=_age, default=None)


def find_waiting(folder: Path, store_folder: Path) -> Listed | None:
    """The newest whole list that was written but never published, if it is newer than the standing one."""
    standing = find_standing(folder, store_folder)
    published = {listed.id for listed in list_published(folder, store_folder)}
    written = [read_listed(folder, name) for name in list_written(folder) if name not in published]
    waiting = [listed for listed in written if listed.manifest is not None]
    if standing is not None:
        waiting = [listed for listed in waiting if _age(listed) > _age(standing)]
    return max(waiting, key=_age, default=None)


def _age(listed: Listed) -> tuple[int, int, str]:
    """Grows with the date, then with what the store knew, then with the id."""
    return listed.as_of_us or 0, listed.known_until_us, listed.id
