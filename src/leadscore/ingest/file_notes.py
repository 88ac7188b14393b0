"""What was taken for granted about a file, and what the settings could say about the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import Batch
from leadscore.settings.base import Match
from leadscore.settings.mapping import Mapping
from leadscore.wording import counted, listed

# How programs and people write that a value is missing.
MISSING_WORDS = frozenset(
    {
        "#N/A", "#NV", "(blank)", "(leer)", "(no value)", "(No value)", "(null)", "-", "--", "---", "<NA>",
        "<null>", "N.A.", "N/A", "NA", "NULL", "NaN", "NaT", "None", "\\N", "n.a.", "n/a", "na", "nan", "nil",
        "none", "null", "undefined", "00000000", "0000-00-00", "0000-00-00 00:00:00",
        "0000/00/00", "00.00.0000", "00/00/0000", "00-00-0000",
    }
)  # fmt: skip
VALUE_RULES = ("type", "allowed", "unmapped", "money")  # that a value breaks which may mean missing
MOST_FOOTER_ROWS = 30
MOST_VALUES = 10_000  # of a column, for it to be one that rows are selected by


class FileNotes:
    """Notes on a file while it is read."""

    def __init__(self, source: str, file: str, id_column: str | None) -> None:
        self.source = source
        self.file = file
        self.id_column = id_column
        self.header_line: int | None = None  # where the header was found, if not in the first row
        self.renamed: dict[str, str] = {}  # columns that the file lacks -> its own, almost the same
        self.short = 0
        self.surplus = 0
        self.last_line = 0  # of a row that is none of the malformed
        self.malformed: list[tuple[int, str]] = []  # line, first text
        self.broken: Counter[tuple[str, str]] = Counter()  # by our column and word
        self.words: set[str] = set()
        self.rounded: list[str] = []  # ids that lost their last digits
        self.doubt: str | None = None  # of how the text was read
        self.doubts_of_values: tuple[str, ...] = ()
        self.respelled: dict[tuple[str, str], str] = {}  # column and value -> the value of settings
        self.old_values: list[str] = []  # hints at columns with values before a change

    def add_batch(self, batch: Batch) -> None:
        """Note a batch whose ignored rows are gone."""
        self.header_line = batch.header_line or self.header_line
        self.doubts_of_values = batch.doubts or self.doubts_of_values
        self.short += batch.short
        self.surplus += batch.surplus
        if len(batch.lines):
            last = int(batch.lines[-1])
            self.last_line = max(self.last_line, last)
        if len(self.malformed) > MOST_FOOTER_ROWS:
            return
        rows = zip(batch.malformed, batch.malformed_texts, strict=False)
        for (line, _), texts in rows:
            first = next((text for text in texts if text), "")
            if self.id_column in batch.columns.column_names:
                first = texts[batch.columns.column_names.index(self.id_column)] or ""
            self.malformed.append((line, first))

    def add_values(
        self,
        entries: Sequence[Mapping],
        ignore: Sequence[Match],
        texts: Texts,
    ) -> None:
        """Note values that differ from one of the settings only in their case or blanks."""
        columns = {column for entry in entries for column in entry.where}
        for column in columns:
            named = {value for match in ignore for value in match.get(column, ())}
            for entry in entries:
                for match in (entry.where, entry.where_not, entry.values):
                    named.update(match.get(column, ()))
            patterns = tuple(value[:-1] for value in named if value.endswith("*"))
            spellings = {_fold(value): value for value in sorted(named) if value}

            words = texts.words(column).texts
            if len(words) > MOST_VALUES:
                continue
            for word in words:
                value = spellings.get(_fold(word))
                if value is not None and word not in named and not word.startswith(patterns):
                    self.respelled[column, word] = value

    def add_rejects(self, entry: Mapping, texts: Texts, rejects: pa.Table) -> None:
        """Note the values of an entry's rows that broke a rule, and may stand for missing ones."""
        is_rounded = pc.equal(rejects["rule"], "id_rounded")
        self.rounded += rejects["value"].filter(is_rounded).to_pylist()
        rules = pa.array(VALUE_RULES)
        missing_words = pa.array(sorted(MISSING_WORDS))
        suspects = pc.and_(
            pc.is_in(rejects["rule"], value_set=rules),
            pc.is_in(rejects["value"], value_set=missing_words),
        )
        broken = rejects.filter(suspects)
        if not broken.num_rows:
            return
        columns = broken["column"].to_pylist()
        values = broken["value"].to_pylist()
        self.broken.update(zip(columns, values, strict=True))
        for column in entry.sources():
            self.words |= MISSING_WORDS.intersection(texts.words(column).texts)

    def to_json(self) -> dict[str, Any]:
        """Warnings, and hints at settings, as a part keeps them."""
        warnings = list(self._warnings())
        hints = list(self._hints())
        return {"warnings": warnings, "hints": hints}

    def _warnings(self) -> Iterator[str]:
        if self.header_line is not None:
            yield (
                f"{self.file}: the mapped columns are named in line {self.header_line}; what stands "
                f"before was skipped (header_row = {self.header_line} says the same)"
            )
        for column, other in self.renamed.items():
            yield (
                f"{self.file}: there is no column {column!r}, so it counts as missing; is it "
                f"{other!r}? Then have it called {column!r} in the export, or change the settings"
            )
        if self.short:
            rows = counted(self.short, "row ends", "rows end")
            yield f"{self.file}: {rows} before the last column; what is not there counts as missing"
        if self.surplus:
            rows = counted(self.surplus, "row has", "rows have")
            yield f"{self.file}: {rows} empty values past the last column of the header, left out"

    def _hints(self) -> Iterator[str]:
        if self.doubt:
            yield f"{self.file}: {self.doubt} (in [sources.{self.source}])"
        for doubt in self.doubts_of_values:
            yield f"{self.file}: {doubt}"
        for (column, word), value in sorted(self.respelled.items()):
            yield (
                f"{self.file}: {word!r} in {column!r} is not {value!r}, since values are compared as "
                f"they are written: if it means the same, add it wherever the settings name {value!r}"
            )
        yield from self.old_values
        if self.broken:
            columns = sorted({column for column, _ in self.broken})
            shown = sorted({word for _, word in self.broken})
            values = counted(self.broken.total(), "value", "values")
            yield (
                f"{self.file}: {values} of {listed(columns)} are {listed(shown)}; if that stands for "
                f"a missing value, add to [sources.{self.source}]: missing = "
                f"[{', '.join(_quoted(word) for word in sorted(self.words))}]"
            )
        if self.rounded:
            ids = counted(len(self.rounded), "id", "ids")
            yield (
                f"{self.file}: {ids} such as {self.rounded[0]!r} lost precision in a spreadsheet, "
                "and nothing brings the digits back: export again, and keep the ids as text"
            )
        if self._has_footer():
            words = dict.fromkeys(f"{first.split()[0]}*" for _, first in self.malformed if first)
            match = f"{{ {_quoted(self.id_column or '')} = [{', '.join(map(_quoted, words))}] }}"
            yield (
                f"{self.file}: the last {counted(len(self.malformed), 'row has', 'rows have')} "
                "another number of values than the header; if that is the footer of a report, add "
                f"to [sources.{self.source}]: ignore.footer = {match}"
            )

    def _has_footer(self) -> bool:
        lines = [line for line, _ in self.malformed]
        is_last = bool(lines) and min(lines) > self.last_line > 0
        return is_last and len(lines) <= MOST_FOOTER_ROWS and self.id_column is not None


def _fold(text: str) -> str:
    """A text without the differences of case and blanks."""
    return " ".join(text.casefold().split())


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def notes_of(parts: Iterable[dict[str, Any]], kind: str) -> list[str]:
    """The "warnings" or "hints" of all parts, in their order."""
    return [note for part in parts for note in part["notes"][kind]]


def id_column_of(entries: Sequence[Mapping]) -> str | None:
    """The column that holds the ids of a source's leads, or of its facts; the first of several."""
    ordered = sorted(entries, key=lambda entry: entry.table != "leads")
    return next((column for entry in ordered for column in entry.columns_of_id()), None)
