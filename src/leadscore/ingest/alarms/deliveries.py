"""Two deliveries side by side: what their files state, row by row, before any check or memory.

The facts of the delivery before are those of its own files. What the store kept of leads that an
export no longer shows is not part of a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leadscore.engine import Engine
from leadscore.ingest.mapping.entries import staged_schema
from leadscore.ingest.part import Part, part_key, part_path, read_part_file
from leadscore.ingest.sql import columns_sql, read_number, read_row
from leadscore.ingest.staged import Staged
from leadscore.store.objects import is_whole, object_path
from leadscore.store.version import StoreVersion, read_parts
from leadscore.tables import TABLES

EVENTS = ("changes", "activities", "stages", "outcomes")
SLICE_ROWS = 3_000_000
# Moments are often whole days or seconds, whose microseconds no such prime divides.
PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
EVERYTHING = "1 = 1"
# SQL that restricts facts r to leads that both deliveries have
LEADS_IN_BOTH = """JOIN (SELECT DISTINCT lead_id FROM raw_before_leads)
    AS lb ON lb.lead_id = r.lead_id
    JOIN (SELECT DISTINCT lead_id FROM raw_now_leads)
    AS ln ON ln.lead_id = r.lead_id"""


@dataclass(frozen=True)
class ChangedNumbers:
    """The numbers that differ between two deliveries.

    Attributes:
        old, new: int64 (n,) each, of the facts whose number is another one now.
        facts: how many facts have a number in both.
        positive: of how many of these both numbers are above 0.
    """

    old: np.ndarray
    new: np.ndarray
    facts: int
    positive: int


@dataclass(frozen=True)
class Deliveries:
    """The rows of two deliveries, readable as raw_before_<table> and raw_now_<table>.

    Attributes:
        staged: This delivery.
        tables: The tables that both have and that the settings read in the same way, in order.
        reread: The tables of which the settings read some file in another way now.
        before_us: The moment of the export before.
        now_us: The moment of this export.
        numbers: What was read of columns of numbers, by the SQL of their facts; filled as they are
            asked for.
    """

    staged: Staged
    tables: tuple[str, ...]
    reread: frozenset[str]
    before_us: int
    now_us: int
    numbers: dict[tuple[str, ...], ChangedNumbers] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """Where the rows are readable."""
        return self.staged.engine

    def number(self, sql: str) -> int:
        """The one whole number that a statement returns; 0 for NULL."""
        return read_number(self.engine, sql)

    def row(self, sql: str) -> dict[str, Any]:
        """The first row that a statement returns."""
        return read_row(self.engine, sql)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows that a statement returns."""
        rows: list[dict[str, Any]] = self.engine.query(sql).to_pylist()
        return rows

    def slices(self, table: str) -> list[str]:
        """SQL conditions, each of which selects a slice of a few million rows of a table of events.

        The facts of a moment are in the same slice in both deliveries, so what is counted by moments
        in slices adds up to what is counted at once, in less memory.
        """
        counts = [
            self.number(f"SELECT COUNT(*) FROM raw_{side}_{table}") for side in ("before", "now")
        ]
        wanted = max(counts) / SLICE_ROWS
        if wanted <= 1:
            return [EVERYTHING]
        slices = next((prime for prime in PRIMES if prime >= wanted), PRIMES[-1])
        return [f"ABS(event_us) % {slices} = {number}" for number in range(slices)]

    def events(self) -> list[str]:
        """The tables of events that can be compared."""
        return [name for name in EVENTS if name in self.tables]

    def closed_before_sql(self) -> str:
        """SQL of the leads with an outcome, or a closing stage, in the delivery before."""
        selects = ["SELECT lead_id FROM raw_before_leads WHERE 1 = 0"]
        if "outcomes" in self.tables:
            selects.append("SELECT lead_id FROM raw_before_outcomes")
        if "stages" in self.tables:
            closing = self.staged.closing_stages_sql()
            selects.append(f"SELECT lead_id FROM raw_before_stages WHERE stage IN ({closing})")
        return " UNION ".join(selects)


def read_parts_of(before: StoreVersion) -> list[Part]:
    """What the files of a version gave, as far as it is still known."""
    paths = [part_path(before.folder, key) for key in read_parts(before)]
    parts = [read_part_file(path) for path in paths]
    return [part for part in parts if part is not None]


def attach_deliveries(staged: Staged, before: StoreVersion, *, known_until: int) -> Deliveries:
    """Make the rows of this delivery and of the one before readable.

    A table is left out if a file of it is gone or was read in another way; without `leads`
    nothing is compared.
    """
    earlier = read_parts_of(before)
    tables: list[str] = []
    if len(earlier) == len(read_parts(before)):
        tables = [name for name in TABLES if _is_comparable(staged, earlier, name)]
    if "leads" not in tables:
        tables = []
    for name in tables:
        _attach_table(staged, "before", earlier, name)
        _attach_table(staged, "now", staged.parts, name)

    reread: set[str] = set()
    for part in earlier:
        if _is_reread(staged, part):
            reread.update(part["tables"])
    return Deliveries(staged, tuple(tables), frozenset(reread), before.known_until_us, known_until)


def _attach_table(staged: Staged, side: str, parts: Sequence[Part], name: str) -> None:
    schema = staged.table(name).schema()
    if name == "leads":
        schema = staged_schema("leads", staged.settings)
    paths = []
    for part in parts:
        if name in part["tables"]:
            paths += staged.paths(part["tables"][name]["rows"])
    staged.engine.add_files(f"raw_{side}_{name}", paths, schema=schema)


def _is_comparable(staged: Staged, earlier: Sequence[Part], name: str) -> bool:
    """Whether both deliveries have a table, read alike, with all its files."""
    parts = [part for part in earlier if name in part["tables"]]
    if not parts or not staged.parts_of(name):
        return False
    return all(_is_usable(staged, part, name) for part in parts)


def _is_usable(staged: Staged, part: Part, name: str) -> bool:
    if _is_reread(staged, part):
        return False
    files = part["tables"][name]["rows"]["files"]
    paths = [object_path(staged.folder, file["sha256"]) for file in files]
    return all(map(is_whole, paths))


def _is_reread(staged: Staged, part: Part) -> bool:
    """Whether the settings would read the file of a part in another way now."""
    if part["source"] not in staged.settings.origins():
        return True
    key = part_key(part["sha256"], part["file"], part["source"], staged.settings)
    return bool(key != part["key"])


def single_facts_sql(
    table: str,
    *,
    side: str,
    columns: Sequence[str],
    keys: Sequence[str],
    where: str,
) -> str:
    """SQL of the facts of a delivery that share their `keys` with no other fact."""
    names = columns_sql(keys)
    shown = [names]
    for column in columns:
        quoted = columns_sql([column])
        shown.append(f"MIN({quoted}) AS {quoted}")
    return f"""SELECT {", ".join(shown)} FROM raw_{side}_{table}
        WHERE {where} GROUP BY {names} HAVING COUNT(*) = 1"""
