"""The same rows give the same store, whatever kind of source they come from."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current

UNTIL = "2024-03-01"
LEADS = [
    {"id": "00012", "created": "2024-01-01T10:00:00Z", "city": "Köln", "size": 12.5},
    {"id": "7", "created": "2024-01-02T10:00:00Z", "city": None, "size": None},
    {"id": "8", "created": "2024-01-03T10:00:00Z", "city": "Ulm", "size": 1234},
]
MAPPING = [
    {
        "source": "leads",
        "table": "leads",
        "columns": {"lead_id": "id", "event_at": "created", "city": "city", "size": "size"},
    }
]
FIELDS = {"city": {"known_from": "creation"}, "size": {"type": "number", "decimals": 1}}


def settings_of(folder: Path, source: dict[str, Any], **more: Any) -> Settings:
    """Settings that read leads from one source, with a store of their own."""
    stated = {"known_until": UNTIL, "mapping": MAPPING, "fields": FIELDS}
    stated |= {"input_folder": folder, "data_folder": folder / "data"} | more
    return make_settings(sources={"leads": source}, **stated)


def stored(settings: Settings, table: str = "leads") -> list[dict[str, Any]]:
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def write_csv(folder: Path) -> dict[str, Any]:
    with (folder / "leads.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, list(LEADS[0]))
        rows.writeheader()
        rows.writerows(LEADS)
    return {"path": "leads.csv"}


def test_json_lines_when_they_hold_the_rows_of_a_csv_then_the_same_is_stored(tmp_path):
    table, lines = tmp_path / "table", tmp_path / "lines"
    for folder in (table, lines):
        folder.mkdir()
    settings = settings_of(table, write_csv(table))
    jobs.ingest(settings)

    (lines / "leads.jsonl").write_text("\n".join(map(json.dumps, LEADS)) + "\n{broken\n")
    of_lines = settings_of(lines, {"path": "leads.jsonl"})
    ingested = jobs.ingest(of_lines)
    assert stored(of_lines) == stored(settings)
    assert ingested.rejects == {"columns": 1}
    assert ingested.accounts.sources["leads"].read == 4
    assert jobs.ingest(of_lines).files[0].unchanged


@pytest.mark.parametrize("views", [False, True])
def test_files_when_they_are_in_another_storage_then_the_same_is_stored_and_read_once(
    tmp_path, views
):
    write_csv(tmp_path)
    settings = settings_of(tmp_path, {"path": "leads.csv"})
    jobs.ingest(settings)

    storage = fsspec.filesystem("memory")
    text = (tmp_path / "leads.csv").read_text().splitlines(keepends=True)
    storage.pipe_file("/crm/1.csv", "".join(text[:2]).encode())
    storage.pipe_file("/crm/2.csv", "".join([text[0], *text[2:]]).encode())
    more: dict[str, Any] = {"data_folder": tmp_path / "other"}
    if views:
        more["views"] = {"all_leads": {"sql": "SELECT * FROM leads"}}
        more["mapping"] = [MAPPING[0] | {"source": "all_leads"}]
    remote = settings_of(tmp_path, {"path": "memory://crm/*.csv"}, **more)
    ingested = jobs.ingest(remote)
    assert stored(remote) == stored(settings)
    names = ["memory:///crm/1.csv", "memory:///crm/2.csv"]
    assert [file.file for file in ingested.files][:2] == names
    assert all(file.unchanged for file in jobs.ingest(remote).files)
    storage.rm("/crm", recursive=True)
    with pytest.raises(UserError, match=r"there is no file memory://crm/\*.csv"):
        jobs.ingest(remote)


def test_known_until_when_files_are_in_another_storage_then_their_times_there_count(tmp_path):
    write_csv(tmp_path)
    os.utime(tmp_path / "leads.csv", (1_704_400_000, 1_704_400_000))
    address = f"file://{tmp_path}/leads.csv"
    ingested = jobs.ingest(settings_of(tmp_path, {"path": address}, known_until=None))
    assert ingested.known_until == "2024-01-04T20:26:40Z"
    assert ingested.known_until_from == f"the time of {address}"
