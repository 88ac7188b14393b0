"""A company of whose leads most are open: the open leads of a sample, many times over, under ids of their own.

Of the sample's own leads seven in eight are closed, so that a million open ones would take eight million in all.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

TABLES = ("leads", "activities", "stage_history", "field_history")


def copy_open_leads(exports: Path, *, copies: int) -> None:
    """Write each lead without an outcome, and all that happened to it, `copies` times in all."""
    with duckdb.connect() as engine:
        outcomes = exports / "outcomes.csv"
        engine.execute(f"CREATE TABLE closed AS SELECT DISTINCT lead_id FROM '{outcomes}'")
        for name in TABLES:
            path = exports / f"{name}.csv"
            copied = exports / f"{name}.copied"
            engine.execute(_write_query(path, copies=copies, to=copied))
            copied.replace(path)


def _write_query(path: Path, *, copies: int, to: Path) -> str:
    rows = f"read_csv('{path}', all_varchar = true)"
    return f"""COPY (
            FROM {rows}
            UNION ALL
            SELECT t.* REPLACE (t.lead_id || '-' || copy AS lead_id)
            FROM {rows} AS t ANTI JOIN closed USING (lead_id), range(1, {copies}) AS numbers (copy)
        ) TO '{to}' (FORMAT csv, HEADER)"""
