"""The facts that two deliveries share, column by column.

A fact is the same in both if its lead and its moment are, and nothing else of that table has both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.alarms.deliveries import EVERYTHING, Deliveries, Parts, single_facts_sql
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
        values = _compare(pair, "changes", ["value"], keys=CHANGE, where=where)
        compared += [replace(column, name=f"changes.{row['field']}") for column in values]
    return compared


def _compare(
    pair: Deliveries,
    table: str,
    columns: Sequence[str],
    *,
    keys: Sequence[str],
    where: str = EVERYTHING,
) -> list[Compared]:
    """Columns of text, all in one reading of the facts, so they must have few values together.

    There are none where hardly a fact changed: nothing is said of these.
    """
    facts = shared_facts(pair, table, columns, keys, where=where)
    _, changes = _count_texts(pair, facts.unequal, columns)
    if all(of_column.total() < LEAST_CHANGED for of_column in changes.values()):
        return []
    values, changes = _count_texts(pair, facts.all, columns)
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


def _count_texts(
    pair: Deliveries, facts: Sequence[str], columns: Sequence[str]
) -> tuple[dict[str, Counter[str | None]], dict[str, Changes]]:
    """How many facts had each old text of each column, and how many have which other one now."""
    values: dict[str, Counter[str | None]] = {column: Counter() for column in columns}
    changes: dict[str, Changes] = {column: Counter() for column in columns}
    shown = ", ".join(f"old_{column}, new_{column}" for column in columns)
    for shared in facts:
        counts = f"SELECT {shown}, COUNT(*) AS n FROM ({shared}) AS p GROUP BY {shown}"
        for row in pair.rows(counts):
            for column in columns:
                old, new = row[f"old_{column}"], row[f"new_{column}"]
                values[column][old] += row["n"]
                if old != new:
                    changes[column][old, new] += row["n"]
    return values, changes


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
        for name in names:
            compared += _compare_missing(pair, table, name, keys)
    return [column for column in compared if column.facts >= LEAST_PAIRS]


def _compare_missing(
    pair: Deliveries, table: str, column: str, keys: Sequence[str]
) -> list[Compared]:
    """A column of numbers; none where hardly a fact lost its own."""
    facts = shared_facts(pair, table, [column], keys)
    if _count_missing(pair, facts.unequal, column)["gone"] < LEAST_CHANGED:
        return []
    counts = _count_missing(pair, facts.all, column)
    column_of_facts = Compared(
        name=f"{table}.{column}",
        table=table,
        facts=counts["n"],
        changed=Counter({("", None): counts["gone"]}),
        values={None: counts["n"] - counts["had_value"]},
    )
    return [column_of_facts]


def _count_missing(pair: Deliveries, facts: Sequence[str], column: str) -> Counter[str]:
    """How many facts there are (n), how many had a value, and of how many it is gone."""
    old, new = f"old_{column}", f"new_{column}"
    counts: Counter[str] = Counter()
    for shared in facts:
        counts.update(
            pair.row(
                f"""SELECT COUNT(*) AS n, COUNT({old}) AS had_value,
                COUNT(CASE WHEN {old} IS NOT NULL AND {new} IS NULL THEN 1 END) AS gone
                FROM ({shared}) AS p"""
            )
        )
    return counts


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


@dataclass(frozen=True)
class SharedFacts:
    """SQL of the facts that two deliveries share: those that are equal in both, and the others."""

    equal: list[str]
    unequal: list[str]

    @property
    def all(self) -> list[str]:
        """Of all of them."""
        return self.equal + self.unequal


def shared_facts(
    pair: Deliveries,
    table: str,
    columns: Sequence[str],
    keys: Sequence[str],
    *,
    where: str = EVERYTHING,
) -> SharedFacts:
    """The facts of both deliveries: their keys, and each column as old_<column> and new_<column>.

    `where` is of the keys alone.
    """
    parts = pair.parts(table) if "event_us" in keys else Parts([], [EVERYTHING])

    def single(side: str, part: str) -> str:
        limited = f"{part} AND {where}"
        return single_facts_sql(table, side=side, columns=columns, keys=keys, where=limited)

    is_same = " AND ".join(f"n.{identifier(key)} = b.{identifier(key)}" for key in keys)
    alike = _shown_sql(columns, keys, now="b")
    differing = _shown_sql(columns, keys, now="n")
    return SharedFacts(
        [f"SELECT {alike} FROM ({single('before', part)}) AS b" for part in parts.equal],
        [
            f"""SELECT {differing} FROM ({single("before", part)}) AS b
            JOIN ({single("now", part)}) AS n ON {is_same}"""
            for part in parts.unequal
        ],
    )


def _shown_sql(columns: Sequence[str], keys: Sequence[str], *, now: str) -> str:
    """SQL of what is shown of facts b, and of the facts `now` that share their keys."""
    shown = [columns_sql(keys, of="b")]
    for column in columns:
        quoted = identifier(column)
        shown.append(f"b.{quoted} AS old_{column}, {now}.{quoted} AS new_{column}")
    return ", ".join(shown)
