"""Past facts that now say something else: values emptied, exchanged, renamed, or numbers multiplied.

A fact is the same in two deliveries if its lead and its moment are, and nothing else of that table has both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.alarms.deliveries import Deliveries, single

LEAST_PAIRS = 20  # facts in both deliveries below which nothing is said
LEAST_CHANGED = 5
FEW = 0.05  # of the facts of the past; corrections are fewer
MANY = 0.2  # of the current values of leads, which change by themselves
MOST = 0.5
ALL_BUT_FEW = 0.95
WHOLE = 0.003  # how near a power of ten a factor must be, for numbers that were rounded
TEXTS = {
    "changes": ["value"],
    "activities": ["kind", "actor"],
    "stages": ["stage"],
    "outcomes": ["outcome", "reason"],
}
NUMBERS = {"activities": ["duration_s"], "outcomes": ["amount"]}


@dataclass(frozen=True)
class Compared:
    """A column of the facts that two deliveries share: how many, and every value that is another one now.

    `changed` counts (old, new), `values` the facts of every old value.
    """

    name: str
    table: str
    facts: int
    changed: Counter[tuple[str | None, str | None]]
    values: dict[str | None, int]

    @cached_property
    def emptied(self) -> int:
        """How many values are gone."""
        return sum(n for (_, new), n in self.changed.items() if new is None)

    @property
    def had_value(self) -> int:
        """How many facts had a value."""
        return self.facts - self.values.get(None, 0)

    @cached_property
    def renamed(self) -> dict[str, tuple[str, int]]:
        """Old values of which nearly all facts now have one and the same new value that was not there before."""
        found = {}
        for (old, new), n in self.changed.items():
            if old is None or new is None or new in self.values or n < LEAST_CHANGED:
                continue
            if n >= ALL_BUT_FEW * self.values[old]:
                found[old] = (new, n)
        return found


def compare_columns(pair: Deliveries) -> list[Compared]:
    """Every column of text, and every mapped field, of the facts that both deliveries have."""
    compared = []
    for table in pair.tables:
        if table == "leads":
            names = [
                each for each in lead_columns(pair, "text") if each != "owner_id"
            ]  # leads go to other reps
            compared += [_compare(pair, table, each, keys=["lead_id"]) for each in names]
        elif table == "changes":
            compared += _compare_changes(pair)
        else:
            compared += [
                _compare(pair, table, each, keys=["lead_id", "event_us"]) for each in TEXTS[table]
            ]
    return [each for each in compared if each.facts >= LEAST_PAIRS]


def lead_columns(pair: Deliveries, kind: str) -> list[str]:
    """The mapped fields of leads that are of a kind: text, number or date."""
    columns = {column.name: column for column in pair.staged.table("leads").columns}
    return [
        each
        for each in pair.staged.mapped_fields()
        if each in columns and columns[each].type == kind
    ]


def _compare(
    pair: Deliveries, table: str, column: str, *, keys: list[str], where: str = "1 = 1"
) -> Compared:
    both = both_sql(table, [column], keys)
    rows = pair.rows(
        f"SELECT old_{column} AS old, COUNT(*) AS n FROM ({both}) AS p WHERE {where} GROUP BY 1"
    )
    changed = pair.rows(f"""SELECT old_{column} AS old, new_{column} AS new, COUNT(*) AS n FROM ({both}) AS p
        WHERE {where} AND old_{column} IS DISTINCT FROM new_{column} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2""")
    return Compared(
        name=f"{table}.{column}",
        table=table,
        facts=sum(row["n"] for row in rows),
        changed=Counter({(row["old"], row["new"]): row["n"] for row in changed}),
        values={row["old"]: row["n"] for row in rows},
    )


def both_sql(table: str, columns: list[str], keys: list[str]) -> str:
    """SQL of the facts of both deliveries: the keys, and every column as old_<column> and new_<column>."""
    before, now = (
        single(table, side=side, columns=columns, keys=keys) for side in ("before", "now")
    )
    same = " AND ".join(f"n.{identifier(each)} = b.{identifier(each)}" for each in keys)
    shown = ", ".join(f"b.{identifier(each)}" for each in keys)
    values = ", ".join(
        f"b.{identifier(each)} AS old_{each}, n.{identifier(each)} AS new_{each}"
        for each in columns
    )
    return f"SELECT {shown}, {values} FROM ({before}) AS b JOIN ({now}) AS n ON {same}"


def _compare_changes(pair: Deliveries) -> list[Compared]:
    """The values of every field that the table of changes tells of."""
    compared = []
    keys = ["lead_id", "field", "event_us"]
    for row in pair.rows("SELECT DISTINCT field FROM raw_before_changes ORDER BY field"):
        where = f"field = {literal(row['field'])}"
        changes = _compare(pair, "changes", "value", keys=keys, where=where)
        compared.append(replace(changes, name=f"changes.{row['field']}"))
    return compared


def find_emptied(pair: Deliveries, compared: list[Compared]) -> Iterator[str]:
    """Columns of which more values of past facts are gone than people take back."""
    for each in [*compared, *_compare_numbers(pair)]:
        limit = MANY if each.table == "leads" else FEW
        if each.emptied >= LEAST_CHANGED and each.emptied > limit * each.had_value:
            yield f"{each.name}: {each.emptied:,} of {each.had_value:,} values are gone"


def _compare_numbers(pair: Deliveries) -> list[Compared]:
    """The columns of numbers and dates, for their missing values only."""
    compared = []
    for table in pair.tables:
        names = NUMBERS.get(table, [])
        keys = ["lead_id", "event_us"]
        if table == "leads":
            names, keys = [*lead_columns(pair, "number"), *lead_columns(pair, "date")], ["lead_id"]
        compared += [_count_missing(pair, table, each, keys) for each in names]
    return [each for each in compared if each.facts >= LEAST_PAIRS]


def _count_missing(pair: Deliveries, table: str, column: str, keys: list[str]) -> Compared:
    row = pair.rows(f"""SELECT COUNT(*) AS n, COUNT(old_{column}) AS had,
        COUNT(CASE WHEN old_{column} IS NOT NULL AND new_{column} IS NULL THEN 1 END) AS gone
        FROM ({both_sql(table, [column], keys)}) AS p""")[0]
    missing: dict[str | None, int] = {None: row["n"] - row["had"]}
    return Compared(
        f"{table}.{column}", table, row["n"], Counter({("", None): row["gone"]}), missing
    )


def find_renamed(compared: list[Compared]) -> Iterator[str]:
    """Values that have another name now, in the facts that both deliveries have."""
    for each in compared:
        for old, (new, n) in each.renamed.items():
            yield f"{each.name}: {old!r} is now {new!r} in {n:,} rows exported before"


def find_rewritten(pair: Deliveries, compared: list[Compared]) -> Iterator[str]:
    """Columns of which past facts say something else, but for values that only have another name."""
    numbers = {f"changes.{name}" for name in number_fields(pair)}
    for each in compared:
        other = Counter(
            {
                (old, new): n
                for (old, new), n in each.changed.items()
                if old is not None and new is not None and old not in each.renamed
            }
        )
        n = other.total()
        is_both_ways = (
            sum(min(n, other[new, old]) for (old, new), n in other.items()) > MANY * each.facts
        )
        limit = MOST if each.table == "leads" else FEW
        if (
            each.name in numbers
            or n < LEAST_CHANGED
            or not (is_both_ways or n > limit * each.facts)
        ):
            continue
        (old, new), most = other.most_common(1)[0]
        yield (
            f"{each.name} is another one in {n:,} of {each.facts:,} rows exported before; "
            f"{old!r} became {new!r} in {most:,}"
        )


def number_fields(pair: Deliveries) -> list[str]:
    """The fields that are numbers."""
    return [
        name for name, field in pair.staged.settings.lead_fields().items() if field.type == "number"
    ]


def find_rescaled(pair: Deliveries) -> Iterator[str]:
    """Numbers of past facts that are one and the same power of ten of what they were."""
    for table, names in NUMBERS.items():
        for column in names if table in pair.tables else ():
            yield from _rescaled(
                pair,
                f"{table}.{column}",
                both_sql(table, [column], ["lead_id", "event_us"]),
                column,
            )
    for column in lead_columns(pair, "number") if "leads" in pair.tables else ():
        yield from _rescaled(
            pair, f"leads.{column}", both_sql("leads", [column], ["lead_id"]), column
        )
    for field in number_fields(pair) if "changes" in pair.tables else ():
        both = both_sql("changes", ["value"], ["lead_id", "field", "event_us"])
        yield from _rescaled(
            pair,
            f"changes.{field}",
            f"SELECT * FROM ({both}) AS q WHERE field = {literal(field)}",
            "value",
        )


def _rescaled(pair: Deliveries, name: str, both: str, column: str) -> Iterator[str]:
    old, new = (f"CAST({side}_{column} AS BIGINT)" for side in ("old", "new"))
    rows = pair.engine.query(
        f"SELECT {old} AS old, {new} AS new FROM ({both}) AS p WHERE {old} > 0 AND {new} > 0"
    )
    if rows.num_rows < LEAST_PAIRS:
        return
    powers = np.log10(rows["new"].to_numpy() / rows["old"].to_numpy())
    whole = np.round(powers)
    is_scaled = (np.abs(powers - whole) < WHOLE) & (whole != 0)
    n = int(is_scaled.sum())
    if n >= LEAST_CHANGED and n > FEW * rows.num_rows:
        factor = 10.0 ** np.median(whole[is_scaled])
        yield f"in {n:,} of {rows.num_rows:,} rows exported before, {name} is now {factor:g} times what it was"
