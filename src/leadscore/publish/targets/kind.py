"""What a kind of target is: a contract as data, and the functions that write its job and requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default_of
from enum import Enum
from typing import Any

Json = dict[str, Any]


class Blank(Enum):
    """A cell without a value."""

    CLEAR = "clear"  # the field there becomes empty
    KEEP = "keep"  # the field there stays as it is


Cell = str | Blank


@dataclass(frozen=True)
class Row:
    """A lead as a target holds it: the value of its key field, and a cell for every field."""

    key: str
    cells: tuple[Cell, ...]

    def written(self, layout: Layout) -> Iterator[tuple[str, str | None]]:
        """The fields that do not stay as they are, with their texts; None is a clear."""
        for field, cell in zip(layout.fields, self.cells, strict=True):
            if cell is not Blank.KEEP:
                yield field.name, cell if isinstance(cell, str) else None


@dataclass(frozen=True)
class TargetField:
    """A field of a target, and the column of the scores that fills it."""

    column: str
    name: str


@dataclass(frozen=True)
class Kind:
    """A contract.

    Attributes:
        name: of the kind.
        object: what a row updates, by default.
        preset_object: the same where the leads were read with the preset of that CRM.
        key: the field that holds `lead_id`, by default.
        own_key: the CRM's own record id.
        fields: score column -> field, by default.
        types: type of a value -> how the CRM calls the type of its field.
        text_length: the longest text, in UTF-16 units.
        clear: how a cell says that the field becomes empty.
        empty_erases: whether an empty cell erases; otherwise it leaves the field as it is.
        bom: whether files begin with a byte order mark.
        moment: how a moment is written, for `strftime`; {ms} stands for three digits.
        is_dated: whether moments are written as dates.
        decimals: of numbers, where they differ from those published; None is full precision.
        codes: column -> value -> what stands for it there.
        limits: field -> the range that its values are clamped to.
        max_bytes, max_rows: of a file.
        job: the job or import request of a file.
        requests: what writes the cells of rows where no file can, one request an item.
        key_problem: why a key cannot be one of this target, or "".
        native_key: a key that is not the record id, and that the CRM has already.
        key_note: what there is to say of a key that holds `lead_id`.
        has_fields: whether the CRM has all default fields already.
    """

    name: str
    object: str
    preset_object: str
    key: str
    own_key: str
    fields: Mapping[str, str]
    types: Mapping[str, str]
    job: Callable[[Layout, Part], Json]
    text_length: int = 255
    clear: str = ""
    empty_erases: bool = True
    bom: bool = False
    moment: str = "%Y-%m-%dT%H:%M:%S.{ms}Z"
    is_dated: bool = False
    decimals: Mapping[str, int | None] = default_of(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = default_of(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = default_of(default_factory=dict)
    max_bytes: int = 100_000_000
    max_rows: int = 1_000_000
    requests: Callable[[Layout, Sequence[Row]], Iterator[Json]] | None = None
    key_problem: Callable[[Layout, str], str] = lambda _, __: ""
    native_key: str = ""
    key_note: str = "; fill it once, before the first import"
    has_fields: bool = False


@dataclass(frozen=True)
class Layout:
    """A target of the settings with all defaults filled in.

    Attributes:
        target: its name in the settings.
        kind: its contract.
        object: what a row updates.
        key: the field that holds the key.
        key_prefix: what a key begins with, before lead_id.
        constants: further columns of the key -> their one value.
        fields: in the order of the file.
        text_length, max_bytes: limits.
        empty_erases, bom, moment: facts about the CRM that the settings may state.
        tolerance: how much a value may change without being written again.
        valid_days: how long a score may be trusted.
    """

    target: str
    kind: Kind
    object: str
    key: str
    key_prefix: str
    constants: Mapping[str, str]
    fields: tuple[TargetField, ...]
    text_length: int
    max_bytes: int
    empty_erases: bool
    bom: bool
    moment: str
    tolerance: float
    valid_days: float

    @property
    def can_keep(self) -> bool:
        """Whether a cell can leave a field as it is."""
        return bool(self.kind.clear) or not self.empty_erases

    @property
    def is_own_key(self) -> bool:
        """Whether rows are found by the CRM's own record id."""
        return self.key == self.kind.own_key

    def describe(self) -> Json:
        """What decides the bytes of the files, as JSON."""
        return {
            "kind": self.kind.name,
            "object": self.object,
            "key": self.key,
            "key_prefix": self.key_prefix,
            "constants": dict(self.constants),
            "fields": [[item.column, item.name] for item in self.fields],
            "text_length": self.text_length,
            "max_bytes": self.max_bytes,
            "empty_erases": self.empty_erases,
            "bom": self.bom,
            "moment": self.moment,
            "tolerance": self.tolerance,
            "valid_days": self.valid_days,
        }


@dataclass(frozen=True)
class Part:
    """A file of a delivery: its name, its header and how many rows it has."""

    name: str
    columns: tuple[str, ...]
    rows: int
