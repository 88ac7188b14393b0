import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest

import commands
import histories
from builders import Facts
from leadscore import project as jobs
from leadscore.cli import rendering as terminal
from leadscore.errors import CorruptFileError, NoStoreError, UserError
from leadscore.locks import locked
from leadscore.store import upkeep
from leadscore.store.objects import object_path
from leadscore.store.version import read_current


def add_version(settings, day):
    """A store version known until a day, with a lead more than the one of the day before, and one shared stage."""
    facts = Facts(settings)
    for n in range(day):
        facts.lead(f"{n:05d}", n)
    facts.stage("00000", 0, "new")
    return histories.write_store(facts, known_until=day + 1)


@pytest.fixture
def settings(tmp_path):
    return histories.sales_settings(tmp_path)


@pytest.fixture
def folder(settings):
    return settings.project_folder() / "store"


def prune(folder, *, keep=1, referred=(), really=True):
    return upkeep.prune(
        folder, project="synthetic", keep=keep, referred=lambda: referred, really=really
    )


def ids(folder):
    return [each["version"] for each in upkeep.list_versions(folder, project="synthetic")]


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_list_when_there_are_versions_then_the_latest_known_until_is_first_and_one_is_current(
    settings, folder
):
    made = [add_version(settings, day).id for day in (3, 1, 2)]
    found = upkeep.list_versions(folder, project="synthetic")
    assert [each["version"] for each in found] == [made[0], made[2], made[1]]
    assert [each["current"] for each in found] == [False, True, False]
    assert [each["rows"]["leads"] for each in found] == [3, 2, 1]


def test_list_when_nothing_was_ingested_then_words_say_so(folder):
    with pytest.raises(NoStoreError, match="leadscore ingest"):
        upkeep.list_versions(folder, project="synthetic")


def test_rollback_when_it_names_a_version_then_that_one_is_read_and_nothing_else_changes(
    settings, folder
):
    first, second = add_version(settings, 1), add_version(settings, 2)
    before = contents(folder)
    assert upkeep.rollback(folder, first.id[:6], project="synthetic").id == first.id
    assert read_current(folder, project="synthetic").manifest == first.manifest
    after = contents(folder)
    assert {path for path in after if before.get(path) != after[path]} == {
        upkeep.Path("current.json"),
        upkeep.Path(".lock"),
    }
    upkeep.rollback(folder, second.id, project="synthetic")
    assert {path: data for path, data in contents(folder).items() if path.name != ".lock"} == before


@pytest.mark.parametrize("which", ["zzzz", "", "abc"])
def test_rollback_when_no_version_is_called_so_then_words_name_those_that_are_there(
    settings, folder, which
):
    version = add_version(settings, 1)
    with pytest.raises(UserError, match=version.id):
        upkeep.rollback(folder, which, project="synthetic")


def test_rollback_when_a_file_of_the_version_was_changed_then_the_current_one_stays(
    settings, folder
):
    first, second = add_version(settings, 1), add_version(settings, 2)
    path = object_path(folder, first.manifest["tables"]["leads"]["files"][0]["sha256"])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptFileError):
        upkeep.rollback(folder, first.id, project="synthetic")
    assert read_current(folder, project="synthetic").id == second.id


@pytest.mark.parametrize("keep", [1, 2, 3, 9])
def test_prune_when_done_then_the_latest_stay_whole_and_files_of_the_others_go(
    settings, folder, keep
):
    made = [add_version(settings, day).id for day in (1, 2, 3, 4)]
    shared = read_current(folder, project="synthetic").manifest["tables"]["stages"]["files"][0][
        "sha256"
    ]
    told = prune(folder, keep=keep)
    assert ids(folder) == told["kept"] == made[::-1][:keep]
    assert told["removed"] == made[::-1][keep:]
    assert told["files"] == len(told["removed"])  # the leads of each; the stages are shared
    assert object_path(folder, shared).exists()
    for version in told["kept"]:
        upkeep.rollback(folder, version, project="synthetic")  # checks every hash
    assert prune(folder, keep=9)["files"] == 0


def test_prune_when_asked_what_would_go_then_nothing_changes(settings, folder):
    for day in (1, 2, 3):
        add_version(settings, day)
    with locked(folder):
        pass
    before = contents(folder)
    told = prune(folder, really=False)
    assert len(told["removed"]) == told["files"] == 2
    assert contents(folder) == before
    assert prune(folder)["bytes"] == told["bytes"]


def test_prune_when_an_older_version_is_current_then_it_stays(settings, folder):
    first = add_version(settings, 1).id
    latest = [add_version(settings, day).id for day in (2, 3)][-1]
    upkeep.rollback(folder, first, project="synthetic")
    assert prune(folder)["kept"] == [latest, first]


def test_prune_when_something_was_published_or_trained_from_a_version_then_it_stays(
    settings, folder
):
    made = [add_version(settings, day).id for day in (1, 2, 3, 4)]
    for place, version in (
        (settings.project_folder() / "scores", made[0]),
        (settings.models_folder / "synthetic", made[1]),
    ):
        (place / "x").mkdir(parents=True)
        (place / "x" / "manifest.json").write_text(json.dumps({"store_version": version}))
    assert [each.referred for each in jobs.list_store(settings).versions] == [
        False,
        False,
        True,
        True,
    ]
    told = jobs.prune_store(settings, keep=1, really=True)
    assert told.removed == [made[2]]
    assert set(ids(folder)) == {made[0], made[1], made[3]}


def test_prune_when_it_dies_in_between_then_every_listed_version_is_whole_and_the_next_one_ends_it(
    settings, folder, monkeypatch
):
    for day in (1, 2, 3, 4):
        add_version(settings, day)
    real = upkeep.Path.unlink
    for dies_at in range(1, 7):
        calls = []

        def deadly(path, *args, **more):
            calls.append(path)  # noqa: B023
            if len(calls) == dies_at:  # noqa: B023
                raise KeyboardInterrupt
            real(path, *args, **more)

        with monkeypatch.context() as patched:
            patched.setattr(upkeep.Path, "unlink", deadly)
            with suppress(KeyboardInterrupt):
                prune(folder)
        current = read_current(folder, project="synthetic").id
        for version in ids(folder):
            upkeep.rollback(folder, version, project="synthetic")
        upkeep.rollback(folder, current, project="synthetic")
    assert len(ids(folder)) == 1
    assert prune(folder)["files"] == 0


HELD = """
import sys
from pathlib import Path
from leadscore.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
print("let go", flush=True)
"""


def test_lock_when_another_process_holds_it_then_an_ingest_or_prune_waits_for_it(settings, folder):
    add_version(settings, 1)
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", HELD, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    first = next(
        process for process in pair if process.stdout in _readable([each.stdout for each in pair])
    )
    second = pair[1 - pair.index(first)]
    assert first.stdout.readline() == "held\n"
    assert _readable([second.stdout], seconds=0.5) == []
    first.communicate("go\n")
    assert second.stdout.readline() == "held\n"
    second.communicate("go\n")


def _readable(streams, seconds=30.0):
    import select

    return select.select(streams, [], [], seconds)[0]


def test_store_commands_when_run_then_people_see_versions_and_what_would_go(
    settings, tmp_path, monkeypatch
):
    made = [add_version(settings, day).id for day in (1, 2, 3)]
    config = tmp_path / "leadscore.toml"
    config.write_text(
        f'project = "synthetic"\ndata_folder = "{settings.data_folder}"\nmodels_folder = "{settings.models_folder}"\n'
        '[sources.leads]\npath = "leads.csv"\n[[mapping]]\nsource = "leads"\ntable = "leads"\n'
        'columns = { lead_id = "id", event_at = "created" }\n'
    )

    monkeypatch.setattr(terminal.out, "_width", 160)

    def run(*words):
        return commands.run("store", *words, "--config", config)

    listed = run("list")
    assert listed.code == 0
    rows = [line.split() for line in listed.out.splitlines()]
    assert [row[0] for row in rows if row and row[0] in made] == made[::-1]
    assert "current" in next(row for row in rows if row and row[0] == made[2])
    assert "Would remove 2 versions" in run("prune", "--keep", "1").out
    assert len(os.listdir(settings.project_folder() / "store" / "versions")) == 3  # noqa: PTH208
    assert f"Store version {made[0]} is current" in run("rollback", made[0]).out
    assert "Removed 1 version and" in run("prune", "--keep", "1", "--yes").out
    refused = run("rollback", "zzzz")
    assert refused.code == 2
    assert "has no version 'zzzz'" in refused.err
