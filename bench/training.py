"""Training with the default budget on 200,000 dated snapshots, or on 100,000 undated rows of 20 fields.

Prints seconds, seconds of processor time, the most memory, and what share of the aim they are: four
minutes and three. Run it as `python bench/training.py`, or with `dated` or `undated` for one of the
two. `dated --leads 200000` trains on some five times as many snapshots, for which there is no aim.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.model.apply import sigmoid
from leadscore.settings.settings import Settings
from sample_project import build_sample

LEADS = 41_000
UNDATED_ROWS = 100_000
NUMBERS, CATEGORIES = 12, (3, 5, 8, 10, 15, 20, 40, 6)  # how many levels each category has
AIMS = {"dated": 240, "undated": 180}


def main() -> None:
    """Train once in each of the asked modes."""
    asked = _read_arguments()
    build: dict[str, Callable[[Path], Settings]] = {
        "dated": partial(build_dated, leads=asked.leads),
        "undated": build_undated,
    }
    for mode in asked.modes or list(build):
        with tempfile.TemporaryDirectory() as name:
            settings = build[mode](Path(name))
            before, cpu = time.perf_counter(), time.process_time()
            trained = jobs.train(settings)
            seconds, used = time.perf_counter() - before, time.process_time() - cpu
        aim = AIMS[mode] if asked.leads == LEADS else None
        _print(mode, trained.to_dict(), settings, seconds=seconds, used=used, aim=aim)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modes", nargs="*", metavar="dated|undated")
    parser.add_argument("--leads", type=int, default=LEADS, help="leads of the dated sample")
    return parser.parse_args()


def build_dated(folder: Path, *, leads: int) -> Settings:
    """A sample, which gives some five snapshots a lead."""
    return build_sample(folder, leads=leads, seed=1)


def build_undated(folder: Path) -> Settings:
    """Closed leads without dates, whose fields act alone and together."""
    rows, names = _make_rows(UNDATED_ROWS)
    rows.to_csv(folder / "leads.csv", index=False)
    number = {"type": "number", "decimals": 0}
    outcomes = {"lead_id": "id", "outcome": "end"}
    settings = Settings.model_validate({
        "project": "undated",
        "time": "none",
        "input_folder": folder,
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {name: number if name.startswith("number") else {} for name in names},
        "mapping": [
            {"source": "leads", "table": "leads", "columns": {"lead_id": "id"} | {name: name for name in names}},
            {"source": "leads", "table": "outcomes", "columns": outcomes},
        ],
    })  # fmt: skip
    jobs.ingest(settings)
    return settings


def _make_rows(n: int) -> tuple[pd.DataFrame, list[str]]:
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(n, NUMBERS))
    levels = rng.integers(0, CATEGORIES, (n, len(CATEGORIES)))
    odds = (
        -1.0
        + 0.5 * numbers[:, 0]
        + 0.4 * numbers[:, 1] * numbers[:, 2]
        + 0.3 * np.abs(numbers[:, 4])
    )
    odds += 0.8 * np.sign(numbers[:, 5] * numbers[:, 6]) * (levels[:, 1] > 2)
    for at, count in enumerate(CATEGORIES):
        odds += rng.normal(0, 0.3, count)[levels[:, at]]
    columns = {
        f"number_{i}": np.round(100 * values).astype(int) for i, values in enumerate(numbers.T)
    }
    columns |= {
        f"category_{i}": [f"v{level}" for level in values] for i, values in enumerate(levels.T)
    }
    ids = [f"l{i:06d}" for i in range(n)]
    end = np.where(rng.random(n) < sigmoid(odds), "won", "lost")
    return pd.DataFrame({"id": ids} | columns | {"end": end}), list(columns)


def _print(
    mode: str,
    trained: dict[str, Any],
    settings: Settings,
    *,
    seconds: float,
    used: float,
    aim: int | None,
) -> None:
    evaluation = trained["evaluation"]
    history, scorer = evaluation["history"], evaluation["scorer"]
    print(f"{mode}: {history['snapshots']:,} snapshots of {history['leads']:,} leads, "
          f"{settings.model.trials} trials at most, chosen: {scorer['kind']}")  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"trained and judged in {seconds:.0f} s ({used:.0f} s of processor time), "
          f"{peak:,.0f} MB at the most", flush=True)  # fmt: skip
    if aim is not None:
        print(f"{seconds / aim:.2f} of the {aim} s aimed at ({used / aim:.2f})", flush=True)


if __name__ == "__main__":
    main()
