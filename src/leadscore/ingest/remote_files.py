"""Files of other storages, as parts: a copy is read, and goes when nothing needs it any more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leadscore.engine import Engine
from leadscore.errors import UserError
from leadscore.ingest.part import Part, part_of_file
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.remote import RemoteFile, find_remote_files
from leadscore.settings.settings import Settings


@dataclass(frozen=True)
class RemoteSource:
    """A file of a source that is in another storage.

    Attributes:
        remote: the file.
        number: of the file among those of its source.
    """

    remote: RemoteFile
    number: int

    def file_in(self, folder: Path) -> SourceFile:
        """The copy of the file, to be kept in a folder."""
        path = folder / f"copy-{self.remote.source}-{self.number}"
        return SourceFile(self.remote.source, path, self.remote.address)

    def read(
        self,
        file: SourceFile,
        settings: Settings,
        *,
        engine: Engine,
        folder: Path,
        view_text: Path | None,
    ) -> list[Part]:
        """Copy the file, and return its part; views may need the copy later.

        Raises:
            UserError: it cannot be read.
        """
        # Its time before its bytes: a file that is written meanwhile looks older, not newer.
        modified_us = self.remote.modified_us()
        self.remote.copy_to(file.path)
        part = part_of_file(file, settings, engine=engine, folder=folder, view_text=view_text)
        if view_text is None:
            file.path.unlink()
        return [part | {"modified_us": modified_us}]


def plan_remote_files(name: str, settings: Settings) -> list[RemoteSource]:
    """What to copy for a source; nothing for one that is on this machine.

    Raises:
        UserError: there is no file, and the source is not optional.
    """
    source = settings.sources[name]
    if source.path is None or not source.is_remote:
        return []
    files = find_remote_files(name, source.path)
    if not files and source.optional is None:
        raise UserError(f"source {name!r}: there is no file {source.path}; check `path`")
    return [RemoteSource(file, number) for number, file in enumerate(files)]
