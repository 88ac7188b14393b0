"""The audit trail: who did what, when and why."""

import json
import multiprocessing
import re

import pytest

from builders import make_settings
from commands import run
from leadscore import project as jobs
from leadscore.project.trail import acting, read_trail, record, trail_path
from leadscore.registry.registry import Who

AT = "2024-03-01T06:15:00.000000Z"
FORKS = multiprocessing.get_context("fork")
SETTINGS = """
project = "shop"
[sources.leads]
path = "leads.csv"
[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created", owner_id = "owner" }
[show]
company = "company"
"""


@pytest.fixture
def settings(tmp_path):
    return make_settings(data_folder=tmp_path / "data", models_folder=tmp_path / "models")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A working directory with an export of thirty leads."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadscore.toml").write_text(SETTINGS)
    write_leads(tmp_path / "leads.csv", range(30))
    return tmp_path


def write_leads(path, numbers):
    rows = [f"lead-{i},2024-01-{i % 28 + 1:02d},ann,Secret Ltd {i}" for i in numbers]
    path.write_text("\n".join(["id,created,owner,company", *rows]) + "\n")


def test_entry_when_recorded_then_says_who_what_when_and_why(settings):
    with acting("flow run calm-owl", lambda: AT):
        record(settings, "published", why="a new list", publication_id="p1")
    record(settings, "promoted", why="better", who=Who("ann", AT, "better"), number="2")
    record(settings, "alarm", why="volume of calls")
    first, second, third = read_trail(settings)
    assert first.to_dict() == {
        "at": AT,
        "by": "flow run calm-owl",
        "what": "published",
        "why": "a new list",
        "about": {"publication_id": "p1"},
    }
    assert (second.by, second.at, second.about) == ("ann", AT, {"number": "2"})
    assert (third.by, third.at) == ("python", None)


def test_entry_when_the_last_one_was_cut_off_then_stands_on_a_line_of_its_own(settings):
    record(settings, "ingested", why="a new export")
    path = trail_path(settings)
    path.write_bytes(path.read_bytes() + b'{"at": "2024-')
    record(settings, "trained", why="the first model")
    assert [entry.what for entry in read_trail(settings)] == ["ingested", "trained"]


def append_many(settings, name):
    for number in range(40):
        record(settings, "alarm", why=f"{name} {number} " + "x" * 500)


def test_entries_when_several_processes_write_then_every_line_is_whole_and_in_order(settings):
    workers = [FORKS.Process(target=append_many, args=(settings, name)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = [json.loads(line) for line in trail_path(settings).read_text().splitlines()]
    assert len(lines) == 3 * 40
    for name in "abc":
        own = [line["why"].split()[1] for line in lines if line["why"].startswith(name)]
        assert own == [str(number) for number in range(40)]


def test_commands_when_run_then_every_step_and_refusal_is_on_the_trail_and_no_person(shop):
    assert run("ingest", "--known-until", "2024-02-01").code == 0
    assert run("train", "--promote", "--by", "ann").code == 0
    assert run("score").code == 0
    assert run("score").code == 0  # the same list: nothing happens
    write_leads(shop / "leads.csv", range(3))
    assert run("ingest", "--known-until", "2024-02-02").code == 3
    text = (shop / "data" / "shop" / "audit.jsonl").read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    assert [entry["what"] for entry in entries] == [
        "ingested", "trained", "promoted", "published", "quarantined",
    ]  # fmt: skip
    assert entries[2]["by"] == "ann"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", entry["at"]) for entry in entries)
    assert all(entry["why"] and entry["about"] for entry in entries)
    assert not re.search(r"lead-\d|Secret|owner", text)


def test_rollback_when_done_then_is_on_the_trail_with_its_reason(shop):
    run("ingest", "--known-until", "2024-02-01")
    run("train", "--promote", "--by", "ann")
    run("score")
    write_leads(shop / "leads.csv", range(31))
    run("ingest", "--known-until", "2024-02-02")
    run("score")
    assert run("publish", "--rollback").code == 0
    last = json.loads((shop / "data" / "shop" / "audit.jsonl").read_text().splitlines()[-1])
    assert last["what"] == "rolled back"
    assert last["why"].startswith("from the list 20240202")


def test_jobs_when_called_from_python_then_leave_a_trail_without_a_moment(shop):
    from leadscore.settings.read import read_settings
    from leadscore.times import parse_moment

    settings = read_settings(shop / "leadscore.toml")
    jobs.ingest(settings, known_until_us=parse_moment("2024-02-01", zone="UTC"))
    [entry] = read_trail(settings)
    assert (entry.what, entry.by, entry.at) == ("ingested", "python", None)
    assert entry.about["known_until"] == "2024-02-01T00:00:00Z"
