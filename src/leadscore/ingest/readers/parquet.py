"""Reads Parquet files, their typed columns as the text that loses nothing of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.ingest.readers.batch import BATCH_ROWS, Batch, SourceFile, pick_columns, trim_columns
from leadscore.ingest.readers.values import MISSING, format_values

NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # how Hive and Spark name the folder of a missing value


def read_parquet(file: SourceFile, *, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a Parquet file, batch by batch; a row's line is its number in the file.

    The folders `key=value` above the file are columns too, unless it has columns of these names.

    Raises:
        SourceFormatError: it is no whole Parquet file, or a column holds what has no text, like a list.
        MissingColumnsError: it has not all the columns.
    """
    try:
        with pq.ParquetFile(file.path) as parquet:
            names = parquet.schema_arrow.names
            folders = {name: value for name, value in _partition(file).items() if name not in names}
            pick_columns(file, [*names, *folders], columns)
            own = [column for column in columns if column not in folders]
            typed = frozenset(
                field.name for field in parquet.schema_arrow if _is_number(field.type)
            )
            begin = 1
            # Arrow's reading threads may still run when a process ends, and take it down (apache/arrow#34314)
            for rows in parquet.iter_batches(BATCH_ROWS, columns=own, use_threads=False):
                n = rows.num_rows
                texts = [
                    pa.repeat(folders[column], n)
                    if column in folders
                    else _column(file, column, rows)
                    for column in columns
                ]
                yield Batch(np.arange(begin, begin + n), trim_columns(texts, columns), typed=typed)
                begin += n
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise file.refusal(f"cannot be read as Parquet: {e}") from e


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def read_parquet_names(file: SourceFile) -> list[str]:
    """The names of the columns of a Parquet file that can be text, and of the folders above it."""
    try:
        schema = pq.read_schema(file.path)
    except (pa.ArrowException, OSError) as e:
        raise file.refusal(f"cannot be read as Parquet: {e}") from e
    own = [
        field.name
        for field in schema
        if not pa.types.is_nested(field.type) and not _is_bytes(field.type)
    ]
    return [*own, *(name for name in _partition(file) if name not in schema.names)]


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _partition(file: SourceFile) -> dict[str, str]:
    """The values that hive-style folders above the file give to all of its rows."""
    parts = [part.partition("=") for part in PurePosixPath(file.name).parts[:-1] if "=" in part]
    return {name: MISSING if value == NO_PARTITION else unquote(value) for name, _, value in parts}


def _column(file: SourceFile, name: str, rows: pa.RecordBatch) -> pa.Array:
    values = rows.column(name)
    try:
        return format_values(values)
    except pa.ArrowException as e:
        raise file.refusal(
            f"has a column {name!r} of {values.type}, which cannot be read as text"
        ) from e
