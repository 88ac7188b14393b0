"""What can go wrong, each error built from facts: what was wrong, what was there, what to do.

A `UserError` is for whoever runs leadscore to mend (exit code 2), and is not tried again; files, disks and servers that
fail end with exit code 2, too, and may be. Any other exception is a bug (exit code 1). What was withheld on
purpose, since it looks wrong beside what came before, ends with exit code 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from leadscore.printable import printable
from leadscore.proposals import propose
from leadscore.wording import counted, listed, nearest, shortened

WITHHELD = 3  # the exit code of a delivery, or a list, that looks wrong beside what came before


class LeadscoreError(Exception):
    """Any error that leadscore raises on purpose; its message may be shown anywhere."""

    exit_code = 1

    def __init__(self, message: object, *, then: Sequence[str] = ()) -> None:
        super().__init__("\n".join(map(printable, (message, *then))))


class UserError(LeadscoreError):
    """Something that the person who runs leadscore can mend."""

    exit_code = 2


class SettingsError(UserError):
    """A settings file that cannot be used; `cure` are lines to paste into it."""

    def __init__(self, path: Path, problems: Sequence[str], *, cure: Sequence[str] = ()) -> None:
        self.path, self.problems, self.cure = path, tuple(problems), tuple(cure)
        super().__init__(f"{path}: " + "; ".join(problems), then=cure)


class TimeFormatError(UserError):
    """A moment that cannot be read."""

    def __init__(self, value: object) -> None:
        super().__init__(
            f"cannot read {shortened(value)} as a time; write 2024-05-31 or 2024-05-31T14:00:00Z"
        )


class SourceFormatError(UserError):
    """A source file, by its name, that cannot be read as what it should be."""

    def __init__(self, source: str, name: str, problem: str) -> None:
        super().__init__(f"source {source!r}: {name} {problem}")


class MissingColumnsError(UserError):
    """A source file without columns that the mapping reads."""

    def __init__(
        self,
        source: str,
        name: str,
        *,
        missing: Sequence[str],
        available: Sequence[str],
        delimiter: str | None,
    ) -> None:
        self.missing, self.available = tuple(missing), tuple(available)
        text = (
            f"source {source!r}: {name} has no column {listed(missing)}; it has {listed(available)}"
        )
        guesses = [mark for mark in ",;\t|" if mark != delimiter and mark in "".join(available)]
        near = {word: nearest(word, available) for word in missing}
        if delimiter is not None and len(available) == 1 and guesses:
            text += f". It looks as if the delimiter were {guesses[0]!r}: set delimiter = {guesses[0]!r} for it"
        elif any(near.values()):
            text += (
                "; did you mean "
                + ", ".join(f"{b!r} for {a!r}" for a, b in near.items() if b)
                + "?"
            )
        super().__init__(text)


class UnknownAlarmError(UserError):
    """An alarm to accept that there is not."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = nearest(name, known)
        super().__init__(
            f"there is no alarm {name!r}; "
            + (f"did you mean {near!r}?" if near else f"there are {listed(known)}")
        )


class DecimalMarkError(UserError):
    """Numbers that do not say whether '.' or ',' is their decimal mark."""

    def __init__(self, problem: str) -> None:
        super().__init__(f'{problem}; set decimal = "." or "," for the source')


class NoLeadsError(UserError):
    """An ingest that ended without a single lead."""

    def __init__(self, *, rejected: dict[str, int]) -> None:
        why = (
            ", ".join(f"{n} by {rule}" for rule, n in rejected.items())
            or "the mapping selected none"
        )
        super().__init__(f"no lead could be stored: {why}; no version was written")


class TooManyRefusedError(UserError):
    """An ingest that refused more rows than the settings allow."""

    def __init__(
        self, over: Mapping[str, tuple[int, int]], *, limit: float, rules: Mapping[str, int]
    ) -> None:
        told = "; ".join(
            f"{name}: {refused:,} of {n:,} rows" for name, (refused, n) in over.items()
        )
        why = ", ".join(f"{n:,} by {rule}" for rule, n in rules.items())
        super().__init__(
            f"more than {limit:.0%} of rows were refused ({told}), by rule: {why}; no version was written. See them: "
            f"{propose('rejects')}. Mend the mapping, let a rule warn under validation.severity, or raise "
            "validation.max_refused"
        )


class AlarmError(UserError):
    """An export that looks wrong compared with the previous one; it is kept as a version that does not count."""

    exit_code = WITHHELD

    def __init__(self, seen: Mapping[str, Sequence[str]], *, version: str) -> None:
        self.names, self.version = tuple(seen), version
        problems = "; ".join(f"{name}: {', '.join(each)}" for name, each in seen.items())
        accept = " ".join(f"--accept {name}" for name in seen)
        super().__init__(
            f"this export looks wrong compared with the previous one: {problems}. It is quarantined as version "
            f"{version}: the version before still counts, and so does the published list. Fix the export and ingest it "
            f"again. If it is correct, run: {propose(f'ingest {accept}')}"
        )


class ExportMomentError(UserError):
    """An export of which nothing usable says when it was made."""


class NoStoreError(UserError):
    """A store that has no version yet."""

    def __init__(self, project: str, folder: Path) -> None:
        super().__init__(
            f"project {project!r} has no stored data in {folder}, seen from {Path.cwd()}; "
            f"run `{propose('ingest')}` first, or change to the folder where it was run"
        )


class NoModelError(UserError):
    """A project without a model to score with."""

    def __init__(self, project: str, why: str | None, *, versions: int = 0) -> None:
        reason = (
            f"the last training ended without one: {why}"
            if why
            else f"run `{propose('train')}` first"
        )
        if versions:
            trained = counted(versions, "version exists", "versions exist")
            listing, promote = propose("models list"), propose("models promote VERSION --why ...")
            reason = f"{trained}: see `{listing}`, then `{promote}`"
            reason += f"; of the latest it was said: {why}" if why else ""
        super().__init__(f"project {project!r} has no champion to score with; {reason}")


class UnknownRuleError(UserError):
    """A rule by which no row was rejected."""

    def __init__(self, rule: str, known: Sequence[str]) -> None:
        there = f"rows were rejected by {listed(known)}" if known else "no row was rejected at all"
        super().__init__(f"no row was rejected by the rule {rule!r}; {there}")


class UnknownVersionError(UserError):
    """A model version that the registry does not have."""

    def __init__(self, project: str, version: str, known: Sequence[str]) -> None:
        there = (
            f"there are {listed(known)}"
            if known
            else f"there is none yet; run `{propose('train')}` first"
        )
        super().__init__(f"project {project!r} has no model version {version!r}; {there}")


class RegistryError(LeadscoreError):
    """MLflow that could not be reached or refused; nothing of it is half done that a reader would see."""

    exit_code = 2

    def __init__(self, doing: str, problem: str) -> None:
        super().__init__(f"MLflow failed while {doing}: {problem}")


class AsOfError(UserError):
    """An as_of for which the stored data cannot answer."""


class FollowUpError(UserError):
    """A side of the data that was not watched long enough to be learned from or judged."""

    def __init__(
        self, *, side: str, days: float, horizon_days: int, still_watched: float, needed: float
    ) -> None:
        super().__init__(
            f"{side}: only {counted(round(days), 'day')} of follow-up for a horizon of {counted(horizon_days, 'day')} "
            f"({still_watched:.2f} of the snapshots are watched to the horizon, {needed:.2f} are needed); "
            "give more history, a later as_of or a shorter horizon"
        )


class TooFewOutcomesError(UserError):
    """History without enough won and lost leads to learn from."""

    def __init__(self, *, won: int, lost: int, needed: int, is_dated: bool = True) -> None:
        counts = f"history shows {won} won and {lost} not won snapshots with a known outcome; "
        least = f"at least {needed} of each are needed to learn from"
        one_sided = ""
        if not is_dated and (won or lost) and not (won and lost):
            missing = "won" if lost else "lost"
            one_sided = (
                f". No lead is marked {missing}, and without dates an open lead says nothing: map the values that "
                f"mark a lead as {missing}, or give dates, from which an open lead is not won once the horizon is over"
            )
        super().__init__(counts + least + one_sided)


class KnownFromError(UserError):
    """Fields that are declared known from creation, and have changed since."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(
            f"{listed(fields)}: known_from = 'creation' in the settings, but the table changes says that the value "
            "changed later, so the one in leads may come from the future; remove known_from to learn from the changes"
        )


class TimeModeError(UserError):
    """A store that was made in another time mode than the settings now say."""

    def __init__(self, *, stored: str, asked: str) -> None:
        super().__init__(
            f"the settings say time = {asked!r}, the data were stored with {stored!r}; run `{propose('ingest')}` again"
        )


class FolderTakenError(UserError):
    """A folder that should be new or empty, and is not."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not empty; name a new folder, nothing is overwritten")


class UnreadableError(UserError):
    """A file or folder that is there and cannot be read, which says nothing about its content: not damage."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(
            f"{path} cannot be read: {problem[:1].lower()}{problem[1:]}. Put that right, then run the same command "
            "again; nothing was replaced"
        )


class CorruptFileError(LeadscoreError):
    """A file whose content is not what its manifest says."""

    exit_code = 2

    def __init__(self, path: Path, *, expected: str, found: str) -> None:
        self.path, self.expected, self.found = path, expected, found
        is_gone = f"{path} is gone: its manifest names it"
        is_changed = f"{path} was changed or damaged: SHA-256 {found[:12]}, its manifest says {expected[:12]}"
        super().__init__(is_gone if found == "none" else is_changed)


class DamagedStoreError(CorruptFileError):
    """A file of a store version that is gone or not what it should be, and how to get it back."""

    def __init__(self, path: Path, *, expected: str, found: str) -> None:
        super().__init__(path, expected=expected, found=found)
        self.args = (
            f"{self.args[0]}. `{propose('store list')}` says which versions are whole. Go back to one "
            f"(`{propose('store rollback VERSION')}`) and ingest the exports since then again: that writes the file "
            f"anew. If none is whole: `{propose('ingest --forget-damaged')}`, which loses the changes seen between "
            "exports",
        )


class DamagedFileError(CorruptFileError, UserError):
    """A file of ours that is empty, cut, or of another shape, and what to do about it."""

    def __init__(self, path: Path, problem: str, *, cure: str) -> None:
        self.path, self.expected, self.found = path, "", problem
        LeadscoreError.__init__(self, f"{path} is damaged: {problem}; {cure}")


class CorruptPointerError(LeadscoreError):
    """A file that should name the current version, and does not."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is gone or damaged, and it is not clear which version counts: see `{propose('store list')}`, "
            f"then name one with `{propose('store rollback VERSION')}`"
        )


class WriteError(LeadscoreError):
    """A file that could not be written; what was there before is intact."""

    exit_code = 2

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"could not write in {path}: {problem}; what was there before is intact")
