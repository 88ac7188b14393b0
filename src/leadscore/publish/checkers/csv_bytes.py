"""CSV read from bytes as strictly as an import reads it: every record with its line, every fault named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from leadscore.publish.checkers.problem import Problem

BOM = b"\xef\xbb\xbf"
# controls but LF and CR, direction marks, and characters that are none
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
APOSTROPHE = re.compile(r"^'[=+\-@]")
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class Record:
    """A row: the line on which it begins, its values, and how it ends."""

    line: int
    values: tuple[str, ...]
    ending: str


@dataclass
class Table:
    """A file: its header, its rows, and what is wrong with it as CSV."""

    header: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, name: str, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, name, reason))

    def column(self, name: str) -> Iterator[tuple[int, str]]:
        """Line and value of a column; nothing where it does not exist."""
        if name not in self.header:
            return
        place = self.header.index(name)
        for record in self.records:
            if len(record.values) == len(self.header):
                yield record.line, record.values[place]


def read_table(data: bytes, *, ending: str, bom: bool | None, delimiter: str = ",") -> Table:
    """The table in a file.

    Args:
        data: the bytes.
        ending: LF or CRLF.
        bom: whether a byte order mark must be there (True), must not (False), or may (None).
        delimiter: between values.
    """
    table = Table()
    has_bom = data.startswith(BOM)
    if bom is not None and has_bom != bom:
        words = "begins with a byte order mark" if has_bom else "has no byte order mark"
        table.refuse(1, "", f"the file {words}")
    text = _decode(data[len(BOM) :] if has_bom else data, table)
    if text is None:
        return table
    records = list(_read_records(text, table, delimiter))
    if not records:
        table.refuse(0, "", "the file is empty")
        return table
    table.header, table.records = records[0].values, records[1:]
    _check_endings(records, ENDINGS[ending], ending, table)
    _check_header(table)
    _check_shape(table)
    _check_values(table)
    return table


def _decode(data: bytes, table: Table) -> str | None:
    try:
        return data.decode("utf-8", errors="strict")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        table.refuse(line, "", f"not UTF-8: byte 0x{data[e.start]:02x}")
        return None


@cache
def _pattern(delimiter: str) -> re.Pattern[str]:
    """A value and what follows it: a delimiter, the end of a line, or of the file."""
    mark = re.escape(delimiter)
    quoted = r'"([^"]*(?:""[^"]*)*)"'
    plain = rf'([^"{mark}\r\n]*)'
    return re.compile(rf"(?:{quoted}|{plain})({mark}|\r\n|\n|\r|\Z)")


def _read_records(text: str, table: Table, delimiter: str) -> Iterator[Record]:
    """The records, header included; a line that is no CSV is refused and passed over."""
    pattern = _pattern(delimiter)
    place, line, begin = 0, 1, 1
    values: list[str] = []
    while place < len(text) or values:
        match = pattern.match(text, place)
        if match is None:
            table.refuse(line, "", "a quote within or beside a value that is not quoted as a whole")
            place = _next_line(text, place)
            line += 1
            begin, values = line, []
            continue
        quoted, plain, end = match.groups()
        values.append(plain if quoted is None else quoted.replace('""', '"'))
        line += _count_breaks(match.group())
        place = match.end()
        if end != delimiter:
            yield Record(begin, tuple(values), end)
            begin, values = line, []
        if place >= len(text) and end != delimiter:
            return


def _next_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _count_breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _check_endings(records: list[Record], ending: str, name: str, table: Table) -> None:
    for record in records[:-1]:
        if record.ending != ending:
            table.refuse(record.line, "", f"the line does not end with {name}")
    if records[-1].ending not in {ending, ""}:
        table.refuse(records[-1].line, "", f"the line does not end with {name}")


def _check_header(table: Table) -> None:
    counts = Counter(name.casefold() for name in table.header)
    for name, n in counts.items():
        if n > 1:
            table.refuse(1, name, "the column is there twice")
    for name in table.header:
        if not name or name != name.strip():
            table.refuse(1, name, "the name is empty, or has a blank beside it")


def _check_shape(table: Table) -> None:
    width = len(table.header)
    for record in table.records:
        if len(record.values) != width:
            reason = f"{len(record.values)} values; the header has {width} columns"
            table.refuse(record.line, "", reason)


def _check_values(table: Table) -> None:
    """Refuse hidden characters, and what is meant for spreadsheets."""
    for record in table.records:
        for name, value in zip(table.header, record.values, strict=False):
            if value.isalnum():
                continue
            hidden = FORBIDDEN.search(value)
            if hidden:
                reason = f"holds the hidden character U+{ord(hidden.group()):04X}"
                table.refuse(record.line, name, reason)
            if APOSTROPHE.match(value):
                reason = "begins with an apostrophe, which would be imported as text"
                table.refuse(record.line, name, reason)
