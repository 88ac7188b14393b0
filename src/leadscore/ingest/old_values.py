"""Columns of a log that hold the value before a change, and that no mapping entry reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from leadscore.ingest.readers.rows import Rows
from leadscore.settings.mapping import BEFORE, Mapping

OLD = re.compile(
    r"(old|prev|previous|from)[ _]?(value|stage|stage[ _]?name|status)|(value|stage)[ _]?before",
    re.IGNORECASE,
)


def hint_at_old_values(entries: Sequence[Mapping], rows: Rows) -> Iterator[str]:
    """The lines that would read them, for the entries of a file that maps only new values."""
    unread = [entry for entry in entries if _could_read_old_values(entry)]
    if not unread:
        return
    column = _first_old(rows.names(rows.dialect()))
    if column is None:
        return
    for table in dict.fromkeys(entry.table for entry in unread):
        line = f'{BEFORE[table]} = "{column}"'
        yield (
            f"{rows.file.name}: no entry reads {column!r}; if it holds the value before each change, "
            f"add to the columns of the entry for {table}: {line}, and the first value counts from "
            "creation"
        )


def _could_read_old_values(entry: Mapping) -> bool:
    return entry.table in BEFORE and BEFORE[entry.table] not in entry.columns


def _first_old(names: Iterable[str]) -> str | None:
    return next((name for name in names if OLD.fullmatch(name.strip())), None)
