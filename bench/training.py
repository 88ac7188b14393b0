"""Training with the default budget on 200,000 dated snapshots, or on 100,000 undated rows of 20 fields.

Prints seconds, seconds of processor time, and what share of the aim they are: four minutes and three.
Run it as `python bench/training.py`, or with `dated` or `undated` for one of the two.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
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
    build: dict[str, Callable[[Path], Settings]] = {"dated": build_dated, "undated": build_undated}
    for mode in sys.argv[1:] or list(build):
        with tempfile.TemporaryDirectory() as name:
            settings = build[mode](Path(name))
            before, cpu = time.perf_counter(), time.process_time()
            trained = jobs.train(settings)
            seconds, used = time.perf_counter() - before, time.process_time() - cpu
        _print(mode, trained.to_dict(), settings, seconds=seconds, used=used)


def build_dated(folder: Path) -> Settings:
    """A sample that gives some 200,000 snapshots."""
    return build_sample(folder, leads=LEADS, seed=1)


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
    mode: str, trained: dict[str, Any], settings: Settings, *, seconds: float, used: float
) -> None:
    evaluation = trained["evaluation"]
    history, scorer = evaluation["history"], evaluation["scorer"]
    print(f"{mode}: {history['snapshots']:,} snapshots of {history['leads']:,} leads, "
          f"{settings.model.trials} trials at most, chosen: {scorer['kind']}")  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    aim = AIMS[mode]
    print(f"trained and judged in {seconds:.0f} s, {seconds / aim:.2f} of the {aim} s aimed at "
          f"({used:.0f} s of processor time, {used / aim:.2f}), {peak:,.0f} MB at the most", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
