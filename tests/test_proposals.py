"""Every command that a message proposes is the one to give: with the same settings file and the same choices."""

import re
import shlex

import pytest

from commands import run
from leadscore.proposals import propose

SETTINGS = """
project = "shop"
known_until = {day}

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", event_at = "created" }}

[validation]
max_refused = 1
"""
PROPOSED = re.compile(
    r"\bleadscore ((?:store|models|rejects|ingest|train|score)\b[^\n]*--config (?:'[^']*'|\S+))"
)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A settings file that is not called as usual, in a folder with a blank."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "leads.csv").write_text("id,created\n1,2024-01-01\n2,2024-01-02\n3,never\n")
    return folder / "other.toml"


def ingest(config, day):
    """Ingest what is known until a day; the files are always the same."""
    config.write_text(SETTINGS.format(day=day))
    ended = run("ingest", "--accept", "same_files", "--config", config)
    assert ended.code == 0, ended
    return ended


def proposed(ended):
    """The words of each command that is proposed, the settings file among them."""
    return [shlex.split(words) for words in PROPOSED.findall(ended.out)]


def test_rejects_when_proposed_then_are_of_the_same_settings(config):
    [words] = proposed(ingest(config, "2024-02-01"))
    assert words == ["rejects", "--config", str(config)]
    assert run(*words).code == 0


@pytest.mark.cases(1)
@pytest.mark.parametrize("keep", [1, 2])
def test_prune_when_proposed_then_removes_what_was_shown(config, keep):
    for day in range(1, 5):
        ingest(config, f"2024-02-0{day}")
    shown = run("store", "prune", "--keep", keep, "--config", config)
    [words] = proposed(shown)
    done = run(*words)
    assert done.code == 0
    assert done.out.splitlines()[0] == shown.out.splitlines()[0].replace("Would remove", "Removed")
    assert run("store", "list", "--config", config).out.count("2024-02-0") == keep


def test_prune_of_lists_when_proposed_then_names_the_same_limits(config):
    for day in (1, 2):
        ingest(config, f"2024-02-0{day}")
    shown = run("store", "prune", "--keep", 1, "--lists", 3, "--list-days", 2.5, "--config", config)
    [words] = proposed(shown)
    expected = ["store", "prune", "--keep", "1", "--lists", "3", "--list-days", "2.5", "--yes"]
    assert words == [*expected, "--config", str(config)]
    assert run(*words).code == 0


def test_train_when_proposed_then_is_of_the_same_settings(config):
    ingest(config, "2024-02-01")
    [words] = proposed(run("models", "list", "--config", config))
    assert words == ["train", "--config", str(config)]


def test_sample_when_made_in_a_folder_with_a_blank_then_what_is_proposed_runs(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    [words] = proposed(run("sample", "a folder/of mine", "--leads", 50))
    assert run(*words).code == 0


@pytest.fixture
def elsewhere(config, tmp_path):
    """The exports in another folder, with a blank in its name, than the settings say."""
    folder = tmp_path / "from the crm"
    folder.mkdir()
    (config.parent / "leads.csv").rename(folder / "leads.csv")
    config.write_text(SETTINGS.format(day="2024-02-01"))
    return folder


def words_after(text, start):
    """The words of the command that a message proposes after `start`, up to the end of the message."""
    [rest] = re.findall(rf"{start}: leadscore ([^\n;]+)", " ".join(text.split()))
    return shlex.split(rest)


def test_ingest_when_refused_by_an_alarm_then_the_same_folder_and_settings_are_proposed(
    config, elsewhere
):
    assert run("ingest", "--config", config, "--data", elsewhere).code == 0
    (elsewhere / "leads.csv").write_text("id,created\n1,2024-01-01\n")
    given = ["--config", str(config), "--data", str(elsewhere), "--known-until", "2024-02-03"]
    stopped = run("ingest", *given)
    assert stopped.code == 3
    words = words_after(stopped.err, "If it is correct, run")
    assert words[-6:] == given
    assert words[:2] == ["ingest", "--accept"]
    assert run(*words).code == 0


def test_ingest_when_an_alarm_stops_an_export_whose_moment_was_given_then_what_is_proposed_runs(
    config, elsewhere
):
    config.write_text(SETTINGS.replace("known_until = {day}", "").format())
    given = ["--config", config, "--data", elsewhere]
    assert run("ingest", *given, "--known-until", "2024-02-01").code == 0
    (elsewhere / "leads.csv").write_text("id,created\n1,2024-01-01\n")
    stopped = run("ingest", *given, "--known-until", "2024-02-03")
    assert stopped.code == 3
    [quarantined] = re.findall("as version ([0-9a-f]{16})", " ".join(stopped.err.split()))
    refused = run("store", "rollback", quarantined, "--config", config)
    assert refused.code == 2
    again = words_after(refused.err, "ingest that export again")
    assert again[:3] == ["ingest", "--known-until", "2024-02-03T00:00:00Z"]
    words = words_after(stopped.err, "If it is correct, run")
    assert words[-2:] == ["--known-until", "2024-02-03"]
    accepted = run(*words)
    assert accepted.code == 0, accepted.err
    accepted = run(*again, "--data", elsewhere)
    assert accepted.code == 0, accepted.err


@pytest.mark.parametrize("name", ["train", "score", "audit", "rejects"])
def test_command_when_nothing_is_stored_then_ingest_is_proposed_for_the_same_settings(config, name):
    config.write_text(SETTINGS.format(day="2024-02-01"))
    stopped = run(name, "--config", config)
    assert stopped.code == 2
    assert f"leadscore ingest --config '{config}'" in " ".join(stopped.err.split())


def test_ingest_when_too_many_rows_are_refused_then_rejects_is_proposed_for_the_same_settings(
    config, elsewhere
):
    config.write_text(
        SETTINGS.format(day="2024-02-01").replace("max_refused = 1", "max_refused = 0")
    )
    stopped = run("ingest", "--config", config, "--data", elsewhere)
    assert stopped.code == 2
    assert f"See them: `leadscore rejects --config '{config}'`." in " ".join(stopped.err.split())
    assert "--data" not in stopped.err


def test_command_when_it_has_ended_then_what_was_given_to_it_is_proposed_no_longer(config):
    ingest(config, "2024-02-01")
    assert propose("ingest") == "leadscore ingest"
