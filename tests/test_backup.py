"""A backup as docs/operate.md makes it, restored after everything was lost."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from commands import run
from leadscore.sample.sample import write_sample

PAGE = (Path(__file__).parents[1] / "docs" / "operate.md").read_text()
CONFIG = "acme.toml"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A published list, with its settings in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "crm", leads=900, seed=4)
    text = (tmp_path / "crm" / "leadscore.toml").read_text()
    text = re.sub("(?m)^cadence_days = .*$", "cadence_days = 28", text)
    text = re.sub("(?m)^max_per_lead = .*$", "max_per_lead = 2", text)
    Path(CONFIG).write_text(text + '\n[model]\nscorer = "scorecard"\n')
    shutil.copytree("crm/exports", "exports")
    for words in (["ingest"], ["train", "--promote"], ["score"]):
        ended = run(*words, "--config", CONFIG)
        assert ended.code == 0, ended.err


def documented(start: str) -> list[str]:
    """The words of a documented command."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(start)]
    return line.partition("#")[0].split()


def status() -> dict:
    return json.loads(run("status", "--json", "--config", CONFIG).out)


@pytest.mark.slow  # it trains
def test_restore_when_everything_was_lost_then_a_replay_gives_the_same_bytes(project):
    before = status()
    published = before["published"]["publication_id"]
    subprocess.run(documented("tar -czf"), check=True)
    for name in ("data", "models", "exports", "crm"):
        shutil.rmtree(name)
    Path(CONFIG).unlink()

    subprocess.run(documented("tar -xzf"), check=True)

    assert run(*documented("leadscore store list --config")[1:]).code == 0
    after = status()
    assert after["published"]["publication_id"] == published
    assert after["champion"] == before["champion"]
    with Path("data/sample/scores", published, "scores.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    places = {"PUBLICATION": published, "LEAD": first["lead_id"]}
    words = [places.get(word, word) for word in documented("leadscore replay")[1:]]
    replayed = run(*words, "--json")
    assert replayed.code == 0, replayed.err
    assert json.loads(replayed.out)["same"] is True
