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
NOT_COMPARED = {"lead_id", "seq", "available_us"}  # of the columns of facts
LEADS_IN_BOTH_SQL = """SELECT DISTINCT lead_id FROM raw_before_leads
    INTERSECT SELECT DISTINCT lead_id FROM raw_now_leads"""
# SQL that restricts facts r to leads that both deliveries have
LEADS_IN_BOTH = "JOIN leads_in_both AS l ON l.lead_id = r.lead_id"


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
class Parts:
    """SQL conditions that together select all facts of a table of events, each a few million.

    The facts of a moment are in the same part in both deliveries.

    Attributes:
        equal: facts that both deliveries have alike, so that one of the two says all.
        unequal: all others. Mostly they are few: those since the export before, and those of leads
            of which the deliveries show another past.
    """

    equal: list[str]
    unequal: list[str]

    @property
    def all(self) -> list[str]:
        """Of all facts."""
        return self.equal + self.unequal


@dataclass(frozen=True)
class Deliveries:
    """The rows of two deliveries, readable as raw_before_<table> and raw_now_<table>.

    The leads that both have are readable as leads_in_both.

    Attributes:
        staged: This delivery.
        tables: The tables that both have and that the settings read in the same way, in order.
        reread: The tables of which the settings read some file in another way now.
        before_us: The moment of the export before.
        now_us: The moment of this export.
        numbers: What was read of columns of numbers, by the SQL of their facts; filled as they are
            asked for.
        divided: the parts of tables; filled as they are asked for.
        moves: how far the first facts of a table moved, by table; filled as they are asked for.
    """

    staged: Staged
    tables: tuple[str, ...]
    reread: frozenset[str]
    before_us: int
    now_us: int
    numbers: dict[tuple[str, ...], ChangedNumbers] = field(default_factory=dict)
    divided: dict[str, Parts] = field(default_factory=dict)
    moves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

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

    def slices(self, table: str, *, where: str = EVERYTHING) -> list[str]:
        """SQL conditions, each of which selects a slice of a few million of some rows of a table.

        The facts of a moment are in the same slice in both deliveries, so what is counted by moments
        in slices adds up to what is counted at once, in less memory.
        """
        wanted = self._count_most(table, where) / SLICE_ROWS
        if wanted <= 1:
            return [EVERYTHING]
        slices = next((prime for prime in PRIMES if prime >= wanted), PRIMES[-1])
        return [f"ABS(event_us) % {slices} = {number}" for number in range(slices)]

    def parts(self, table: str) -> Parts:
        """The facts of a table of events that are equal in both deliveries, and the others."""
        if table not in self.divided:
            self._attach_unequal_leads(table)
            self.divided[table] = self._divide(table)
        return self.divided[table]

    def _divide(self, table: str) -> Parts:
        of_leads = f"lead_id IN (SELECT lead_id FROM unequal_{table})"
        unequal = f"(event_us >= {self.before_us} OR {of_leads})"
        slices = self.slices(table)
        if self._count_most(table, unequal) > SLICE_ROWS:
            return Parts([], slices)
        return Parts([f"{part} AND NOT {unequal}" for part in slices], [unequal])

    def _attach_unequal_leads(self, table: str) -> None:
        """Make unequal_<table> readable: the leads of which the deliveries show another past."""
        names = self.staged.table(table).schema().names
        columns = [name for name in names if name not in NOT_COMPARED]
        selects = [
            _unequal_leads_sql(f"raw_before_{table}", f"raw_now_{table}", columns, self.before_us)
        ]
        if table == "activities":  # which are counted as they are stored, too
            stored = ("before_activities", "activities_now", ["event_us"])
            selects.append(_unequal_leads_sql(*stored, self.before_us))
        self.engine.add_result(f"unequal_{table}", " UNION ".join(selects))

    def _count_most(self, table: str, where: str) -> int:
        """How many of some facts the delivery has that has more of them."""
        views = [f"raw_{side}_{table}" for side in ("before", "now")]
        return max(self.number(f"SELECT COUNT(*) FROM {view} WHERE {where}") for view in views)

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
    if tables:
        staged.engine.add_result("leads_in_both", LEADS_IN_BOTH_SQL)

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


def _unequal_leads_sql(before: str, now: str, columns: Sequence[str], until_us: int) -> str:
    """SQL of the leads whose facts before a moment differ in some column between two tables."""
    digest = f"""SELECT lead_id, COUNT(*) AS n, SUM(HASH({columns_sql(columns)})) AS digest
        FROM {{}} WHERE event_us < {until_us} GROUP BY lead_id"""
    return f"""SELECT COALESCE(b.lead_id, n.lead_id) AS lead_id
        FROM ({digest.format(before)}) AS b
        FULL JOIN ({digest.format(now)}) AS n ON n.lead_id = b.lead_id
        WHERE b.n IS DISTINCT FROM n.n OR b.digest IS DISTINCT FROM n.digest"""


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
