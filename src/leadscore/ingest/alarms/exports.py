"""An export and the one before it, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from leadscore.ingest.alarms.compared import Compared, compare_columns
from leadscore.ingest.alarms.deliveries import Deliveries, attach_deliveries, read_parts_of
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.part import Part
from leadscore.ingest.sql import read_number, read_row
from leadscore.ingest.staged import Staged
from leadscore.store.version import StoreVersion


@dataclass(frozen=True)
class RowCounts:
    """How many rows of a table each of two deliveries let into the store."""

    table: str
    before: int
    now: int


@dataclass(frozen=True)
class Exports:
    """This export and the one before, readable on the engine as <table>_now and before_<table>.

    Attributes:
        staged: This export.
        before: The version that the one before made.
        counts: The stored rows of every table.
        pair: The rows of both deliveries as their files state them; None without dates.
        known_until: The moment of this export.
        files: The SHA-256 of every file of this delivery, by name.
        files_before: The same of the delivery before.
    """

    staged: Staged
    before: StoreVersion
    counts: tuple[RowCounts, ...]
    pair: Deliveries | None
    known_until: int
    files: dict[str, str]
    files_before: dict[str, str]

    @cached_property
    def compared(self) -> list[Compared]:
        """The columns of the facts that both deliveries have."""
        return [] if self.pair is None else compare_columns(self.pair)

    @property
    def leads_before(self) -> str:
        """The table of the leads of the delivery before, as its own files stated them.

        Where these cannot be compared it is what was stored: the values that were seen first.
        """
        is_comparable = self.pair is not None and "leads" in self.pair.tables
        return "raw_before_leads" if is_comparable else "before_leads"

    @property
    def leads_in_both(self) -> str:
        """SQL of the leads that both exports have: before as b, now as n."""
        return f"""FROM {self.leads_before} AS b
            JOIN {ACCEPTED_LEADS} AS n ON n.lead_id = b.lead_id"""

    def is_reread(self, table: str) -> bool:
        """Whether the settings read a table's files in another way now, so that values differ."""
        return self.pair is not None and table in self.pair.reread

    def count_gone_leads(self) -> tuple[int, int]:
        """How many leads the delivery before had, and how many of them this one lacks."""
        row = read_row(
            self.staged.engine,
            f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
            FROM (SELECT DISTINCT lead_id FROM {self.leads_before}) AS b
            LEFT JOIN (SELECT DISTINCT lead_id FROM ({self.staged.rows_sql("leads")}) AS s) AS n
            ON n.lead_id = b.lead_id""",
        )
        return row["n"], row["gone"]

    def number(self, sql: str) -> int:
        """The one whole number that a statement returns; 0 for NULL."""
        return read_number(self.staged.engine, sql)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows that a statement returns."""
        rows: list[dict[str, Any]] = self.staged.engine.query(sql).to_pylist()
        return rows

    def shared_fields(self, kind: str) -> Iterator[str]:
        """The mapped fields of leads of a type that the version before has, too."""
        fields = self.staged.settings.lead_fields()
        schema = self.before.schema("leads")
        stored = [] if schema is None else schema.names
        for name in self.staged.mapped_fields():
            if name in stored and name in fields and fields[name].type == kind:
                yield name


def open_exports(
    staged: Staged,
    before: StoreVersion,
    *,
    tables: Mapping[str, dict[str, Any]],
    known_until: int,
) -> Exports:
    """Put an export beside the version before; `tables` is the account of its tables."""
    tables_before = before.manifest["accounts"]["tables"]
    counts = []
    for name, account in tables_before.items():
        now = tables[name]["stored"]
        counts.append(RowCounts(name, before=account["stored"], now=now))
    pair = None
    if staged.settings.is_dated:
        pair = attach_deliveries(staged, before, known_until=known_until)
    return Exports(
        staged=staged,
        before=before,
        counts=tuple(counts),
        pair=pair,
        known_until=known_until,
        files=_name_files(staged.parts),
        files_before=_name_files(read_parts_of(before)),
    )


def _name_files(parts: list[Part]) -> dict[str, str]:
    return {f"{part['source']}/{part['file']}": part["sha256"] for part in parts}
