"""How much right lists of the sample company differ from week to week, with one model: the most of each difference.

`python bench/lists_week_by_week.py 900 3000` prints a line for each number of leads; the limits of `publication` in
the settings were set by such weeks. `--seed 1` takes another company.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from daily_exports import LAST, deliver, read_exports, write_company
from leadscore import project as jobs
from leadscore.publish.publication import read_publication
from leadscore.publish.unlike import Pair, measure_differences
from leadscore.settings.settings import Settings
from sample_project import train_champion

WEEKS = 40


def main() -> None:
    """Print the most of each difference, for each number of leads that was named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("leads", type=int, nargs="+")
    parser.add_argument("--seed", type=int, default=2)
    asked = parser.parse_args()
    for leads in asked.leads:
        with tempfile.TemporaryDirectory() as name:
            differences = measure_weeks(Path(name), leads=leads, seed=asked.seed)
        most = {key: max(week[key] for week in differences) for key in differences[0]}
        print(
            f"{leads:,} leads:",
            ", ".join(f"{key} {value:.3f}" for key, value in most.items()),
            flush=True,
        )


def measure_weeks(folder: Path, *, leads: int, seed: int) -> list[dict[str, float]]:
    """What each list differs by from the one of the week before."""
    settings = write_company(folder, leads=leads, seed=seed)
    exports = read_exports(settings.input_folder)
    deliver(settings, exports, LAST - np.timedelta64(7 * WEEKS, "D"))
    train_champion(settings, by="bench/lists_week_by_week.py")
    before, _ = _score(settings)
    differences = []
    for week in range(WEEKS - 1, -1, -1):
        deliver(settings, exports, LAST - np.timedelta64(7 * week, "D"))
        now, manifest = _score(settings)
        pair = Pair(before, now, days=7, returned=manifest.get("returned", 0), same_model=True)
        differences.append(asdict(measure_differences(pair)))
        before = now
    return differences


def _score(settings: Settings) -> tuple[pa.Table, dict[str, Any]]:
    """The list as it is published, and its manifest."""
    publication_id = jobs.score(settings).publication_id
    jobs.publish(settings, publication_id, even_if_unlike=True)
    publication, scores = read_publication(
        publication_id, folder=settings.project_folder() / "scores"
    )
    return scores, publication.manifest


if __name__ == "__main__":
    main()
