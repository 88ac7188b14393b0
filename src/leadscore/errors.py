"""The errors that leadscore raises on purpose, and the exit codes they end with.

- 2: whoever runs leadscore can mend it (`UserError`; not tried again), or a file, a disk or a server
  failed (may be tried again).
- 3: a delivery or a list was withheld, since it looks wrong compared with the one before.
- 1: a bug.

An error has a class of its own where somebody catches it or reads its attributes. Everything else is
a `UserError` or an `UnavailableError`, whose sentence is made where it is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from leadscore.printable import printable
from leadscore.proposals import propose
from leadscore.wording import listed, nearest, shortened

WITHHELD = 3
DELIMITERS = ",;\t|"
OF_VIEWS = ("_source", "_file", "_line")  # columns that views have beside those of files


class LeadscoreError(Exception):
    """Any error that leadscore raises on purpose; its message may be shown anywhere.

    Args:
        message: what is wrong.
        then: further lines, such as lines to paste.
    """

    exit_code = 1

    def __init__(self, message: object, *, then: Sequence[str] = ()) -> None:
        super().__init__("\n".join(map(printable, (message, *then))))


class UserError(LeadscoreError):
    """Something that the person who runs leadscore can mend."""

    exit_code = 2


class SettingsError(UserError):
    """A settings file that cannot be used.

    Attributes:
        path: the file.
        problems: what is wrong with it.
        cure: lines to paste into it.
    """

    def __init__(self, path: Path, problems: Sequence[str], *, cure: Sequence[str] = ()) -> None:
        self.path = path
        self.problems = tuple(problems)
        self.cure = tuple(cure)
        super().__init__(f"{path}: " + "; ".join(problems), then=cure)


class TimeFormatError(UserError):
    """A moment that cannot be read."""

    def __init__(self, value: object) -> None:
        super().__init__(
            f"cannot read {shortened(value)} as a time; write 2024-05-31 or 2024-05-31T14:00:00Z"
        )


class SourceFormatError(UserError):
    """A source file that cannot be read as what it should be."""

    def __init__(self, source: str, name: str, problem: str) -> None:
        super().__init__(f"source {source!r}: {name} {problem}")


class MissingColumnsError(UserError):
    """A source file, or a view, without columns that the settings name.

    Attributes:
        source: the source or view.
        name: of the file.
        missing: the columns that the settings name and the file does not have.
        available: the columns that the file has.
        delimiter: between the values of a text file; None of other files.

    What the missing columns are for, the `purpose`, goes right after their names.
    """

    def __init__(
        self,
        source: str,
        name: str,
        *,
        missing: Sequence[str],
        available: Sequence[str],
        delimiter: str | None,
        purpose: str = "",
    ) -> None:
        self.source = source
        self.name = name
        self.missing = tuple(missing)
        self.available = tuple(available)
        self.delimiter = delimiter
        super().__init__(
            f"source {source!r}: {name} has no column {listed(missing)}{purpose}; "
            f"it has {listed(available)}" + self._suggest(delimiter)
        )

    def with_purpose(self, purpose: str) -> MissingColumnsError:
        """The same error, saying what the columns are for."""
        return MissingColumnsError(
            self.source,
            self.name,
            missing=self.missing,
            available=self.available,
            delimiter=self.delimiter,
            purpose=purpose,
        )

    def _suggest(self, delimiter: str | None) -> str:
        """What is probably wrong: the delimiter, or misspelt names."""
        named = [name for name in self.available if name not in OF_VIEWS]
        if len(named) == 1 < len(self.available):
            return (
                f"; if {named[0]!r} is a title above the header, name the columns in the view in "
                "place of *, or write header_row under the source"
            )
        header = "".join(self.available)
        delimiters = [mark for mark in DELIMITERS if mark != delimiter and mark in header]
        if delimiter is not None and len(self.available) == 1 and delimiters:
            likely = delimiters[0]
            return (
                f". It looks as if the delimiter were {likely!r}: set delimiter = {likely!r} for it"
            )
        near = {name: nearest(name, self.available) for name in self.missing}
        words = [f"{match!r} for {name!r}" for name, match in near.items() if match]
        if words:
            return f"; did you mean {', '.join(words)}?"
        if len(named) == 1 < len(self.missing):
            return (
                f"; if {named[0]!r} is a title above the header, state the header's line: "
                "header_row = ... for the source"
            )
        return ""


class DecimalMarkError(UserError):
    """Numbers that do not show whether '.' or ',' is their decimal mark."""

    def __init__(self, problem: str) -> None:
        super().__init__(f'{problem}; set decimal = "." or "," for the source')


class AlarmError(UserError):
    """An export that looks wrong compared with the previous one; it is stored, and does not count.

    Attributes:
        names: the alarms that it raised.
        version: the store version under which it is quarantined.
    """

    exit_code = WITHHELD

    def __init__(
        self,
        raised: Mapping[str, Sequence[str]],
        *,
        version: str,
        hints: Sequence[str] = (),
    ) -> None:
        self.names = tuple(raised)
        self.version = version
        problems = "; ".join(f"{name}: {', '.join(details)}" for name, details in raised.items())
        accept = " ".join(f"--accept {name}" for name in raised)
        super().__init__(
            f"this export looks wrong compared with the previous one: {problems}. It is quarantined "
            f"as version {version}: the version before still counts, and so does any published "
            "list. Fix the export and ingest it again. If it is correct, run: "
            f"{propose(f'ingest {accept}')}",
            then=hints,
        )


class NoStoreError(UserError):
    """A store that has no version yet."""

    def __init__(self, project: str, folder: Path) -> None:
        super().__init__(
            f"project {project!r} has no stored data in {folder}, seen from {Path.cwd()}; "
            f"run `{propose('ingest')}` first, or change to the folder where it was run"
        )


class TooLittleHistoryError(UserError):
    """History that is too short, or has too few outcomes, to learn from it or to evaluate a model on it."""


class UnknownVersionError(UserError):
    """A model version that the registry does not have."""

    def __init__(self, project: str, version: str, known: Sequence[str]) -> None:
        others = f"there is none yet; run `{propose('train')}` first"
        if known:
            others = f"available: {listed(known)}"
        super().__init__(f"project {project!r} has no model version {version!r}; {others}")


class UnavailableError(LeadscoreError):
    """A disk, a server or a database that failed; another try may succeed.

    A reader sees nothing half done, and what was there before is intact.
    """

    exit_code = 2


class CorruptFileError(LeadscoreError):
    """A file whose content is not what its manifest says.

    Attributes:
        path: the file.
        expected: the hash in the manifest.
        actual: the hash of the content, or "none" if the file is gone.
    """

    exit_code = 2

    def __init__(self, path: Path, *, expected: str, actual: str, cure: str = "") -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        problem = self._describe()
        super().__init__(f"{problem}. {cure}" if cure else problem)

    def _describe(self) -> str:
        if self.actual == "none":
            return f"{self.path} is gone"
        return (
            f"{self.path} was changed or damaged: SHA-256 {self.actual[:12]}, "
            f"its manifest says {self.expected[:12]}"
        )


class DamagedFileError(CorruptFileError, UserError):
    """A file of ours that is empty, cut, or of another shape, and what to do about it."""

    def __init__(self, path: Path, problem: str, *, cure: str) -> None:
        self.cure = cure
        super().__init__(path, expected="", actual=problem)

    def _describe(self) -> str:
        return f"{self.path} is damaged: {self.actual}; {self.cure}"


class CorruptPointerError(LeadscoreError):
    """A file that should name the current version, and does not."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is gone or damaged, and it is not clear which version counts: see "
            f"`{propose('store list')}`, then name one with `{propose('store rollback VERSION')}`"
        )
