"""How good the probabilities of a win are before and after the horizon, by several designs.

Back-tested at past dates, on BPI Challenge 2012 by what came, and on the sample beside the truth. Designs differ in
how the timing of wins is estimated: for all open leads alike, by their age, or by their features (the pace that a
training learns where that is clearly better); and in how it moves a probability: in proportion; as proportional
hazards; as proportional odds; in proportion up to the horizon and as hazards beyond it. Beside them stands a model of
its own for each number of days, trained on the same snapshots.

Then the same designs on the sample, from the true probability at its own horizon, so that the timing alone is at
fault, at times up to half a year.

    python bench/time_to_win.py FOLDER_OF_BPIC2012
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.evaluation.metrics import compute_binned_error, compute_brier, compute_log_loss
from leadscore.funnel.outlook import Outlook, add_age, fit_known_timing
from leadscore.funnel.timing import WinTiming
from leadscore.history.labels import build_side
from leadscore.history.split import History
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.project.opened import open_store
from leadscore.project.outlooks import KnownModel, look_ahead
from leadscore.sample.crowd import Crowd
from leadscore.sample.draw import draw_leads
from leadscore.sample.truth import compute_truth
from leadscore.sample.world import HORIZON_DAYS, UNTIL_S
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US
from leadscore.validation.dates import spread_dates
from sample_project import build_sample

ROOT = Path(__file__).parents[1]
BPIC_DAYS = (10, 20, 30)
SAMPLE_DAYS = (10, 20, 30, 60)
TRUTH_DAYS = (10, 20, 30, 90, 180)
SAMPLE_DATES = (90, 0)  # days before the end of the sample
LEADS, SEED = 5000, 1
TRIALS = 2  # of tuning: sizes of trees matter little here, and there are many trainings
OURS, OWN = "leadscore", "a model of its own"
DRAWS = 50  # of labels, for the error that chance alone gives
FLOOR = 1e-6
SECOND_US = 1_000_000

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
    """In proportion up to the horizon, as hazards beyond it: what leadscore does where it has not learned a pace."""
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
    """Print all tables."""
    with tempfile.TemporaryDirectory() as name:
        if sys.argv[1:]:
            judge_bpic(Path(name), Path(sys.argv[1]))
        judge_sample(Path(name))


def judge_bpic(folder: Path, data: Path) -> None:
    """Print the errors of each design over the dates of a back-test, by what came."""
    read = read_settings(ROOT / "examples/bpic2012/leadscore.toml", input_folder=data)
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    settings = with_trials(read.model_copy(update=places))
    jobs.ingest(settings)
    with open_store(settings) as history:
        dates = spread_dates(history, from_us=None, to_us=None, dates=6)
        replayed = [replay_all(history, as_of_us, BPIC_DAYS) for as_of_us in dates]
        for place, days in enumerate(BPIC_DAYS):
            parts = [settle(history, predicted[place], days) for predicted in replayed]
            rows = pd.concat(parts, ignore_index=True)
            print_errors(f"bpic2012 at {days} days", rows)


def with_trials(settings: Settings) -> Settings:
    """The same settings with few trials of tuning."""
    model = settings.model.model_copy(update={"trials": TRIALS})
    return settings.model_copy(update={"model": model})


@dataclass(frozen=True)
class Predicted:
    """The leads open at a date: lead_id and spell, and a column of probabilities for each design."""

    as_of_us: int
    rows: pd.DataFrame


def replay_all(history: History, as_of_us: int, all_days: Sequence[int]) -> list[Predicted]:
    """What was predicted at a date, for each number of days."""
    horizon = history.settings.target.horizon_days
    published = replay(history, as_of_us, days=horizon)
    learned = "by features" if published.pace.is_known else "by age"
    print(f"as of {history.name(as_of_us)}: {len(published.leads):,} leads, timing {learned}")
    predicted = []
    for days in all_days:
        own = published if days == horizon else replay(history, as_of_us, days=days)
        predicted.append(Predicted(as_of_us, predict(published, own, days)))
    return predicted


def replay(history: History, as_of_us: int, *, days: int) -> Outlook:
    """The outlook at a date, by a model of the wins within some days that was trained then."""
    target = history.settings.target.model_copy(update={"horizon_days": days})
    settings = history.settings.model_copy(update={"target": target})
    with_days = replace(history, settings=settings)
    model = fit_model(with_days, known_us=as_of_us, progress=silent).model
    return look_ahead(with_days, KnownModel(model, "of then", as_of_us), as_of_us=as_of_us).outlook


def predict(published: Outlook, own: Outlook, days: int) -> pd.DataFrame:
    """The open leads with the probability of a win within some days, by each design."""
    leads = Leads(_inside(published.probability), published.age, published.timing)
    until_us = published.as_of_us + days * DAY_US
    designs = leads.designs(days, published.horizon_days)
    key = ["lead_id", "spell"]
    by_model = own.leads.set_index(key)["probability"]
    own_order = pd.MultiIndex.from_frame(published.leads[key])
    return published.leads[key].assign(
        **designs,
        **{OURS: _inside(published.win_by(until_us))},
        **{OWN: _inside(by_model.loc[own_order].to_numpy())},
    )


def _inside(probability: np.ndarray) -> np.ndarray:
    """Probabilities that no mistake makes infinitely bad."""
    return np.asarray(np.clip(probability, FLOOR, 1 - FLOOR))


def settle(history: History, predicted: Predicted, days: int) -> pd.DataFrame:
    """What was predicted, with the labels and weights at some days."""
    until_us = history.version.known_until_us
    target = history.settings.target.model_copy(update={"horizon_days": days})
    listed = history.open_list(predicted.as_of_us).assign(grid_weight=1.0, young=False)
    side = build_side("settled", listed, history.spells(until_us), known_us=until_us, target=target)
    labelled = side.rows.loc[side.observed, ["lead_id", "spell", "label", "weight"]]
    return predicted.rows.merge(labelled, on=["lead_id", "spell"])


def list_designs(rows: pd.DataFrame) -> list[str]:
    """The columns of probabilities."""
    beside = ["lead_id", "spell", "label", "weight", "truth"]
    return [name for name in rows.columns.map(str) if name not in beside]


def print_errors(title: str, rows: pd.DataFrame) -> None:
    """The errors of each design by what came; of calibration also what chance does not explain."""
    print(f"{title}: {len(rows):,} leads, {rows['label'].mean():.3f} won")
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    for name in list_designs(rows):
        p = rows[name].to_numpy()
        observed = compute_binned_error(p, label, weight)
        by_chance = expect_error(p, weight)
        print(
            f"  {name:24} log loss {compute_log_loss(p, label, weight):.4f}, "
            f"Brier {compute_brier(p, label, weight):.4f}, "
            f"calibration error {observed:.4f}, {observed - by_chance:+.4f} beyond chance"
        )


def expect_error(p: np.ndarray, weight: np.ndarray) -> float:
    """The mean calibration error of a perfect model."""
    rng = np.random.default_rng(SEED)
    drawn = [(rng.random(len(p)) < p).astype(float) for _ in range(DRAWS)]
    return float(np.mean([compute_binned_error(p, label, weight) for label in drawn]))


def judge_sample(folder: Path) -> None:
    """Print how far each design is from the truth of the sample: back-tested, then from the truth."""
    settings = with_trials(build_sample(folder, leads=LEADS, seed=SEED))
    with open_store(settings) as history:
        until_us = history.version.known_until_us
        dates = [until_us - ago * DAY_US for ago in SAMPLE_DATES]
        replayed = [replay_all(history, as_of_us, SAMPLE_DAYS) for as_of_us in dates]
    for place, days in enumerate(SAMPLE_DAYS):
        parts = [with_truth(predicted[place], days) for predicted in replayed]
        rows = pd.concat(parts, ignore_index=True)
        print_distance(f"sample, back-tested, at {days} days", rows)

    truth = read_truth(UNTIL_S, (*TRUTH_DAYS, HORIZON_DAYS))
    leads = open_sample(settings, truth)
    for days in TRUTH_DAYS:
        designs = leads.designs(days, HORIZON_DAYS)
        rows = pd.DataFrame(designs).assign(truth=truth[days].to_numpy())
        print_distance(f"sample, from the truth at {HORIZON_DAYS} days, at {days} days", rows)


def with_truth(predicted: Predicted, days: int) -> pd.DataFrame:
    """What was predicted, beside the true probability of a win within some days."""
    truth = read_truth(predicted.as_of_us // SECOND_US, (days,))
    of_leads = truth.loc[predicted.rows["lead_id"], days]
    return predicted.rows.assign(truth=of_leads.to_numpy())


def print_distance(title: str, rows: pd.DataFrame) -> None:
    """How far each design is from the truth."""
    true = rows["truth"].to_numpy()
    print(f"{title}: {len(true):,} leads, mean truth {true.mean():.4f}")
    won = np.repeat([1.0, 0.0], len(true))
    chances = np.concatenate([true, 1 - true])  # every lead as won and as not won
    best = compute_log_loss(np.tile(true, 2), won, chances)
    for name in list_designs(rows):
        p = rows[name].to_numpy()
        loss = compute_log_loss(np.tile(p, 2), won, chances)
        print(
            f"  {name:24} log loss {loss - best:.5f} above the truth's, "
            f"Brier {np.mean((p - true) ** 2):.6f} above, "
            f"calibration error {compute_binned_error(p, true, np.ones(len(p))):.4f}, "
            f"mean error {np.abs(p - true).mean():.4f}, bias {(p - true).mean():+.4f}"
        )


def read_truth(as_of_s: int, all_days: Sequence[int]) -> pd.DataFrame:
    """The true probabilities of the leads open at a moment, by lead_id; a column a number of days."""
    parts = []
    for ids, crowd in draw_sample():
        columns = {}
        for days in all_days:
            lead, chance = compute_truth(crowd, as_of_s, horizon_days=days)
            columns[days] = pd.Series(chance, index=ids[lead])
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts).sort_index()


def draw_sample() -> Iterator[tuple[np.ndarray, Crowd]]:
    """The leads of the sample, with their ids, part by part."""
    for drawn in draw_leads(leads=LEADS, seed=SEED):
        yield np.array(drawn.crowd.ids.to_pylist()), drawn.crowd


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
