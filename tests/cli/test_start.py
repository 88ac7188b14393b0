"""A command that only starts, helps or lists imports nothing heavy."""

import subprocess
import sys

import pytest

from commands import run
from leadscore import project as jobs
from leadscore.settings.read import read_settings


@pytest.mark.parametrize("words", [["--help"], ["ingest", "--help"], ["train", "--help"], ["score", "--help"],
                                   ["backtest", "--help"]])  # fmt: skip
def test_help_when_it_is_asked_for_then_it_is_shown_anywhere(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    told = run(*words)
    assert (told.code, told.err) == (0, "")
    assert "Usage: leadscore" in told.out
    if words == ["--help"]:
        assert all(command in told.out for command in ("ingest", "train", "score", "backtest"))


HEAVY = [
    "pandas",
    "pyarrow",
    "duckdb",
    "lightgbm",
    "sklearn",
    "numpy",
    "pydantic",
    "rich.markdown",
    "matplotlib",
]
HELP = """
import sys
from leadscore.cli import main as cli
sys.argv = ["leadscore", "--help"]
try:
    cli.main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("script", ["import leadscore.cli", HELP], ids=["import", "help"])
def test_command_line_when_it_only_starts_then_nothing_heavy_is_imported(script):
    script += f"\nimport sys; print('heavy:', [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stderr.splitlines()[-1] == "heavy: []"


LIST = """
import sys
from leadscore.cli import main as cli
sys.argv = ["leadscore", {group!r}, "list", "--config", {config!r}]
try:
    cli.main()
except SystemExit as stop:
    assert not stop.code
loaded = {{"pandas", "duckdb", "lightgbm", "sklearn", "scipy", "matplotlib"}} & set(sys.modules)
print("heavy:", sorted(loaded), file=sys.stderr)
"""


@pytest.mark.parametrize("group", ["store", "models"])
def test_command_when_it_only_lists_then_nothing_that_trains_or_scores_is_imported(
    tmp_path, monkeypatch, group
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads.csv").write_text("id,created\n1,2024-01-01\n")
    config = tmp_path / "leadscore.toml"
    config.write_text(
        'project = "shop"\nknown_until = 2024-02-01\nsources.leads.path = "leads.csv"\n[[mapping]]\n'
        'source = "leads"\ntable = "leads"\ncolumns = { lead_id = "id", event_at = "created" }\n'
    )
    jobs.ingest(read_settings(config))
    script = LIST.format(group=group, config=str(config))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "heavy: []"
