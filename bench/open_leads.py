"""All open leads of a large sample scored twice, beside a notebook and beside the least that it can take.

`python bench/open_leads.py --leads 780000` has some 100,000 of them open. Ours is explained, compared with the week
before, decided, routed and written; see notebook_peer.py for what the others do. Prints seconds, ratios and memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pandas as pd

from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.apply import add_codes
from leadscore.project.opened import open_store
from leadscore.registry.registry import Registry
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment
from notebook_peer import Timer, score_by_hand, score_by_notebook
from sample_project import build_sample, train_champion

HISTORY, REPS = 20_000, 500
TRAINED, BEFORE, NOW = (
    parse_moment(day, zone="UTC") for day in ("2026-02-15", "2026-02-22", "2026-03-01")
)


def main() -> None:
    """Train on a small sample, score a large one of the same company twice, then let the peers do it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=780_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        large = _build_company(Path(name), leads=asked.leads)
        seconds = {}
        for list_name, as_of_us in (("first list", BEFORE), ("second list", NOW)):
            before = time.perf_counter()
            scored = jobs.score(large, as_of_us=as_of_us)
            seconds[list_name] = time.perf_counter() - before
            jobs.publish(large, scored.publication_id, even_if_unlike=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{scored.counts.scored:,} of {asked.leads:,} leads open, {peak:,.0f} MB at the most")

        model = Registry(large).load_champion()[0]
        with open_store(large) as history:
            matrix = build_matrix(history.snapshot(history.open_list(NOW)), build_features(large))
        levels = model.document["levels"]
        encoded = add_codes(levels, model.encode(matrix.columns), matrix.columns)
        now = pd.Timestamp(NOW, unit="us", tz="UTC")
        notebook = score_by_notebook(large.input_folder, model.booster, encoded, now)
        floor = score_by_hand(
            large.input_folder, model.booster, encoded, now, threads=large.engine.threads
        )
    _print(seconds, notebook, floor)


def _build_company(folder: Path, *, leads: int) -> Settings:
    """A champion that learned from a small sample, and a large one ingested."""
    small = build_sample(folder, leads=HISTORY, seed=1)
    boosted = small.model.model_copy(update={"scorer": "boosted", "trials": 1})
    trained_by = small.model_copy(update={"model": boosted})
    train_champion(trained_by, by="bench/open_leads.py", as_of_us=TRAINED)
    write_sample(folder / "large", leads=leads, seed=1)
    _write_reps(folder / "large" / "exports" / "reps.csv")
    large = read_settings(folder / "large" / "leadscore.toml").model_copy(
        update={
            "data_folder": folder / "large" / "data",
            "models_folder": small.models_folder,
            "model": boosted,
        }
    )
    jobs.ingest(large, known_until_us=large.known_until_us())
    return large


def _print(seconds: dict[str, float], notebook: Timer, floor: Timer) -> None:
    """A line for each way, with its steps, and ours as a share of it."""
    second = seconds["second list"]
    ours = ", ".join(f"{name} {taken:.1f} s" for name, taken in seconds.items())
    print(f"leadscore: {ours}, {second / seconds['first list']:.2f} of the first")
    for name, timer in (("notebook", notebook), ("floor, without reasons", floor)):
        steps = ", ".join(f"{step} {taken:.1f}" for step, taken in timer.seconds.items())
        ratio = seconds["first list"] / timer.total
        print(f"{name}: {timer.total:.1f} s ({steps}); our first list takes {ratio:.2f} times that")


def _write_reps(path: Path) -> None:
    teams = {"DACH": "DE;AT;CH", "North": "SE;DK;NO;FI", "West": "NL;BE;FR", "Isles": "GB;IE"}
    lines = ["rep_id,name,team,territories,capacity"]
    for i in range(REPS):
        team = list(teams)[i % len(teams)]
        lines.append(f"R{i:04d},Rep {i},{team},{teams[team]},60")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
