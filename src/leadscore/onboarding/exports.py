"""Exported files: which there are, and what their columns hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from leadscore.errors import SourceFormatError, UserError
from leadscore.files import list_below
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.rows import RowsOfFile
from leadscore.ingest.readers.sources import ENDINGS, PLAIN
from leadscore.ingest.readers.workbook import read_sheet_names
from leadscore.onboarding.combined import combine
from leadscore.onboarding.findings import Finding
from leadscore.onboarding.header import find_header_row, is_table
from leadscore.onboarding.profile import Profile, read_profile
from leadscore.onboarding.words import numbered, slug
from leadscore.progress import Progress
from leadscore.settings.source import Source
from leadscore.wording import listed

OWN_FILES = ("store/current.json", "store/attempt.json", "mlflow.db")  # mark folders we wrote
NAMED_TWICE = "none of these is read: give each a name of its own in the export, and run init again"


@dataclass(frozen=True)
class Exports:
    """The files that could be read, and a finding for each that could not, or not surely."""

    profiles: list[Profile]
    unsure: list[Finding]


def find_exports(places: Sequence[Path]) -> list[Path]:
    """The files, and those in the folders, without what leadscore itself wrote there.

    Raises:
        UserError: a place does not exist, or a folder holds no export.
    """
    paths: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = _list_exports(place)
            if not inside:
                raise UserError(f"{place} holds no file that ends in {listed(ENDINGS)}")
            paths += inside
        elif place.is_file():
            paths.append(place)
        else:
            raise UserError(f"there is no file {place}")
    return paths


def _list_exports(folder: Path) -> list[Path]:
    files = list_below(folder)
    files = [path for path in files if _is_export(path)]
    own = {home for home in _homes_of(files, folder) if _is_own(home)}
    return [path for path in files if own.isdisjoint(path.parents)]


def _is_export(path: Path) -> bool:
    """Whether a file may be one, as a plain text is that holds a table."""
    name = path.name.lower()
    if not name.endswith(PLAIN):
        return name.endswith(ENDINGS)
    try:
        return is_table(RowsOfFile(SourceFile("", path, path.name), Source(path=path.name)))
    except SourceFormatError:
        return False


def _homes_of(files: Sequence[Path], folder: Path) -> set[Path]:
    """The folders below `folder` that hold files, directly or deeper."""
    homes: set[Path] = set()
    for path in files:
        homes.update(path.parents)
    return {home for home in homes if folder in home.parents}


def _is_own(home: Path) -> bool:
    return any((home / name).exists() for name in OWN_FILES)


def common_folder(paths: Sequence[Path]) -> Path:
    """The folder that holds all files."""
    folders = [path.resolve().parent for path in paths]
    return Path(os.path.commonpath(folders))


def read_exports(paths: Sequence[Path], progress: Progress) -> Exports:
    """The profiles of files, those that one pattern reads together in one.

    A file that cannot be read is left out if others can be.

    Raises:
        SourceFormatError: none of them can be read.
    """
    profiles: list[Profile] = []
    unsure: list[Finding] = []
    errors: list[SourceFormatError] = []
    sources: set[str] = set()
    named = zip(paths, _shown_names(paths), strict=True)
    for done, (path, shown) in enumerate(named):
        progress(f"looking at {path.name}", done, len(paths))
        for file, sheet in _split_sheets(path, shown, sources):
            try:
                profile = _read_export(file, sheet)
            except SourceFormatError as e:
                errors.append(e)
                unsure.append(Finding("not read", file.name, str(e), "left out of the settings"))
            else:
                profiles.append(profile)
                unsure += _doubt_profile(profile)
    if not profiles:
        raise errors[0]
    return Exports(combine(profiles), unsure)


def _split_sheets(
    path: Path, shown: str, sources: set[str]
) -> Iterator[tuple[SourceFile, str | None]]:
    """A file or, of a workbook with several sheets, one for each; as sources not yet taken."""
    sheets: list[str] = []
    if path.name.lower().endswith(".xlsx"):
        with suppress(SourceFormatError):  # which reading it says
            sheets = read_sheet_names(SourceFile("", path, shown))
    for sheet in sheets if len(sheets) > 1 else [None]:
        source = numbered(slug(sheet or path.name.partition(".")[0]), sources)
        sources.add(source)
        yield SourceFile(source, path, f"{sheet} in {shown}" if sheet else shown), sheet


def _read_export(file: SourceFile, sheet: str | None) -> Profile:
    source = Source(path=file.path.name, sheet=sheet)
    header_row = find_header_row(RowsOfFile(file, source))
    below = source.model_copy(update={"header_row": header_row})
    profile = read_profile(RowsOfFile(file, below))
    return replace(profile, header_row=header_row, sheet=sheet)


def _doubt_profile(profile: Profile) -> list[Finding]:
    """What may be wrong with how a file was read."""
    shown = profile.file.name
    findings = []
    if profile.doubt:
        findings.append(Finding("encoding", shown, "detected", profile.doubt))
    if profile.named_twice:
        evidence = f"several are called {listed(profile.named_twice)}"
        findings.append(Finding("columns", shown, evidence, NAMED_TWICE))
    of_values = [
        Finding("values", shown, "not as shown", doubt) for doubt in profile.doubts_of_values
    ]
    return findings + of_values


def _shown_names(paths: Sequence[Path]) -> list[str]:
    """The names of files, with their folders where two files have the same name."""
    base = common_folder(paths)
    counts = Counter(path.name for path in paths)
    names = []
    for path in paths:
        name = path.name
        if counts[name] > 1:
            name = path.resolve().relative_to(base).as_posix()
        names.append(name)
    return names
