"""Rows of a log, mapped by an entry and stored."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builders import make_settings
from leadscore import project as jobs
from leadscore.store.version import StoreVersion, read_current

LEADS = {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}}
TWO_LEADS = "id,created\n1,2024-01-01\n2,2024-01-01\n"
SOURCES = {"leads": {"path": "leads.csv"}, "log": {"path": "log.csv"}}


def ingest(folder: Path, files: dict[str, str], **changes: Any) -> StoreVersion:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    settings = make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        **({"known_until": "2100-01-01"} | changes),
    )
    jobs.ingest(settings)
    return read_current(settings.project_folder() / "store", project=settings.project)


def ingest_log(folder: Path, log: str, *entries: dict[str, Any], **changes: Any) -> StoreVersion:
    """Two leads and a log that the entries map."""
    mapping = [LEADS, *({"source": "log"} | entry for entry in entries)]
    return ingest(
        folder,
        {"leads.csv": TWO_LEADS, "log.csv": log},
        **({"sources": SOURCES, "mapping": mapping} | changes),
    )


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    """The stored values of some columns, in the stored order."""
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


def rejects(version: StoreVersion) -> list[tuple]:
    return rows(version, "rejects", "source", "line", "table", "rule", "column", "value")


def account(version: StoreVersion, kind: str, name: str) -> dict[str, Any]:
    return version.manifest["accounts"][kind][name]
