"""The errors that leadscore raises on purpose, and the exit codes they end with.

- 2: whoever runs leadscore can mend it (`UserError`; not tried again), or a file, a disk or a server
  failed (may be tried again).
- 3: a delivery or a list was withheld, since it looks wrong compared with the one before.
- 1: a bug.

An error has a class of its own where somebody catches it, or reads its attributes. Everything else is
a `UserError`, whose sentence is made where it is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from leadscore.printable import printable
from leadscore.proposals import propose
from leadscore.wording import counted, listed, nearest, shortened

WITHHELD = 3
DELIMITERS = ",;\t|"


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


class AsOfError(UserError):
    """An as_of for which the stored data cannot answer."""


class SourceFormatError(UserError):
    """A source file that cannot be read as what it should be."""

    def __init__(self, source: str, name: str, problem: str) -> None:
        super().__init__(f"source {source!r}: {name} {problem}")


class MissingColumnsError(UserError):
    """A source file without columns that the mapping reads.

    Attributes:
        missing: the columns that the mapping reads and the file does not have.
        available: the columns that the file has.
    """

    def __init__(
        self,
        source: str,
        name: str,
        *,
        missing: Sequence[str],
        available: Sequence[str],
        delimiter: str | None,
    ) -> None:
        self.missing = tuple(missing)
        self.available = tuple(available)
        super().__init__(
            f"source {source!r}: {name} has no column {listed(missing)}; it has {listed(available)}"
            + self._suggest(delimiter)
        )

    def _suggest(self, delimiter: str | None) -> str:
        """What is probably wrong: the delimiter, or misspelt names."""
        header = "".join(self.available)
        delimiters = [mark for mark in DELIMITERS if mark != delimiter and mark in header]
        if delimiter is not None and len(self.available) == 1 and delimiters:
            likely = delimiters[0]
            return (
                f". It looks as if the delimiter were {likely!r}: set delimiter = {likely!r} for it"
            )
        near = {name: nearest(name, self.available) for name in self.missing}
        words = [f"{match!r} for {name!r}" for name, match in near.items() if match]
        return f"; did you mean {', '.join(words)}?" if words else ""


class DecimalMarkError(UserError):
    """Numbers that do not show whether '.' or ',' is their decimal mark."""

    def __init__(self, problem: str) -> None:
        super().__init__(f'{problem}; set decimal = "." or "," for the source')


class ExportMomentError(UserError):
    """An export without a usable statement of when it was made."""


class UnknownAlarmError(UserError):
    """An alarm to accept that does not exist."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"there are {listed(known)}"
        super().__init__(f"there is no alarm {name!r}; {hint}")


class UnknownRuleError(UserError):
    """A rule by which no row was rejected."""

    def __init__(self, rule: str, known: Sequence[str]) -> None:
        others = f"rows were rejected by {listed(known)}" if known else "no row was rejected at all"
        super().__init__(f"no row was rejected by the rule {rule!r}; {others}")


class NoLeadsError(UserError):
    """An ingest that ended without a single lead."""

    def __init__(self, *, rejected: Mapping[str, int]) -> None:
        counts = ", ".join(f"{n} by {rule}" for rule, n in rejected.items())
        reason = counts or "the mapping selected none"
        super().__init__(f"no lead could be stored: {reason}; no version was written")


class TooManyRefusedError(UserError):
    """An ingest that refused more rows than the settings allow.

    Args:
        over: file or table -> rows refused, and rows in all.
        limit: the share that the settings allow.
        rules: rule -> rows refused.
    """

    def __init__(
        self, over: Mapping[str, tuple[int, int]], *, limit: float, rules: Mapping[str, int]
    ) -> None:
        shares = [f"{name}: {refused:,} of {n:,} rows" for name, (refused, n) in over.items()]
        by_rule = ", ".join(f"{n:,} by {rule}" for rule, n in rules.items())
        super().__init__(
            f"more than {limit:.0%} of rows were refused ({'; '.join(shares)}), by rule: {by_rule}; "
            f"no version was written. See them: {propose('rejects')}. Mend the mapping, let a rule "
            "warn under validation.severity, or raise validation.max_refused"
        )


class AlarmError(UserError):
    """An export that looks wrong compared with the previous one; it is stored, and does not count.

    Attributes:
        names: the alarms that it raised.
        version: the store version under which it is quarantined.
    """

    exit_code = WITHHELD

    def __init__(self, raised: Mapping[str, Sequence[str]], *, version: str) -> None:
        self.names = tuple(raised)
        self.version = version
        problems = "; ".join(f"{name}: {', '.join(details)}" for name, details in raised.items())
        accept = " ".join(f"--accept {name}" for name in raised)
        super().__init__(
            f"this export looks wrong compared with the previous one: {problems}. It is quarantined "
            f"as version {version}: the version before still counts, and so does the published "
            "list. Fix the export and ingest it again. If it is correct, run: "
            f"{propose(f'ingest {accept}')}"
        )


class NoStoreError(UserError):
    """A store that has no version yet."""

    def __init__(self, project: str, folder: Path) -> None:
        super().__init__(
            f"project {project!r} has no stored data in {folder}, seen from {Path.cwd()}; "
            f"run `{propose('ingest')}` first, or change to the folder where it was run"
        )


class KnownFromError(UserError):
    """Fields that are declared known from creation, and have changed since."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(
            f"{listed(fields)}: known_from = 'creation' in the settings, but the table changes says "
            "that the value changed later, so the one in leads may come from the future; "
            "remove known_from to learn from the changes"
        )


class TimeModeError(UserError):
    """A store that was written in another time mode than the settings now state."""

    def __init__(self, *, stored: str, asked: str) -> None:
        super().__init__(
            f"the settings say time = {asked!r}, the data were stored with {stored!r}; "
            f"run `{propose('ingest')}` again"
        )


class FollowUpError(UserError):
    """Leads that were not followed long enough to learn from them, or to evaluate a model on them."""

    def __init__(
        self, *, side: str, days: float, horizon_days: int, still_watched: float, needed: float
    ) -> None:
        follow_up = counted(round(days), "day")
        horizon = counted(horizon_days, "day")
        super().__init__(
            f"{side}: only {follow_up} of follow-up for a horizon of {horizon} "
            f"({still_watched:.2f} of the snapshots are watched to the horizon, {needed:.2f} are "
            "needed); give more history, a later as_of or a shorter horizon"
        )


class TooFewOutcomesError(UserError):
    """History without enough won and lost leads to learn from."""

    def __init__(self, *, won: int, lost: int, needed: int, is_dated: bool = True) -> None:
        message = (
            f"history shows {won} won and {lost} not won snapshots with a known outcome; "
            f"at least {needed} of each are needed to learn from"
        )
        is_one_sided = (won == 0) != (lost == 0)
        if is_one_sided and not is_dated:
            missing = "won" if lost else "lost"
            message += (
                f". No lead is marked {missing}, and without dates an open lead says nothing: map "
                f"the values that mark a lead as {missing}, or give dates, from which an open lead "
                "is not won once the horizon is over"
            )
        super().__init__(message)


class UnknownVersionError(UserError):
    """A model version that the registry does not have."""

    def __init__(self, project: str, version: str, known: Sequence[str]) -> None:
        others = f"there is none yet; run `{propose('train')}` first"
        if known:
            others = f"there are {listed(known)}"
        super().__init__(f"project {project!r} has no model version {version!r}; {others}")


class RegistryError(LeadscoreError):
    """MLflow could not be reached, or refused; a reader sees nothing half done."""

    exit_code = 2

    def __init__(self, doing: str, problem: str) -> None:
        super().__init__(f"MLflow failed while {doing}: {problem}")


class FolderTakenError(UserError):
    """A folder that should be new or empty, and is not."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not empty; name a new folder, nothing is overwritten")


class UnreadableError(UserError):
    """A file or folder that exists and cannot be read, which says nothing about its content.

    Attributes:
        path: the file or folder.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        reason = problem[:1].lower() + problem[1:]
        super().__init__(
            f"{path} cannot be read: {reason}. Put that right, then run the same command again; "
            "nothing was replaced"
        )


class CorruptFileError(LeadscoreError):
    """A file whose content is not what its manifest says.

    Attributes:
        path: the file.
        expected: the hash in the manifest.
        found: the hash of the content, or "none" if the file is gone.
    """

    exit_code = 2

    def __init__(self, path: Path, *, expected: str, found: str) -> None:
        self.path = path
        self.expected = expected
        self.found = found
        super().__init__(self._describe())

    def _describe(self) -> str:
        if self.found == "none":
            return f"{self.path} is gone: its manifest names it"
        return (
            f"{self.path} was changed or damaged: SHA-256 {self.found[:12]}, "
            f"its manifest says {self.expected[:12]}"
        )


class DamagedStoreError(CorruptFileError):
    """A file of a store version that is gone or was changed, and how to get it back."""

    def _describe(self) -> str:
        return (
            f"{super()._describe()}. `{propose('store list')}` says which versions are whole. Go "
            f"back to one (`{propose('store rollback VERSION')}`) and ingest the exports since then "
            "again: that writes the file anew. If none is whole: "
            f"`{propose('ingest --forget-damaged')}`, which loses the changes seen between exports"
        )


class DamagedFileError(CorruptFileError, UserError):
    """A file of ours that is empty, cut, or of another shape, and what to do about it."""

    def __init__(self, path: Path, problem: str, *, cure: str) -> None:
        self.cure = cure
        super().__init__(path, expected="", found=problem)

    def _describe(self) -> str:
        return f"{self.path} is damaged: {self.found}; {self.cure}"


class CorruptPointerError(LeadscoreError):
    """A file that should name the current version, and does not."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is gone or damaged, and it is not clear which version counts: see "
            f"`{propose('store list')}`, then name one with `{propose('store rollback VERSION')}`"
        )


class WriteError(LeadscoreError):
    """A file that could not be written; what was there before is intact."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"could not write in {path}: {problem}; what was there before is intact")
