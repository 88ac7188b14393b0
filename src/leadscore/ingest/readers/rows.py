"""The rows that a reading takes: those of a file here, those of a view elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from leadscore.ingest.read_by_views import columns_in_views
from leadscore.ingest.readers.batch import NOTHING_EXPECTED, Batch, Dialect, Expected, SourceFile
from leadscore.ingest.readers.notes import read_notes
from leadscore.ingest.readers.parquet import read_parquet, read_parquet_names
from leadscore.ingest.readers.sources import detect_dialect, read_file, read_names
from leadscore.settings.settings import Settings
from leadscore.settings.source import Source


class Rows(Protocol):
    """Rows with named columns, and the file or view that messages name."""

    @property
    def file(self) -> SourceFile:
        """Where the rows are from."""

    def dialect(self) -> Dialect | None:
        """How a text file is written; None for others."""

    def names(self, dialect: Dialect | None, /) -> list[str]:
        """The names of all columns that can be read as text."""

    def batches(self, columns: Sequence[str], dialect: Dialect | None, /) -> Iterator[Batch]:
        """The named columns, batch by batch."""


def rows_of(file: SourceFile, settings: Settings) -> Rows:
    """The rows of a file of a source, or of what a database answered, kept in a file."""
    if settings.sources[file.source].is_query:
        return RowsOfQuery(file)
    source = settings.sources[file.source]
    return RowsOfFile(file, source, expect(file.source, settings))


@dataclass(frozen=True)
class RowsOfFile:
    """The rows of a file."""

    file: SourceFile
    source: Source
    expected: Expected = NOTHING_EXPECTED

    def dialect(self) -> Dialect | None:
        """How a text file is written, as stated or detected."""
        return detect_dialect(self.file, self.source, self.expected)

    def names(self, dialect: Dialect | None) -> list[str]:
        """The names of all columns that can be read as text."""
        return read_names(self.file, self.source, dialect=dialect, expected=self.expected)

    def batches(self, columns: Sequence[str], dialect: Dialect | None) -> Iterator[Batch]:
        """The named columns, batch by batch."""
        return read_file(
            self.file,
            self.source,
            columns=columns,
            dialect=dialect,
            expected=self.expected,
        )


@dataclass(frozen=True)
class RowsOfQuery:
    """The rows that a database answered, kept in a Parquet file of text."""

    file: SourceFile

    def dialect(self) -> Dialect | None:
        """None: the rows are in no text file."""

    def names(self, _dialect: Dialect | None) -> list[str]:
        """The names of all columns whose values have text."""
        notes = read_notes(self.file.path)
        names = read_parquet_names(self.file)
        return [name for name in names if name not in notes.without_text]

    def batches(self, columns: Sequence[str], _dialect: Dialect | None) -> Iterator[Batch]:
        """The named columns, batch by batch; a row's line is its number.

        Raises:
            SourceFormatError: a column holds what has no text, like bytes.
            MissingColumnsError: there are not all the columns.
        """
        notes = read_notes(self.file.path)
        for name in columns:
            if name in notes.without_text:
                kind = notes.without_text[name]
                raise self.file.refusal(
                    f"has a column {name!r} of {kind}, which cannot be read as text; leave it out, "
                    "or cast it in `sql`"
                )
        for batch in read_parquet(self.file, columns=columns):
            yield replace(batch, typed=notes.numbers)


def expect(source: str, settings: Settings) -> Expected:
    """What the mapping and the views expect of the files of a source.

    A row that ends before the id of a lead, or before the moment of a fact other than a close, is
    damaged: what it lacks is never missing.
    """
    stated = settings.sources[source]
    named = settings.columns_read(source) | columns_in_views(source, settings)
    columns = named.union(stated.stated_columns()) - stated.may_lack()
    needed: set[str] = set()
    for entry in settings.mapping:
        if entry.source == source:
            needed.update(entry.columns_of_id())
            if entry.table != "outcomes" and "event_at" in entry.columns:
                needed.add(entry.columns["event_at"])
    return Expected(frozenset(columns), frozenset(needed & columns) or None)
