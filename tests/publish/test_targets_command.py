"""The current list for CRMs: what `score`, `publish` and `check-file` write, say and return."""

import csv
import json
import re
import shlex
import shutil
import sqlite3
from pathlib import Path

import pytest

from commands import run
from leadscore import project as jobs
from leadscore.registry.registry import Who
from leadscore.settings.read import read_settings

SETTINGS = """
project = "shop"
{known}

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", event_at = "created", owner_id = "owner" }}

[engine]
threads = 1

[targets.crm]
kind = "salesforce"

[targets.mail]
kind = "hubspot"
"""
WHO = Who("ann", "2024-02-01T00:00:00Z", "a test")
LEADS = [f"{n:03d}" for n in range(30)]


def export(folder, day, leads=LEADS, more=""):
    rows = [f"{lead},2024-01-{int(lead) % 28 + 1:02d},{'ab'[int(lead) % 2]}" for lead in leads]
    (folder / "leads.csv").write_text("\n".join(["id,created,owner", *rows]) + "\n")
    known = f'known_until = "2024-02-{day:02d}"'
    (folder / "leadscore.toml").write_text(SETTINGS.format(known=known) + more)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A project with a champion, before its first list."""
    folder = tmp_path_factory.mktemp("targets")
    export(folder, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        settings = read_settings(Path("leadscore.toml"))
        jobs.ingest(settings)
        jobs.register(settings, Path(jobs.train(settings).folder), who=WHO, promote=True)
    return folder


@pytest.fixture
def folder(origin, tmp_path, monkeypatch):
    shutil.copytree(origin / "data", tmp_path / "data")
    shutil.copytree(origin / "models", tmp_path / "models")
    registry = f'\n[registry]\ntracking_uri = "sqlite:///{origin}/models/mlflow.db"\n'
    monkeypatch.chdir(tmp_path)
    export(tmp_path, 1, more=registry)
    return tmp_path


def registry_of(folder):
    text = (folder / "leadscore.toml").read_text()
    return text[text.index("\n[registry]") :]


def score(*words):
    ended = run("score", "--json", *words)
    assert ended.code == 0, ended
    return json.loads(ended.out)


def second_list(folder, leads):
    """A list of the next day."""
    export(folder, 2, leads, more=registry_of(folder))
    ended = run("ingest", "--accept", "same_files", "--json")
    assert ended.code == 0, ended
    return score()


def targets(answer):
    return {target["target"]: target for target in answer["targets"]}


def test_score_when_the_settings_name_targets_then_writes_them_after_publishing(folder):
    written = targets(score())
    assert {name: target["written"] for name, target in written.items()} == {"crm": 30, "mail": 30}
    for target in written.values():
        for name in target["files"]:
            path = Path(target["folder"]) / name
            assert run("check-file", path, "--for", target["kind"]).code == 0
    shown = run("publish")
    assert shown.code == 0
    assert "For crm (Salesforce): 30 leads written" in " ".join(shown.out.split())


def test_list_of_the_next_day_when_a_lead_left_then_the_delta_clears_it(folder):
    score()
    after = targets(second_list(folder, LEADS[:-1]))
    assert after["crm"]["cleared"] == 1
    with (Path(after["crm"]["folder"]) / "scores-001.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cleared = [row for row in rows if row["Leadscore_Score__c"] == "#N/A"]
    assert [row["Leadscore_Id__c"] for row in cleared] == ["029"]


def test_publish_when_repeated_then_writes_the_same_and_full_all(folder):
    first = targets(score())
    again = targets(json.loads(run("publish", "--target", "crm", "--json").out))
    assert list(again) == ["crm"]
    assert again["crm"] == first["crm"]
    second_list(folder, LEADS)
    full = targets(json.loads(run("publish", "--target", "crm", "--full", "--json").out))
    assert full["crm"]["written"] == 30


def test_publish_when_asked_for_a_list_that_is_not_current_then_refuses_to_deliver_it(folder):
    first = score()["publication_id"]
    second = second_list(folder, LEADS[:-1])["publication_id"]
    ended = run("publish", first, "--target", "crm")
    assert ended.code == 2
    words = " ".join((ended.out + ended.err).split())
    assert f"{first} is not the current list, which is {second}" in words
    unknown = run("publish", "--target", "crn")
    assert unknown.code == 2
    assert "did you mean 'crm'" in unknown.err


def test_rollback_when_asked_then_the_list_before_is_current_and_targets_get_the_difference(folder):
    first = score()
    second = second_list(folder, LEADS[:-1])
    receipts = folder / "data" / "shop" / "store" / "receipts"
    before = {path.name: path.read_bytes() for path in receipts.iterdir()}
    back = json.loads(run("publish", "--rollback", "--json").out)
    assert back["publication_id"] == first["publication_id"] != second["publication_id"]
    assert back["published"] is True
    current = json.loads((folder / "data" / "shop" / "scores" / "current.json").read_text())
    assert current["publication_id"] == first["publication_id"]
    assert {path.name: path.read_bytes() for path in receipts.iterdir()} == before
    assert targets(back)["crm"]["mode"] == "delta"
    assert targets(back)["crm"]["cleared"] == 0
    assert targets(back)["crm"]["written"] >= 1
    ended = run("publish", "--rollback")
    assert ended.code == 2
    assert "there was no list before" in " ".join(ended.err.split())


def test_failed_rows_when_read_back_then_are_grouped_by_reason_and_written_again(folder):
    score()
    results = folder / "failed.csv"
    rows = ["sf__Id,sf__Error,Leadscore_Id__c"]
    rows += [
        f',"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",{n:03d}'
        for n in (3, 5)
    ]
    rows += [
        ",UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record: 00Q1:--,007",
        ",X:gone,999",
    ]
    results.write_text("\n".join(rows) + "\n")
    answer = json.loads(run("publish", "--failed", results, "--target", "crm", "--json").out)
    first = answer["groups"][0]
    assert (first["rows"], first["leads"]) == (2, ["003", "005"])
    assert first["reason"].startswith("REQUIRED_FIELD_MISSING: Required fields")
    assert (answer["rows"], answer["unknown"]) == (4, ["999"])
    again = Path(answer["folder"]) / answer["files"][0]
    with again.open(newline="") as file:
        assert [row["Leadscore_Id__c"] for row in csv.DictReader(file)] == ["003", "005", "007"]
    assert run("check-file", again, "--for", "salesforce").code == 0
    shown = run("publish", "--failed", results, "--target", "crm")
    assert "2 REQUIRED_FIELD_MISSING" in " ".join(shown.out.split())


@pytest.mark.parametrize(("text", "words", "problem"), [
    ("a,b\n1,2\n", ["--target", "crm"], "no column that says why"),
    ("sf__Error,b\n1,2\n", ["--target", "crm"], "no column 'Leadscore_Id__c'"),
    (None, ["--target", "crm"], "there is no file"),
    ("", [], "--failed needs one --target"),
])  # fmt: skip
def test_failed_rows_when_the_file_is_none_of_results_then_says_what_is_missing(
    folder, text, words, problem
):
    score()
    results = folder / "failed.csv"
    if text is not None:
        results.write_text(text)
    ended = run("publish", "--failed", results, *words)
    assert ended.code == 2
    assert problem in " ".join((ended.out + ended.err).split())


@pytest.mark.parametrize(
    "words", [["--full"], ["--rollback"], ["20240101T000000Z-000000000001"], ["--replace-newer"]]
)
def test_failed_rows_when_asked_for_with_something_else_then_is_a_usage_error(folder, words):
    results = folder / "failed.csv"
    results.write_text("sf__Error,Leadscore_Id__c\nX,003\n")
    ended = run("publish", *words, "--failed", results, "--target", "crm")
    assert ended.code == 2
    assert "--failed goes with --target alone" in " ".join(ended.err.split())


def test_failed_rows_when_some_have_no_key_then_their_lines_are_shown(folder):
    score()
    results = folder / "failed.csv"
    results.write_text("sf__Error,Leadscore_Id__c\nX,003\nY,\n")
    shown = " ".join(run("publish", "--failed", results, "--target", "crm").out.split())
    assert "2 rows failed" in shown
    assert "1 row without a key, not written again: line 3" in shown


def test_target_when_it_cannot_be_written_then_the_others_are_and_the_command_ends_with_2(folder):
    path = folder / "leadscore.toml"
    path.write_text(
        path.read_text().replace(
            'kind = "salesforce"', 'kind = "salesforce"\nfields = { rep_id = "OwnerId" }'
        )
    )
    ended = run("score", "--json")
    assert ended.code == 2
    written = targets(json.loads(ended.out))
    assert "need [routing]" in written["crm"]["problem"]
    assert written["mail"]["written"] == 30
    shown = run("publish")
    assert shown.code == 2
    assert "Not written for crm" in shown.out


def test_database_and_history_when_the_settings_name_them_then_hold_the_list(folder, monkeypatch):
    more = '\n[targets.warehouse]\nkind = "database"\n\n[targets.lists]\nkind = "history"\n'
    export(folder, 1, more=registry_of(folder) + more)
    monkeypatch.setenv("LEADSCORE_TARGET_URL", f"sqlite:///{folder}/warehouse.db")
    answer = score()
    with sqlite3.connect(folder / "warehouse.db") as connection:
        (stored,) = connection.execute(
            "SELECT count(*), min(publication_id) FROM scores"
        ).fetchall()
    assert stored == (30, answer["publication_id"])
    lists = targets(answer)["lists"]
    package = Path(lists["folder"]) / "datapackage.json"
    assert (
        run(
            "check-file", package.with_name("scores.csv"), "--for", "generic", "--job", package
        ).code
        == 0
    )
    monkeypatch.delenv("LEADSCORE_TARGET_URL")
    ended = run("publish", "--target", "warehouse")
    assert ended.code == 2
    assert "LEADSCORE_TARGET_URL" in ended.out
    refused = run("publish", "--failed", folder / "x.csv", "--target", "warehouse")
    assert "a database has no files" in " ".join(refused.err.split())


def docs_commands():
    """Every line of the page that is a command of ours, without its comment."""
    page = (Path(__file__).parents[2] / "docs" / "targets.md").read_text()
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("leadscore ")]


def test_commands_of_the_page_when_run_in_a_project_then_all_work(folder):
    score()
    second_list(folder, LEADS[:-1])
    full = targets(json.loads(run("publish", "--target", "crm", "--full", "--json").out))
    file = Path(full["crm"]["folder"]) / "scores-001.csv"
    rows = "sf__Id,sf__Error,Leadscore_Id__c\n,LOCKED:busy:--,003\n"
    for name in ("results.csv", "failed-records.csv"):
        (folder / name).write_text(rows)
    commands = docs_commands()
    assert len(commands) >= 6
    for words in commands:
        own = [str(file) if word.endswith("scores-001.csv") else word for word in words]
        ended = run(*own)
        assert ended.code == 0, (words, ended)


def test_check_file_when_a_file_is_broken_then_names_the_line_and_ends_with_2(folder):
    crm = targets(score())["crm"]
    path = Path(crm["folder"]) / "scores-001.csv"
    broken = folder / "broken.csv"
    broken.write_bytes(path.read_bytes().replace(b"\n003,", b"\n002,"))
    job = path.with_name("scores-001.job.json")
    ended = run("check-file", broken, "--for", "salesforce", "--job", job)
    assert ended.code == 2
    assert "line 5, Leadscore_Id__c: the key is there already, on line 4" in ended.out
    answer = json.loads(
        run("check-file", broken, "--for", "salesforce", "--job", job, "--json").out
    )
    assert answer["problems"][0]["line"] == 5
    taken = run("check-file", path, "--for", "salesforce")
    assert taken.out == "OK: nothing that Salesforce would refuse; its fields must exist\n"


def test_check_file_when_the_job_lacks_a_value_then_says_what_it_must_be(folder):
    path = Path(targets(score())["crm"]["folder"]) / "scores-001.csv"
    job = folder / "job.json"
    whole = json.loads(path.with_name("scores-001.job.json").read_text())
    job.write_text(json.dumps({name: whole[name] for name in whole if name != "contentType"}))
    ended = run("check-file", path, "--for", "salesforce", "--job", job)
    assert ended.code == 2
    assert "Salesforce would refuse this file: 1 problem" in ended.out
    assert "job: contentType is missing; it must be CSV" in ended.out
