"""The closes of a store version as one table: when each was known, and between which moments it lies."""

from __future__ import annotations

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.sections import Stages
from leadscore.store.version import StoreVersion
from leadscore.tables import CLOSES
from leadscore.times import FOREVER_US


def attach_closes(engine: Engine, version: StoreVersion, stages: Stages) -> None:
    """Make `closes` readable; a version that remembers none takes them from its outcomes and stages."""
    if version.remembers_closes:
        engine.add_files("closes", version.files("closes"), schema=CLOSES)
    else:
        attach_plain_closes(engine, stages)


def attach_plain_closes(engine: Engine, stages: Stages) -> None:
    """Make `closes` of the tables `outcomes` and `stages` by their own times; an outcome comes after any stage."""
    outcome = f"CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, {FOREVER_US} AS seq"
    parts = [_plain_sql("outcomes", f"outcome AS status, {outcome}")]
    for won, names in ((1, stages.won), (0, stages.lost)):
        if names:
            closing = ", ".join(map(literal, names))
            parts.append(_plain_sql("stages", f"stage AS status, {won} AS won, seq") + f" WHERE stage IN ({closing})")
    rows = engine.query(" UNION ALL ".join(parts))
    engine.add_rows("closes", rows.select(CLOSES.names).cast(CLOSES))


def _plain_sql(table: str, columns: str) -> str:
    return f"""SELECT lead_id, {literal(table)} AS origin, {columns}, 0 AS source_hash, event_us,
        available_us AS earliest_us, available_us, 1 AS dated, available_us AS first_seen_us,
        0 AS last_open_us, 0 AS not_before_us, 'shown' AS state, CAST(NULL AS BIGINT) AS gone_us,
        event_us AS date_us, CAST(NULL AS BIGINT) AS narrowed_us, CAST(NULL AS BIGINT) AS narrowed_from_us
        FROM {table}"""
