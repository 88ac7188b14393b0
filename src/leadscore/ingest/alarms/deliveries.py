"""Two deliveries side by side: what their files say, row by row, before anything is judged or remembered.

The facts of `before` that are compared are those of its own files: what the store kept of leads that an export no
longer shows is no part of a delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.mapping.entries import staged_schema
from leadscore.ingest.part import Part, part_key, part_path, read_kept_part
from leadscore.store.version import StoreVersion, is_whole, object_path, read_parts
from leadscore.tables import TABLES

EVENTS = ("changes", "activities", "stages", "outcomes")


@dataclass(frozen=True)
class Deliveries:
    """The rows of two deliveries, readable as raw_before_<table> and raw_now_<table>.

    `tables` are those that both have and that the settings read in the same way, in their order; `reread` are those of
    which other settings read a file now. `before_us` and `now_us` are the moments of the two exports.
    """

    staged: Staged
    tables: tuple[str, ...]
    reread: frozenset[str]
    before_us: int
    now_us: int

    @property
    def engine(self) -> Engine:
        """Where the rows are readable."""
        return self.staged.engine

    def number(self, sql: str) -> int:
        """The one whole number that a statement gives; 0 for none."""
        return int(self.engine.query(sql).column(0)[0].as_py() or 0)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows that a statement gives."""
        found: list[dict[str, Any]] = self.engine.query(sql).to_pylist()
        return found

    def closing_stages(self) -> str:
        """SQL list of the stages that close a lead."""
        return ", ".join(map(literal, self.staged.settings.stages.closing())) or "''"

    def closed_before(self) -> str:
        """SQL of the leads (lead_id) that have an outcome, or a closing stage, in the delivery before."""
        sources = ["SELECT lead_id FROM raw_before_leads WHERE 1 = 0"]
        if "outcomes" in self.tables:
            sources.append("SELECT lead_id FROM raw_before_outcomes")
        if "stages" in self.tables:
            sources.append(
                f"SELECT lead_id FROM raw_before_stages WHERE stage IN ({self.closing_stages()})"
            )
        return " UNION ".join(sources)


def read_parts_of(before: StoreVersion) -> list[Part]:
    """The parts of a version as far as they are known."""
    parts = [read_kept_part(part_path(before.folder, key)) for key in read_parts(before)]
    return [part for part in parts if part is not None]


def attach_deliveries(staged: Staged, before: StoreVersion, *, known_until: int) -> Deliveries:
    """Make the rows of this delivery and of the one before readable.

    A table is left out if it is in only one of them, if the settings now read a source of it in another way, or if
    what was read of a file is gone.
    """
    earlier = read_parts_of(before)
    is_complete = len(earlier) == len(read_parts(before))
    tables = [name for name in TABLES if is_complete and _is_comparable(staged, earlier, name)]
    if "leads" not in tables:
        tables = []
    for name in tables:
        schema = (
            staged_schema("leads", staged.settings)
            if name == "leads"
            else staged.table(name).schema()
        )
        for side, parts in (("before", earlier), ("now", staged.parts)):
            files = [
                file
                for part in parts
                if name in part["tables"]
                for file in part["tables"][name]["rows"]["files"]
            ]
            paths = [object_path(staged.folder, file["sha256"]) for file in files]
            staged.engine.add_files(f"raw_{side}_{name}", paths, schema=schema)
    reread = frozenset(
        part_table for part in earlier if _is_reread(staged, part) for part_table in part["tables"]
    )
    return Deliveries(staged, tuple(tables), reread, before.known_until_us, known_until)


def _is_comparable(staged: Staged, earlier: list[Part], name: str) -> bool:
    mine = [part for part in earlier if name in part["tables"]]
    if not mine or not staged.of(name):
        return False
    for part in mine:
        files = part["tables"][name]["rows"]["files"]
        if _is_reread(staged, part):
            return False
        if not all(is_whole(object_path(staged.folder, file["sha256"])) for file in files):
            return False
    return True


def _is_reread(staged: Staged, part: Part) -> bool:
    if part["source"] not in staged.settings.sources:
        return True
    key: str = part["key"]
    return part_key(part["sha256"], part["file"], part["source"], staged.settings) != key


def single(table: str, *, side: str, columns: list[str], keys: list[str]) -> str:
    """SQL of the facts of a delivery that no other one equals in `keys`."""
    names = ", ".join(map(identifier, keys))
    values = ", ".join(f"MIN({identifier(each)}) AS {identifier(each)}" for each in columns)
    shown = f"{names}, {values}" if values else names
    return f"SELECT {shown} FROM raw_{side}_{table} GROUP BY {names} HAVING COUNT(*) = 1"
