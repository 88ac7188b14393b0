"""The facts that two deliveries share, column by column.

A fact is the same in both if its lead and its moment are, and nothing else of that table has both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.alarms.deliveries import EVERYTHING, Deliveries, single_facts_sql
from leadscore.ingest.sql import columns_sql

LEAST_PAIRS = 20  # facts in both deliveries below which nothing is said
LEAST_CHANGED = 5
FEW = 0.05  # of the facts of the past; corrections are fewer
MANY = 0.2  # of the current values of leads, which change by themselves
ALL_BUT_FEW = 0.95
LEAD = ["lead_id"]
EVENT = ["lead_id", "event_us"]
CHANGE = ["lead_id", "field", "event_us"]
TEXTS = {
    "activities": ["kind", "actor"],
    "stages": ["stage"],
    "outcomes": ["outcome", "reason"],
    "scores": ["name"],
}
NUMBERS = {"activities": ["duration_s"], "outcomes": ["amount"]}

Changes = Counter[tuple[str | None, str | None]]  # from one text to another, how often


@dataclass(frozen=True)
class Compared:
    """A column of the facts that two deliveries share.

    Attributes:
        name: <table>.<column>, or changes.<field>.
        table: The table.
        facts: How many facts both deliveries have.
        changed: How many of them have another value now, by (old, new).
        values: How many of them had each old value.
    """

    name: str
    table: str
    facts: int
    changed: Changes
    values: dict[str | None, int]

    @cached_property
    def emptied(self) -> int:
        """How many facts lost their value."""
        emptied = [n for (_, new), n in self.changed.items() if new is None]
        return sum(emptied)

    @property
    def had_value(self) -> int:
        """How many facts had a value."""
        return self.facts - self.values.get(None, 0)

    @cached_property
    def renamed(self) -> dict[str, tuple[str, int]]:
        """Old values with a new name: that name, and in how many facts.

        Nearly all facts of the old value have one and the same new value, which no fact had before.
        """
        renamed = {}
        for (old, new), n in self.changed.items():
            if old is None or new is None or new in self.values or n < LEAST_CHANGED:
                continue
            if n >= ALL_BUT_FEW * self.values[old]:
                renamed[old] = (new, n)
        return renamed

    @cached_property
    def exchanged(self) -> Changes:
        """The changes from one value to another, without the renamed ones."""
        return Counter(
            {
                (old, new): n
                for (old, new), n in self.changed.items()
                if old is not None and new is not None and old not in self.renamed
            }
        )


def compare_columns(pair: Deliveries) -> list[Compared]:
    """Every column of text, and every mapped field, of the facts that both deliveries have."""
    compared = []
    for table in pair.tables:
        if table == "leads":
            compared += _compare_leads(pair)
        elif table == "changes":
            compared += _compare_changes(pair)
        else:
            compared += _compare(pair, table, TEXTS[table], keys=EVENT)
    return [column for column in compared if column.facts >= LEAST_PAIRS]


def _compare_leads(pair: Deliveries) -> list[Compared]:
    """The mapped texts of leads; not the owner, since leads go to other reps."""
    compared = []
    for name in lead_columns(pair, "text"):
        if name != "owner_id":
            compared += _compare(pair, "leads", [name], keys=LEAD)
    return compared


def _compare_changes(pair: Deliveries) -> list[Compared]:
    """The values of every field that `changes` has rows of."""
    compared = []
    for row in pair.rows("SELECT DISTINCT field FROM raw_before_changes ORDER BY field"):
        where = f"field = {literal(row['field'])}"
        (values,) = _compare(pair, "changes", ["value"], keys=CHANGE, where=where)
        compared.append(replace(values, name=f"changes.{row['field']}"))
    return compared


def _compare(
    pair: Deliveries,
    table: str,
    columns: Sequence[str],
    *,
    keys: Sequence[str],
    where: str = EVERYTHING,
) -> list[Compared]:
    """Columns of text, all in one reading of the facts, so they must have few values together."""
    values: dict[str, Counter[str | None]] = {column: Counter() for column in columns}
    changes: dict[str, Changes] = {column: Counter() for column in columns}
    shown = ", ".join(f"old_{column}, new_{column}" for column in columns)
    for shared in shared_facts(pair, table, columns, keys, where=where):
        counts = f"SELECT {shown}, COUNT(*) AS n FROM ({shared}) AS p GROUP BY {shown}"
        for row in pair.rows(counts):
            for column in columns:
                old, new = row[f"old_{column}"], row[f"new_{column}"]
                values[column][old] += row["n"]
                if old != new:
                    changes[column][old, new] += row["n"]
    return [
        Compared(
            name=f"{table}.{column}",
            table=table,
            facts=values[column].total(),
            changed=_most_first(changes[column]),
            values=dict(values[column]),
        )
        for column in columns
    ]


def _most_first(changes: Changes) -> Changes:
    """The same changes, the commonest first and equally common ones in the order of their texts."""

    def place(change: tuple[str | None, str | None]) -> tuple[int, list[tuple[bool, str]]]:
        return -changes[change], [(text is None, text or "") for text in change]

    return Counter({change: changes[change] for change in sorted(changes, key=place)})


def compare_numbers(pair: Deliveries) -> list[Compared]:
    """The columns of numbers and dates, for their missing values only."""
    compared = []
    for table in pair.tables:
        keys = LEAD if table == "leads" else EVENT
        names = NUMBERS.get(table, [])
        if table == "leads":
            names = [*lead_columns(pair, "number"), *lead_columns(pair, "date")]
        compared += [_count_missing(pair, table, name, keys) for name in names]
    return [column for column in compared if column.facts >= LEAST_PAIRS]


def _count_missing(pair: Deliveries, table: str, column: str, keys: Sequence[str]) -> Compared:
    old, new = f"old_{column}", f"new_{column}"
    counts: Counter[str] = Counter()
    for shared in shared_facts(pair, table, [column], keys):
        counts.update(
            pair.row(
                f"""SELECT COUNT(*) AS n, COUNT({old}) AS had_value,
                COUNT(CASE WHEN {old} IS NOT NULL AND {new} IS NULL THEN 1 END) AS gone
                FROM ({shared}) AS p"""
            )
        )
    return Compared(
        name=f"{table}.{column}",
        table=table,
        facts=counts["n"],
        changed=Counter({("", None): counts["gone"]}),
        values={None: counts["n"] - counts["had_value"]},
    )


def lead_columns(pair: Deliveries, kind: str) -> list[str]:
    """The mapped fields of leads of a type: text, number or date."""
    columns = pair.staged.table("leads").columns
    types = {column.name: column.type for column in columns}
    fields = pair.staged.settings.lead_fields()  # nobody is shown the hashes of keys
    mapped = [name for name in pair.staged.mapped_fields() if name in fields]
    return [name for name in mapped if types.get(name) == kind]


def number_fields(pair: Deliveries) -> list[str]:
    """The fields that are numbers."""
    fields = pair.staged.settings.lead_fields()
    return [name for name, field in fields.items() if field.type == "number"]


def shared_facts(
    pair: Deliveries,
    table: str,
    columns: Sequence[str],
    keys: Sequence[str],
    *,
    where: str = EVERYTHING,
) -> list[str]:
    """SQL of the facts of both deliveries, in slices: keys, and each column as old_<column>, new_<column>.

    `where` is of the keys alone.
    """
    parts = pair.slices(table) if "event_us" in keys else [EVERYTHING]
    return [_shared_facts_sql(table, columns, keys, f"{part} AND {where}") for part in parts]


def _shared_facts_sql(table: str, columns: Sequence[str], keys: Sequence[str], part: str) -> str:
    before = single_facts_sql(table, side="before", columns=columns, keys=keys, where=part)
    now = single_facts_sql(table, side="now", columns=columns, keys=keys, where=part)
    shown = [columns_sql(keys, of="b")]
    for column in columns:
        quoted = identifier(column)
        shown.append(f"b.{quoted} AS old_{column}, n.{quoted} AS new_{column}")
    is_same = " AND ".join(f"n.{identifier(key)} = b.{identifier(key)}" for key in keys)
    return f"SELECT {', '.join(shown)} FROM ({before}) AS b JOIN ({now}) AS n ON {is_same}"
