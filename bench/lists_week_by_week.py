"""How much right lists of the sample company differ from week to week, with one model: the most of each difference.

`python bench/lists_week_by_week.py 900 3000` prints a line for each number of leads; the limits of `publication` in
the settings were set by such weeks. `--seed 1` takes another company.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore import project as jobs
from leadscore.errors import AlarmError
from leadscore.publish.publication import read_publication
from leadscore.publish.unlike import Pair, measure_differences
from leadscore.sample.sample import write_sample
from leadscore.settings.settings import Settings, read_settings
from leadscore.times import parse_moment
from sample_project import train_champion

WEEKS = 40
LAST = np.datetime64("2026-03-01")
DATES = {
    "leads": "created_at",
    "field_history": "changed_at",
    "activities": "at",
    "stage_history": "entered_at",
    "outcomes": "closed_at",
}


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
    settings = _write_company(folder, leads=leads, seed=seed)
    exports = _read_exports(settings.input_folder)
    _deliver(settings, exports, LAST - np.timedelta64(7 * WEEKS, "D"))
    train_champion(settings, by="bench/lists_week_by_week.py")
    before, _ = _score(settings)
    differences = []
    for week in range(WEEKS - 1, -1, -1):
        _deliver(settings, exports, LAST - np.timedelta64(7 * week, "D"))
        now, manifest = _score(settings)
        pair = Pair(before, now, days=7, returned=manifest.get("returned", 0), same_model=True)
        differences.append(asdict(measure_differences(pair)))
        before = now
    return differences


def _write_company(folder: Path, *, leads: int, seed: int) -> Settings:
    write_sample(folder / "crm", leads=leads, seed=seed)
    settings = read_settings(folder / "crm" / "leadscore.toml")
    model = settings.model.model_copy(update={"trials": 1})
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    return settings.model_copy(update={"model": model} | places)


def _read_exports(folder: Path) -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in DATES
    }


def _deliver(settings: Settings, exports: dict[str, pd.DataFrame], day: np.datetime64) -> None:
    """Ingest what the CRM shows at the beginning of a day."""
    for name, table in exports.items():
        table[table[DATES[name]] < str(day)].to_csv(
            settings.input_folder / f"{name}.csv", index=False
        )
    known_until_us = parse_moment(str(day), zone="UTC")
    try:
        jobs.ingest(settings, known_until_us=known_until_us)
    except AlarmError as e:
        print(f"{day}: {e}", file=sys.stderr)
        jobs.ingest(settings, known_until_us=known_until_us, accept=e.names)


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
