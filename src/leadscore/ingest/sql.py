"""Pieces of SQL that the rooms of ingest share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal

STORED_FIRST = {"lead_id", "event_us"}


def columns_sql(names: Iterable[str], *, of: str = "") -> str:
    """Quoted column names, separated by commas, each of the table alias `of` where one is given.

    >>> columns_sql(["lead_id", "order"], of="r")
    'r."lead_id", r."order"'
    """
    prefix = f"{of}." if of else ""
    return ", ".join(prefix + identifier(name) for name in names)


def literals_sql(texts: Iterable[str]) -> str:
    """SQL strings, separated by commas; the empty string where there are none: `IN ()` is no SQL.

    >>> literals_sql(["won", "won't"]), literals_sql([])
    ("'won', 'won''t'", "''")
    """
    return ", ".join(map(literal, texts)) or "''"


def storing_order(names: Iterable[str]) -> str:
    """The columns by which a table is ordered on disk: lead and moment first, then all others.

    >>> storing_order(["stage", "lead_id", "event_us"])
    '"lead_id", "event_us", "stage"'
    """
    return columns_sql(sorted(names, key=lambda name: name not in STORED_FIRST))


def union_sql(selects: Iterable[str]) -> str:
    """All rows of several SELECTs."""
    return " UNION ALL ".join(selects)


def read_number(engine: Engine, sql: str) -> int:
    """The one whole number that a statement returns; 0 for NULL."""
    return int(engine.query(sql).column(0)[0].as_py() or 0)


def read_row(engine: Engine, sql: str) -> dict[str, Any]:
    """The first row that a statement returns, by column."""
    row: dict[str, Any] = engine.query(sql).to_pylist()[0]
    return row


def read_days(engine: Engine, sql: str) -> np.ndarray:
    """The distinct values of the column `us` of a SELECT, rising, int64 (n,)."""
    rows = engine.query(f"SELECT DISTINCT us FROM ({sql}) AS d WHERE us IS NOT NULL ORDER BY us")
    return np.asarray(rows["us"].to_numpy(), dtype=np.int64)
