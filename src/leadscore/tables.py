"""The canonical tables, and the other files of rows: their columns and types.

Every fact carries `event_us` (when it happened) and `available_us` (when it was known), UTC microseconds,
never null. Amounts and numbers are integers in minor units, so that sums are exact on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

ColumnType = Literal["text", "integer", "number", "date"]

TEXT = pa.string()
INTEGER = pa.int64()
FLOAT = pa.float64()
MOMENT = pa.timestamp("us", tz="UTC")
ARROW = {"text": TEXT, "integer": INTEGER, "number": INTEGER, "date": INTEGER}

# what reading a damaged Parquet file raises: its names may not even be UTF-8
DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError)


def required(name: str, of_type: pa.DataType) -> pa.Field:
    """A field that is never null."""
    return pa.field(name, of_type, nullable=False)


@dataclass(frozen=True)
class Column:
    """A column of a canonical table.

    Attributes:
        name: its name.
        type: `number` is stored in minor units and `date` in microseconds, both as int64.
        required: whether a row without a value is refused.
        default: stands for a missing value.
        allowed: all values that may occur; None if any may.
    """

    name: str
    type: ColumnType
    required: bool = False
    default: int | str | None = None
    allowed: tuple[str, ...] | None = None

    def field(self) -> pa.Field:
        """The column as an Arrow field."""
        may_be_null = not self.required and self.default is None
        return pa.field(self.name, ARROW[self.type], nullable=may_be_null)


@dataclass(frozen=True)
class Table:
    """A canonical table: its name and the columns besides the two times."""

    name: str
    columns: tuple[Column, ...]

    def schema(self) -> pa.Schema:
        """The Arrow schema of the stored rows: the columns, then the two times."""
        fields = [column.field() for column in self.columns]
        times = [required("event_us", INTEGER), required("available_us", INTEGER)]
        return pa.schema(fields + times)


LEAD_ID = Column("lead_id", "text", required=True)
ACTORS = ("lead", "rep", "system")
DEFAULT_ACTOR = "rep"
HELD = ("reached", "not_reached")  # outcomes of an activity that took place
NOT_HELD = ("cancelled", "planned")
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
        Column("actor", "text", default=DEFAULT_ACTOR, allowed=ACTORS),
        Column("outcome", "text", allowed=(*HELD, *NOT_HELD)),
        Column("duration_s", "integer"),
        Column("booked_at", "date"),
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
SCORE_DECIMALS = 4  # a probability keeps that many, and a score of points needs none
SCORE_UNIT = 10**SCORE_DECIMALS
SCORES = Table(  # somebody else's, to be judged; never a feature
    "scores",
    (
        LEAD_ID,
        Column("name", "text", required=True),
        Column("value", "number", required=True),
        SEQ,
    ),
)
TABLES = {table.name: table for table in (LEADS, CHANGES, ACTIVITIES, STAGES, OUTCOMES, SCORES)}

# Every close that an export has shown; see ingest/differences/closes.py.
CLOSES = pa.schema(
    [
        required("lead_id", TEXT),
        required("origin", TEXT),  # outcomes or stages
        required("status", TEXT),  # the outcome, or the stage
        required("source_hash", INTEGER),  # of the source text that stated it
        required("won", INTEGER),  # 1 or 0
        required("event_us", INTEGER),
        required("seq", INTEGER),
        required("earliest_us", INTEGER),  # without a usable date the close lies from here
        required("available_us", INTEGER),  # to here
        required("dated", INTEGER),  # 1 if its date could be used, else 0
        required("first_seen_us", INTEGER),
        required("last_open_us", INTEGER),  # 0: no export showed the lead open
        required("not_before_us", INTEGER),  # 0, or the last export that showed another close
        required("state", TEXT),  # shown, replaced or gone
        pa.field("gone_us", INTEGER),
        required("date_us", INTEGER),  # as an export stated it; FOREVER_US: it did not
        pa.field("narrowed_us", INTEGER),  # the close, by a usable date that was stated later
        pa.field("narrowed_from_us", INTEGER),  # the export that stated that date
    ]
)

# The last export that showed a lead open; see ingest/differences/opens.py.
OPENS = pa.schema(
    [
        required("lead_id", TEXT),
        required("last_open_us", INTEGER),  # its known_until
    ]
)

# A text that differs from the one in earlier exports; see first_seen.py.
TEXT_CHANGES = pa.schema(
    [
        required("lead_id", TEXT),
        required("column", TEXT),  # of the source
        required("text", TEXT),
        required("source", TEXT),
        required("decimal", TEXT),  # the decimal mark of its file
        required("known_until_us", INTEGER),  # of the export
        required("seq", INTEGER),  # of the export, from 0 on
    ]
)

# A lead that an export no longer had, or had again; see ingest/differences/absent.py.
PRESENCE = pa.schema(
    [
        required("lead_id", TEXT),
        required("present", INTEGER),  # 1 if it is back, 0 if it is missing
        required("seen_until_us", INTEGER),  # the last export that had it
        required("available_us", INTEGER),
        required("seq", INTEGER),  # of the export, from 0 on
    ]
)

KEYS = ("account", "contact")  # columns of leads by which leads know each other, as hashes
PERSONAL = ("email", "phone", "company", "contact")  # columns of leads of which a hash is stored

CRITERIA = ("territories", "segments", "languages", "skills")  # that decide which leads fit a rep

REJECTS = pa.schema(
    [
        required("source", TEXT),
        required("file", TEXT),
        required("line", INTEGER),
        required("severity", TEXT),
        pa.field("table", TEXT),
        required("rule", TEXT),
        pa.field("column", TEXT),
        pa.field("value", TEXT),
        pa.field("lead_id", TEXT),
    ]
)

RECEIPTS = pa.schema(
    [
        required("publication_id", TEXT),
        required("lead_id", TEXT),
        required("as_of", MOMENT),
        required("log_odds", FLOAT),
        required("win_probability", FLOAT),
        required("score", FLOAT),
        required("tier", TEXT),
        pa.field("rep_id", TEXT),
        pa.field("exploration_probability", FLOAT),
        required("model_version", TEXT),
        required("store_version", TEXT),
    ]
)

REPS = pa.schema(
    [
        required("line", INTEGER),  # of the list, for messages
        required("rep_id", TEXT),
        pa.field("name", TEXT),
        pa.field("team", TEXT),
        required("capacity", INTEGER),
        pa.field("period", TEXT),
        required("load", INTEGER),
        *(required(criterion, pa.list_(TEXT)) for criterion in CRITERIA),  # empty: any
        required("min_share", FLOAT),
        required("max_share", FLOAT),
        pa.field("away_from", MOMENT),
        pa.field("away_until", MOMENT),
    ]
)
