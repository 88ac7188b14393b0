"""What every command line has: its version, help in two spellings, completion, and a quick start."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import leadscore
from commands import run
from leadscore.cli.main import app

ROOT = Path(__file__).parents[1]
VERSION = f"leadscore {leadscore.__version__}\n"


def _commands(command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of the command and of all below it."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


COMMANDS = list(_commands(get_command(app)))


def _python(*words: str, **variables: str) -> str:
    """What a new Python prints in an environment with these variables too."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")} | variables
    command = [sys.executable, *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_version_when_asked_for_then_it_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there are no settings
    ended = run("--version")
    assert (ended.code, ended.out, ended.err) == (0, VERSION, "")


def test_module_when_python_runs_it_then_it_is_the_command_line():
    assert _python("-m", "leadscore", "--version") == VERSION


def test_commands_when_listed_then_groups_and_what_is_in_them_are_there():
    assert {(), ("train",), ("store",), ("store", "prune"), ("models", "promote")} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_when_asked_for_by_one_letter_then_it_is_the_same(words):
    short, long = run(*words, "-h"), run(*words, "--help")
    assert (short.code, long.code) == (0, 0)
    assert short.out == long.out
    assert " ".join(["Usage: leadscore", *words]) in long.out


@pytest.mark.parametrize(("typed", "completed"), [
    ("leadscore bac", ["backtest"]),
    ("leadscore models pro", ["promote"]),
    ("leadscore score --repl", ["--replace-newer"]),
])  # fmt: skip
def test_words_when_the_shell_completes_them_then_commands_and_options_come(typed, completed):
    position = str(len(typed.split()) - 1)
    asked = {"_LEADSCORE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": position}
    assert _python("-m", "leadscore", **asked).split() == completed


def test_help_when_a_command_has_a_long_sentence_then_it_is_shown_whole():
    words = run("--help").out.split()
    for name, command in get_command(app).commands.items():
        assert " ".join([name, *command.help.split()]) in " ".join(words)


def test_version_when_released_then_project_and_changes_name_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == leadscore.__version__
    changes = (ROOT / "CHANGELOG.md").read_text()
    headings = [line for line in changes.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Unreleased"
    assert headings[1].startswith(f"## {leadscore.__version__} (20")
