"""The files of a delivery: CSV in parts, each with its job, and requests that clear fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadscore.json_files import canonical_json
from leadscore.publish.targets.delta import Changes
from leadscore.publish.targets.kind import Blank, Cell, Json, Kind, Layout, Part, Row

BOM = b"\xef\xbb\xbf"
QUOTED = set('",\r\n')
LF, CRLF = "\n", "\r\n"
CRLF_KINDS = {"dynamics", "pipedrive"}
Files = dict[str, bytes]


@dataclass(frozen=True)
class Table:
    """Rows that fill the same columns."""

    places: tuple[int, ...]
    rows: list[Row]


def build_parts(changes: Changes, layout: Layout) -> tuple[Files, list[Part]]:
    """All files by name, and the parts among them that hold rows."""
    files: Files = {}
    parts: list[Part] = []
    has_requests = layout.kind.requests is not None and not layout.empty_erases
    rows = [*changes.scored]
    if not has_requests:
        rows += changes.cleared

    for table in _group(rows, layout):
        for data, columns, n in _split(table, layout):
            number = len(parts) + 1
            part = Part(f"scores-{number:03d}.csv", columns, n)
            parts.append(part)
            job = layout.kind.job(layout, part)
            files[part.name] = data
            files[job_name(part.name)] = canonical_json(job)
    if has_requests:
        files |= _build_requests(changes, layout, parts)
    return files, parts


def job_name(name: str) -> str:
    """The name of the job of a file.

    >>> job_name("scores-001.csv")
    'scores-001.job.json'
    """
    return f"{name.rpartition('.')[0]}.job.json"


def _group(rows: Iterable[Row], layout: Layout) -> list[Table]:
    """Rows by the columns that they fill, where no cell can leave a field as it is."""
    if layout.can_keep:
        everything = tuple(range(len(layout.fields)))
        whole = Table(everything, list(rows))
        return [whole] if whole.rows else []

    groups: dict[tuple[int, ...], Table] = {}
    for row in rows:
        filled = [place for place, cell in enumerate(row.cells) if cell is not Blank.KEEP]
        places = tuple(filled)
        table = groups.setdefault(places, Table(places, []))
        table.rows.append(row)
    return list(groups.values())


def _split(table: Table, layout: Layout) -> Iterator[tuple[bytes, tuple[str, ...], int]]:
    """The bytes, columns and number of rows of each file."""
    names = [layout.fields[place].name for place in table.places]
    columns = (layout.key, *layout.constants, *names)
    end = CRLF if layout.kind.name in CRLF_KINDS else LF
    head = _write_line(columns, end)
    if layout.bom:
        head = BOM + head

    lines: list[bytes] = []
    size = len(head)
    for row in table.rows:
        line = _write_line(_texts(row, table, layout), end)
        is_too_large = size + len(line) > layout.max_bytes
        is_full = is_too_large or len(lines) >= layout.kind.max_rows
        if is_full and lines:
            yield head + b"".join(lines), columns, len(lines)
            lines = []
            size = len(head)
        lines.append(line)
        size += len(line)
    yield head + b"".join(lines), columns, len(lines)


def _texts(row: Row, table: Table, layout: Layout) -> list[str]:
    cells = [row.cells[place] for place in table.places]
    texts = [_text(cell, layout.kind) for cell in cells]
    return [row.key, *layout.constants.values(), *texts]


def _text(cell: Cell, kind: Kind) -> str:
    if isinstance(cell, str):
        return cell
    return kind.clear if cell is Blank.CLEAR else ""


def _write_line(texts: Sequence[str], end: str) -> bytes:
    quoted = [quote(text) for text in texts]
    line = ",".join(quoted) + end
    return line.encode()


def quote(text: str) -> str:
    """A value as CSV has it, in quotes where it needs them."""
    is_plain = QUOTED.isdisjoint(text) and text == text.strip()
    if is_plain:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _build_requests(changes: Changes, layout: Layout, parts: list[Part]) -> Files:
    """The file of requests that clear fields, one JSON object a line; none if nothing is cleared."""
    write = layout.kind.requests
    rows = [*changes.emptied, *changes.cleared]
    if write is None or not rows:
        return {}
    lines = [_one_line(request) for request in write(layout, rows)]
    part = Part("clears-001.jsonl", (layout.key,), len(rows))
    parts.append(part)
    return {part.name: "".join(lines).encode()}


def _one_line(request: Json) -> str:
    return json.dumps(request, ensure_ascii=False, sort_keys=True) + "\n"
