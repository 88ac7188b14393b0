"""Somebody else's scores, read into a table of their own."""

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.store.version import read_current

LEADS = {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}}
SCORES = {
    "source": "scores",
    "table": "scores",
    "columns": {"lead_id": "id", "event_at": "t", "value": "score"},
    "constants": {"name": "hubspot"},
}
GRADES = SCORES | {
    "columns": {"lead_id": "id", "event_at": "t"},
    "values": {"score": {"hot": {"value": "3"}, "cold": {"value": "1"}}},
}


def ingest(folder, rows, entry=SCORES):
    (folder / "leads.csv").write_text("id,created\n1,2024-01-01\n", encoding="utf-8")
    (folder / "scores.csv").write_text("\n".join(["id,t,score", *rows, ""]), encoding="utf-8")
    settings = make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        known_until="2024-03-01",
        sources={name: {"path": f"{name}.csv"} for name in ("leads", "scores")},
        mapping=[LEADS, entry],
        fields={"value": {"type": "number", "decimals": 0}},  # its own settings are not the score's
    )
    jobs.ingest(settings, known_until_us=settings.known_until_us())
    return read_current(settings.project_folder() / "store", project="built")


@pytest.mark.parametrize(("text", "stored"), [
    ("72", 720_000), ("0.4321", 4_321), ("0.43216", 4_322), ("-3", -30_000),
])  # fmt: skip
def test_scores_when_numbers_then_are_stored_to_four_places(tmp_path, text, stored):
    version = ingest(tmp_path, [f"1,2024-01-02,{text}"])
    (row,) = pq.read_table(version.files("scores")[0]).to_pylist()
    assert (row["name"], row["value"], row["seq"]) == ("hubspot", stored, 0)


def test_scores_when_grades_then_a_value_map_makes_numbers(tmp_path):
    version = ingest(tmp_path, ["1,2024-01-02,hot", "1,2024-01-09,cold"], GRADES)
    rows = pq.read_table(version.files("scores")[0]).to_pylist()
    assert [row["value"] for row in rows] == [30_000, 10_000]


def test_scores_when_unusable_then_every_row_is_accounted_for(tmp_path):
    version = ingest(
        tmp_path, ["1,2024-01-02,high", "1,2024-01-03,", "2,2024-01-03,5", "1,2024-01-04,5"]
    )
    account = version.manifest["accounts"]["tables"]["scores"]
    assert (account["selected"], account["stored"], account["rejected"]) == (4, 1, 3)
