"""What an ingest shows of its rows: accounts, rows ignored by name, and rejects by rule."""

import csv
import json
import os

import pytest

from cli.shop import LEADS, assert_told
from commands import run


def test_ingest_when_it_succeeds_then_people_see_the_accounts_the_rules_and_the_version(folder):
    (folder / "leads.csv").write_text(LEADS + "3,never\n" + "2,2024-01-02\n")
    version = json.loads(run("ingest", "--json").out)
    told = run("ingest")
    assert (told.code, told.err) == (0, "")
    assert version["store_version"] in told.out
    assert "1 row rejected (rule type); first at " in told.out
    cells = [line.split() for line in told.out.splitlines() if line.split()[:1] == ["leads"]]
    assert cells == [["leads", "4", "4", "0", "0"], ["leads", "4", "2", "0", "1", "1"]]


def test_ingest_when_rows_are_ignored_by_name_then_people_see_how_many_of_which_table(folder):
    (folder / "leads.csv").write_text(
        LEADS + "test 1,2024-01-01\ntest 2,2024-01-01\nold,2024-01-01\n"
    )
    calls = [
        "1,2024-01-02",
        *["test 1,2024-01-02"] * 3,
        *["test 2,2024-01-02"] * 1000,
        "old,2024-01-02",
    ]
    (folder / "calls.csv").write_text("\n".join(["id,t", *calls, ""]))
    settings = (folder / "leadscore.toml").read_text()
    ignore = """path = "leads.csv"
ignore = { tests = { id = ["test*"] }, old = { id = ["old"] }, unused = { id = ["x"] } }
[sources.calls]
path = "calls.csv"
"""
    entry = """[[mapping]]
source = "calls"
table = "activities"
columns = { lead_id = "id", event_at = "t" }
constants = { kind = "call" }
[validation]"""
    settings = settings.replace('path = "leads.csv"\n', ignore).replace("[validation]", entry)
    (folder / "leadscore.toml").write_text(settings)
    told = run("ingest")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert (
        "Ignored by tests: 2 rows of the source leads, 1,003 rows of the table activities" in lines
    )
    assert "Ignored by old: 1 row of the source leads, 1 row of the table activities" in lines
    assert "unused" not in told.out


REJECTED = [
    ["leads", "leads.csv", "5", "refused", "leads", "type", "event_at", "never", "3"],
    ["leads", "leads.csv", "6", "refused", "leads", "unique", "lead_id", "4", "4"],
    ["leads", "leads.csv", "7", "refused", "leads", "unique", "lead_id", "4", "4"],
]


@pytest.fixture
def with_rejects(folder):
    """A store whose ingest rejected three rows by two rules."""
    (folder / "leads.csv").write_text(
        "id,created\n1,2024-01-01\n2,2024-01-02\n5,2024-01-02\n3,never\n4,2024-01-03\n4,2024-01-04\n"
    )
    assert run("ingest").code == 0
    return folder


def test_rejects_when_there_are_some_then_each_rule_shows_its_rows(with_rejects):
    told = run("rejects")
    assert (told.code, told.err) == (0, "")
    rows = [line.split() for line in told.out.splitlines() if line.strip().startswith("leads")]
    assert rows == [[row[1], row[2], *row[6:]] for row in REJECTED]
    assert json.loads(run("rejects", "--json").out)["rules"] == {"type": 1, "unique": 2}
    found = json.loads(run("rejects", "--rule", "unique", "--each", "1", "--json").out)
    assert found["rules"] == {"unique": 2}
    assert [row["line"] for row in found["first"]["unique"]] == [6]


def test_rejects_when_written_to_a_file_then_it_holds_all_of_them(with_rejects, tmp_path):
    told = run("rejects", "--to", str(tmp_path / "rejects.csv"))
    assert "3 rejected rows written" in told.out
    with (tmp_path / "rejects.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [
        "source",
        "file",
        "line",
        "severity",
        "table",
        "rule",
        "column",
        "value",
        "lead_id",
    ]
    assert rows == REJECTED


def test_rejects_when_the_rule_rejected_nothing_then_those_that_did_are_named(with_rejects):
    assert_told(run("rejects", "--rule", "typo"), "'typo'", "'type', 'unique'")


def test_rejects_when_there_is_none_then_it_is_said(stored):
    assert run("rejects").out == "No row was rejected\n"


def test_rejects_when_the_file_to_write_is_a_pipe_then_it_stays_one(stored):
    os.mkfifo(stored / "pipe")
    told = run("rejects", "--to", "pipe")
    assert told.code == 2
    assert told.err == "error: pipe is a device or a pipe; name a file\n"
    assert (stored / "pipe").is_fifo()


@pytest.mark.parametrize("is_there", [True, False])
def test_rejects_when_the_file_to_write_is_a_link_then_what_it_leads_to_is_written(
    with_rejects, tmp_path, is_there
):
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "real.csv"
    if is_there:
        real.write_text("old")
    (tmp_path / "link.csv").symlink_to("elsewhere/real.csv")
    told = run("rejects", "--to", str(tmp_path / "link.csv"))
    assert told.code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert real.read_text().startswith('"source"')
    assert [path.name for path in real.parent.iterdir()] == ["real.csv"]


LINKS = {
    "a.csv": "a.csv is a symbolic link that leads to itself; name a file",
    "missing/a.csv": "missing does not exist; create it, or correct the path",
    "leads.csv/a.csv": "leads.csv is a file, not a folder; correct the path",
    "leads.csv": "is read by project",
}


@pytest.mark.parametrize("target", LINKS)
def test_rejects_when_the_link_leads_to_what_cannot_be_written_then_is_refused(stored, target):
    link = stored / "a.csv"
    link.symlink_to(target)
    told = run("rejects", "--to", "a.csv")
    assert told.code == 2
    assert LINKS[target] in " ".join(told.err.split())
    assert link.is_symlink()


def test_rejects_when_the_file_to_write_is_a_folder_then_asks_for_a_file(stored):
    (stored / "out").mkdir()
    told = run("rejects", "--to", "out")
    assert told.code == 2
    assert told.err == "error: out is a folder; name a file in it\n"
