"""The schedule that docs/operate.md writes down, run as it stands there, over three days."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from leadscore import project as jobs
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.store.version import read_current
from leadscore.times import parse_moment

ROOT = Path(__file__).parents[2]
DATED = {
    "leads": "created_at",
    "activities": "at",
    "field_history": "changed_at",
    "stage_history": "entered_at",
    "outcomes": "closed_at",
}
FIRST, *DAYS = "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27"
Rows = list[dict[str, str]]


def read_cron() -> str:
    """What the documented line runs, after the change of folder."""
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    line = re.search(
        r"^(?P<minute>\d+) (?P<hour>\d+) \* \* 1-5 +cd /srv/leadscore && (?P<command>.+)$",
        text,
        re.M,
    )
    assert line
    assert (line["hour"], line["minute"]) == ("6", "15")
    return line["command"]


def read_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_at(rows: Rows, column: str, day: str) -> Rows:
    """The rows of before six o'clock of a day."""
    return [row for row in rows if row[column] < f"{day} 06:00:00Z"]


def deliver(whole: dict[str, Rows], folder: Path, day: str, *, moved: dict[str, str]) -> None:
    """The exports of a day at six, with a meeting of next autumn, and some leads that moved to another country."""
    for name, column in DATED.items():
        rows = known_at(whole[name], column, day)
        if name == "activities":
            rows = [*rows, rows[-1] | {"at": "2026-10-01 09:00:00Z"}]
        if name == "leads":
            rows = [row | {"country": moved.get(row["lead_id"], row["country"])} for row in rows]
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        at_ns = parse_moment(f"{day}T06:00:00Z", zone="UTC") * 1000
        os.utime(path, ns=(at_ns, at_ns))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A server's folder: the project's environment and flows, settings of a company without `known_until`."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "flows").symlink_to(ROOT / "flows")
    write_sample(tmp_path / "whole", leads=2500, seed=4)
    shutil.copytree(tmp_path / "whole" / "exports", tmp_path / "exports")
    text = (tmp_path / "whole" / "leadscore.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("known_until")]
    (tmp_path / "acme.toml").write_text(
        "\n".join([*lines, "[model]", 'scorer = "logistic"', "trials = 1", ""])
    )
    return tmp_path


def train(folder: Path) -> None:
    settings = read_settings(folder / "acme.toml")
    jobs.ingest(settings)
    trained = jobs.train(settings)
    who = Who("a test", f"{FIRST}T07:00:00.000000Z", "to begin with")
    jobs.register(settings, Path(trained.folder), who=who, promote=True)


def run_scheduled(folder: Path, day: str, *, hour: str) -> subprocess.CompletedProcess[str]:
    """The documented line, in that folder, while the clock shows a quarter past an hour."""
    command = f"{read_cron()} --clock {day}T{hour}:15:00Z"
    place = {**os.environ, "PREFECT_HOME": str(folder / "prefect"), "COLUMNS": "200"}
    return subprocess.run(  # noqa: S602 (cron gives it to a shell, too)
        command, shell=True, cwd=folder, env=place, check=False, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.timeout(900)  # it starts Prefect four times
@pytest.mark.filterwarnings("ignore")
def test_schedule_when_run_as_the_docs_write_it_then_each_day_has_its_list_and_its_facts(
    place, monkeypatch
):
    monkeypatch.chdir(place)
    whole = {name: read_rows(place / "whole" / "exports" / f"{name}.csv") for name in DATED}
    ended = {row["lead_id"] for row in known_at(whole["outcomes"], "closed_at", DAYS[-1])}
    movers = [
        row["lead_id"]
        for row in known_at(whole["leads"], "created_at", FIRST)
        if row["lead_id"] not in ended
    ]
    deliver(whole, place / "exports", FIRST, moved={})
    train(place)
    moved: dict[str, str] = {}
    for day, mover in zip(DAYS, movers, strict=False):
        moved[mover] = "JP"
        deliver(whole, place / "exports", day, moved=moved)
        done = run_scheduled(place, day, hour="06")
        assert done.returncode == 0, done.stderr
        scores = place / "data" / "sample" / "scores"
        current = json.loads((scores / "current.json").read_text())["publication_id"]
        manifest = json.loads((scores / current / "manifest.json").read_text())
        assert manifest["as_of"] == f"{day}T06:15:00Z"
        version = read_current(place / "data" / "sample" / "store", project="sample")
        assert version.manifest["known_until"] == f"{day}T06:00:00Z"
        assert version.manifest["tables"]["leads"]["rows"] == len(
            known_at(whole["leads"], "created_at", day)
        )
    observed = [
        row for path in version.files("observed") for row in pq.read_table(path).to_pylist()
    ]
    seen = {(row["lead_id"], row["available_us"]) for row in observed if row["value"] == "JP"}
    assert seen == {(mover, parse_moment(f"{day}T06:00:00Z", zone="UTC") - 1)
                    for day, mover in zip(DAYS, movers, strict=False)}  # fmt: skip
    stale = run_scheduled(place, "2026-02-28", hour="19")  # no export came, and 37 hours went by
    assert stale.returncode == 2
    assert "more than 36 hours after known_until 2026-02-27T06:00:00Z" in stale.stderr
