"""What `leadscore models` says and does, run as the console script runs it."""

import dataclasses
import getpass
import itertools
import json
from functools import partial
from pathlib import Path

import pytest

import commands
import histories
from leadscore import Project
from leadscore.cli import rendering as terminal
from leadscore.model.files import write_model
from leadscore.registry.registry import Registry, Who
from leadscore.settings.read import read_settings
from leadscore.times import DAY_US, format_us

SETTINGS = """
project = "{project}"
data_folder = "{folder}/data"
models_folder = "{models}"

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", event_at = "created" }}
"""
numbers = itertools.count()
KEYS = {"number", "version", "run_id", "known_until", "aliases"}


@pytest.fixture
def run(monkeypatch):
    """Runs `leadscore models` as the console script does."""
    monkeypatch.setattr(terminal.out, "_width", 200)
    return partial(commands.run, "models")


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A working directory with settings, where nothing was trained."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadscore.toml").write_text(
        SETTINGS.format(folder=tmp_path, models=tmp_path / "models", project="shop")
    )
    return tmp_path


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """Where the models of all projects lie, since a database takes a second to make."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def project(shared) -> str:
    """A name of this test alone."""
    return f"shop-{next(numbers)}"


@pytest.fixture
def folder(empty, shared, project) -> Path:
    """Two trainings of a project: version 1 is champion, version 2 challenger."""
    path = empty / "leadscore.toml"
    path.write_text(SETTINGS.format(folder=empty, models=shared, project=project))
    settings = read_settings(path)
    for n in range(2):
        fitted = histories.fitted()
        known_us = fitted.known_us + n * DAY_US
        result = dataclasses.replace(
            histories.with_signal(fitted, known_until=format_us(known_us)), known_us=known_us
        )
        home = write_model(
            settings.models_folder / project, result, settings=settings, store_version="0" * 16
        )
        Registry(settings).register(
            home, files={}, who=Who("grace", f"2024-06-0{n + 1}T00:00:00.000000Z", "nightly")
        )
    return empty


def parsed(told):
    assert (told.code, told.err) == (0, "")
    assert told.out.count("\n") == 1
    return json.loads(told.out)


def aliases(run):
    return {each["number"]: each["aliases"] for each in parsed(run("list", "--json"))["versions"]}


def assert_refused(told: commands.Ended, *words: str) -> None:
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    for word in words:
        assert word in told.err


def cells(text):
    """The words of each drawn row that has more than one."""
    return [row.split() for row in text.splitlines() if len(row.split()) > 1]


def test_list_when_there_are_models_then_their_aliases_and_moves_are_drawn(folder, project, run):
    first, second = (parsed(run("show", str(n), "--json"))["versions"][0] for n in (1, 2))
    told = run("list")
    assert (told.code, told.err) == (0, "")
    rows = cells(told.out)
    assert ["1", first["version"], first["known_until"], "champion"] in rows
    assert ["2", second["version"], second["known_until"], "challenger"] in rows
    assert f"leadscore-{project}" in told.out
    assert ["2024-06-02T00:00:00Z", "challenger", "-", "2", "grace"] in [row[:5] for row in rows]
    assert ["2024-06-01T00:00:00Z", "champion", "-", "1", "grace"] in [row[:5] for row in rows]
    assert told.out.index("2024-06-02T00:00:00Z") < told.out.index("2024-06-01T00:00:00Z")


def test_status_when_there_are_models_then_says_which_scores_since_when_and_by_whom(folder):
    status = Project(folder / "leadscore.toml").status()
    champion, challenger = status.champion, status.challenger
    assert (champion.number, champion.by) == (1, "grace")
    assert champion.since == "2024-06-01T00:00:00.000000Z"
    assert champion.why == "nightly"
    assert challenger.number == 2


def test_list_when_json_is_asked_for_then_it_holds_versions_and_moves(folder, project, run):
    result = parsed(run("list", "--json"))
    assert result["registered_model"] == f"leadscore-{project}"
    found = [(each["number"], each["aliases"]) for each in result["versions"]]
    assert found == [(2, ["challenger"]), (1, ["champion"])]
    assert all(set(each) == KEYS for each in result["versions"])
    assert [(move["alias"], move["was"], move["now"]) for move in result["moves"]] == [
        ("challenger", None, 2), ("champion", None, 1),
    ]  # fmt: skip
    assert {move["by"] for move in result["moves"]} == {"grace"}


def test_list_when_nothing_is_registered_then_it_is_said_what_to_run(empty, run):
    told = run("list")
    assert (told.code, told.err) == (0, "")
    assert "leadscore-shop has no version yet; run leadscore train" in told.out
    assert parsed(run("list", "--json")) == {
        "registered_model": "leadscore-shop",
        "versions": [],
        "moves": [],
    }


@pytest.mark.cases(1)
@pytest.mark.parametrize("which", ["1", "champion", "version"])
def test_show_when_it_is_named_in_any_way_then_its_judgement_is_drawn(folder, run, which):
    version = parsed(run("list", "--json"))["versions"][1]
    told = run("show", version["version"][:6] if which == "version" else which)
    assert (told.code, told.err) == (0, "")
    evaluation = histories.with_signal(histories.fitted()).evaluation
    for word in (
        "Version 1 (champion)",
        version["version"],
        version["known_until"],
        evaluation.basis,
        "base rate",
    ):
        assert word in told.out
    assert f"{evaluation.overall.win_rate:.1%} won" in told.out
    assert f"{evaluation.overall.log_loss.value:.3f}" in told.out
    (shown,) = parsed(run("show", version["version"], "--json"))["versions"]
    assert shown == version | {"evaluation": json.loads(json.dumps(evaluation.to_dict()))}


def test_compare_when_two_are_named_then_they_stand_side_by_side(folder, run):
    told = run("compare", "champion", "2")
    assert (told.code, told.err) == (0, "")
    for word in (
        "Version 1 (champion)",
        "Version 2 (challenger)",
        "version 1",
        "version 2",
        "different dates",
    ):
        assert word in told.out
    value = f"{histories.fitted().evaluation.overall.log_loss.value:.3f}"
    assert any(row.count(value) == 2 for row in told.out.splitlines())
    assert [each["number"] for each in parsed(run("compare", "2", "1", "--json"))["versions"]] == [
        2,
        1,
    ]


def test_compare_when_both_are_the_same_then_no_other_date_is_spoken_of(folder, run):
    told = run("compare", "1", "champion")
    assert told.code == 0
    assert "different dates" not in told.out


def test_promote_when_it_is_done_then_it_is_said_and_kept_who_did_it_and_why(folder, run):
    told = run("promote", "challenger", "--why", "it [bold]ranks[/] better", "--by", "ada")
    assert (told.code, told.err) == (0, "")
    assert "Version 2" in told.out
    assert "is the champion and scores from now on" in told.out
    assert aliases(run) == {2: ["champion"], 1: ["previous"]}
    moves = parsed(run("list", "--json"))["moves"][:2]
    assert {(move["alias"], move["was"], move["now"]) for move in moves} == {
        ("champion", 1, 2),
        ("previous", None, 1),
    }
    assert {(move["by"], move["why"]) for move in moves} == {("ada", "it [bold]ranks[/] better")}
    assert len({move["at"] for move in moves}) == 1
    assert moves[0]["at"].endswith("Z")
    assert "it [bold]ranks[/] better" in run("list").out


def test_rollback_when_it_is_done_then_the_one_before_scores(folder, run):
    promoted = parsed(run("promote", "2", "--why", "a trial", "--json"))
    assert (set(promoted), promoted["number"], promoted["aliases"]) == (KEYS, 2, ["champion"])
    told = run("rollback", "--why", "worse")
    assert (told.code, told.err) == (0, "")
    assert "Version 1" in told.out
    assert aliases(run) == {1: ["champion"], 2: ["previous"]}
    back = parsed(run("rollback", "--why", "not worse", "--json"))
    assert (back["number"], back["aliases"]) == (2, ["champion"])


def test_move_when_nobody_is_named_then_it_was_the_user(folder, run, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "maria")
    assert getpass.getuser() == "maria"
    run("promote", "2", "--why", "a trial")
    run("rollback", "--why", "worse")
    assert {move["by"] for move in parsed(run("list", "--json"))["moves"][:4]} == {"maria"}


@pytest.mark.parametrize("words", [["promote", "2"], ["rollback"]])
def test_move_when_no_reason_is_given_then_usage_is_shown_and_nothing_moves(folder, run, words):
    told = run(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("Usage: ")
    assert f"leadscore models {words[0]}" in told.err
    assert "--why" in told.err
    assert aliases(run) == {1: ["champion"], 2: ["challenger"]}


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    "words", [["show", "7"], ["compare", "1", "7"], ["compare", "7", "1"], ["promote", "7", "--why", "x"],
              ["promote", "previous", "--why", "x"], ["show", "[red]x"], ["show", "7", "--json"]]
)  # fmt: skip
def test_version_when_it_is_unknown_then_those_that_are_there_are_listed(
    folder, project, run, words
):
    versions = parsed(run("list", "--json"))["versions"]
    which = next(word for word in words[1:] if word != "1")
    known = [f"{each['number']} ({each['version']})" for each in versions]
    assert_refused(run(*words), f"'{project}'", f"'{which}'", *known)
    assert aliases(run) == {1: ["champion"], 2: ["challenger"]}


def test_promote_when_it_is_champion_already_then_it_is_said(folder, run):
    for which in ("1", "champion"):
        assert_refused(run("promote", which, "--why", "x"), "version 1 is the champion already")
    assert len(parsed(run("list", "--json"))["moves"]) == 2


def test_rollback_when_there_is_nothing_to_go_back_to_then_it_is_said(folder, project, run):
    assert_refused(run("rollback", "--why", "x"), f"'{project}'", "no previous champion")
    assert aliases(run) == {1: ["champion"], 2: ["challenger"]}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "1"], "leadscore train"),
        (["compare", "1", "2"], "leadscore train"),
        (["promote", "1", "--why", "x"], "leadscore train"),
        (["rollback", "--why", "x"], "no previous champion"),
    ],
)
def test_command_when_nothing_is_registered_then_it_is_said(empty, run, words, told):
    assert_refused(run(*words), "'shop'", told)


def test_command_when_there_is_no_settings_file_then_it_is_said_how_to_name_one(empty, run):
    (empty / "leadscore.toml").unlink()
    for words in (["list"], ["show", "1"], ["rollback", "--why", "x"]):
        assert_refused(run(*words), "leadscore.toml", "--config")


def test_registry_when_it_cannot_be_read_then_words_say_so_and_no_password_is_shown(
    folder, run, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://me:hunter2@host/db")
    told = run("list")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert "nosuch" in told.err
    assert "hunter2" not in told.err


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["show"], ["compare", "1"], ["list", "x"]])
def test_command_line_when_it_is_mistyped_then_usage_is_shown(empty, run, words):
    told = run(*words)
    assert told.code == 2
    assert "Usage: " in told.out + told.err
    assert "leadscore models" in told.out + told.err


@pytest.mark.parametrize("words", [["promote", "2"], ["rollback"]])
def test_move_when_the_reason_is_blank_then_it_is_refused_and_nothing_moves(folder, run, words):
    before = aliases(run)
    assert_refused(run(*words, "--why", "  "), "--why is empty")
    assert aliases(run) == before


def test_list_when_there_is_no_database_then_looking_makes_none(empty, run):
    assert parsed(run("list", "--json"))["versions"] == []
    assert_refused(run("show", "1"), "no model version '1'", "leadscore train")
    assert not (empty / "models").exists()
