"""Lead files with known leaks and known innocents, opened as histories in memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from builders import day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.tables import TABLES


@cache
def engine() -> DuckDBEngine:
    return DuckDBEngine(make_settings(engine={"threads": 1}).engine)


HISTORY = {
    "source": "leads",
    "table": "changes",
    "columns": {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"},
}


def settings_of(
    frame: pd.DataFrame,
    *,
    dates: tuple[str, ...] = (),
    has_history: bool = False,
    **changes: Any,
) -> Settings:
    """Settings that map every column: numbers as numbers, those in `dates` as dates, the rest as text."""

    def kind(name: str) -> str:
        return "date" if name in dates else "number" if frame[name].dtype.kind in "iuf" else "text"

    fields = {name: {"type": kind(name)} for name in frame} | changes.pop("fields", {})
    columns = {"lead_id": "id", "event_at": "created", **{name: name for name in frame}}
    entry = {"source": "leads", "table": "leads", "columns": columns}
    mapping = [entry, HISTORY] if has_history else [entry]
    return make_settings(mapping=mapping, fields=fields, **changes)


def open_file(
    frame: pd.DataFrame,
    won: np.ndarray,
    *,
    created: np.ndarray,
    closes: np.ndarray,
    until: float,
    dates: tuple[str, ...] = (),
    changes: pd.DataFrame | None = None,
    seen: pd.DataFrame | None = None,
    **settings: Any,
) -> History:
    """A file of leads as a history: one row a lead, its fields as they are at `until`.

    Args:
        frame: the fields (n rows); dates in days after day 0.
        won: (n,) whether a lead is won, if it closes.
        created: (n,) days.
        closes: (n,) days; NaN, or not before `until`, while open.
        until: days; the moment of the export.
        dates: which columns are dates.
        changes: rows of `changes`: lead (position), at (days), field, value as stored.
        seen: the same, of changes that our own exports showed.
        settings: replace whole keys.
    """
    chosen = settings_of(frame, dates=dates, has_history=changes is not None, **settings)
    mapped = NO_CHANGES if changes is None else changes
    every_change = mapped if seen is None else pd.concat([mapped, seen])
    ids = np.array([f"L{i:06d}" for i in range(len(frame))], dtype=object)
    rows = {"lead_id": pa.array(ids), **_times(created)}
    for name, field in chosen.fields.items():
        rows[name] = _stored(frame[name], field.type, field.decimals)
    is_closed = closes < until
    tables = {
        "leads": rows,
        "outcomes": _outcomes(ids[is_closed], won[is_closed], closes[is_closed]),
        "changes": _changes(every_change, ids),
    }
    for name in TABLES:
        engine().add_rows(name, _table(tables.get(name, {}), table_of(name, chosen).schema()))
    of_changes = table_of("changes", chosen).schema()
    engine().add_rows("mapped_changes", _table(_changes(mapped, ids), of_changes))
    attach_plain_closes(engine(), chosen.stages)
    manifest = {"known_until_us": day(until), "first_us": day(float(created.min()))}
    return History(chosen, StoreVersion("in memory", manifest, Path()), engine())


def _outcomes(ids: np.ndarray, won: np.ndarray, closes: np.ndarray) -> dict[str, Any]:
    outcome = np.where(won, "won", "lost")
    return {"lead_id": pa.array(ids), "outcome": pa.array(outcome), **_times(closes)}


NO_CHANGES = pd.DataFrame({"lead": np.empty(0, int), "at": np.empty(0), "field": [], "value": []})


def _changes(rows: pd.DataFrame, ids: np.ndarray) -> dict[str, pa.Array]:
    return {
        "lead_id": pa.array(ids[rows["lead"]], pa.string()),
        "field": pa.array(rows["field"], pa.string()),
        "value": pa.array(rows["value"], pa.string()),
        **_times(rows["at"].to_numpy()),
    }


def _times(days: np.ndarray) -> dict[str, pa.Array]:
    us = pa.array([day(float(each)) for each in days], pa.int64())
    return {"event_us": us, "available_us": us}


def _stored(values: pd.Series, kind: str, decimals: int) -> pa.Array:
    if kind == "text":
        return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())
    if kind == "date":
        return pa.array(
            [None if pd.isna(value) else day(float(value)) for value in values], pa.int64()
        )
    return pa.array(
        [None if pd.isna(value) else round(float(value) * 10**decimals) for value in values],
        pa.int64(),
    )


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    if not columns:
        return schema.empty_table()
    n = len(columns["lead_id"])
    filled = {field.name: pa.nulls(n, field.type) for field in schema} | columns
    if "seq" in filled:
        filled["seq"] = pa.array(np.zeros(n, dtype=np.int64))
    return pa.table([filled[field.name] for field in schema], schema=schema)
