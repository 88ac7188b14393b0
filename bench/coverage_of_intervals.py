"""How often the 95% interval of a probability holds the truth, over several samples: part of `make truth`.

The open leads of a sample are cut into bins by log-odds; a bin is covered if the mean of its true probabilities lies
between the means of its lower and upper bounds.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore.features.matrix import build_matrix
from leadscore.model.apply import WinModel
from leadscore.model.calibration.interval import fit_interval
from leadscore.model.train import FitResult, fit_model
from leadscore.progress import silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.opened import open_store
from sample_project import build_sample

SEEDS = (1, 2, 3, 4, 5, 11, 12, 13)  # fewer samples differ by several percent
FEW = 5  # of them, for a quick look
LEADS, BINS = 10_000, 20
LEAST_COVERED = 0.90
KINDS = (
    None,
    "none",
    "isotonic",
)  # the kind that was chosen, and two that must hold too, though another was


@dataclass(frozen=True)
class OpenLeads:
    """A training, and the raw log-odds and true probability (n,) of the leads open at its end."""

    result: FitResult
    log_odds: np.ndarray
    true: np.ndarray

    def model(self, kind: str | None) -> WinModel:
        """The model with a calibrator of that kind and its interval; as it was trained for None."""
        model, held_out = self.result.model, self.result.held_out
        if kind is None:
            return model
        assert held_out is not None  # noqa: S101  (the samples have closed leads)
        calibrator = held_out.fit_calibrator(kind)
        changed = {"calibrator": calibrator, "interval": fit_interval(held_out, calibrator, seed=1)}
        return WinModel(model.document | changed, model.booster_text)

    def covered(self, kind: str | None) -> tuple[np.ndarray, float]:
        """Which bins are covered (BINS,), and the mean width of the intervals."""
        model = self.model(kind)
        low, high = model.interval(self.log_odds, model.shift).T
        bins = np.array_split(np.argsort(self.log_odds, kind="stable"), BINS)
        hits = [low[part].mean() <= self.true[part].mean() <= high[part].mean() for part in bins]
        return np.array(hits), float((high - low).mean())


def train_sample(folder: Path, *, seed: int) -> OpenLeads:
    """Make a sample, train without tuning, and score the leads open at its end."""
    settings = build_sample(folder, leads=LEADS, seed=seed)
    untuned = settings.model.model_copy(update={"trials": 1})
    settings = settings.model_copy(update={"model": untuned})
    truth = pd.read_csv(folder / "crm" / "truth" / "leads.csv", dtype={"lead_id": str}).set_index(
        "lead_id"
    )
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        result = fit_model(
            history, known_us=known_us, progress=silent, **doubt_fields(history, known_us=known_us)
        )
        rows = history.open_list(known_us)
        columns = build_matrix(history.snapshot(rows), result.features).take(rows).columns
        log_odds = result.model.log_odds(columns)
    result = replace(result, training=None)  # it holds a database, which stays in its process
    return OpenLeads(
        result, log_odds, truth.loc[rows["lead_id"], "win_probability"].to_numpy(dtype=float)
    )


def start_samples(pool: Executor, *, is_quick: bool = False) -> list[Future[OpenLeads]]:
    """Begin to train on every sample, or on a few of them, each in a process of its own."""
    seeds = SEEDS[:FEW] if is_quick else SEEDS
    return [pool.submit(_train_sample, seed) for seed in seeds]


def _train_sample(seed: int) -> OpenLeads:
    with tempfile.TemporaryDirectory() as folder:
        return train_sample(Path(folder), seed=seed)


def print_coverage(samples: list[OpenLeads]) -> list[float]:
    """Print, and return, the share of bins covered: for each of `KINDS`."""
    published = ", ".join(sample.result.model.document["calibrator"]["kind"] for sample in samples)
    print(
        f"95% intervals, {len(samples)} samples of {LEADS:,} leads, {BINS} bins by log-odds in each:"
    )
    shares = []
    for kind in KINDS:
        covered = [sample.covered(kind) for sample in samples]
        shares.append(float(np.mean([hits for hits, _ in covered])))
        name = kind or f"as published ({published})"
        by_sample = ", ".join(f"{hits.mean():.2f}" for hits, _ in covered)
        width = np.mean([width for _, width in covered])
        print(
            f"  {name}: the mean truth lies inside in {shares[-1]:.1%} of the bins ({by_sample}), width {width:.3f}"
        )
    return shares


if __name__ == "__main__":
    with ProcessPoolExecutor() as processes:
        print_coverage([future.result() for future in start_samples(processes)])
