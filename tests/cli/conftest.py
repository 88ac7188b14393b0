"""A small project as files, ingested once, and a way to run commands on it."""

import shutil
import sys
from pathlib import Path

import pytest

from cli.run import LEADS, SETTINGS, Told
from leadscore import project as jobs
from leadscore.cli import main as cli
from leadscore.settings.read import read_settings


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with sound settings and one sound file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadscore.toml").write_text(SETTINGS.format(folder=tmp_path))
    (tmp_path / "leads.csv").write_text(LEADS)
    return tmp_path


@pytest.fixture(scope="module")
def ingested(tmp_path_factory) -> Path:
    """The data folder that `leadscore ingest` makes of the sound file."""
    folder = tmp_path_factory.mktemp("ingested")
    (folder / "leadscore.toml").write_text(SETTINGS.format(folder=folder))
    (folder / "leads.csv").write_text(LEADS)
    jobs.ingest(read_settings(folder / "leadscore.toml"))
    return folder / "data"


@pytest.fixture
def stored(folder, ingested) -> Path:
    """The working directory after `leadscore ingest`."""
    shutil.copytree(ingested, folder / "data")
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line as the console script does."""

    def run(*words: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["leadscore", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        shown = capsys.readouterr()
        return Told(end.value.code or 0, shown.out, shown.err)

    return run
