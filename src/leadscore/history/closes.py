"""The closes of a store version as one table: when each was known, and when it happened."""

from __future__ import annotations

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.settings.stages import Stages
from leadscore.store.version import StoreVersion
from leadscore.tables import CLOSES
from leadscore.times import FOREVER_US

REOPENING = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("event_us", pa.int64(), nullable=False),
        pa.field("available_us", pa.int64(), nullable=False),
    ]
)
GONE = """SELECT DISTINCT lead_id, gone_us AS available_us FROM closes WHERE state = 'gone'"""
# Nobody knows when it happened. Just after the closes before it, so that any close that is shown
# later ends a new spell.
REOPENINGS = f"""SELECT g.lead_id, 0 AS seq,
        MAX(c.event_us) + 1 AS event_us, g.available_us
    FROM ({GONE}) AS g
    JOIN closes AS c ON c.lead_id = g.lead_id AND c.first_seen_us < g.available_us
    GROUP BY g.lead_id, g.available_us"""


def attach_closes(engine: Engine, version: StoreVersion, stages: Stages) -> None:
    """Make `closes` and `reopenings` readable.

    A version that remembers none takes them from outcomes and stages.

    Reopenings are what exports showed: a lead that was closed in one and is without any close in a
    later one.
    """
    if not version.remembers_closes:
        attach_plain_closes(engine, stages)
        return
    engine.add_files("closes", version.files("closes"), schema=CLOSES)
    if engine.query(GONE).num_rows:
        closes = engine.query(_closed_again_sql()).select(CLOSES.names).cast(CLOSES)
        engine.add_rows("closes", closes)
    engine.add_rows("reopenings", engine.query(REOPENINGS).cast(REOPENING))


def attach_plain_closes(engine: Engine, stages: Stages) -> None:
    """Make `closes` of the tables `outcomes` and `stages` by their own times.

    An outcome comes after any stage.
    """
    won = "CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won"
    parts = [_plain_sql("outcomes", f"outcome AS status, {won}, {FOREVER_US} AS seq")]
    for is_won, names in ((1, stages.won), (0, stages.lost)):
        if names:
            entered = _plain_sql("stages", f"stage AS status, {is_won} AS won, seq")
            closing = ", ".join(literal(name) for name in names)
            parts.append(f"{entered} WHERE stage IN ({closing})")
    rows = engine.query(" UNION ALL ".join(parts))
    engine.add_rows("closes", rows.select(CLOSES.names).cast(CLOSES))
    engine.add_rows("reopenings", REOPENING.empty_table())


def _closed_again_sql() -> str:
    """SQL of the closes; one dated before an export showed the lead open happened after that export.

    That is all that anybody knew of when it happened.
    """
    again = {
        "event_us": "c.first_seen_us",
        "earliest_us": "r.open_us",
        "available_us": "c.first_seen_us",
    }
    columns = []
    for name in CLOSES.names:
        stated = f"c.{name}"
        if name in again:
            stated = f"CASE WHEN r.open_us IS NULL THEN c.{name} ELSE {again[name]} END AS {name}"
        columns.append(stated)
    return f"""SELECT {", ".join(columns)}
        FROM closes AS c LEFT JOIN (
            SELECT c.lead_id, c.first_seen_us, c.date_us, MAX(o.available_us) AS open_us
            FROM closes AS c
            JOIN ({GONE}) AS o ON o.lead_id = c.lead_id
                AND o.available_us < c.first_seen_us AND o.available_us >= c.date_us
            GROUP BY c.lead_id, c.first_seen_us, c.date_us) AS r
        ON r.lead_id = c.lead_id AND r.first_seen_us = c.first_seen_us AND r.date_us = c.date_us"""


def _plain_sql(table: str, columns: str) -> str:
    return f"""SELECT lead_id, {literal(table)} AS origin, {columns}, 0 AS source_hash, event_us,
        available_us AS earliest_us, available_us, 1 AS dated, available_us AS first_seen_us,
        0 AS last_open_us, 0 AS not_before_us, 'shown' AS state, CAST(NULL AS BIGINT) AS gone_us,
        event_us AS date_us, CAST(NULL AS BIGINT) AS narrowed_us,
        CAST(NULL AS BIGINT) AS narrowed_from_us
        FROM {table}"""
