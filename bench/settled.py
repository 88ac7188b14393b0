"""A model that scores a sample every week, and what became of its lists: what docs/monitor.md shows.

`python bench/settled.py` trains as of 2025-05-01, publishes a list every Monday, draws what `leadscore monitor` shows
of them, and compares earlier estimates for the lists that waited with what came of them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from leadscore import project as jobs
from leadscore.cli.rendering.monitored import draw_monitor
from leadscore.monitor.estimate import estimate_performance
from leadscore.monitor.settle import SETTLED, WAITING, as_evaluation_set, settle
from leadscore.project.monitoring import monitor, read_lists
from leadscore.project.opened import open_store
from leadscore.settings.settings import Settings
from leadscore.times import format_us, parse_moment
from sample_project import build_sample, train_champion

TRAINED = "2025-05-01"
MONDAYS = ("2025-05-05", "2026-02-23")
LOOKS = ("2025-06-01", "2025-12-28")  # every four weeks


def main() -> None:
    """Build, score and settle a sample, and print what became of its lists."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = build_lists(Path(name), leads=asked.leads, seed=asked.seed)
        draw_monitor(monitor(settings, segment="channel"))
        print_estimates(settings)


def build_lists(folder: Path, *, leads: int, seed: int) -> Settings:
    """A sample with a model of one moment, and the lists that it published every week since."""
    settings = build_sample(folder, leads=leads, seed=seed)
    publish_lists(settings)
    return settings


def publish_lists(settings: Settings) -> None:
    """Train as of one moment, and publish a list every week from then on."""
    train_champion(settings, by="bench/settled.py", as_of_us=parse_moment(TRAINED, zone="UTC"))
    for as_of_us in _moments(*MONDAYS, days=7):
        scored = jobs.score(settings, as_of_us=as_of_us)
        jobs.publish(settings, scored.publication_id, even_if_unlike=True)


def print_estimates(settings: Settings) -> None:
    """For several earlier moments, the AUC estimated for the lists that waited, and what it was."""
    with open_store(settings) as history:
        lists, _ = read_lists(settings)
        final = settle(history, lists, known_us=history.version.known_until_us)
        for known_us in _moments(*LOOKS, days=28):
            then = settle(history, lists, known_us=known_us)
            waiting = then[then["state"] == WAITING]
            settled = as_evaluation_set(then[then["state"] == SETTLED])
            estimate = estimate_performance(waiting, settled, seed=1)
            if estimate is None:
                continue
            is_same = final["name"].isin(waiting["name"]) & (final["state"] == SETTLED)
            came = as_evaluation_set(final[is_same]).auc()
            basis = "corrected" if estimate.corrected else "as they are"
            auc = estimate.auc
            print(
                f"{format_us(known_us)[:10]}: {estimate.lists} lists wait; AUC estimated "
                f"{auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}), {basis}; it was {came:.3f}"
            )


def _moments(first: str, last: str, *, days: int) -> list[int]:
    dates = pd.date_range(first, last, freq=f"{days}D")
    return [parse_moment(str(date.date()), zone="UTC") for date in dates]


if __name__ == "__main__":
    main()
