"""Contracts of the canonical tables: their columns, types, and in which order rows are kept.

Every fact carries `event_us` (when it happened) and `available_us` (when it was known), UTC microseconds,
never null. Amounts and numbers are integers in minor units, so that sums are exact on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

ColumnType = Literal["text", "integer", "number", "date"]

ARROW = {"text": pa.string(), "integer": pa.int64(), "number": pa.int64(), "date": pa.int64()}


@dataclass(frozen=True)
class Column:
    """A column of a canonical table.

    `number` is stored in minor units, `date` in microseconds, both int64. `allowed`, where given, lists all
    values that may occur.
    """

    name: str
    type: ColumnType
    required: bool = False
    default: int | str | None = None
    allowed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A canonical table: its name and the columns beside the two times."""

    name: str
    columns: tuple[Column, ...]

    def schema(self) -> pa.Schema:
        """Arrow schema of the stored rows: the columns, then the two times."""
        fields = [
            pa.field(c.name, ARROW[c.type], nullable=not c.required and c.default is None)
            for c in self.columns
        ]
        times = [
            pa.field(name, pa.int64(), nullable=False) for name in ("event_us", "available_us")
        ]
        return pa.schema(fields + times)


LEAD_ID = Column("lead_id", "text", required=True)
SEQ = Column("seq", "integer", default=0)

LEADS = Table(
    "leads",
    (LEAD_ID, Column("owner_id", "text"), Column("amount", "number"), Column("currency", "text")),
)
CHANGES = Table(
    "changes", (LEAD_ID, Column("field", "text", required=True), Column("value", "text"), SEQ)
)
ACTIVITIES = Table(
    "activities",
    (
        LEAD_ID,
        Column("kind", "text", required=True),
        Column("actor", "text", default="rep", allowed=("lead", "rep", "system")),
        Column("duration_s", "integer"),
        Column("activity_id", "text"),
        SEQ,
    ),
)
STAGES = Table("stages", (LEAD_ID, Column("stage", "text", required=True), SEQ))
OUTCOMES = Table(
    "outcomes",
    (
        LEAD_ID,
        Column("outcome", "text", required=True, allowed=("won", "lost")),
        Column("amount", "number"),
        Column("currency", "text"),
        Column("reason", "text"),
        SEQ,
    ),
)
TABLES = {table.name: table for table in (LEADS, CHANGES, ACTIVITIES, STAGES, OUTCOMES)}

CLOSES = pa.schema(  # every close that an export has shown; see ingest/differences/closes.py
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),  # outcomes or stages
        pa.field("status", pa.string(), nullable=False),  # the outcome, or the stage
        pa.field("source_hash", pa.int64(), nullable=False),  # of the source text that said so
        pa.field("won", pa.int64(), nullable=False),
        pa.field("event_us", pa.int64(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field(
            "earliest_us", pa.int64(), nullable=False
        ),  # without a usable date it lies from here
        pa.field("available_us", pa.int64(), nullable=False),  # to here
        pa.field("dated", pa.int64(), nullable=False),  # 1 if its date could be used, else 0
        pa.field("first_seen_us", pa.int64(), nullable=False),
        pa.field("last_open_us", pa.int64(), nullable=False),  # 0: no export showed the lead open
        pa.field(
            "not_before_us", pa.int64(), nullable=False
        ),  # 0, or the last export that showed another close
        pa.field("state", pa.string(), nullable=False),  # shown, replaced or gone
        pa.field("gone_us", pa.int64()),
        pa.field(
            "date_us", pa.int64(), nullable=False
        ),  # as an export stated it; FOREVER_US: it did not
        pa.field(
            "narrowed_us", pa.int64()
        ),  # when it was, by a usable date that an export stated later
        pa.field("narrowed_from_us", pa.int64()),  # when that export was
    ]
)

OPENS = pa.schema(  # the last export that showed a lead open; see ingest/differences/opens.py
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("last_open_us", pa.int64(), nullable=False),  # its known_until
    ]
)

TEXT_CHANGES = (
    pa.schema(  # a text that an export showed otherwise than the ones before; see first_seen.py
        [
            pa.field("lead_id", pa.string(), nullable=False),
            pa.field("column", pa.string(), nullable=False),  # of the source
            pa.field("text", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field(
                "decimal", pa.string(), nullable=False
            ),  # the mark before decimals in its file
            pa.field("known_until_us", pa.int64(), nullable=False),  # of the export
            pa.field("seq", pa.int64(), nullable=False),  # of the export, from 0 on
        ]
    )
)

PRESENCE = (
    pa.schema(  # a lead that an export had no more, or again; see ingest/differences/absent.py
        [
            pa.field("lead_id", pa.string(), nullable=False),
            pa.field("present", pa.int64(), nullable=False),  # 1 if it is back, 0 if it is missing
            pa.field("seen_until_us", pa.int64(), nullable=False),  # the last export that had it
            pa.field("available_us", pa.int64(), nullable=False),
            pa.field("seq", pa.int64(), nullable=False),  # of the export, from 0 on
        ]
    )
)

PERSONAL = ("email", "phone", "company", "contact")  # of leads; not stored, but as a salted hash

CRITERIA = ("territories", "segments", "languages", "skills")  # by which a rep may take a lead

REJECTS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("table", pa.string()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("column", pa.string()),
        pa.field("value", pa.string()),
        pa.field("lead_id", pa.string()),
    ]
)
RECEIPTS = pa.schema(
    [
        pa.field("publication_id", pa.string(), nullable=False),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("log_odds", pa.float64(), nullable=False),
        pa.field("win_probability", pa.float64(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("rep_id", pa.string()),
        pa.field("exploration_probability", pa.float64()),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("store_version", pa.string(), nullable=False),
    ]
)
REPS = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),  # of the list, for messages
        pa.field("rep_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("team", pa.string()),
        pa.field("capacity", pa.int64(), nullable=False),
        pa.field("period", pa.string()),
        pa.field("load", pa.int64(), nullable=False),
        *(pa.field(each, pa.list_(pa.string()), nullable=False) for each in CRITERIA),  # empty: any
        pa.field("min_share", pa.float64(), nullable=False),
        pa.field("max_share", pa.float64(), nullable=False),
        pa.field("away_from", pa.timestamp("us", tz="UTC")),
        pa.field("away_until", pa.timestamp("us", tz="UTC")),
    ]
)
