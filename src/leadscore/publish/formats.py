"""Scores as files, Parquet and CSV; the same scores give the same bytes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.publish.csv_text import write_csv

# 2: change, change_points, trend; settings and the previous list in the manifest
# 3: log_odds, the last column, was raw, the third
# 4: bant, after override
SCHEMA_VERSION = 4
PARQUET, CSV = "scores.parquet", "scores.csv"


def write_files(scores: pa.Table, folder: Path, *, schema_version: int = SCHEMA_VERSION) -> None:
    """Write the score files into a folder, as that version of the schema has them."""
    if schema_version < 4:
        scores = scores.drop_columns(["bant"])
    if schema_version < 3:
        scores = _with_raw(scores)
    pq.write_table(scores.combine_chunks(), folder / PARQUET, compression="zstd")
    with (folder / CSV).open("wb") as file:
        write_csv(scores, file)


def parse_parquet(data: bytes) -> pa.Table:
    """The scores in a Parquet file of any schema version, in the columns of the current one."""
    # Arrow's reading threads may still run when a process ends, and take it down
    # (apache/arrow#34314)
    file = pq.ParquetFile(pa.BufferReader(data))
    scores = file.read(use_threads=False)
    return _with_bant(_with_log_odds(scores))


def _with_log_odds(scores: pa.Table) -> pa.Table:
    """Scores of any schema version in the columns of the current one."""
    if "raw" not in scores.schema.names:
        return scores
    log_odds = pa.field("log_odds", pa.float64(), nullable=False)
    others = scores.drop_columns(["raw"])
    return others.append_column(log_odds, scores["raw"])


def _with_bant(scores: pa.Table) -> pa.Table:
    """Scores of any schema version with the answers on BANT; the first versions had none."""
    if "bant" in scores.schema.names:
        return scores
    nothing = pa.array([""] * scores.num_rows, pa.string())
    position = scores.schema.names.index("override") + 1
    return scores.add_column(position, pa.field("bant", pa.string(), nullable=False), nothing)


def _with_raw(scores: pa.Table) -> pa.Table:
    """Scores in the columns of schema version 2."""
    raw = pa.field("raw", pa.float64(), nullable=False)
    others = scores.drop_columns(["log_odds"])
    position = others.schema.names.index("as_of") + 1
    return others.add_column(position, raw, scores["log_odds"])
