"""The leads open at one moment, listed where their facts are: for lists too long for one machine.

`History.open_list` gives the same list. Only leads that were re-opened, whose facts are replayed,
and, where an account or contact is learned from, the ids on the list come to this machine.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.history.snapshot import KEYS, Snapshot
from leadscore.history.spells import first_spells_sql, read_reopened_spells
from leadscore.history.split import History
from leadscore.times import DAY_US

LIST = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in KEYS[1:]),
    ]
)
ABSENT = """SELECT lead_id FROM (
        SELECT lead_id, present, ROW_NUMBER() OVER (
            PARTITION BY lead_id ORDER BY seq DESC) AS recency
        FROM presence WHERE available_us < {known_us}) AS ranked
    WHERE recency = 1 AND present = 0"""


def open_bulk_list(history: History, folder: Path, *, as_of_us: int) -> Snapshot:
    """The leads open at a moment as the table `snapshots`, of files in a new folder.

    The snapshot itself has no rows, unless it needs them for other leads of the same keys.
    """
    engine = history.engine
    known_us = history.known_us(as_of_us)
    reopened = read_reopened_spells(
        engine,
        history.settings.stages,
        known_us=known_us,
        correction_days=history.settings.target.correction_days,
    )
    columns = ["lead_id", "spell", "start_us", "close_us"]
    spells = pa.Table.from_pandas(reopened[columns], preserve_index=False)
    engine.add_rows("reopened_spells", spells)

    within_us = round(history.settings.target.correction_days * DAY_US)
    first = first_spells_sql(known_us, within_us)
    listed = _open_list_sql(first, known_us=known_us, as_of_us=as_of_us)
    engine.write_files(listed, folder)
    files = sorted(folder.glob("*.parquet"))
    engine.add_files("snapshots", files, schema=LIST)

    rows = LIST.empty_table().to_pandas()
    snapshot = history.snapshot(rows)
    if not any(key.is_learned for key in snapshot.keys):
        return snapshot
    return history.snapshot(_read_list(engine))


def read_columns(history: History, select: str) -> pa.Schema:
    """The columns of a SELECT over `snapshots`, as its rows come from this engine."""
    history.engine.add_rows("snapshots", LIST.empty_table())
    return history.engine.query(select).schema


def _read_list(engine: Engine) -> pd.DataFrame:
    rows = engine.query(f"SELECT {', '.join(KEYS)} FROM snapshots ORDER BY lead_id")
    listed: pd.DataFrame = rows.to_pandas()
    return listed


def _open_list_sql(first: str, *, known_us: int, as_of_us: int) -> str:
    """SQL of `build_open_list`, from the first spells and those of re-opened leads."""
    return f"""SELECT s.lead_id, s.spell, {as_of_us} AS as_of_us, {known_us} AS known_us
        FROM (
            SELECT f.lead_id, f.spell, f.start_us, f.close_us
            FROM ({first}) AS f
            LEFT JOIN (SELECT DISTINCT lead_id FROM reopened_spells) AS r
                ON r.lead_id = f.lead_id
            WHERE r.lead_id IS NULL
            UNION ALL
            SELECT lead_id, spell, start_us, close_us FROM reopened_spells) AS s
        LEFT JOIN ({ABSENT.format(known_us=known_us)}) AS a ON a.lead_id = s.lead_id
        WHERE a.lead_id IS NULL AND s.start_us < {as_of_us} AND s.close_us >= {as_of_us}"""
