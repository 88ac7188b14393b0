"""Finds and copies files of other storages, by their addresses; the only home of fsspec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path
from typing import Any

import fsspec

from leadscore.addresses import hide_secrets
from leadscore.errors import SourceFormatError
from leadscore.ingest.readers.sources import is_export
from leadscore.times import to_us
from leadscore.wording import cut


@dataclass(frozen=True)
class RemoteFile:
    """A file of another storage.

    Attributes:
        source: the name of the source.
        address: with which the storage is named.
    """

    source: str
    address: str

    def modified_us(self) -> int:
        """When the file was written, in UTC microseconds.

        Raises:
            SourceFormatError: its storage cannot be reached, or does not say.
        """
        with _in_words(self.source, self.address):
            storage, path = fsspec.url_to_fs(self.address)
            try:
                return _us(storage.modified(path))
            except (NotImplementedError, KeyError):
                pass
        raise SourceFormatError(
            self.source, self.address, "is in a storage that says not when it was written; copy it"
        )

    def copy_to(self, path: Path) -> None:
        """Copy the file to this machine.

        Raises:
            SourceFormatError: it cannot be read.
        """
        with _in_words(self.source, self.address):
            storage, remote = fsspec.url_to_fs(self.address)
            storage.get_file(remote, str(path))


def _us(modified: datetime) -> int:
    return to_us(modified if modified.tzinfo else modified.replace(tzinfo=UTC))


def find_remote_files(source: str, address: str) -> list[RemoteFile]:
    """The files at an address, by name: one, those that match a pattern, or those in a folder.

    Raises:
        SourceFormatError: its storage cannot be reached.
    """
    with _in_words(source, address):
        storage, path = fsspec.url_to_fs(address)
        addresses = [storage.unstrip_protocol(name) for name in _list(storage, path)]
        return [RemoteFile(source, name) for name in sorted(addresses)]


def _list(storage: Any, path: str) -> list[str]:
    if has_magic(path):
        matches = storage.glob(path, detail=True)
        return [name for name, about in matches.items() if about["type"] == "file"]
    if storage.isdir(path):
        prefix = path.rstrip("/") + "/"
        names: list[str] = storage.find(path)
        return [name for name in names if is_export(Path(name.removeprefix(prefix)))]
    return [path] if storage.exists(path) else []


@contextmanager
def _in_words(source: str, address: str) -> Iterator[None]:
    """Say what is wrong with a storage; every storage has errors of its own."""
    try:
        yield
    except SourceFormatError:
        raise
    except FileNotFoundError:
        problem = "is no longer there"
    except ImportError as e:
        problem = f"needs a package: {cut(str(e))}"
    except Exception as e:
        problem = f"cannot be read: {cut(hide_secrets(str(e) or type(e).__name__))}"
    else:
        return
    raise SourceFormatError(source, address, problem)
