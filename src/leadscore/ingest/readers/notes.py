"""What a Parquet file of ours notes on its columns of text: what they were in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

NOTES = "leadscore.columns"


@dataclass(frozen=True)
class ColumnNotes:
    """Columns of text that were no text.

    Attributes:
        numbers: those that hold nothing but numbers.
        without_text: those with values that have no text, such as bytes, and their type.
    """

    numbers: frozenset[str] = frozenset()
    without_text: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The notes as a file holds them."""
        return {"numbers": sorted(self.numbers), "without_text": self.without_text}


def read_notes(path: Path) -> ColumnNotes:
    """The notes of a file that an extract wrote."""
    metadata = pq.read_metadata(path).metadata
    notes = json.loads(metadata[NOTES.encode()])
    return ColumnNotes(frozenset(notes["numbers"]), notes["without_text"])
