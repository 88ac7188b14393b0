"""Reads Parquet files, their typed columns as text that loses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.errors import SourceFormatError
from leadscore.ingest.readers.batch import BATCH_ROWS, Batch, SourceFile, pick_columns, trim_columns
from leadscore.ingest.readers.values import MISSING, format_values, has_text, is_number
from leadscore.tables import DAMAGE

# How Hive and Spark name the folder of a missing value
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def read_parquet(file: SourceFile, *, columns: Sequence[str]) -> Iterator[Batch]:
    """The named columns of a Parquet file, batch by batch; a row's line is its number in the file.

    The folders `key=value` above the file are columns too, unless it has columns of these names.

    Raises:
        SourceFormatError: it is no whole Parquet file, or a column holds what has no text, like a
            list.
        MissingColumnsError: it has not all the columns.
    """
    try:
        with pq.ParquetFile(file.path) as parquet:
            yield from _read_batches(file, parquet, columns)
    except DAMAGE as e:
        raise _unreadable(file, e) from e


def read_parquet_names(file: SourceFile) -> list[str]:
    """The names of the columns of a Parquet file that can be text, and of the folders above it."""
    try:
        schema = pq.read_schema(file.path)
    except DAMAGE as e:
        raise _unreadable(file, e) from e
    own = [field.name for field in schema if has_text(field.type)]
    return [*own, *_folder_values(file, schema.names)]


def _read_batches(
    file: SourceFile,
    parquet: pq.ParquetFile,
    columns: Sequence[str],
) -> Iterator[Batch]:
    schema = parquet.schema_arrow
    folders = _folder_values(file, schema.names)
    pick_columns(file, [*schema.names, *folders], columns)
    own = [column for column in columns if column not in folders]
    typed = frozenset(field.name for field in schema if is_number(field.type))

    line = 1
    # Arrow's reading threads may outlive the process's main part and crash it (apache/arrow#34314).
    for rows in parquet.iter_batches(BATCH_ROWS, columns=own, use_threads=False):
        texts = [_column(file, rows, column, folders) for column in columns]
        lines = np.arange(line, line + rows.num_rows)
        yield Batch(lines, trim_columns(texts, columns), typed=typed)
        line += rows.num_rows


def _column(
    file: SourceFile,
    rows: pa.RecordBatch,
    name: str,
    folders: Mapping[str, str],
) -> pa.Array:
    """A column of the file, or of the folders above it, as text."""
    if name in folders:
        return pa.repeat(folders[name], rows.num_rows)
    values = rows.column(name)
    try:
        return format_values(values)
    except pa.ArrowException as e:
        raise file.refusal(
            f"has a column {name!r} of {values.type}, which cannot be read as text"
        ) from e


def _folder_values(file: SourceFile, names: Sequence[str]) -> dict[str, str]:
    """What hive-style folders above the file say of all its rows, unless a column does."""
    values = {}
    for folder in PurePosixPath(file.name).parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals and name not in names:
            values[name] = MISSING if value == NO_PARTITION else unquote(value)
    return values


def _unreadable(file: SourceFile, error: Exception) -> SourceFormatError:
    return file.refusal(f"cannot be read as Parquet: {error}")
