"""The moment of an export by the times of its files, where nothing states it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from leadscore.engine.protocol import day_sql
from leadscore.errors import UserError
from leadscore.ingest.differences.delivery import ExportMoment
from leadscore.ingest.part import Part, part_path, read_part_file
from leadscore.ingest.sql import read_days, read_number, union_sql
from leadscore.ingest.staged import Staged
from leadscore.proposals import propose
from leadscore.store.version import StoreVersion, read_parts
from leadscore.tables import TABLES
from leadscore.times import DAY_US, SECOND_US, format_us

LEAST_ALLOWED_US = 10 * DAY_US  # offices close between the years
USUAL_SHARE = 0.95  # of the gaps between days with facts; a gap of twice this length is unusual
RECENT_US = 365 * DAY_US  # the pace of a feed is that of its last year
NEVER_PLANNED = ("leads", "stages", "changes")  # unlike meetings and expected closes


def read_modified(path: Path) -> int:
    """When a file was last written, in UTC microseconds."""
    return path.stat().st_mtime_ns // 1000


def moment_of_files(
    staged: Staged,
    before: StoreVersion | None,
    *,
    clock_us: int | None,
) -> ExportMoment:
    """Of each table the newest modification time of its files; of these the oldest.

    A source that a database answers has the time at which its transaction began.

    Files with the bytes of the ingest before keep its moment: copying does not make them newer.

    Raises:
        UserError: the files seem to have been copied long after the export.
    """
    if before is not None and _is_unchanged(staged, before, clock_us):
        return ExportMoment(before.known_until_us, "the ingest before, of the same files")

    newest = _newest_parts(staged)
    oldest_table = min(newest, key=lambda name: newest[name]["modified_us"])
    part = newest[oldest_table]
    us, file = part["modified_us"], part["file"]
    warnings = []
    if clock_us is not None and us > clock_us:
        warnings.append(
            f"{file} is dated {format_us(us)}, past the clock: known_until is taken as the clock's "
            f"{format_us(clock_us)}; is a clock wrong?"
        )
        us = clock_us
    latest = max(newest.values(), key=lambda part: part["modified_us"])
    if latest["modified_us"] > us + DAY_US:
        warnings.append(
            f"known_until is {format_us(us)}, when the files of {oldest_table} were written last "
            f"({file}), although {latest['file']} is of {format_us(latest['modified_us'])}: what "
            "is newer counts as planned. If all are of one export, give its moment with "
            "--known-until"
        )
    _check_against_facts(staged, us, part)
    return ExportMoment(us, _basis(part), tuple(warnings))


def _basis(part: Part) -> str:
    """What says when a part was exported."""
    if part.get("of_database"):
        return f"the database of {part['source']}"
    return f"the time of {part['file']}"


def _newest_parts(staged: Staged) -> dict[str, Part]:
    """The part of each table whose file was written last."""
    newest = {}
    for name in TABLES:
        parts = [part for _, part in staged.parts_of(name)]
        if parts:
            newest[name] = max(parts, key=lambda part: part["modified_us"])
    return newest


def _is_unchanged(staged: Staged, before: StoreVersion, clock_us: int | None) -> bool:
    """Whether the files have the bytes of a version that the clock does not contradict."""
    if clock_us is not None and before.known_until_us > clock_us:
        return False
    return _contents(staged.parts) == _contents(parts_of_before(before, staged))


def _contents(parts: Sequence[Part]) -> Counter[tuple[str, str]]:
    return Counter((part["source"], part["sha256"]) for part in parts)


def parts_of_before(before: StoreVersion, staged: Staged) -> list[Part]:
    """What the version before was read from; a damaged part is known if its file is read again."""
    now = {part["key"]: part for part in staged.parts}
    parts = []
    for key in read_parts(before):
        part = now.get(key)
        if part is None:
            part = read_part_file(part_path(before.folder, key))
        if part is not None:
            parts.append(part)
    return parts


def _check_against_facts(staged: Staged, us: int, part: Part) -> None:
    """Refuse a time long after the last fact: a file was copied, or a database is not filled."""
    days = _days_of_facts(staged, TABLES, us)
    if not len(days):
        return
    unplanned = _days_of_facts(staged, NEVER_PLANNED, us)
    last_unplanned = unplanned[-1] if len(unplanned) else days[0]
    usual_us = _usual_gap_us(days[days <= last_unplanned])
    allowed_us = max(LEAST_ALLOWED_US, 2 * usual_us)
    last_day = _last_before_gap(days[days >= last_unplanned], allowed_us)
    if us - (last_day + DAY_US) <= allowed_us:
        return

    last_fact_us = _last_fact_us(staged, last_day + DAY_US)
    after_last = (last_fact_us // SECOND_US + 1) * SECOND_US
    raise UserError(
        f"nothing says when this export was made, and {_dated(part)} {format_us(us)}, "
        f"{(us - last_day) // DAY_US} days after the last fact, where days with facts are usually "
        f"{max(usual_us // DAY_US, 1)} apart: {_doubt(part)}. For an "
        "archive, put this line at the top of the settings: "
        f"known_until = {format_us(after_last)}, and run `{propose('ingest')}`; if the export is "
        f"as new as that, run `{propose(f'ingest --known-until {format_us(us)}')}`"
    )


def _dated(part: Part) -> str:
    if part.get("of_database"):
        return f"the database of {part['source']} says"
    return f"{part['file']} is dated"


def _doubt(part: Part) -> str:
    if part.get("of_database"):
        return "the job that fills the database may have stopped"
    return "a copied file bears the time of the copy"


def _days_of_facts(staged: Staged, tables: Iterable[str], us: int) -> np.ndarray:
    """The beginnings of the days (UTC) with facts before a moment, rising, int64 (n,)."""
    facts = union_sql(
        f"""SELECT DISTINCT {day_sql()} AS us FROM ({staged.rows_sql(name)}) AS r
        WHERE event_us < {us}"""
        for name in tables
    )
    return read_days(staged.engine, facts)


def _last_fact_us(staged: Staged, end_us: int) -> int:
    """The moment of the last fact before another moment."""
    latest = union_sql(
        f"SELECT MAX(event_us) AS us FROM ({staged.rows_sql(name)}) AS r WHERE event_us < {end_us}"
        for name in TABLES
    )
    return read_number(staged.engine, f"SELECT MAX(us) AS us FROM ({latest}) AS m")


def _usual_gap_us(days: np.ndarray) -> int:
    gaps = np.diff(days[days > days[-1] - RECENT_US])
    if not len(gaps):
        return 0
    return int(np.quantile(gaps, USUAL_SHARE, method="higher"))


def _last_before_gap(days: np.ndarray, allowed_us: int) -> int:
    """The last day that facts reach without a longer gap: what lies beyond one is planned."""
    gaps = np.flatnonzero(np.diff(days) > allowed_us)
    last = gaps[0] if len(gaps) else -1
    return int(days[last])
