"""The rows of a file, as a reader gives them, and the words of its refusal."""

from pathlib import Path

import pyarrow as pa
import pytest

from leadscore.errors import UserError
from leadscore.ingest.readers.sources import (
    Batch,
    detect_dialect,
    find_files,
    read_file,
)
from leadscore.settings.source import Source


def batches(
    folder: Path, data: str | bytes, columns: list[str], *, name: str = "x.csv", **parts
) -> list[Batch]:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return read(folder, Source(path=Path(name), **parts), columns)


def read(folder: Path, source: Source, columns: list[str]) -> list[Batch]:
    return [
        batch
        for file in find_files("deals", source, folder=folder)
        for batch in read_file(file, source, columns=columns, dialect=detect_dialect(file, source))
    ]


def rows(found: list[Batch]) -> list[tuple]:
    """(line, values...) of all rows."""
    assert all(kind == pa.string() for batch in found for kind in batch.columns.schema.types)
    return [
        (int(line), *row.values())
        for batch in found
        for line, row in zip(batch.lines, batch.columns.to_pylist(), strict=True)
    ]


def refusal(
    folder: Path, data: str | bytes, columns: list[str], *, name: str = "x.csv", **parts
) -> str:
    with pytest.raises(UserError) as told:
        batches(folder, data, columns, name=name, **parts)
    assert "'deals'" in str(told.value)
    assert name in str(told.value)
    return str(told.value)
