"""How one file writes its values: its decimal mark, its dates and its time zone."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from leadscore.errors import DecimalMarkError
from leadscore.ingest.mapping.durations import UNITS
from leadscore.ingest.mapping.entries import changed_numbers, table_of
from leadscore.ingest.mapping.numbers import detect_decimal
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import FILE, SourceFile
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings


class ValueFormat:
    """How a file writes its values, as far as its batches have shown it.

    Args:
        file: what is read.
        settings: of the project.
        entries: the mapping entries of its source.
        personal: hashes personal columns.
    """

    def __init__(
        self,
        file: SourceFile,
        settings: Settings,
        entries: list[Mapping],
        *,
        personal: PersonalHash,
    ) -> None:
        self.file = file
        self.settings = settings
        self.entries = entries
        self.personal = personal
        self.source = settings.origins()[file.source]
        self.shows_decimal = False

    def reader_of(self, texts: Texts, typed: frozenset[str], *, before: Reader | None) -> Reader:
        """How the file writes values, once a batch is known.

        If settings do not state the decimal mark, the first batch that shows one does: the numbers
        before it have no mark, and read alike with either.
        """
        if before is not None and self.shows_decimal:
            return before
        reader = before or self._begin(texts)
        decimal = self.source.decimal or self._detect_decimal(texts, typed, reader)
        self.shows_decimal = decimal is not None
        return replace(reader, decimal=decimal or ".")

    def _begin(self, texts: Texts) -> Reader:
        """How the file writes values, but for the decimal mark."""
        is_view = self.file.source in self.settings.views
        return Reader(
            source=self.file.source,
            file=self.file.name,
            zone=self.source.timezone or self.settings.timezone,
            dates=self.source.dates,
            decimal=".",
            personal=self.personal,
            is_only_file=self._is_only_file(),
            rows_name_file=is_view and FILE in texts.columns,
        )

    def _is_only_file(self) -> bool:
        """Whether the source is this file, rather than a folder or a pattern."""
        source = self.settings.sources.get(self.file.source)
        if source is None or source.path is None:
            return True
        return self.file.name == source.path

    def _detect_decimal(
        self,
        texts: Texts,
        typed: frozenset[str],
        reader: Reader,
    ) -> str | None:
        numbers: dict[str, pa.Array] = {}
        for entry in self.entries:
            if entry.table == "changes":
                numbers |= changed_numbers(texts, entry, self.settings, reader)
        for entry in self.entries:
            numbers |= {name: texts.columns[name] for name in self._number_columns(entry)}
        if self.source.keep is not None:
            column = self.source.keep.column
            numbers[column] = texts.columns[column]

        written = {name: numbers[name] for name in sorted(numbers.keys() - typed)}
        stored = {name: numbers[name] for name in sorted(numbers.keys() & typed)}
        try:
            return detect_decimal(written, typed=stored)
        except DecimalMarkError as e:
            raise self.file.refusal(str(e)) from e

    def _number_columns(self, entry: Mapping) -> list[str]:
        """The columns of the source that an entry reads numbers from."""
        table = table_of(entry.table, self.settings)
        numbers = {column.name for column in table.columns if column.type == "number"} | {*UNITS}
        columns = entry.columns.items()
        return [source_column for name, source_column in columns if name in numbers]
