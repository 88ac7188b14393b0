"""A small project as files, ingested once."""

import shutil
from pathlib import Path

import pytest

from cli.shop import LEADS, SETTINGS
from leadscore import project as jobs
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
