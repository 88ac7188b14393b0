"""The rows of a batch that an entry selected, and the text that it gives to each of our columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.breaks import Breaks
from leadscore.ingest.mapping.ids import join_ids
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, Words, is_missing
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings
from leadscore.tables import Table

ValueMap = dict[str, dict[str, str]]  # a source's value -> our columns -> their texts


@dataclass(frozen=True)
class SelectedRows:
    """Rows (n,) that one mapping entry selected; `breaks` collects the rules that they break."""

    entry: Mapping
    table: Table
    settings: Settings
    reader: Reader
    lines: np.ndarray
    texts: Texts
    breaks: Breaks

    def fills(self, name: str) -> bool:
        """Whether the entry gives one of our columns any value."""
        return name in self.entry.targets()

    def source_name(self, name: str) -> str:
        """What the file calls one of our columns."""
        return self.entry.columns.get(name, name)

    def text(self, name: str) -> pa.Array:
        """Our column as text: a column of the source, a constant, or a translated column."""
        if name in self.entry.columns:
            return self.texts.columns[self.entry.columns[name]]
        if name == "lead_id" and self.entry.id_columns:
            return join_ids(self.parts_of_id())

        constant = self.entry.constants.get(name, MISSING)
        value = pa.scalar(constant)
        text = pa.repeat(value, self.texts.n)
        for source_column, value_map in self.entry.values.items():
            if any(name in targets for targets in value_map.values()):
                translated = self._translate(source_column, value_map, name)
                text = _fill_from(translated, text)
        return text

    def parts_of_id(self) -> list[pa.Array]:
        """The texts (n,) of every column that holds a part of the lead's id."""
        columns = self.entry.columns_of_id()
        return [self.texts.columns[name] for name in columns]

    def _translate(self, source_column: str, value_map: ValueMap, name: str) -> pa.Array:
        """The text that a value map gives our column; an unknown value breaks a rule."""
        words = self.texts.words(source_column)
        targets = [_look_up(value_map, word, name) for word in words.texts]
        unknown = words.mask([target is None for target in targets])
        values = self.texts.columns[source_column]
        may_warn = not self._is_required(name)
        self.breaks.add(unknown, "unmapped", source_column, values, may_warn=may_warn)
        return words.take([target or MISSING for target in targets])

    def _is_required(self, name: str) -> bool:
        required = [column.name for column in self.table.columns if column.required]
        return name in required

    def closes(self) -> np.ndarray:
        """Which rows (n,), were they read, would close their lead."""
        if self.table.name == "stages":
            words = Words.of(self.text("stage"))
            closing = self.settings.stages.closing()
            return words.mask([word in closing for word in words.texts])
        is_outcome = self.table.name == "outcomes"
        return np.full(self.texts.n, is_outcome)


def _look_up(value_map: ValueMap, value: str, name: str) -> str | None:
    """What a value maps to: by itself, else by its longest prefix; None if it is unknown."""
    if value in value_map:
        return value_map[value].get(name, MISSING)
    if value == MISSING:
        return None

    all_patterns = [key for key in value_map if key.endswith("*")]
    patterns = [key for key in all_patterns if value.startswith(key[:-1])]
    if not patterns:
        return None
    longest = max(patterns, key=len)
    return value_map[longest].get(name, MISSING)


def _fill_from(text: pa.Array, other: pa.Array) -> pa.Array:
    """The text, and where it is missing the other one."""
    if not is_missing(text).any():
        return text
    return pc.if_else(pc.equal(text, MISSING), other, text)
