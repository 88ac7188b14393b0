"""How good the probabilities of a win are before and after the horizon, by several designs.

On BPI Challenge 2012: back-tested at past dates, at 10, 20 and 30 days. On the sample: beside the truth, at horizons
up to half a year, from the true probability at the sample's own horizon, so that the timing alone is at fault.
Designs differ in how the timing of wins is estimated (for all open leads alike, or by their age), and in how it
moves a probability (in proportion; as proportional hazards; as proportional odds; in proportion up to the horizon and
as hazards beyond it). Beside them stands a model of its own for each horizon, trained on the same snapshots.

    python bench/time_to_win.py FOLDER_OF_BPIC2012
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.evaluation.metrics import compute_binned_error, compute_log_loss
from leadscore.funnel.outlook import add_age, fit_known_timing
from leadscore.funnel.timing import WinTiming
from leadscore.history.labels import build_side
from leadscore.history.split import History
from leadscore.progress import silent
from leadscore.project.opened import open_store
from leadscore.sample.draw import draw_leads
from leadscore.sample.truth import compute_truth
from leadscore.sample.world import HORIZON_DAYS, UNTIL_S
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.validation.backtest import run_backtest
from leadscore.validation.dates import spread_dates
from sample_project import build_sample

ROOT = Path(__file__).parents[1]
BPIC_DAYS = (10, 20, 30)
SAMPLE_DAYS = (10, 20, 30, 90, 180)
LEADS, SEED = 5000, 1
OWN = "a model of its own"
DRAWS = 50  # of labels, for the error that chance alone gives
FLOOR = 1e-6

Design = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def in_proportion(p: np.ndarray, within: np.ndarray, at_horizon: np.ndarray) -> np.ndarray:
    """The probability times the share of wins that come by then, capped."""
    moved = p * within / at_horizon
    return np.asarray(np.minimum(moved, 1 - FLOOR))


def as_hazards(p: np.ndarray, within: np.ndarray, at_horizon: np.ndarray) -> np.ndarray:
    """Proportional subdistribution hazards."""
    power = np.log1p(-within) / np.log1p(-at_horizon)
    return np.asarray(-np.expm1(power * np.log1p(-p)))


def in_both(p: np.ndarray, within: np.ndarray, at_horizon: np.ndarray) -> np.ndarray:
    """In proportion up to the horizon, as hazards beyond it: what leadscore does."""
    before = in_proportion(p, within, at_horizon)
    beyond = as_hazards(p, within, at_horizon)
    return np.where(within <= at_horizon, before, beyond)


def as_odds(p: np.ndarray, within: np.ndarray, at_horizon: np.ndarray) -> np.ndarray:
    """Proportional odds."""
    moved = within / (1 - within) * (1 - at_horizon) / at_horizon
    odds = p / (1 - p) * moved
    return np.asarray(odds / (1 + odds))


LINKS: dict[str, Design] = {
    "in proportion": in_proportion,
    "hazards": as_hazards,
    "odds": as_odds,
    "both": in_both,
}


@dataclass(frozen=True)
class Leads:
    """Open leads (n,): probability at the horizon, age in days, and the timing of their date."""

    probability: np.ndarray
    age: np.ndarray
    timing: WinTiming

    def designs(self, days: float, horizon: float) -> dict[str, np.ndarray]:
        """The probability (n,) within some days, by every design."""
        by_age = [self.timing.share_won(self.age, time) for time in (days, horizon)]
        alike = [np.full(len(self.age), share.mean()) for share in by_age]
        predicted = {}
        for base, (within, at_horizon) in {"alike": alike, "by age": by_age}.items():
            for link, move in LINKS.items():
                predicted[f"{base}, {link}"] = move(self.probability, within, at_horizon)
        return predicted


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name:
        if sys.argv[1:]:
            judge_bpic(Path(name), Path(sys.argv[1]))
        judge_sample(Path(name))


def judge_bpic(folder: Path, data: Path) -> None:
    """Print log loss and calibration error of each design, over the dates of a back-test."""
    read = read_settings(ROOT / "examples/bpic2012/leadscore.toml", input_folder=data)
    model = read.model.model_copy(update={"trials": 2})
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    settings = read.model_copy(update=places | {"model": model})
    jobs.ingest(settings)
    with open_store(settings) as history:
        moments = spread_dates(history, from_us=None, to_us=None, dates=6)
        by_horizon = {days: predict(history, moments, days) for days in BPIC_DAYS}
        published = by_horizon[settings.target.horizon_days]
        for days in BPIC_DAYS:
            predictions = published.assign(**{OWN: by_horizon[days]["leadscore"]}).dropna()
            date_of = predictions.index.get_level_values("as_of_us")
            of_dates = [predictions[date_of == moment] for moment in moments]
            dates = zip(moments, of_dates, strict=True)
            parts = [settle(history, rows, moment, days) for moment, rows in dates if len(rows)]
            print_errors(f"bpic2012 at {days} days", pd.concat(parts, ignore_index=True))


def predict(history: History, moments: list[int], days: int) -> pd.DataFrame:
    """Back-tested probabilities of a win within some days, by lead_id and as_of_us."""
    target = history.settings.target.model_copy(update={"horizon_days": days})
    settings = history.settings.model_copy(update={"target": target})
    replayed = run_backtest(replace(history, settings=settings), moments, progress=silent)
    return replayed.predictions.set_index(["lead_id", "as_of_us"])[["leadscore"]]


def settle(history: History, rows: pd.DataFrame, as_of_us: int, days: int) -> pd.DataFrame:
    """Predictions of a date, by lead_id, by each design, with the labels and weights at some days."""
    until_us = history.version.known_until_us
    target = history.settings.target.model_copy(update={"horizon_days": days})
    listed = history.open_list(as_of_us).assign(grid_weight=1.0, young=False)
    spells = history.spells(until_us)
    side = build_side("settled", listed, spells, known_us=until_us, target=target)
    labelled = side.rows.loc[side.observed, ["lead_id", "spell", "label", "weight"]]
    both = labelled.merge(rows[["leadscore", OWN]], on="lead_id")

    then = history.spells(as_of_us)
    aged = add_age(both, then, as_of_us=as_of_us)
    probability = np.clip(both["leadscore"].to_numpy(), FLOOR, 1 - FLOOR)
    leads = Leads(probability, aged["age"].to_numpy(), fit_known_timing(then, known_us=as_of_us))
    horizon = history.settings.target.horizon_days
    own = np.clip(both[OWN], FLOOR, 1 - FLOOR)
    return both.assign(**{OWN: own}, **leads.designs(days, horizon))


def print_errors(title: str, rows: pd.DataFrame) -> None:
    """Log loss, and the calibration error as observed and less what chance gives, of each design."""
    print(f"{title}: {len(rows):,} leads, {rows['label'].mean():.3f} won")
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    for name in rows.columns.drop(["lead_id", "spell", "label", "weight", "leadscore"]):
        p = rows[name].to_numpy()
        observed = compute_binned_error(p, label, weight)
        by_chance = expect_error(p, weight)
        loss = compute_log_loss(p, label, weight)
        print(
            f"  {name:24} log loss {loss:.4f}, calibration error {observed:.4f}, "
            f"{observed - by_chance:+.4f} beyond chance"
        )


def expect_error(p: np.ndarray, weight: np.ndarray) -> float:
    """The mean calibration error of a perfect model."""
    rng = np.random.default_rng(SEED)
    drawn = [(rng.random(len(p)) < p).astype(float) for _ in range(DRAWS)]
    return float(np.mean([compute_binned_error(p, label, weight) for label in drawn]))


def judge_sample(folder: Path) -> None:
    """Print how far each design is from the truth of the sample, over its open leads."""
    settings = build_sample(folder, leads=LEADS, seed=SEED)
    truth = read_truth((*SAMPLE_DAYS, HORIZON_DAYS))
    leads = open_sample(settings, truth)
    for days in SAMPLE_DAYS:
        true = truth[days].to_numpy()
        print(f"sample at {days} days: {len(true):,} leads, mean truth {true.mean():.4f}")
        for name, p in leads.designs(days, HORIZON_DAYS).items():
            loss = compute_log_loss(np.tile(p, 2), *_certain(true))
            best = compute_log_loss(np.tile(true, 2), *_certain(true))
            print(
                f"  {name:24} log loss {loss - best:.5f} above the truth's, "
                f"mean error {np.abs(p - true).mean():.4f}, bias {(p - true).mean():+.4f}"
            )


def _certain(true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every lead as won and as not won, with the true chances as weights."""
    label = np.concatenate([np.ones(len(true)), np.zeros(len(true))])
    return label, np.concatenate([true, 1 - true])


def read_truth(days: tuple[int, ...]) -> pd.DataFrame:
    """The true probabilities of the open leads, by lead_id; a column a number of days."""
    parts = []
    for drawn in draw_leads(leads=LEADS, seed=SEED):
        ids = np.array(drawn.crowd.ids.to_pylist())
        columns = {}
        for horizon in days:
            lead, chance = compute_truth(drawn.crowd, UNTIL_S, horizon_days=horizon)
            columns[horizon] = pd.Series(chance, index=ids[lead])
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts).sort_index()


def open_sample(settings: Settings, truth: pd.DataFrame) -> Leads:
    """The open leads in the order of `truth`, with their true probability at the horizon."""
    with open_store(settings) as history:
        until_us = history.version.known_until_us
        spells = history.spells(until_us)
        aged = add_age(history.open_list(until_us), spells, as_of_us=until_us)
        timing = fit_known_timing(spells, known_us=until_us)
    age = aged.set_index("lead_id").loc[truth.index, "age"].to_numpy()
    return Leads(truth[HORIZON_DAYS].to_numpy(), age, timing)


if __name__ == "__main__":
    main()
