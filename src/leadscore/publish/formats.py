"""Scores as files, Parquet and CSV; the same scores give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.publish.csv_text import write_header, write_rows

# 2: change, change_points, trend; settings and the previous list in the manifest
# 3: log_odds, the last column, was raw, the third
# 4: bant, after override
SCHEMA_VERSION = 4
PARQUET, CSV = "scores.parquet", "scores.csv"
GROUP_ROWS = 2**18  # of Parquet, which are written at once and wait in memory: 250 MB


def write_files(
    scores: Iterable[pa.Table],
    folder: Path,
    *,
    schema_version: int = SCHEMA_VERSION,
) -> None:
    """Write the score files into a folder, as that version of the schema has them.

    Args:
        scores: the list in slices. The bytes are those of one table if all but the last one have
            a multiple of 1,024 rows that divides `GROUP_ROWS`.
        folder: to write into.
        schema_version: of the columns.
    """
    in_version = (_in_version(rows, schema_version) for rows in scores)
    first = next(in_version)
    with (
        pq.ParquetWriter(folder / PARQUET, first.schema, compression="zstd") as parquet,
        (folder / CSV).open("wb") as csv,
    ):
        write_header(first.schema, csv)
        for rows in _in_groups(chain([first], in_version)):
            parquet.write_table(rows, GROUP_ROWS)
            write_rows(rows, csv)
            del rows  # or it would stay while the next one is read


def _in_groups(scores: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows in tables of at least `GROUP_ROWS`; one table if there are fewer."""
    waiting: list[pa.Table] = []
    for rows in scores:
        waiting.append(rows)
        if sum(table.num_rows for table in waiting) >= GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _in_version(scores: pa.Table, schema_version: int) -> pa.Table:
    """Scores in the columns of a schema version."""
    if schema_version < 4:
        scores = scores.drop_columns(["bant"])
    return scores if schema_version > 2 else _with_raw(scores)


def parse_parquet(source: BinaryIO, *, columns: Sequence[str] | None = None) -> pa.Table:
    """The scores in a Parquet file of any schema version, in the columns of the current one.

    `columns` names those that are needed; others may come along.
    """
    # Arrow's reading threads may still run when a process ends, and take it down
    # (apache/arrow#34314)
    file = pq.ParquetFile(source)
    names = file.schema_arrow.names
    if not {"log_odds", "bant"} <= set(names):
        return _with_bant(_with_log_odds(file.read(use_threads=False)))
    wanted = names if columns is None else [name for name in names if name in columns]
    return file.read(wanted, use_threads=False)


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
