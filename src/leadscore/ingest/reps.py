"""Reads the list of reps: who is there now, what each can take, and for whom."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from leadscore.errors import MissingColumnsError, SourceFormatError, TimeFormatError, UserError
from leadscore.files import hash_file
from leadscore.ingest.mapping.moments import read_moments
from leadscore.ingest.mapping.numbers import read_numbers
from leadscore.ingest.readers.batch import Batch, SourceFile
from leadscore.ingest.readers.sources import detect_dialect, find_files, read_file
from leadscore.settings.routing import RoutingSettings
from leadscore.settings.settings import Settings
from leadscore.settings.source import Source
from leadscore.tables import CRITERIA, REPS
from leadscore.times import parse_moment
from leadscore.wording import list_problems

NEEDED = {"rep_id", "capacity"}
PERIODS = ("day", "week", "month")
MILLION = 1_000_000


def read_reps(routing: RoutingSettings, settings: Settings) -> tuple[pa.Table, str]:
    """The reps in the shape of `REPS`, by rep_id, and the SHA-256 of their file.

    Values of a list stand between `;` or `|`; an empty list means any. A bare date as `away_from` means its begin, as
    `away_until` its end, in the settings' zone; one without the other means since ever, or until further notice.

    Raises:
        UserError: there is no such file, or a row of it is wrong; all such rows are named.
        SourceFormatError: it cannot be read, or names nobody.
        MissingColumnsError: it has no rep_id or capacity.
    """
    source = Source(path=routing.reps)
    file = find_files("routing.reps", source, folder=settings.input_folder)[0]
    batches = _read(file, source)
    problems = [(line, problem) for batch in batches for line, problem in batch.malformed]
    rows = [
        row | {"line": line}
        for batch in batches
        for line, row in zip(batch.lines.tolist(), batch.columns.to_pylist(), strict=True)
    ]
    if not rows and not problems:
        raise SourceFormatError("routing.reps", file.name, "names nobody")
    counts = Counter(row["rep_id"] for row in rows)
    reps = []
    for row in rows:
        rep, wrong = _read_rep(row, routing, zone=settings.timezone)
        if counts[row["rep_id"]] > 1:
            wrong.append(f"rep_id {row['rep_id']!r} is there {counts[row['rep_id']]} times")
        problems += [(row["line"], each) for each in wrong]
        reps.append(rep)
    if problems:
        raise UserError(f"cannot route with {file.name}: {list_problems(problems)}")
    return pa.Table.from_pylist(reps, schema=REPS).sort_by("rep_id"), hash_file(file.path)


def read_rep_names(settings: Settings) -> frozenset[str]:
    """Ids and names of the list of reps; none where there is no list, or it cannot be read: scoring says so."""
    if settings.routing is None:
        return frozenset()
    try:
        reps, _ = read_reps(settings.routing, settings)
    except UserError:
        return frozenset()
    values = reps["rep_id"].to_pylist() + reps["name"].to_pylist()
    return frozenset(value for value in values if value)


def _read(file: SourceFile, source: Source) -> list[Batch]:
    """The file's rows; of columns that it need not have, only those that it has."""
    columns = [name for name in REPS.names if name != "line"]
    dialect = detect_dialect(file, source)
    try:
        return list(read_file(file, source, columns=columns, dialect=dialect))
    except MissingColumnsError as e:
        if NEEDED & set(e.missing):
            raise
        there = [name for name in columns if name not in e.missing]
        return list(read_file(file, source, columns=there, dialect=dialect))


def _read_rep(
    row: dict[str, Any], routing: RoutingSettings, *, zone: str
) -> tuple[dict[str, Any], list[str]]:
    """A rep, and what is wrong with the row."""
    wrong: list[str] = []
    lists = {name: _split(row.get(name, "")) for name in CRITERIA}
    rep = lists | {
        "line": row["line"],
        "rep_id": row["rep_id"],
        "name": row.get("name") or None,
        "team": row.get("team") or None,
        "period": row.get("period") or None,
        "capacity": _whole(row, "capacity", wrong),
        "load": _whole(row, "load", wrong, missing=0),
        "min_share": _share(row, "min_share", wrong, missing=0.0),
        "max_share": _share(row, "max_share", wrong, missing=1.0),
        "away_from": _moment(row, "away_from", wrong, zone=zone),
        "away_until": _moment(row, "away_until", wrong, zone=zone),
    }
    if not row["rep_id"]:
        wrong.append("has no rep_id")
    if rep["period"] not in (None, *PERIODS):
        wrong.append(f"period must be day, week or month, got {rep['period']!r}")
    if None not in (rep["away_from"], rep["away_until"]) and rep["away_until"] < rep["away_from"]:
        wrong.append(f"the leave ends before it begins: {row['away_from']} to {row['away_until']}")
    compared = routing.match.columns()
    wrong += [
        f"has {name}, but routing.match does not say which field of a lead they are compared with"
        for name in CRITERIA
        if lists[name] and name not in compared
    ]
    return rep, wrong


def _split(text: str) -> list[str]:
    return [word for each in text.replace("|", ";").split(";") if (word := each.strip())]


def _number(text: str, *, decimals: int) -> int | None:
    values, ok = read_numbers(pa.array([text], pa.string()), decimals=decimals, decimal=".")
    return int(values[0]) if ok[0] else None


def _whole(row: dict[str, Any], name: str, wrong: list[str], *, missing: int | None = None) -> int:
    text = row.get(name, "")
    value = missing if not text and missing is not None else _number(text, decimals=0)
    if value is None or value < 0:
        wrong.append(f"{name} must be a number of leads, 0 or more, got {text!r}")
        return 0
    return value


def _share(row: dict[str, Any], name: str, wrong: list[str], *, missing: float) -> float:
    text = row.get(name, "")
    value = _number(text, decimals=6) if text else round(missing * MILLION)
    if value is None or not 0 <= value <= MILLION:
        wrong.append(f"{name} must be a share from 0 to 1, got {text!r}")
        return missing
    return value / MILLION


def _moment(row: dict[str, Any], name: str, wrong: list[str], *, zone: str) -> int | None:
    """UTC microseconds, or None."""
    text = row.get(name, "")
    if not text:
        return None
    us, ok = read_moments(pa.array([text], pa.string()), zone=zone, dates=None)
    try:
        if not ok[0]:
            raise TimeFormatError(text)
        return parse_moment(text, zone=zone) if name == "away_from" else int(us[0])
    except TimeFormatError as e:
        wrong.append(f"{name}: {e}")
        return None
