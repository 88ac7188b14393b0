"""The fields of leads as a person would have seen them at a moment: for lists, rules, routing."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal


def read_known_values(
    engine: Engine,
    names: Sequence[str],
    *,
    as_of_us: int,
) -> pa.Table:
    """Each lead known before `as_of_us`, by lead_id, with each field's value known then, as text.

    It is the latest change that was known, mapped or observed (emptied, it is null), else what was
    seen first. Numbers are in minor units, dates in microseconds.
    """
    columns = ["l.lead_id"]
    joins = []
    for place, name in enumerate(names):
        first = f"CAST(l.{identifier(name)} AS VARCHAR)"
        alias = f"c{place}"
        value = f"CASE WHEN {alias}.lead_id IS NULL THEN {first} ELSE {alias}.value END"
        columns.append(f"{value} AS {identifier(name)}")
        joins.append(
            f"LEFT JOIN ({_latest_sql(name, as_of_us)}) AS {alias} ON {alias}.lead_id = l.lead_id"
        )
    return engine.query(
        f"SELECT {', '.join(columns)} FROM leads AS l {' '.join(joins)} "
        f"WHERE l.available_us < {as_of_us} ORDER BY l.lead_id"
    )


def _latest_sql(name: str, as_of_us: int) -> str:
    """SQL of the last change of a field that was known, by lead: (lead_id, value)."""
    return f"""SELECT lead_id, value FROM (
        SELECT lead_id, value, ROW_NUMBER() OVER (
            PARTITION BY lead_id ORDER BY event_us DESC, seq DESC, value DESC) AS recency
        FROM changes WHERE field = {literal(name)} AND available_us < {as_of_us}) AS ranked
        WHERE recency = 1"""
