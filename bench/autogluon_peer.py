"""AutoGluon as a peer of `bench/compare.py`, in a Python of its own, since it needs older libraries than we do.

    python3.11 -m venv /tmp/autogluon
    /tmp/autogluon/bin/pip install "autogluon.tabular[lightgbm]" pyarrow
    python bench/compare.py sample --autogluon /tmp/autogluon/bin/python

Run by that Python with two file names, this module fits and predicts; imported by ours, it hands the rows over.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from leadscore.validation.baselines import PeerTask

SECONDS = 60  # for each fit
LATEST = 0.15  # share of the rows, the latest, by which AutoGluon chooses


def predict(task: PeerTask, *, python: str) -> np.ndarray:
    """Its win probabilities (n,); it chooses by the latest rows, or by any where nothing is dated."""
    seen = _as_frame(task.seen, task.is_category)
    seen = seen.assign(label=task.label.astype(int), weight=task.weight, time=task.time)
    asked = _as_frame(task.asked, task.is_category)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen.to_parquet(folder / "seen.parquet")
        asked.to_parquet(folder / "asked.parquet")
        subprocess.run([python, __file__, str(folder)], check=True, capture_output=True)  # noqa: S603
        predicted = pd.read_parquet(folder / "predicted.parquet")
    return predicted["probability"].to_numpy()


def _as_frame(values: np.ndarray, is_category: np.ndarray) -> pd.DataFrame:
    """The columns by number; categories as text, so that they are not taken for numbers."""
    columns: dict[str, Any] = {}
    for at in range(values.shape[1]):
        numbers = pd.Series(values[:, at])
        text = numbers.map(lambda number: f"level {number:.0f}", na_action="ignore")
        columns[f"c{at}"] = text.astype(object) if is_category[at] else numbers
    return pd.DataFrame(columns)


def _fit(folder: Path) -> None:
    """What its own Python does: fit on the earlier rows, choose by the latest, predict."""
    from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

    seen = pd.read_parquet(folder / "seen.parquet")
    in_order = seen.sample(frac=1, random_state=0).sort_values("time", kind="stable")
    rows = in_order.drop(columns="time")
    first_late = int(len(rows) * (1 - LATEST))
    predictor = TabularPredictor(
        label="label",
        eval_metric="log_loss",
        sample_weight="weight",
        weight_evaluation=True,
        path=str(folder / "models"),
        verbosity=0,
    )
    predictor.fit(rows[:first_late], tuning_data=rows[first_late:], time_limit=SECONDS, num_cpus=1)
    asked = pd.read_parquet(folder / "asked.parquet").assign(weight=1.0)
    probability = predictor.predict_proba(asked)[1]
    pd.DataFrame({"probability": probability}).to_parquet(folder / "predicted.parquet")


if __name__ == "__main__":
    _fit(Path(sys.argv[1]))
