"""The moment of an export, `known_until`: as stated with the delivery, else by the times of its files.

It is determined before any row is judged, and never from what is planned: a meeting booked for next autumn says
nothing of when the export was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leadscore.errors import ExportMomentError, TimeFormatError
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.part import Part, part_path, read_kept_part
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_parts
from leadscore.tables import TABLES
from leadscore.times import DAY_US, SECOND_US, format_us, parse_moment
from leadscore.wording import listed

LEAST_ALLOWED_US = 10 * DAY_US  # offices close between the years
USUAL_SHARE = 0.95  # of the gaps between days with facts; a gap of twice this length is unusual
RECENT_US = 365 * DAY_US  # the pace of a feed is that of its last year
SURE = (
    "leads",
    "stages",
    "changes",
)  # nobody enters these in advance, as meetings and expected closes are
CENTURY_US = (
    36_525 * DAY_US
)  # engines differ in the remainder of negative numbers: moments before 1970


@dataclass(frozen=True)
class Delivery:
    """What comes with an export: its stated moment and the clock, both in UTC microseconds, if any."""

    known_until_us: int | None = None
    clock_us: int | None = None


@dataclass(frozen=True)
class ExportMoment:
    """When an export was made, what says so, and what is doubtful about it.

    `basis` is "" where nothing is dated.
    """

    us: int
    basis: str
    warnings: tuple[str, ...] = ()


def determine_moment(
    staged: Staged, before: StoreVersion | None, delivery: Delivery
) -> ExportMoment:
    """The moment of a dated export, by the first of these that there is.

    The delivery's own; the setting `known_until`; the `known_until_file`; the oldest of the latest values of all
    `known_until_column`; the times of the files.

    Raises:
        ExportMomentError: it cannot be read, lies past the clock, is a fixed setting although files changed, or
            comes from files that seem to have been copied long after the export.
    """
    stated = _stated(staged, before, delivery)
    if stated is None:
        return _by_file_times(staged, before, delivery)
    if delivery.clock_us is not None and stated.us > delivery.clock_us:
        raise ExportMomentError(
            f"known_until {format_us(stated.us)}, from {stated.basis}, is later than the clock, "
            f"{format_us(delivery.clock_us)}: an export cannot come from the future; correct the moment, its time "
            "zone, or the clock"
        )
    return stated


def _stated(staged: Staged, before: StoreVersion | None, delivery: Delivery) -> ExportMoment | None:
    settings = staged.settings
    if delivery.known_until_us is not None:
        return ExportMoment(delivery.known_until_us, "--known-until")
    fixed = settings.known_until_us()
    if fixed is not None:
        _check_fixed(staged, before, fixed)
        return ExportMoment(fixed, "the setting known_until")
    if settings.known_until_file is not None:
        return _from_file(settings, settings.known_until_file)
    return _from_columns(staged)


def _check_fixed(staged: Staged, before: StoreVersion | None, fixed: int) -> None:
    """Refuse a new delivery under the fixed moment of the one before: all that is new would bear the old date."""
    if before is None or before.known_until_us != fixed:
        return
    earlier = _parts_of(before, staged)
    names = {
        part["source"] for part in earlier
    }  # the files of a source that was only mapped now are not new ones
    known = {(part["source"], part["sha256"]) for part in earlier}
    changed = [
        part["file"]
        for part in staged.parts
        if part["source"] in names and (part["source"], part["sha256"]) not in known
    ]
    if changed:
        raise ExportMomentError(
            f"{listed(sorted(changed), most=3)} changed since the last ingest, and known_until in the settings is "
            f"still {format_us(fixed)}: what is new would be dated then. Give the moment of this export with "
            "--known-until, or set known_until anew; where exports come regularly, remove known_until from the "
            "settings, and the times of the files count"
        )


def _from_file(settings: Settings, name: Path) -> ExportMoment:
    path = settings.input_folder / name
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
        return ExportMoment(parse_moment(text, zone=settings.timezone), f"the file {name}")
    except (OSError, UnicodeDecodeError) as e:
        raise ExportMomentError(f"known_until_file: {path} cannot be read: {e}") from e
    except TimeFormatError as e:
        raise ExportMomentError(f"known_until_file: {path}: {e}") from e


def _from_columns(staged: Staged) -> ExportMoment | None:
    """The oldest of the moments that sources state in a column: a fresh file does not vouch for a stale one."""
    columns = {name: source.known_until_column for name, source in staged.settings.sources.items()}
    latest: dict[str, int] = {}
    for name, column in columns.items():
        if column is None:
            continue
        moments = [part["stated_us"] for part in staged.parts if part["source"] == name]
        stated = [us for us in moments if us is not None]
        if not stated:
            raise ExportMomentError(
                f"sources.{name}.known_until_column: {column!r} holds no time in any row"
            )
        latest[name] = max(stated)
    if not latest:
        return None
    oldest = min(latest, key=lambda name: latest[name])
    return ExportMoment(latest[oldest], f"the column {columns[oldest]!r} of {oldest}")


def _by_file_times(staged: Staged, before: StoreVersion | None, delivery: Delivery) -> ExportMoment:
    """Of each table the newest modification time of its files; of these the oldest."""
    clock_us = delivery.clock_us
    is_past = before is not None and (clock_us is None or before.known_until_us <= clock_us)
    if before is not None and is_past and _same_bytes(staged, before):
        return ExportMoment(before.known_until_us, "the ingest before, of the same files")
    newest = {
        name: max((part for _, part in staged.of(name)), key=lambda part: part["modified_us"])
        for name in TABLES
        if staged.of(name)
    }
    oldest = min(newest, key=lambda name: newest[name]["modified_us"])
    part, latest = newest[oldest], max(newest.values(), key=lambda part: part["modified_us"])
    us, file, warnings = part["modified_us"], part["file"], []
    if clock_us is not None and us > clock_us:
        warnings.append(
            f"{file} is dated {format_us(us)}, past the clock: known_until is taken as the clock's "
            f"{format_us(clock_us)}; is a clock wrong?"
        )
        us = clock_us
    if latest["modified_us"] > us + DAY_US:
        warnings.append(
            f"known_until is {format_us(us)}, when the files of {oldest} were written last ({file}), although "
            f"{latest['file']} is of {format_us(latest['modified_us'])}: what is newer counts as planned. "
            "If all are of one export, give its moment with --known-until"
        )
    _check_against_facts(staged, us, file)
    return ExportMoment(us, f"the time of {file}", tuple(warnings))


def _same_bytes(staged: Staged, before: StoreVersion) -> bool:
    return _contents(staged.parts) == _contents(_parts_of(before, staged))


def _contents(parts: Sequence[Part]) -> Counter[tuple[str, str]]:
    return Counter((part["source"], part["sha256"]) for part in parts)


def _parts_of(before: StoreVersion, staged: Staged) -> list[Part]:
    """What the version before was read from; a part that is damaged is known where its file was read again."""
    now = {part["key"]: part for part in staged.parts}
    parts = [
        now.get(key) or read_kept_part(part_path(before.folder, key)) for key in read_parts(before)
    ]
    return [part for part in parts if part is not None]


def _check_against_facts(staged: Staged, us: int, file: str) -> None:
    """Refuse a file's time that lies long past the last fact: copying a file, or checking it out, renews its time."""
    sure, days = _days_of_facts(staged, SURE, us), _days_of_facts(staged, TABLES, us)
    if not len(days):
        return
    last_sure = sure[-1] if len(sure) else days[0]
    usual_us = _usual_gap_us(days[days <= last_sure])
    allowed_us = max(LEAST_ALLOWED_US, 2 * usual_us)
    last_day = _last_before_gap(days[days >= last_sure], allowed_us)
    if us - (last_day + DAY_US) <= allowed_us:
        return
    after_last = (_last_fact_us(staged, last_day + DAY_US) // SECOND_US + 1) * SECOND_US
    raise ExportMomentError(
        f"nothing says when this export was made, and {file} is dated {format_us(us)}, {(us - last_day) // DAY_US} "
        f"days after the last fact, where days with facts are usually {max(usual_us // DAY_US, 1)} apart: a copied "
        "file bears the time of the copy. For an archive, put this line at the top of the settings: "
        f"known_until = {format_us(after_last)}; if the export is as new as its files: --known-until {format_us(us)}"
    )


def _days_of_facts(staged: Staged, tables: Iterable[str], us: int) -> np.ndarray:
    """The beginnings of the days (UTC) with facts before a moment, rising, int64 (n,)."""
    begin = f"event_us - (event_us + {CENTURY_US}) % {DAY_US}"
    parts = [
        f"SELECT DISTINCT {begin} AS us FROM ({staged.rows(name)}) AS r WHERE event_us < {us}"
        for name in tables
    ]
    rows = staged.engine.query(
        f"SELECT DISTINCT us FROM ({' UNION ALL '.join(parts)}) AS d ORDER BY us"
    )
    return np.asarray(rows["us"].to_numpy(), dtype=np.int64)


def _last_fact_us(staged: Staged, end_us: int) -> int:
    parts = [
        f"SELECT MAX(event_us) AS us FROM ({staged.rows(name)}) AS r WHERE event_us < {end_us}"
        for name in TABLES
    ]
    return int(
        staged.engine.query(f"SELECT MAX(us) AS us FROM ({' UNION ALL '.join(parts)}) AS m")["us"][
            0
        ].as_py()
    )


def _usual_gap_us(days: np.ndarray) -> int:
    gaps = np.diff(days[days > days[-1] - RECENT_US])
    return int(np.quantile(gaps, USUAL_SHARE, method="higher")) if len(gaps) else 0


def _last_before_gap(days: np.ndarray, allowed_us: int) -> int:
    """The last day that facts reach without a longer gap: what lies beyond one is planned."""
    gaps = np.flatnonzero(np.diff(days) > allowed_us)
    return int(days[gaps[0]] if len(gaps) else days[-1])


def read_modified(path: Path) -> int:
    """When a file was last written, in UTC microseconds."""
    return path.stat().st_mtime_ns // 1000
