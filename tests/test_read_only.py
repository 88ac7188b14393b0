"""What only looks works in a folder that cannot be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leadscore import project as jobs
from leadscore.registry.registry import Who
from leadscore.settings.read import read_settings

SETTINGS = """
project = "shop"
known_until = 2024-02-01

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""
BOUND = [
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
]


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """A working directory with a registered scorecard, in which nothing can be written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads.csv").write_text("id,created\n1,2024-01-01\n2,2024-01-02\n")
    (tmp_path / "leadscore.toml").write_text(SETTINGS)
    settings = read_settings(tmp_path / "leadscore.toml")
    jobs.ingest(settings)
    jobs.register(
        settings,
        Path(jobs.train(settings).folder),
        who=Who("ann", "2024-02-01T00:00:00Z", "a test"),
    )
    paths = [tmp_path, *tmp_path.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield tmp_path
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    "words", [["models", "list"], ["models", "show", "1"], ["store", "list"]], ids=" ".join
)
def test_command_that_only_looks_when_nothing_can_be_written_then_works(read_only, words):
    before = BOUND if os.geteuid() == 0 else []  # root writes everywhere, unless it gives that up
    if before and not shutil.which("setpriv"):
        pytest.skip("root cannot give up its rights without setpriv")
    command = [*before, sys.executable, "-m", "leadscore", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "2024-02-01" in ended.stdout
