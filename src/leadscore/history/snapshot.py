"""The one door to the past: what was known of each listed lead at each listed moment.

Why no feature can know the future:

1. A feature is handed a `Snapshot`, and never an engine, a connection or a table.
2. It states aggregate expressions, such as `COUNT(CASE WHEN kind = 'email' THEN 1 END)`.
   `check_expression` accepts columns, constants and a few words of SQL, and refuses everything
   else; so it cannot name a table.
3. Every FROM is written in this file. `_known_rows` is the only one that reads facts, under one
   condition:

       t.available_us < s.known_us

   A fact that became known at that moment or later is in no relation, so no expression can count
   it.

Scoring and training go through the same door. Scoring lists the open leads at one moment; training
lists many past moments. A feature therefore has the same value in training as it would have had in
the scoring of that day. `tests/laws/test_no_leak.py` changes the future at random, and checks that
no feature moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.errors import LeadscoreError
from leadscore.settings.stages import Stages

KNOWN = "t.available_us < s.known_us"  # t: a table of facts, s: the listed snapshots

KEYS = ["lead_id", "spell", "as_of_us", "known_us"]
KEY_COLUMNS = frozenset({"lead_id", "spell", "as_of_us", "event_us"})
RELATION_COLUMNS: Mapping[str, AbstractSet[str]] = {
    "leads": frozenset(),  # and at_creation_<field> of the fields known at creation
    "activities": frozenset({"kind", "actor", "duration_s"}),
    "stages": frozenset({"stage", "stage_order", "previous_order", "next_us", "recency", "seq"}),
    "changes": frozenset({"field", "value", "recency", "seq"}),
}

AGGREGATES = frozenset({"COUNT", "MAX", "MIN", "SUM", "DISTINCT"})
CONDITIONS = frozenset(
    {"CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT", "IS", "NULL", "IN"}
)
SQL_TEXT = re.compile(r"'(?:[^']|'')*'")
SQL_WORD = re.compile(r"[^\W\d]\w*")
SQL_SIGNS = re.compile(r"[\w\s()<>=+*%|,-]*", re.ASCII)


class ForbiddenExpressionError(LeadscoreError):
    """An expression that may read more than the columns of its relation."""

    def __init__(self, expression: str) -> None:
        super().__init__(
            f"a feature may not name tables, only columns of its relation: {expression}"
        )


@dataclass(frozen=True)
class Snapshot:
    """What was known of the listed leads, each at its own moment.

    Attributes:
        engine: where the tables are; for this class alone.
        rows: the list, with the columns `KEYS`, unique by (lead_id, as_of_us). as_of_us is the
            moment looked from, known_us <= as_of_us the moment before which a fact must have been
            known. They differ where only time has passed since the last export.
        stages: the stages of the sales pipeline, in their order.
        created: the columns of `leads` whose value was known when the lead was created.
        chunk_rows: about how many snapshots are aggregated at a time.
        identical_rows: whether equal rows may be one lead exported twice (see
            `Settings.identical_rows`).
    """

    engine: Engine = field(repr=False)
    rows: pd.DataFrame
    stages: Stages
    created: tuple[str, ...] = ()
    chunk_rows: int = 100_000
    identical_rows: str = "apart"

    def aggregate(self, measures: Mapping[str, Mapping[str, str]]) -> Iterator[pa.Table]:
        """Aggregates over the past of each snapshot, in chunks that never split a lead.

        Args:
            measures: relation -> name -> aggregate expression over the relation's columns (see
                `past`), as in `{"activities": {"meetings": "COUNT(CASE WHEN kind = 'meeting' THEN 1
                END)"}}`.

        Yields:
            A row for each snapshot, by (lead_id, as_of_us): these two, and a column for each name,
            null where nothing was known in the relation.

        Raises:
            ForbiddenExpressionError: an expression is more than an aggregate of columns, or there
                is no such relation.
        """
        sql = self._aggregate_sql(measures)
        rows = self.rows.sort_values(["lead_id", "as_of_us"], ignore_index=True)
        for chunk in _split_between_leads(rows, self.chunk_rows):
            snapshots = pa.Table.from_pandas(chunk[KEYS], preserve_index=False)
            self.engine.add_rows("snapshots", snapshots)
            yield self.engine.query(sql)

    def past(self, relation: str) -> str:
        """SQL of a relation: the rows of a table that were known at each snapshot.

        All have lead_id, as_of_us, spell and event_us, and beside them

        * leads: at_creation_<field>, of the fields known at creation; event_us is the creation;
        * activities: kind, actor, duration_s;
        * stages: stage, stage_order, previous_order, next_us, recency;
        * changes: field, value, recency.

        `recency` is 1 for the latest row of a snapshot (of changes, for each field): the last by
        event_us, then seq, then the later stage or the larger text. What comes before and after is
        taken from the known rows, too.
        """
        if relation == "leads":
            return _known_rows("leads", [_at_creation_sql(name) for name in self.created])
        if relation == "activities":
            return _known_rows("activities", ["t.kind", "t.actor", "t.duration_s"])
        if relation == "stages":
            return self._stages_sql()
        if relation == "changes":
            return _changes_sql()
        raise ForbiddenExpressionError(relation)

    def _stages_sql(self) -> str:
        stage_order = f"{_stage_order_sql(self.stages)} AS stage_order"
        known = _known_rows("stages", ["t.seq", "t.stage", stage_order])
        forward = "PARTITION BY lead_id, as_of_us ORDER BY event_us, seq, stage_order"
        backward = (
            "PARTITION BY lead_id, as_of_us ORDER BY event_us DESC, seq DESC, stage_order DESC"
        )
        return f"""SELECT *,
            ROW_NUMBER() OVER ({backward}) AS recency,
            LAG(stage_order) OVER ({forward}) AS previous_order,
            LEAD(event_us) OVER ({forward}) AS next_us
            FROM ({known}) AS known"""

    def _aggregate_sql(self, measures: Mapping[str, Mapping[str, str]]) -> str:
        columns = ["s.lead_id", "s.as_of_us"]
        joins = []
        for relation, expressions in measures.items():
            alias = f"past_{relation}"
            columns += [f"{alias}.{identifier(name)}" for name in expressions]
            joins.append(
                f"""LEFT JOIN ({self._relation_sql(relation, expressions)}) AS {alias}
                ON {alias}.lead_id = s.lead_id AND {alias}.as_of_us = s.as_of_us"""
            )
        return f"""SELECT {", ".join(columns)}
            FROM snapshots AS s {" ".join(joins)}
            ORDER BY s.lead_id, s.as_of_us"""

    def _relation_sql(self, relation: str, expressions: Mapping[str, str]) -> str:
        """SQL of the aggregates of one relation: a row for each snapshot that has any."""
        allowed = self._columns_of(relation)
        columns = ["lead_id", "as_of_us"]
        for name, expression in expressions.items():
            check_expression(expression, allowed)
            columns.append(f"{_as_integer(expression)} AS {identifier(name)}")
        return f"""SELECT {", ".join(columns)}
            FROM ({self.past(relation)}) AS facts
            GROUP BY lead_id, as_of_us"""

    def _columns_of(self, relation: str) -> AbstractSet[str]:
        columns = KEY_COLUMNS | RELATION_COLUMNS.get(relation, frozenset())
        if relation == "leads":
            columns |= {f"at_creation_{name}" for name in self.created}
        return columns


def check_expression(expression: str, columns: AbstractSet[str]) -> None:
    """Refuse an expression that has more in it than columns, constants and aggregates.

    It lists what is allowed, since engines know more ways to name a table than anybody can forbid.

    Raises:
        ForbiddenExpressionError: it has anything else in it, even a comment.

    `MAX(CASE WHEN kind = 'FROM leads' THEN event_us END)` is accepted: what is quoted says nothing
    in SQL. `(SELECT COUNT(*) FROM outcomes)` is refused: neither SELECT, nor FROM, nor outcomes is
    a column.
    """
    code = SQL_TEXT.sub(" ", expression)  # a quoted text may say anything
    has_comment = "--" in code
    if has_comment or not SQL_SIGNS.fullmatch(code):
        raise ForbiddenExpressionError(expression)
    for word in SQL_WORD.findall(code):
        is_sql = word.upper() in AGGREGATES | CONDITIONS
        if not is_sql and word not in columns:
            raise ForbiddenExpressionError(expression)


def _known_rows(table: str, columns: Sequence[str]) -> str:
    """SQL of a table's rows that were known at each snapshot: the only FROM that reads facts."""
    chosen = ", ".join(["s.lead_id", "s.as_of_us", "s.spell", "t.event_us", *columns])
    return f"""SELECT {chosen}
        FROM snapshots AS s
        JOIN {identifier(table)} AS t ON t.lead_id = s.lead_id AND {KNOWN}"""


def _changes_sql() -> str:
    known = _known_rows("changes", ["t.seq", "t.field", "t.value"])
    return f"""SELECT *,
        ROW_NUMBER() OVER (
            PARTITION BY lead_id, as_of_us, field
            ORDER BY event_us DESC, seq DESC, value DESC) AS recency
        FROM ({known}) AS known"""


def _at_creation_sql(name: str) -> str:
    return f"t.{identifier(name)} AS {identifier(f'at_creation_{name}')}"


def _stage_order_sql(stages: Stages) -> str:
    """SQL of the place of `t.stage` in the sales pipeline, from 0 on.

    -1 for a stage that is not part of it.
    """
    whens = [f"WHEN {literal(stage)} THEN {place}" for stage, place in stages.order().items()]
    return f"CASE t.stage {' '.join(whens)} ELSE -1 END" if whens else "-1"


def _as_integer(expression: str) -> str:
    """The expression, a sum cast to 64 bits, since engines widen sums."""
    return f"CAST({expression} AS BIGINT)" if expression.startswith("SUM(") else expression


def _split_between_leads(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Slices of `size` rows, and more where a lead would be split.

    One empty slice if there are no rows.
    """
    if rows.empty:
        yield rows
    lead_ids = rows["lead_id"].to_numpy()
    begin = 0
    while begin < len(rows):
        end = _next_lead(lead_ids, begin + size)
        yield rows.iloc[begin:end]
        begin = end


def _next_lead(lead_ids: np.ndarray, place: int) -> int:
    """The first place from `place` on at which a lead begins, or the end."""
    while place < len(lead_ids) and lead_ids[place] == lead_ids[place - 1]:
        place += 1
    return min(place, len(lead_ids))
