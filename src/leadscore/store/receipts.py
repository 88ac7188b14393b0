"""Receipts: what was published about whom, kept append-only beside the versions, so that it can be settled later."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.files import write_file
from leadscore.tables import RECEIPTS


def write_receipts(
    folder: Path, scores: pa.Table, *, publication_id: str, model_version: str, store_version: str
) -> Path:
    """Keep a publication's scores as a file of receipts in the store at `folder`; one that is there is left alone.

    `scores` has lead_id, as_of, raw, win_probability, score and tier. rep_id and exploration_probability are null
    until leads are routed.
    """
    path = folder / "receipts" / f"{publication_id}.parquet"
    if path.exists():
        return path
    known = {"publication_id": publication_id, "model_version": model_version, "store_version": store_version}
    columns = [
        scores[field.name] if field.name in scores.schema.names
        else pa.array([known.get(field.name)] * scores.num_rows, field.type)
        for field in RECEIPTS
    ]  # fmt: skip
    table = pa.Table.from_arrays(columns, schema=RECEIPTS)

    def fill(beside: Path) -> Path:
        pq.write_table(table.combine_chunks(), beside, compression="zstd")
        return path

    write_file(path.parent, fill)
    return path


def read_receipts(folder: Path, *, publication_id: str = "*") -> pa.Table:
    """All receipts of the store at `folder`, or of one publication, in the order of their publications' ids."""
    files = sorted((folder / "receipts").glob(f"{publication_id}.parquet"))
    # Arrow's reading threads may still run when a process ends, and take it down (apache/arrow#34314)
    tables = [pq.read_table(file, use_threads=False) for file in files]
    return pa.concat_tables(tables) if tables else RECEIPTS.empty_table()
