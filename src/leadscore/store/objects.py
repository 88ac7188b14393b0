"""Stored files: Parquet named by its content's SHA-256, so versions share what did not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_together
from leadscore.background import read_ahead
from leadscore.errors import CorruptFileError
from leadscore.files import hash_file, is_there
from leadscore.proposals import propose

ROW_GROUP = 250_000
HASHING_THREADS = 4
NO_FILE = "none"  # stands for the hash of a file that is gone
NOTHING: dict[str, Any] = {"rows": 0, "files": []}  # a part without rows
FILES = {"rows": int, "files": [{"sha256": str, "rows": int}]}  # the shape of a part, as JSON

_hashes: dict[tuple[Path, int, int, int], str] = {}  # of files as this process has read them


def object_path(folder: Path, sha256: str) -> Path:
    """Where the store at `folder` keeps the file with that content."""
    return folder / "objects" / sha256[:2] / f"{sha256}.parquet"


def part_paths(folder: Path, part: dict[str, Any]) -> list[Path]:
    """Where the store at `folder` keeps the files of a part."""
    hashes = [file["sha256"] for file in part["files"]]
    return [object_path(folder, sha256) for sha256 in hashes]


def hash_object(path: Path) -> str:
    """The SHA-256 of a stored file, computed again only if the file has changed.

    `NO_FILE` if there is none.

    Raises:
        UserError: it is there and cannot be read.
    """
    if not is_there(path):
        return NO_FILE
    try:
        status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns, status.st_ino)
        if key not in _hashes:
            _hashes[key] = hash_file(path)
    except FileNotFoundError:  # removed in between
        return NO_FILE
    return _hashes[key]


def is_whole(path: Path) -> bool:
    """Whether a stored file is there, with the content that its name says."""
    return hash_object(path) == path.stem


def describe_recovery() -> str:
    """How to get back a file of the store that is gone or was changed."""
    return (
        f"`{propose('store list')}` says which versions are whole. Go "
        f"back to one (`{propose('store rollback VERSION')}`) and ingest the exports since then "
        "again: that writes the file anew. If none is whole: "
        f"`{propose('ingest --forget-damaged')}`, which loses the changes seen between exports"
    )


def check_objects(paths: Sequence[Path]) -> None:
    """Compare stored files with the hashes that name them.

    Raises:
        CorruptFileError: one of them is gone or has other content.
    """
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        hashes = threads.map(hash_object, paths)
        for path, sha256 in zip(paths, hashes, strict=True):
            if sha256 != path.stem:
                raise CorruptFileError(
                    path,
                    expected=path.stem,
                    actual=sha256,
                    cure=describe_recovery(),
                )


def write_rows(
    folder: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
) -> dict[str, Any]:
    """Store rows as a file named by its content.

    Equal rows in equal order give equal bytes, however batched.

    Returns:
        The part of a manifest that names the file: {"rows": n, "files": [{"sha256", "rows"}]},
        without a file if there are no rows.
    """
    return write_columns(folder, [schema], batches)[0]


def write_columns(
    folder: Path,
    schemas: Sequence[pa.Schema],
    batches: Iterable[pa.RecordBatch],
) -> list[dict[str, Any]]:
    """Store the same rows as several files, each with the columns of one schema.

    Returns:
        What `write_rows` does, for each schema.
    """
    whole = pa.schema([field for schema in schemas for field in schema])
    chosen = (batch.select(whole.names) for batch in batches)
    parts: list[dict[str, Any]] = []

    def fill(paths: list[Path]) -> list[Path | None]:
        rows = _write_files(paths, schemas, _row_groups(whole, chosen))
        parts.extend(_build_part(path, rows) for path in paths)
        return [_target(folder, part) for part in parts]

    write_together(folder, len(schemas), fill)
    return parts


def _write_files(
    paths: Sequence[Path],
    schemas: Sequence[pa.Schema],
    groups: Iterable[pa.Table],
) -> int:
    """Write the columns of each schema to a file, all files at once; returns the number of rows."""
    rows = 0
    with ExitStack() as stack:
        writers = []
        for path, schema in zip(paths, schemas, strict=True):
            writers.append(stack.enter_context(_open_writer(path, schema)))
        threads = stack.enter_context(ThreadPoolExecutor(len(schemas)))
        for group in read_ahead(groups):
            tables = [group.select(schema.names) for schema in schemas]
            for _ in threads.map(_write_group, writers, tables):
                pass  # raises what a thread raised
            rows += group.num_rows
    return rows


def _open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Numbers are written as they are: most differ, so that a dictionary of them takes longer."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=texts)


def _write_group(writer: pq.ParquetWriter, table: pa.Table) -> None:
    writer.write_table(table, row_group_size=ROW_GROUP)


def _build_part(path: Path, rows: int) -> dict[str, Any]:
    """What a manifest says of a written file."""
    if not rows:
        return {"rows": 0, "files": []}
    file = {"sha256": hash_file(path), "rows": rows}
    return {"rows": rows, "files": [file]}


def _target(folder: Path, part: dict[str, Any]) -> Path | None:
    """Where the file of a part belongs; None if it has none."""
    paths = part_paths(folder, part)
    return paths[0] if paths else None


def _row_groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in tables of exactly `ROW_GROUP` rows, but for the last."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        is_like = batch.schema == schema
        waiting.append(batch if is_like else batch.cast(schema))
        rows += batch.num_rows
        while rows >= ROW_GROUP:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, ROW_GROUP).combine_chunks()
            waiting = table.slice(ROW_GROUP).to_batches()
            rows -= ROW_GROUP
    if rows:
        yield pa.Table.from_batches(waiting, schema).combine_chunks()
