"""The fields of leads as a person would have seen them at a moment: for lists, rules, routing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal


def read_known_values(
    engine: Engine,
    names: Sequence[str],
    *,
    as_of_us: int,
    lead_id: np.ndarray | None = None,
) -> pa.Table:
    """Each lead known before `as_of_us`, by lead_id, with each field's value known then, as text.

    It is the latest change that was known, mapped or observed (emptied, it is null), else what was
    seen first. Numbers are in minor units, dates in microseconds. With `lead_id` (n,) only of those leads.
    """
    known = f"available_us < {as_of_us}"
    if lead_id is not None:
        asked = pa.array(lead_id, pa.string())
        engine.add_rows("asked_leads", pa.table({"lead_id": asked}))
        known += " AND lead_id IN (SELECT lead_id FROM asked_leads)"
        if len(lead_id) > 1:  # files are ordered by lead_id: most of them need not be read
            first, last = literal(min(lead_id)), literal(max(lead_id))
            known += f" AND lead_id BETWEEN {first} AND {last}"
    columns = ["l.lead_id"]
    joins = []
    for place, name in enumerate(names):
        first = f"CAST(l.{identifier(name)} AS VARCHAR)"
        alias = f"c{place}"
        value = f"CASE WHEN {alias}.lead_id IS NULL THEN {first} ELSE {alias}.value END"
        columns.append(f"{value} AS {identifier(name)}")
        joins.append(
            f"LEFT JOIN ({_latest_sql(name, known)}) AS {alias} ON {alias}.lead_id = l.lead_id"
        )
    return engine.query(
        f"SELECT {', '.join(columns)} FROM (SELECT * FROM leads WHERE {known}) AS l "
        f"{' '.join(joins)} ORDER BY l.lead_id"
    )


def _latest_sql(name: str, known: str) -> str:
    """SQL of the last change of a field, by lead: (lead_id, value); of changes that meet `known`."""
    return f"""SELECT lead_id, value FROM (
        SELECT lead_id, value, ROW_NUMBER() OVER (
            PARTITION BY lead_id ORDER BY event_us DESC, seq DESC, value DESC) AS recency
        FROM changes WHERE field = {literal(name)} AND {known}) AS ranked
        WHERE recency = 1"""
