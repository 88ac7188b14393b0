"""Since when nightly exports record each column of leads, and how many leads changed since."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier
from leadscore.ingest.differences.blocks import block_schema, read_blocks
from leadscore.settings.settings import Settings
from leadscore.store.objects import part_paths
from leadscore.store.version import StoreVersion
from leadscore.tables import TEXT_CHANGES


@dataclass(frozen=True)
class Record:
    """What the exports behind a store version recorded of the columns of leads.

    Attributes:
        since_us: column -> known_until of the first export that had a value in it.
        changed: column -> the leads that showed another text later.
    """

    since_us: dict[str, int] = field(default_factory=dict)
    changed: dict[str, frozenset[str]] = field(default_factory=dict)

    def since_of(self, columns: Collection[str]) -> int | None:
        """The first export that had a value in one of these columns; None if none had."""
        moments = [self.since_us[column] for column in columns if column in self.since_us]
        return min(moments, default=None)

    def changed_of(self, columns: Collection[str]) -> int:
        """How many leads changed in one of these columns since the first export."""
        leads = [self.changed.get(column, frozenset()) for column in columns]
        return len(frozenset().union(*leads))


def columns_of(name: str, settings: Settings) -> set[str]:
    """The columns of sources or views that a field of leads is read from."""
    entries = settings.entries("leads")
    return {entry.columns[name] for entry in entries if name in entry.columns}


def read_record(engine: Engine, version: StoreVersion, columns: Collection[str]) -> Record:
    """What a version and its ancestors recorded of some columns; other branches do not count."""
    record = Record()
    _read_first_rows(engine, version, columns, record.since_us)
    _read_text_changes(engine, version, columns, record)
    return record


def _read_first_rows(
    engine: Engine,
    version: StoreVersion,
    columns: Collection[str],
    since_us: dict[str, int],
) -> None:
    """Add the first export of each column, by the first rows of leads that have it."""
    if "first_seen" not in version.manifest:  # the first versions kept none
        return
    for place, block in enumerate(read_blocks(version)):
        paths = part_paths(version.folder, block.entry)
        engine.add_files(f"recorded_{place}", paths, schema=block_schema(len(block.columns)))
        for column in sorted(set(columns) & set(block.columns)):
            cell = identifier(block.cells[column])
            rows = engine.query(
                f"""SELECT MIN(known_until_us) AS us FROM recorded_{place}
                WHERE {cell} IS NOT NULL AND {cell} <> ''"""
            )
            first_us = rows["us"][0].as_py()
            if first_us is not None:
                since_us[column] = min(first_us, since_us.get(column, first_us))


def _read_text_changes(
    engine: Engine,
    version: StoreVersion,
    columns: Collection[str],
    record: Record,
) -> None:
    """Add the columns that appeared later, and the leads whose text changed after that."""
    if "text_changes" not in version.manifest:
        return
    paths = part_paths(version.folder, version.manifest["text_changes"])
    engine.add_files("recorded_changes", paths, schema=TEXT_CHANGES)
    rows = engine.query(
        """SELECT "column" AS name, MIN(known_until_us) AS us
        FROM recorded_changes GROUP BY "column" """
    )
    for row in rows.to_pylist():
        name = row["name"]
        if name in columns:
            earlier_us = record.since_us.get(name, row["us"])
            record.since_us[name] = min(row["us"], earlier_us)

    changes = engine.query(
        'SELECT DISTINCT lead_id, "column" AS name, known_until_us AS us FROM recorded_changes'
    ).to_pandas()
    for name, rows_of_column in changes.groupby("name"):
        if name in columns:
            is_later = rows_of_column["us"] > record.since_us[str(name)]
            record.changed[str(name)] = frozenset(rows_of_column["lead_id"][is_later])
