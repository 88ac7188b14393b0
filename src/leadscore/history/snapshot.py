"""The one door to the past: a list of (lead, as_of), and the tables only as they were known then.

Why nothing can leak: features are handed a `Snapshot` and no engine; they write expressions, never FROM; and every
FROM below joins under `available_us < known_us`. A fact that was not known cannot be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.errors import LeadscoreError
from leadscore.history.absences import seen_until
from leadscore.settings.stages import Stages
from leadscore.settings.target import Target
from leadscore.times import local_midnights

KEYS = ["lead_id", "spell", "as_of_us", "known_us"]
KEY_COLUMNS = {"lead_id", "spell", "as_of_us", "event_us"}
COLUMNS = {
    "leads": set[str](),
    "activities": {"kind", "actor", "duration_s"},
    "stages": {"stage", "stage_order", "previous_order", "next_us", "recency", "seq"},
    "changes": {"field", "value", "recency", "seq"},
}
WORDS = {
    "COUNT",
    "MAX",
    "MIN",
    "SUM",
    "DISTINCT",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "NOT",
    "IS",
    "NULL",
    "IN",
}


class ForbiddenExpressionError(LeadscoreError):
    """An expression that tries to read past the door."""

    def __init__(self, expression: str) -> None:
        super().__init__(
            f"a feature may not name tables, only columns of its relation: {expression}"
        )


@dataclass(frozen=True)
class Snapshot:
    """What was known of the listed leads.

    `rows` holds `KEYS`: as_of_us is the moment looked from, known_us <= as_of_us the moment up to which facts
    count; (lead_id, as_of_us) is unique. `created` names the columns of `leads` that were known at creation.
    `identical_rows` says which rows may be one lead twice (see `Settings.identical_rows`).
    """

    engine: Engine = field(repr=False)
    rows: pd.DataFrame
    stages: Stages
    created: tuple[str, ...] = ()
    chunk_rows: int = 100_000
    identical_rows: str = "apart"

    def aggregate(self, measures: Mapping[str, Mapping[str, str]]) -> Iterator[pa.Table]:
        """Aggregates over the past, in chunks of whole leads, ordered by (lead_id, as_of_us).

        `measures` is relation -> name -> aggregate expression over the relation's columns (see `past`); the
        result has lead_id, as_of_us and a column a name, null where a lead has no row in the relation.

        Raises:
            ForbiddenExpressionError: an expression names a table.
        """
        sql = self._sql(measures)
        rows = self.rows.sort_values(["lead_id", "as_of_us"], ignore_index=True)
        for chunk in _chunks(rows, self.chunk_rows):
            self.engine.add_rows(
                "snapshots", pa.Table.from_pandas(chunk[KEYS], preserve_index=False)
            )
            yield self.engine.query(sql)

    def past(self, relation: str) -> str:
        """SQL of a relation: a table's rows that were known at each snapshot, with lead_id and as_of_us.

        leads: event_us (creation), spell, and at_creation_<column> of those known then. activities: event_us, kind,
        actor, duration_s. stages: event_us, stage, stage_order, previous_order, next_us, recency. changes: event_us,
        field, value, recency. `recency` is 1 for the latest row, by (event_us, seq, then the later stage or larger
        text).
        """
        known = f"JOIN {identifier(relation)} AS t ON t.lead_id = s.lead_id AND t.available_us < s.known_us"
        facts = f"SELECT s.lead_id, s.as_of_us, s.spell, t.event_us{{}} FROM snapshots AS s {known}"
        by_snapshot = "OVER (PARTITION BY lead_id, as_of_us"
        if relation == "leads":
            columns = (
                f", t.{identifier(name)} AS {identifier(f'at_creation_{name}')}"
                for name in self.created
            )
            return facts.format("".join(columns))
        if relation == "activities":
            return facts.format(", t.kind, t.actor, t.duration_s")
        if relation == "changes":
            return f"""SELECT *, ROW_NUMBER() {by_snapshot}, field ORDER BY event_us DESC, seq DESC, value DESC)
                AS recency FROM ({facts.format(", t.seq, t.field, t.value")}) AS known"""
        if relation == "stages":
            return f"""SELECT *,
                ROW_NUMBER() {by_snapshot} ORDER BY event_us DESC, seq DESC, stage_order DESC) AS recency,
                LAG(stage_order) {by_snapshot} ORDER BY event_us, seq, stage_order) AS previous_order,
                LEAD(event_us) {by_snapshot} ORDER BY event_us, seq, stage_order) AS next_us
                FROM ({facts.format(f", t.seq, t.stage, {self._stage_order()} AS stage_order")}) AS known"""
        raise ForbiddenExpressionError(relation)

    def _stage_order(self) -> str:
        whens = "".join(
            f" WHEN {literal(stage)} THEN {i}" for stage, i in self.stages.order().items()
        )
        return f"CASE t.stage{whens} ELSE -1 END" if whens else "-1"

    def _sql(self, measures: Mapping[str, Mapping[str, str]]) -> str:
        columns, joins = [], []
        for relation, expressions in measures.items():
            allowed = COLUMNS.get(relation, set()) | KEY_COLUMNS
            if relation == "leads":
                allowed = allowed | {f"at_creation_{name}" for name in self.created}
            names = [
                f"{_whole(_checked(sql, allowed))} AS {identifier(name)}"
                for name, sql in expressions.items()
            ]
            alias = f"past_{relation}"
            joins.append(
                f"LEFT JOIN (SELECT lead_id, as_of_us, {', '.join(names)} FROM ({self.past(relation)}) AS facts "
                f"GROUP BY lead_id, as_of_us) AS {alias} "
                f"ON {alias}.lead_id = s.lead_id AND {alias}.as_of_us = s.as_of_us"
            )
            columns += [f"{alias}.{identifier(name)}" for name in expressions]
        chosen = ", ".join(["s.lead_id", "s.as_of_us", *columns])
        return (
            f"SELECT {chosen} FROM snapshots AS s {' '.join(joins)} ORDER BY s.lead_id, s.as_of_us"
        )


def _whole(expression: str) -> str:
    """An aggregate as an integer of 64 bits where it is one: engines widen sums."""
    return f"CAST({expression} AS BIGINT)" if expression.startswith("SUM(") else expression


def _checked(expression: str, columns: AbstractSet[str]) -> str:
    """`expression`, if it is made of nothing but columns, texts, numbers, and the words and signs of aggregates.

    It lists what is allowed, since engines know more ways to name a table than anybody can forbid.
    """
    bare = re.sub(
        r"'(?:[^']|'')*'", " ", expression
    )  # what stands within a SQL string is no word of SQL
    words = set(re.findall(r"[^\W\d]\w*", bare))
    known = all(word.upper() in WORDS or word in columns for word in words)
    if not known or "--" in bare or not re.fullmatch(r"[\w\s()<>=+*%|,-]*", bare, re.ASCII):
        raise ForbiddenExpressionError(expression)
    return expression


def _chunks(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Slices of about `size` rows that keep the rows of a lead together; one empty slice if there are no rows."""
    begin = 0
    lead_ids = rows["lead_id"].to_numpy()
    while begin < len(rows) or begin == 0:
        end = min(begin + size, len(rows))
        while 0 < end < len(rows) and lead_ids[end] == lead_ids[end - 1]:
            end += 1
        yield rows.iloc[begin:end]
        begin = end
        if not len(rows):
            return


def build_grid(start_us: int, end_us: int, *, target: Target, seed: int, zone: str) -> np.ndarray:
    """The past moments of scoring in [start_us, end_us): every `cadence_days`-th local midnight, int64 (n,)."""
    offset = _hash64(f"{seed}:grid") % target.cadence_days
    midnights = local_midnights(start_us, end_us, zone=zone)
    return np.array(
        [us for day, us in midnights if (day - offset) % target.cadence_days == 0], dtype=np.int64
    )


def build_open_list(spells: pd.DataFrame, *, as_of_us: int) -> pd.DataFrame:
    """The leads that were open at one moment, as `KEYS` with known_us = as_of_us: the list that is scored."""
    is_open = (
        (spells["start_us"] < as_of_us)
        & (spells["close_us"] >= as_of_us)
        & (seen_until(spells) >= as_of_us)
    )
    return (
        spells.loc[is_open, ["lead_id", "spell"]]
        .assign(as_of_us=as_of_us, known_us=as_of_us)
        .reset_index(drop=True)
    )


def build_grid_list(
    spells: pd.DataFrame, grid: np.ndarray, *, target: Target, seed: int
) -> pd.DataFrame:
    """The snapshots of each spell at the grid's dates: the list that is learned from.

    Columns: `KEYS`, grid_weight, young. Of a spell open at n dates, k = min(n, max_per_lead) are kept, those with
    the smallest hash of (seed, lead, as_of), each weighing n/k; so which are kept does not depend on how the spell
    ends. `young` marks snapshots less than one step of the grid after the spell began.
    """
    first = np.searchsorted(grid, spells["start_us"].to_numpy(), side="right")
    last = np.searchsorted(grid, seen_until(spells, spells["close_us"].to_numpy()), side="right")
    n = np.maximum(last - first, 0)
    rank = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    spell_at = np.repeat(np.arange(len(spells)), n)
    as_of_us = grid[np.repeat(first, n) + rank]
    over = n > target.max_per_lead
    kept = np.ones(len(as_of_us), dtype=bool)
    kept[over[spell_at]] = _smallest(
        spells["lead_id"], over, spell_at, as_of_us, k=target.max_per_lead, seed=seed
    )
    spell_at, as_of_us = spell_at[kept], as_of_us[kept]
    k = np.minimum(n, target.max_per_lead)
    rows = spells.iloc[spell_at][["lead_id", "spell"]].reset_index(drop=True)
    age_us = as_of_us - spells["start_us"].to_numpy()[spell_at]
    return rows.assign(
        as_of_us=as_of_us,
        known_us=as_of_us,
        grid_weight=n[spell_at] / k[spell_at],
        young=age_us < target.cadence_days * 86_400_000_000,
    )


def build_final_list(spells: pd.DataFrame) -> pd.DataFrame:
    """One snapshot of each lead just after its place in the order: the list that is learned from without dates.

    Columns as of `build_grid_list`.
    """
    after = spells["start_us"] + 1
    rows = spells[["lead_id", "spell"]].assign(
        as_of_us=after, known_us=after, grid_weight=1.0, young=False
    )
    return rows.reset_index(drop=True)


def _smallest(
    lead_ids: pd.Series[str],
    over: np.ndarray,
    spell_at: np.ndarray,
    as_of_us: np.ndarray,
    *,
    k: int,
    seed: int,
) -> np.ndarray:
    """Of the rows of spells that are `over` the limit: which have one of their spell's k smallest hashes."""
    rows = over[spell_at]
    owner, as_of_us = (np.cumsum(over) - 1)[spell_at[rows]], as_of_us[rows]
    lead_hash = np.array(
        [_hash64(f"{seed}:{lead_id}") for lead_id in lead_ids[over]], dtype=np.uint64
    )
    hashes = _mix(_mix(lead_hash[owner]) ^ as_of_us.astype(np.uint64))
    order = np.lexsort((as_of_us, hashes, owner))
    begin = np.searchsorted(owner[order], np.arange(over.sum()), side="left")
    kept = np.empty(len(order), dtype=bool)
    kept[order] = np.arange(len(order)) - begin[owner[order]] < k
    return kept


def _hash64(text: str) -> int:
    """A stable 64-bit hash, the same on every machine and in every version of Python."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads uint64 over all bits."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
