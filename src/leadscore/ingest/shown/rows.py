"""The texts that people see of leads, a private file for each file that was read.

They are kept beside the store, never in it: no version, model, log or score file holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.atomic import write_file
from leadscore.files import is_there
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.values import MISSING
from leadscore.ingest.shown.forgotten import read_forgotten
from leadscore.settings.show import SHOWN
from leadscore.tables import DAMAGE

TEXT_COLUMNS = [pa.field(key, pa.string()) for key in SHOWN]
SHOWN_ROWS = pa.schema([pa.field("lead_id", pa.string()), *TEXT_COLUMNS])


def shown_folder(store: Path) -> Path:
    """Where the texts are that people see of the leads of a store."""
    return store.parent / "shown"


def part_path(folder: Path, key: str) -> Path:
    """Where `folder` keeps the texts of the part of that key."""
    return folder / "parts" / f"{key}.parquet"


def shown_rows(lead_ids: pa.Array, texts: Texts, columns: Mapping[str, str]) -> pa.Table:
    """The shown texts of rows (n,) in the shape of `SHOWN_ROWS`; null where missing.

    `columns` name the source's column for each shown text.
    """
    nothing = pa.nulls(texts.n, pa.string())
    arrays = [lead_ids.cast(pa.string())]
    for key in SHOWN:
        text = texts.columns[columns[key]] if key in columns else nothing
        arrays.append(pc.if_else(pc.equal(text, MISSING), None, text))
    return pa.table(arrays, schema=SHOWN_ROWS)


def keep_shown(staged: Path, folder: Path, key: str) -> None:
    """Move the staged texts of a part to where they are kept, but for those to be forgotten."""
    forgotten = read_forgotten(folder)
    batches = pq.ParquetFile(staged).iter_batches(use_threads=False)
    write_shown(part_path(folder, key), (forgotten.drop(batch) for batch in batches))


def write_shown(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    """Write texts that only the owner of the file may read."""

    def fill(temporary: Path) -> Path:
        with pq.ParquetWriter(temporary, SHOWN_ROWS, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
        return path

    write_file(path.parent, fill, private=True)


def has_shown(folder: Path, key: str) -> bool:
    """Whether the texts of a part are there and whole."""
    return read_part_rows(part_path(folder, key)) is not None


def read_part_rows(path: Path) -> pa.Table | None:
    """The texts in a file in the shape of `SHOWN_ROWS`; None if it is gone or damaged."""
    if not is_there(path):
        return None
    try:
        rows = pq.ParquetFile(path).read(use_threads=False)
    except DAMAGE:
        return None
    return rows if rows.schema.equals(SHOWN_ROWS) else None
