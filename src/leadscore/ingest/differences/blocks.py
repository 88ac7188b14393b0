"""The first row of each lead, as source text, in blocks of rows with the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from leadscore.ingest.sql import union_sql
from leadscore.ingest.staged import Staged
from leadscore.store.version import StoreVersion


@dataclass(frozen=True)
class Block:
    """First rows of leads that come from one source with the same columns, in exports one by one.

    Attributes:
        source: The source.
        decimal: The mark before decimals in its files.
        columns: Its columns; the stored ones are called c0, c1, ... in this order.
        rows: How many leads it has.
        files: The stored files, each {"sha256", "rows"}.
    """

    source: str
    decimal: str
    columns: list[str]
    rows: int
    files: list[dict[str, Any]]

    @property
    def entry(self) -> dict[str, Any]:
        """The block as JSON, for the manifest."""
        return asdict(self)

    @property
    def cells(self) -> dict[str, str]:
        """The stored column of each column of the source."""
        return {name: f"c{i}" for i, name in enumerate(self.columns)}

    def is_like(self, other: Block) -> bool:
        """Whether rows of the other one can be added."""
        return (
            self.source == other.source
            and self.decimal == other.decimal
            and self.columns == other.columns
        )


def block_schema(width: int) -> pa.Schema:
    """A lead's first row: its id, the known_until of that export, and its columns as c0, c1, ..."""
    fields = [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("known_until_us", pa.int64(), nullable=False),
    ]
    cells = [pa.field(f"c{i}", pa.string()) for i in range(width)]
    return pa.schema(fields + cells)


def read_blocks(before: StoreVersion | None) -> list[Block]:
    """The blocks of a version; none before the first."""
    if before is None:
        return []
    return [Block(**entry) for entry in before.manifest["first_seen"]]


def add_block(blocks: Sequence[Block], new: Block) -> list[Block]:
    """The blocks with the rows of one more, added to the block of its kind if there is one."""
    if not new.rows:
        return [*blocks]
    added = [*blocks]
    for place, block in enumerate(blocks):
        if block.is_like(new):
            rows, files = block.rows + new.rows, block.files + new.files
            added[place] = replace(block, rows=rows, files=files)
            return added
    return [*blocks, new]


def attach_blocks(staged: Staged, blocks: Sequence[Block]) -> None:
    """Make blocks readable as first_0, first_1, ..., and `first_leads`: lead_id, known_until_us."""
    selects = ["SELECT lead_id, available_us AS known_until_us FROM before_leads WHERE 1 = 0"]
    for place, block in enumerate(blocks):
        schema = block_schema(len(block.columns))
        paths = staged.paths(block.entry)
        staged.engine.add_files(f"first_{place}", paths, schema=schema)
        selects.append(f"SELECT lead_id, known_until_us FROM first_{place}")
    staged.engine.add_result("first_leads", union_sql(selects))
