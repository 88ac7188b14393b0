"""Where a command may write: never over what the project reads, nor into a folder that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leadscore.atomic import follow_link
from leadscore.errors import LeadscoreError, UserError
from leadscore.ingest.readers.sources import find_files
from leadscore.settings.settings import Settings


def refuse_place(path: Path) -> None:
    """Refuse a file to write that is none, or whose folder does not exist: it may be mistyped.

    A device or a pipe would not be written to, but replaced by a file. What a symbolic link leads to
    counts, since that is written.

    Raises:
        UserError: it is one of these.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is a device or a pipe; name a file")
    target = follow_link(path)
    if target.is_symlink():
        raise UserError(f"{path} is a symbolic link that leads to itself; name a file")
    folder = target.parent
    if folder.is_file():
        raise UserError(f"{folder} is a file, not a folder; correct the path")
    if not folder.is_dir():
        raise UserError(f"the folder {folder} does not exist; create it, or correct the path")


def refuse_input(path: Path, settings: Settings, *, config: Path) -> None:
    """Refuse a file to write that the project reads.

    Args:
        path: the file to write.
        settings: of the project.
        config: the settings file.

    Raises:
        UserError: it is the settings file, or an export.
    """
    if not path.exists():
        return
    read = [config, *_list_exports(settings)]
    if any(path.samefile(file) for file in read if file.exists()):
        raise UserError(f"{path} is read by project {settings.project!r}; name another file")


def _list_exports(settings: Settings) -> Iterator[Path]:
    for name, source in settings.sources.items():
        try:
            files = find_files(name, source, folder=settings.input_folder)
        except LeadscoreError:  # nothing is there to be replaced
            continue
        yield from (file.path for file in files)
