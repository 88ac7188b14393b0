"""The moment of an export, `known_until`: as stated, else by the times of its files.

It is determined before any row is checked, and never from what is planned: a meeting booked for
next autumn says nothing about when the export was made.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from leadscore.errors import TimeFormatError, UserError
from leadscore.ingest.differences.delivery import Delivery, ExportMoment
from leadscore.ingest.differences.file_times import moment_of_files, parts_of_before
from leadscore.ingest.staged import Staged
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.times import format_us, parse_moment
from leadscore.wording import listed


def determine_moment(
    staged: Staged,
    before: StoreVersion | None,
    delivery: Delivery,
) -> ExportMoment:
    """The moment of a dated export, from the first of these that states one.

    1. The delivery itself.
    2. The setting `known_until`.
    3. The `known_until_file`.
    4. The columns named by `known_until_column`: of each source the latest value, of these the
       oldest.
    5. The times of the files.

    Raises:
        UserError: it cannot be read, lies past the clock, is a fixed setting although
            files changed, or comes from files that seem to have been copied long after the export.
    """
    clock_us = delivery.clock_us
    stated = _stated_moment(staged, before, delivery)
    if stated is None:
        return moment_of_files(staged, before, clock_us=clock_us)
    if clock_us is not None and stated.us > clock_us:
        raise UserError(
            f"known_until {format_us(stated.us)}, from {stated.basis}, is later than the clock, "
            f"{format_us(clock_us)}: an export cannot come from the future; correct the moment, "
            "its time zone, or the clock"
        )
    return stated


def _stated_moment(
    staged: Staged,
    before: StoreVersion | None,
    delivery: Delivery,
) -> ExportMoment | None:
    settings = staged.settings
    if delivery.known_until_us is not None:
        return ExportMoment(delivery.known_until_us, "--known-until")
    fixed_us = settings.known_until_us()
    if fixed_us is not None:
        _check_fixed(staged, before, fixed_us)
        return ExportMoment(fixed_us, "the setting known_until")
    if settings.known_until_file is not None:
        moment = _read_moment_file(settings, settings.known_until_file)
        _check_anew(staged, before, moment, sources=settings.origins())
        return moment
    return _moment_of_columns(staged, before)


def _check_fixed(staged: Staged, before: StoreVersion | None, fixed_us: int) -> None:
    """Refuse new files under the fixed moment of the delivery before: they would bear its date."""
    if before is None or before.known_until_us != fixed_us:
        return
    changed = _changed_files(staged, before, sources=staged.settings.origins())
    if changed:
        raise UserError(
            f"new since the last ingest: {listed(sorted(changed), most=3)}; but known_until in "
            f"the settings is still {format_us(fixed_us)}: what is new would be dated then. Give "
            "the moment of this export with --known-until, or set known_until anew; if this is the "
            f"export of that moment, corrected, confirm it with --known-until {format_us(fixed_us)}; "
            "where exports come regularly, remove known_until from the settings: the times of the "
            "files then count, and for a database the moment of reading"
        )


def _check_anew(
    staged: Staged,
    before: StoreVersion | None,
    moment: ExportMoment,
    *,
    sources: Collection[str],
) -> None:
    """Refuse new files of `sources` where these still state the moment of the delivery before."""
    if before is None or before.known_until_us != moment.us:
        return
    changed = _changed_files(staged, before, sources=sources)
    if changed:
        raise UserError(
            f"new since the last ingest: {listed(sorted(changed), most=3)}; but {moment.basis} "
            f"still states {format_us(moment.us)}: what is new would be dated then. Let it state "
            "the moment of this export; or, if it does, confirm that with --known-until "
            f"{format_us(moment.us)}"
        )


def _changed_files(staged: Staged, before: StoreVersion, *, sources: Collection[str]) -> list[str]:
    """The files of `sources` that are new or other ones, if the version before had the source."""
    earlier = parts_of_before(before, staged)
    known_sources = {part["source"] for part in earlier} & set(sources)
    known = {(part["source"], part["sha256"]) for part in earlier}
    changed = []
    for part in staged.parts:
        content = (part["source"], part["sha256"])
        if part["source"] in known_sources and content not in known:
            changed.append(part["file"])
    return changed


def _read_moment_file(settings: Settings, name: Path) -> ExportMoment:
    path = settings.input_folder / name
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
        us = parse_moment(text, zone=settings.timezone)
    except (OSError, UnicodeDecodeError) as e:
        raise UserError(f"known_until_file: {path} cannot be read: {e}") from e
    except TimeFormatError as e:
        raise UserError(f"known_until_file: {path}: {e}") from e
    return ExportMoment(us, f"the file {name}")


def _moment_of_columns(staged: Staged, before: StoreVersion | None) -> ExportMoment | None:
    """The oldest moment that sources state in a column: fresh files do not vouch for stale ones."""
    latest: dict[str, int] = {}
    for name, source in staged.settings.origins().items():
        if source.known_until_column is not None:
            latest[name] = _latest_stated_us(staged, name, source.known_until_column)
    if not latest:
        return None
    oldest = min(latest, key=lambda name: latest[name])
    column = staged.settings.origins()[oldest].known_until_column
    moment = ExportMoment(latest[oldest], f"the column {column!r} of {oldest}")
    _check_anew(staged, before, moment, sources=[oldest])
    return moment


def _latest_stated_us(staged: Staged, source: str, column: str) -> int:
    """The latest moment in a column of a source's files."""
    parts = [part for part in staged.parts if part["source"] == source]
    moments = [part["stated_us"] for part in parts]
    stated: list[int] = [us for us in moments if us is not None]
    if not stated:
        raise UserError(f"sources.{source}.known_until_column: {column!r} holds no time in any row")
    return max(stated)
