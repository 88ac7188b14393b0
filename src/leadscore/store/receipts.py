"""Receipts: what was published about whom, append-only, to be compared with outcomes later."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_file
from leadscore.files import is_there, list_folder, read_if_there
from leadscore.tables import DAMAGE, RECEIPTS

RENAMED = {"raw": "log_odds"}  # as earlier releases wrote it
logger = logging.getLogger(__name__)


def receipts_path(folder: Path, publication_id: str) -> Path:
    """Where the store at `folder` keeps the receipts of a publication."""
    return folder / "receipts" / f"{publication_id}.parquet"


def build_receipts(
    scores: pa.Table,
    *,
    publication_id: str,
    model_version: str,
    store_version: str,
) -> pa.Table:
    """The receipts of a publication's scores.

    `scores` has lead_id, as_of, log_odds, win_probability, score and tier. rep_id and
    exploration_probability are null until leads are routed.
    """
    of_publication = {
        "publication_id": publication_id,
        "model_version": model_version,
        "store_version": store_version,
    }
    columns = []
    for field in RECEIPTS:
        if field.name in scores.schema.names:
            columns.append(scores[field.name])
        else:
            value = pa.scalar(of_publication.get(field.name), field.type)
            columns.append(pa.repeat(value, scores.num_rows))
    return pa.Table.from_arrays(columns, schema=RECEIPTS).combine_chunks()


def write_receipts(
    folder: Path,
    scores: pa.Table,
    *,
    publication_id: str,
    model_version: str,
    store_version: str,
) -> Path:
    """Write a publication's scores as a file of receipts to the store at `folder`.

    Returns its path.

    A file with the same content is left alone; one that was changed is written again.
    """
    path = receipts_path(folder, publication_id)
    receipts = build_receipts(
        scores,
        publication_id=publication_id,
        model_version=model_version,
        store_version=store_version,
    )
    if is_there(path) and is_receipt_of(path, receipts):
        return path

    def fill(beside: Path) -> Path:
        pq.write_table(receipts, beside, compression="zstd")
        return path

    write_file(path.parent, fill)
    return path


def is_receipt_of(path: Path, receipts: pa.Table) -> bool:
    """Whether a file of receipts equals `receipts`, in the columns that its release wrote.

    One column after the other is read: of a long list all of them take much memory.
    """
    try:
        file = _open(path)
        if file is None:
            return False
        names = file.schema_arrow.names
        if not set(names) >= {"publication_id", "lead_id"}:
            return False
        return all(_is_column_of(file, name, receipts) for name in names)
    except DAMAGE:
        return False


def _is_column_of(file: pq.ParquetFile, name: str, receipts: pa.Table) -> bool:
    """Whether a column of a file equals that of `receipts`, if these have it."""
    now = RENAMED.get(name, name)
    if now not in receipts.schema.names:
        return True
    stored = file.read([name], use_threads=False).rename_columns([now])
    return bool(stored.equals(receipts.select([now])))


def read_receipts(folder: Path, *, publication_id: str = "*") -> pa.Table:
    """All receipts of the store at `folder`, or of one publication, by publication id.

    Files that are no receipts are passed over with a warning.
    """
    tables = []
    for path in list_folder(folder / "receipts", f"{publication_id}.parquet"):
        table = _read(path)
        if table is None or table.schema != RECEIPTS:
            logger.warning("%s holds no receipts of this format; it is passed over", path)
            continue
        tables.append(table)
    return pa.concat_tables(tables) if tables else RECEIPTS.empty_table()


def _read(path: Path) -> pa.Table | None:
    """The rows of a file; None if it is gone or damaged."""
    try:
        file = _open(path)
        if file is None:
            return None
        receipts = file.read(use_threads=False)
    except DAMAGE:
        return None
    names = [RENAMED.get(name, name) for name in receipts.schema.names]
    return receipts.rename_columns(names)


def _open(path: Path) -> pq.ParquetFile | None:
    """A file to read; None if it is gone."""
    data = read_if_there(path)
    if data is None:
        return None
    # Arrow's reading threads may outlive a process and crash its end (apache/arrow#34314)
    return pq.ParquetFile(pa.BufferReader(data))
