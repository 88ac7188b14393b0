"""Reads JSON Lines: one object a line; the value at `{"a": {"b": 1}}` is in the column `a.b`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from leadscore.ingest.readers.batch import Batch, SourceFile, pick_columns, trim_columns
from leadscore.ingest.readers.json_values import BadLineError, Number, read_row
from leadscore.ingest.readers.text import read_text, split_lines
from leadscore.settings.source import Source

BATCH_ROWS = 20_000  # they wait as Python objects, so there are fewer than of other files
ENCODING = "utf-8"
Fields = dict[str, str]  # column -> text


@dataclass
class _Rows:
    """Rows collected one by one, until they make a batch."""

    columns: list[str]
    lines: list[int] = field(default_factory=list)
    rows: list[Fields] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines) + len(self.malformed)

    def add(self, line: int, row: Fields) -> None:
        self.lines.append(line)
        self.rows.append(row)

    def to_batch(self) -> Batch:
        texts = {}
        for name in self.columns:
            texts[name] = [row.get(name, "") for row in self.rows]
        arrays = [pa.array(column, pa.string()) for column in texts.values()]
        typed = frozenset(name for name, column in texts.items() if _are_numbers(column))
        lines = np.array(self.lines, dtype=np.int64)
        return Batch(lines, trim_columns(arrays, self.columns), self.malformed, typed)


def read_json_lines(file: SourceFile, source: Source, *, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a file, batch by batch; a column exists if any row has it.

    A line that is no JSON object is malformed, a blank line is no row.

    Raises:
        SourceFormatError: it is not of its encoding, or no line is a JSON object.
        MissingColumnsError: no row has one of the columns.
    """
    names: dict[str, None] = {}
    rows = _Rows(list(columns))
    for line, parsed in _parse_lines(file, source):
        if isinstance(parsed, str):
            rows.malformed.append((line, parsed))
        else:
            names |= dict.fromkeys(parsed)
            rows.add(line, parsed)
        if len(rows) >= BATCH_ROWS:
            yield rows.to_batch()
            rows = _Rows(list(columns))

    if not names and rows.malformed:
        line, problem = rows.malformed[0]
        raise file.refusal(f"has no line that is a JSON object: line {line} {problem}")
    pick_columns(file, list(names), columns)
    if len(rows):
        yield rows.to_batch()


def read_json_names(file: SourceFile, source: Source) -> list[str]:
    """The names of all columns that any row of a file has, in the order of their first row."""
    names: dict[str, None] = {}
    for _, parsed in _parse_lines(file, source):
        if not isinstance(parsed, str):
            names |= dict.fromkeys(parsed)
    return list(names)


def _parse_lines(file: SourceFile, source: Source) -> Iterator[tuple[int, Fields | str]]:
    """Every line that is not blank: its number, and its values or what is wrong with it."""
    blocks = read_text(file, encoding=source.encoding or ENCODING)
    has_begun = False
    lines = split_lines(file, blocks, line=1)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not has_begun and line.lstrip().startswith("["):
            raise file.refusal(
                "holds one JSON list; write one object a line, for example with jq -c '.[]'"
            )
        has_begun = True
        try:
            yield number, read_row(line)
        except BadLineError as e:
            yield number, str(e)


def _are_numbers(texts: Sequence[str]) -> bool:
    """Whether a column holds nothing but numbers, and not only missing values."""
    kinds = {type(text) for text in texts if text}
    return kinds == {Number}
