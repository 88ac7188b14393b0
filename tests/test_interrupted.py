"""Ctrl-C, whenever it comes, ends a command in one line."""

import subprocess
import sys

import pytest

from leadscore import project as jobs
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
from leadscore.cli import main as cli
from leadscore import project as jobs# what is slow to import comes first, so that the work itself is interrupted
after, *words = sys.argv[1:]
signal.setitimer(signal.ITIMER_REAL, float(after))
sys.argv = ["leadscore", *words]
cli.main()
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A working directory with an ingested sample whose training takes a while."""
    folder = tmp_path_factory.mktemp("interrupted")
    write_sample(folder / "crm", leads=1500, seed=1)
    settings = read_settings(folder / "crm" / "leadscore.toml")
    jobs.ingest(settings.model_copy(update={"data_folder": folder / "data"}))
    return folder


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    ("after", "command"),
    [
        (0.3, "train"),
        (2, "backtest"),
        pytest.param(5, "train", marks=pytest.mark.slow),
        pytest.param(0.3, "backtest", marks=pytest.mark.slow),
        pytest.param(2, "train", marks=pytest.mark.slow),
        pytest.param(5, "backtest", marks=pytest.mark.slow),
    ],
)
def test_command_when_interrupted_then_ends_with_130_and_one_line(stored, command, after):
    words = [sys.executable, "-c", SCRIPT, str(after), command, "--config", "crm/leadscore.toml"]
    ended = subprocess.run(words, cwd=stored, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "interrupted; run the same command again to complete it\n"
