"""Small CSV tables, ingested, and what the store then holds."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builders import make_settings
from leadscore import project as jobs
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current

COLUMNS = {"lead_id": "id", "event_at": "created"}
LEADS = {"source": "leads", "table": "leads", "columns": COLUMNS | {"amount": "amount"}}
LOG = {"lead_id": "id", "event_at": "t"}
OUTCOMES = {"source": "outcomes", "table": "outcomes", "columns": LOG | {"outcome": "what"}}
STAGES = {"source": "stages", "table": "stages", "columns": LOG | {"stage": "what"}}
CALLS = {"source": "calls", "table": "activities", "columns": LOG, "constants": {"kind": "meeting"}}
ENTRIES = {"leads": LEADS, "outcomes": OUTCOMES, "stages": STAGES, "calls": CALLS}
HEADERS = {
    "leads": "id,created,amount",
    "outcomes": "id,t,what",
    "stages": "id,t,what",
    "calls": "id,t",
}
LEAD = "1,2024-01-01,5"


def make(folder: Path, files: dict[str, list[str]], **changes: Any) -> Settings:
    """Settings that read one CSV a table, written from its rows under the usual header."""
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows, ""]), encoding="utf-8")
    used = {
        "sources": {name: {"path": f"{name}.csv"} for name in files},
        "mapping": [ENTRIES[name] for name in files],
        "known_until": "2024-03-01",
    }
    return make_settings(input_folder=folder, data_folder=folder / "data", **(used | changes))


def ingest(folder: Path, files: dict[str, list[str]], **changes: Any) -> StoreVersion:
    settings = make(folder, files, **changes)
    known_until_us = settings.known_until_us()
    jobs.ingest(settings, known_until_us=known_until_us, accept=["same_files"])
    return current(folder)


def store(folder: Path) -> Path:
    return folder / "data" / "built" / "store"


def current(folder: Path) -> StoreVersion:
    return read_current(store(folder), project="built")


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


def ids(version: StoreVersion, table: str = "leads") -> list[str]:
    return [lead_id for (lead_id,) in rows(version, table, "lead_id")]


def rejects(version: StoreVersion) -> list[tuple]:
    """(source, line, rule) of every reject."""
    return rows(version, "rejects", "source", "line", "rule")


def account(version: StoreVersion, table: str) -> tuple[int, ...]:
    """(selected, stored, rejected, duplicates) of a table."""
    found = version.manifest["accounts"]["tables"][table]
    return tuple(found[key] for key in ("selected", "stored", "rejected", "duplicates"))


IGNORED = {"ignore": {"drafts": {"amount": ["draft"]}, "tests": {"amount": ["test*"]}}}
