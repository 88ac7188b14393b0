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
   it. A plan is known earlier than what comes of it: `_booked_rows` reads its kind and its date
   alone, under `t.booked_at < s.known_us`. What other leads of an account or contact did is
   counted by `related.py`, from timelines that are cut at each snapshot's `known_us`.

Scoring and training go through the same door. Scoring lists the open leads at one moment; training
lists many past moments. A feature therefore has the same value in training as it would have had in
the scoring of that day. `tests/laws/test_no_leak.py` changes the future at random, and checks that
no feature moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.history.activities import (
    UNMAPPED,
    ActivityColumns,
    cancelled_sql,
    contacts_sql,
    days_sql,
    held_sql,
)
from leadscore.history.chunks import split_between_leads
from leadscore.history.expressions import ForbiddenExpressionError, check_expression
from leadscore.history.related import RELATED, Related
from leadscore.history.timelines import LeadKey, Remembered, recall_timelines
from leadscore.settings.stages import Stages
from leadscore.tables import KEYS as LEAD_KEYS
from leadscore.times import FOREVER_US

KNOWN = "t.available_us < s.known_us"  # t: a table of facts, s: the listed snapshots
BOOKED = "t.booked_at < s.known_us"

KEYS = ["lead_id", "spell", "as_of_us", "known_us"]
KEY_COLUMNS = frozenset({"lead_id", "spell", "as_of_us", "event_us"})
ACTIVITY_COLUMNS = frozenset({"kind", "actor", "outcome", "duration_s"})
RELATION_COLUMNS: Mapping[str, frozenset[str]] = {
    "leads": frozenset(),  # and at_creation_<field> of the fields known at creation
    "activities": ACTIVITY_COLUMNS,
    "cancelled": ACTIVITY_COLUMNS,
    "contacts": ACTIVITY_COLUMNS | {"talked_us", "waited_us", "place", "answers"},
    "days": frozenset({"kind"}),
    "plans": frozenset({"kind"}),
    "stages": frozenset({"stage", "stage_order", "previous_order", "next_us", "recency", "seq"}),
    "changes": frozenset({"field", "value", "recency", "seq"}),
    "moves": frozenset({"field", "value", "recency", "is_first", "step"}),
    **dict.fromkeys(LEAD_KEYS, frozenset(RELATED)),
}


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
        activities: what the mapped activities hold.
        exported_us: the moment of the export: what it states of a plan is known by then.
        keys: of leads, by which other leads of the same account or contact are known.
        remembered: the timelines of all leads, which snapshots of one history share.
    """

    engine: Engine = field(repr=False)
    rows: pd.DataFrame
    stages: Stages
    created: tuple[str, ...] = ()
    chunk_rows: int = 100_000
    identical_rows: str = "apart"
    activities: ActivityColumns = UNMAPPED
    exported_us: int = FOREVER_US
    keys: tuple[LeadKey, ...] = ()
    remembered: Remembered = field(default_factory=dict, repr=False)

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
        sql = f"{self.aggregate_sql(measures)} ORDER BY s.lead_id, s.as_of_us"
        self.attach_related(measures)
        for chunk in split_between_leads(self._listed, self.chunk_rows):
            snapshots = pa.Table.from_pandas(chunk[KEYS], preserve_index=False)
            self.engine.add_rows("snapshots", snapshots)
            yield self.engine.query(sql)

    def attach_related(self, measures: Mapping[str, Mapping[str, str]]) -> None:
        """Make what was known of other leads of the same keys readable, where it is measured."""
        for name in measures.keys() & set(LEAD_KEYS):
            self.engine.add_rows(f"related_{name}", self._count_related(name))

    def plans(self) -> pa.Table:
        """What was planned for the leads: lead_id, event_us and kind, in this order."""
        keys = self._listed[KEYS]
        snapshots = pa.Table.from_pandas(keys, preserve_index=False)
        self.engine.add_rows("snapshots", snapshots)
        return self.engine.query(
            f"""SELECT lead_id, event_us, kind FROM ({self.past("plans")}) AS known
            ORDER BY lead_id, event_us, kind"""
        )

    def key_texts(self) -> dict[str, np.ndarray]:
        """Each key of the snapshots' leads (n,) as it was known, by (lead_id, as_of_us)."""
        return {key.name: self._related.key_texts(key.name) for key in self.keys}

    @cached_property
    def _listed(self) -> pd.DataFrame:
        if _is_by_lead(self.rows["lead_id"]):
            return self.rows.reset_index(drop=True)
        return self.rows.sort_values(["lead_id", "as_of_us"], ignore_index=True)

    @cached_property
    def _related(self) -> Related:
        """What was known of all leads; read once, for all chunks."""
        last = int(self.rows["known_us"].max()) if len(self.rows) else 0
        timelines = recall_timelines(
            self.remembered, self.engine, self.stages, self.keys, known_us=last
        )
        return Related(timelines, self._listed)

    def _count_related(self, name: str) -> pa.Table:
        """The relation of a key, as `Related.table` gives it."""
        learned = [key.name for key in self.keys if key.is_learned]
        with_people = name == "account" and "contact" in learned
        people = "contact" if with_people else None
        return self._related.table(name, other=people)

    def past(self, relation: str) -> str:
        """SQL of a relation: the rows of a table that were known at each snapshot.

        All have lead_id, as_of_us, spell and event_us, and beside them

        * leads: at_creation_<field>, of the fields known at creation; event_us is the creation;
        * activities: kind, actor, and, where they are mapped, outcome and duration_s of what took
          place; neither plans nor what was cancelled;
        * cancelled: the same of what was cancelled, once its date has passed;
        * contacts: what lead and rep did, see `contacts_sql`;
        * days: kind, once for each of the last days (`days_sql`); event_us is the day's beginning;
        * plans: kind; event_us is the date, at or after as_of;
        * stages: stage, stage_order, previous_order, next_us, recency;
        * changes: field, value, recency;
        * moves: the changes to a value: field, value, recency, is_first (1 or 0), and step, 1 if
          the value is larger than the one before, -1 if smaller, else 0; for whole numbers alone;
        * account, contact: one row where the key is known, of other leads with the same one: leads,
          won, lost, open, won_us (the last win), people; event_us is as_of.

        `recency` is 1 for the latest row of a snapshot (of changes, for each field): the last by
        event_us, then seq, then the later stage or the larger text. What comes before and after is
        taken from the known rows, too.
        """
        learned = {key.name: _related_sql(key.name) for key in self.keys if key.is_learned}
        if relation in learned:
            return learned[relation]
        relations: dict[str, Callable[[], str]] = {
            "leads": self._leads_sql,
            "activities": lambda: held_sql(self._known_activities(), self.activities),
            "cancelled": lambda: cancelled_sql(self._known_activities()),
            "contacts": lambda: contacts_sql(self._known_activities(), self.activities),
            "days": lambda: days_sql(self._known_activities(), self.activities),
            "plans": lambda: _booked_rows(self.activities, exported_us=self.exported_us),
            "stages": self._stages_sql,
            "changes": _changes_sql,
            "moves": _moves_sql,
        }
        if relation not in relations:
            raise ForbiddenExpressionError(relation)
        return relations[relation]()

    def _leads_sql(self) -> str:
        return _known_rows("leads", [_at_creation_sql(name) for name in self.created])

    def _known_activities(self) -> str:
        """SQL of all activities known, with what the mapping fills."""
        mapped = sorted(self.activities.mapped & ACTIVITY_COLUMNS)
        return _known_rows(
            "activities", ["t.kind", "t.actor", "t.seq", *(f"t.{c}" for c in mapped)]
        )

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

    def aggregate_sql(self, measures: Mapping[str, Mapping[str, str]]) -> str:
        """SQL of what `aggregate` gives, in no order, for the list in the table `snapshots`."""
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
            FROM snapshots AS s {" ".join(joins)}"""

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

    def _columns_of(self, relation: str) -> frozenset[str]:
        columns = KEY_COLUMNS | RELATION_COLUMNS.get(relation, frozenset())
        if relation == "leads":
            columns |= {f"at_creation_{name}" for name in self.created}
        return columns


def _is_by_lead(lead_id: pd.Series[str]) -> bool:
    """Whether snapshots are in order, one a lead: pandas would sort a long list by way of objects."""
    texts = pa.array(lead_id, pa.large_string())
    rises = pc.less(texts.slice(0, max(len(texts) - 1, 0)), texts.slice(1))
    return bool(pc.all(rises, min_count=0).as_py())


def _known_rows(table: str, columns: Sequence[str]) -> str:
    """SQL of a table's rows that were known at each snapshot: the only FROM that reads facts."""
    chosen = ", ".join(["s.lead_id", "s.as_of_us", "s.spell", "t.event_us", *columns])
    return f"""SELECT {chosen}
        FROM snapshots AS s
        JOIN {identifier(table)} AS t ON t.lead_id = s.lead_id AND {KNOWN}"""


def _booked_rows(activities: ActivityColumns, *, exported_us: int) -> str:
    """SQL of the plans known at each snapshot: booked by then, and dated at or after as_of.

    Nothing says when a plan was cancelled; that the export states it is known at its moment.
    """
    is_on = "1 = 1"
    if activities.has_outcome:
        is_on = f"""(t.outcome IS NULL OR t.outcome <> 'cancelled'
            OR s.known_us < {exported_us})"""
    return f"""SELECT s.lead_id, s.as_of_us, s.spell, t.event_us, t.kind
        FROM snapshots AS s
        JOIN activities AS t ON t.lead_id = s.lead_id
            AND {BOOKED} AND t.event_us >= s.as_of_us AND {is_on}"""


def _related_sql(name: str) -> str:
    columns = ", ".join(f"r.{column}" for column in RELATED)
    return f"""SELECT s.lead_id, s.as_of_us, s.spell, s.as_of_us AS event_us, {columns}
        FROM snapshots AS s
        JOIN related_{name} AS r ON r.lead_id = s.lead_id AND r.as_of_us = s.as_of_us"""


def _moves_sql() -> str:
    known = _known_rows("changes", ["t.seq", "t.field", "t.value"])
    backward = "PARTITION BY lead_id, as_of_us, field ORDER BY event_us DESC, seq DESC, value DESC"
    values = f"""SELECT *,
        ROW_NUMBER() OVER ({backward}) AS recency,
        LEAD(value) OVER ({backward}) AS value_before
        FROM ({known}) AS known WHERE value IS NOT NULL"""
    return f"""SELECT *,
        CASE WHEN value_before IS NULL THEN 1 ELSE 0 END AS is_first,
        CASE WHEN value_before IS NULL OR value = value_before THEN 0
            WHEN {_is_larger("value", "value_before")} THEN 1 ELSE -1 END AS step
        FROM ({values}) AS ordered"""


def _is_larger(number: str, other: str) -> str:
    """SQL of whether a whole number is larger than another, both as text; engines cast unalike.

    A minus sign comes before all digits, and of numbers of one length the larger is the larger
    text.
    """
    is_longer = f"LENGTH({number}) > LENGTH({other})"
    is_shorter = f"LENGTH({number}) < LENGTH({other})"
    is_as_long = f"LENGTH({number}) = LENGTH({other})"
    return f"""(CASE
        WHEN {number} >= '0' AND {other} < '0' THEN 1
        WHEN {number} < '0' AND {other} >= '0' THEN 0
        WHEN {number} >= '0' AND ({is_longer} OR {is_as_long} AND {number} > {other}) THEN 1
        WHEN {number} < '0' AND ({is_shorter} OR {is_as_long} AND {number} < {other}) THEN 1
        ELSE 0 END) = 1"""


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
