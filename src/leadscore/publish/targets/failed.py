"""Rows that a CRM refused, read back from its file of results, and written again."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadscore.errors import UserError
from leadscore.files import read_if_there
from leadscore.publish.targets.delivery import Delivery, read_latest, read_state, write_delivery
from leadscore.publish.targets.delta import Changes, State, only_clears
from leadscore.publish.targets.kind import Blank, Layout, Row
from leadscore.publish.targets.parts import build_parts
from leadscore.wording import listed

# how CRMs call the column that says why, the most exact first
REASONS = ("sf__error", "error message", "error", "errors", "message", "reason", "failure reason")
SALESFORCE = re.compile(r"([A-Z][A-Z0-9_]+):(.*?)(?::[^:]*--)?$", re.DOTALL)
NUMBERS = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
EXAMPLES = 5


@dataclass(frozen=True)
class FailedRow:
    """A row of a file of results: its line, its key, "" without one, and why it failed."""

    line: int
    key: str
    reason: str


@dataclass(frozen=True)
class Failures:
    """What a file of results says, row by row."""

    all_rows: tuple[FailedRow, ...]

    @property
    def rows(self) -> int:
        """How many rows failed."""
        return len(self.all_rows)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows, once and in their order."""
        return tuple(dict.fromkeys(row.key for row in self.all_rows if row.key))

    @property
    def without_key(self) -> tuple[int, ...]:
        """The lines of rows that name no record."""
        return tuple(row.line for row in self.all_rows if not row.key)

    def grouped(self) -> dict[str, list[FailedRow]]:
        """Reason -> rows, the most frequent reason first; values in a message count as one."""
        groups: dict[str, list[FailedRow]] = defaultdict(list)
        for row in self.all_rows:
            groups[shorten_reason(row.reason)].append(row)
        reasons = sorted(groups, key=lambda reason: (-len(groups[reason]), reason))
        return {reason: groups[reason] for reason in reasons}


def read_failures(path: Path, layout: Layout) -> Failures:
    """The rows that failed.

    Args:
        path: a CSV of results with the key's column and one that says why: `sf__Error` of
            Salesforce, or `Error`, `Message`, `Reason`.
        layout: of the target.

    Raises:
        UserError: the file does not exist, is no CSV in UTF-8, or has no such columns.
    """
    records = _read_records(path)
    header = records[0][1] if records else []
    reason = header.index(_find_reason(path, header))
    if layout.key not in header:
        raise UserError(
            f"{path} has no column {layout.key!r}, the key of targets.{layout.target}; "
            f"it has {listed(header)}"
        )
    if header.count(layout.key) > 1:
        raise UserError(f"{path} has the column {layout.key!r} twice; delete the wrong one")
    key = header.index(layout.key)
    rows = [
        FailedRow(line, values[key].strip(), values[reason] or "no reason given")
        for line, values in _pad(path, records[1:], len(header))
    ]
    return Failures(tuple(rows))


def _read_records(path: Path) -> list[tuple[int, list[str]]]:
    """The records of a CSV that have values, with the line on which each begins."""
    data = read_if_there(path)
    if data is None:
        raise UserError(f"there is no file {path}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise UserError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from e
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records = []
    line = 1
    try:
        for values in reader:
            if values:
                records.append((line, values))
            line = reader.line_num + 1
    except csv.Error as e:
        raise UserError(
            f"{path}: the record that begins on line {line} is no CSV, perhaps for a quote that "
            f"does not end ({e}); download the file again"
        ) from e
    return records


def _pad(
    path: Path,
    records: Sequence[tuple[int, list[str]]],
    width: int,
) -> Iterator[tuple[int, list[str]]]:
    """The records with empty values at the end of those that are short."""
    for line, values in records:
        if len(values) > width:
            raise UserError(
                f"{path}: line {line} has {len(values)} values, but the header has {width} columns"
            )
        yield line, values + [""] * (width - len(values))


def _find_reason(path: Path, header: Sequence[str]) -> str:
    names = {name.casefold(): name for name in header}
    for name in REASONS:
        if name in names:
            return names[name]
    raise UserError(
        f"{path} has no column that says why a row failed, such as sf__Error, Error or Message; "
        f"it has {listed(header)}"
    )


def shorten_reason(reason: str) -> str:
    """A reason without what differs from row to row.

    >>> shorten_reason("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")
    'REQUIRED_FIELD_MISSING: Required fields are missing: [Name]'
    """
    reason = " ".join(reason.split())
    match = SALESFORCE.fullmatch(reason)
    if match:
        reason = f"{match.group(1)}: {match.group(2).strip()}"
    return NUMBERS.sub("...", reason)


@dataclass(frozen=True)
class Again:
    """Rows written again, None if there were none, and keys that the target was never given."""

    delivery: Delivery | None
    unknown: tuple[str, ...]


def write_again(failures: Failures, layout: Layout, *, folder: Path) -> Again:
    """Write the rows that failed again, as the latest delivery has them.

    They stand in a folder of their own; what the target holds is what it was to hold before.

    Raises:
        UserError: nothing was ever delivered, or with other fields or another key.
        CorruptFileError: the latest delivery is damaged.
    """
    latest = read_latest(folder)
    if latest is None:
        raise UserError(f"targets.{layout.target} was never written; publish a list first")
    if latest.manifest["layout"] != layout.describe():
        raise UserError(
            f"the settings of targets.{layout.target} changed since its latest delivery; write the "
            f"list again: leadscore publish --target {layout.target}"
        )
    state = read_state(latest.id, folder=folder)
    changes = _choose(failures, state)
    known = {held.row.key for held in state.leads.values()}
    unknown = tuple(key for key in failures.keys if key not in known)
    if not changes.scored and not changes.cleared:
        return Again(None, unknown)
    files, parts = build_parts(changes, layout)
    names = ("schema_version", "target", "publication_id", "as_of", "layout")
    facts = {name: latest.manifest[name] for name in names}
    facts |= {
        "mode": "again",
        "base": latest.id,
        "counts": {"written": len(changes.scored), "cleared": len(changes.cleared)},
        "keys": sorted(row.key for row in (*changes.scored, *changes.cleared)),
        "refused": [],
    }
    delivery = write_delivery(folder, facts, layout, files=files, parts=parts, state=state)
    return Again(delivery, unknown)


def _choose(failures: Failures, state: State) -> Changes:
    """The rows of the leads that failed, as the target was to hold them."""
    scored: list[Row] = []
    cleared: list[Row] = []
    keys = set(failures.keys)
    for held in state.leads.values():
        if held.row.key in keys:
            (cleared if held.is_cleared else scored).append(held.row)
    # all of their clears: nobody knows which ones failed
    emptied = tuple(only_clears(row) for row in scored if Blank.CLEAR in row.cells)
    return Changes(tuple(scored), tuple(cleared), emptied, refused=(), unchanged=0, state=state)
