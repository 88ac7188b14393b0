"""Facts whose lead is unknown, or was ignored."""

from ingest.small_tables import IGNORED, LEAD, LOG, ids, ingest, rejects, rows


def test_facts_when_no_lead_has_their_id_then_they_are_refused_by_reference(tmp_path):
    version = ingest(
        tmp_path,
        {
            "leads": [LEAD],
            "calls": ["1,2024-01-02", "01,2024-01-02", "one,2024-01-02"],
            "outcomes": ["x,2024-01-02,won"],
        },
    )
    assert rejects(version) == [
        ("calls", 3, "reference"),
        ("calls", 4, "reference"),
        ("outcomes", 2, "reference"),
    ]
    assert rows(version, "rejects", "table", "column", "value", "lead_id")[0] == (
        "activities",
        "lead_id",
        "01",
        "01",
    )
    assert version.manifest["rejects"]["rules"] == {"reference": 3}


def test_facts_when_the_row_of_their_lead_was_ignored_then_they_are_ignored_under_that_name(
    tmp_path,
):
    files = {
        "leads": [LEAD, "2,2024-01-01,draft", "3,2024-01-01,test 1", "4,2024-01-01,draft", "4,2024-01-01,7",
                  "5,2024-01-01,draft", "5,never,7", ",2024-01-01,draft"],
        "calls": ["1,2024-01-02", "2,2024-01-02", "2,2024-01-02", "3,2024-01-02", "4,2024-01-02", "5,2024-01-02",
                  "6,2024-01-02"],
        "outcomes": ["2,2024-01-05,won", "1,2024-01-05,won"],
        "stages": ["3,2024-01-01,new"],
    }  # fmt: skip
    sources = {name: {"path": f"{name}.csv"} for name in files}
    version = ingest(tmp_path, files, sources=sources | {"leads": {"path": "leads.csv"} | IGNORED})
    accounts = version.manifest["accounts"]["tables"]
    ignored = {name: a["ignored_by"] for name, a in accounts.items() if a["ignored"]}
    assert ignored == {
        "activities": {"drafts": 2, "tests": 1},
        "outcomes": {"drafts": 1},
        "stages": {"tests": 1},
    }
    assert ids(version, "activities") == ["1", "4"]
    assert [(line, rule) for source, line, rule in rejects(version) if source == "calls"] == [
        (7, "reference"), (8, "reference"),  # a lead that was refused, and one that nobody knows
    ]  # fmt: skip


def test_facts_when_the_ignored_leads_are_in_a_file_that_is_not_read_again_then_they_are_ignored_all_the_same(
    tmp_path,
):
    files = {"leads": [LEAD, "2,2024-01-01,draft"], "calls": ["2,2024-01-02"]}
    sources = {"leads": {"path": "leads.csv"} | IGNORED, "calls": {"path": "calls.csv"}}
    ingest(tmp_path, files, sources=sources)
    version = ingest(tmp_path, files | {"calls": ["2,2024-01-02", "2,2024-01-03"]}, sources=sources)
    assert version.manifest["accounts"]["tables"]["activities"]["ignored_by"] == {"drafts": 2}


def test_facts_when_events_of_a_log_are_ignored_then_their_leads_are_not(tmp_path):
    (tmp_path / "log.csv").write_text(
        "id,t,what\n1,2024-01-01,lead\n2,2024-01-02,bot\n2,2024-01-02,call\n"
    )
    source = {"path": "log.csv", "ignore": {"bots": {"what": ["bot"]}}}
    entries = [
        {"source": "log", "table": "leads", "columns": LOG, "where": {"what": ["lead"]}},
        {"source": "log", "table": "activities", "columns": LOG, "constants": {"kind": "meeting"},
         "where": {"what": ["call"]}},
    ]  # fmt: skip
    version = ingest(tmp_path, {}, sources={"log": source}, mapping=entries)
    assert rejects(version) == [("log", 4, "reference")]
