"""What retraining learns from a team that works only the leads it is given, with and without exploration weights.

`python bench/feedback.py` lets the sample company publish lists every two weeks. Leads of the lowest tier that no list
gave to a rep are never won, since nobody calls; a share of them is explored. Then a model is trained twice, and
compared with the truth of the sample: what each open lead's chances are if somebody calls.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.project.monitoring import monitor
from leadscore.publish.receipts import read_past_receipts
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment

TRAINED = "2025-03-01"
LISTS = ("2025-03-03", "2026-02-16")
LIST_DAYS = 14
EXPLORED = 0.1
UNTIL = "2026-03-01"


@dataclass(frozen=True)
class Learned:
    """Mean probability of the open leads of the lowest tier, and the distance from the truth of all."""

    low: float
    low_truth: float
    distance: float


def main() -> None:
    """Live with the lists, then train with and without the weights."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = build_company(Path(name), leads=asked.leads, seed=asked.seed)
        publish_lists(settings)
        settings = lose_uncalled(settings)
        print("| retrained | lowest, predicted | truth | mean distance from the truth |")
        for words, weighs in (("as it is", False), ("with weights", True)):
            learned = retrain(settings, weighs=weighs)
            print(
                f"| {words} | {learned.low:.1%} | {learned.low_truth:.1%} | {learned.distance:.4f} |"
            )
        contact = monitor(settings).extra_contact
        print(contact)


def build_company(folder: Path, *, leads: int, seed: int) -> Settings:
    """A sample that explores, ingested, with a model from before the first list."""
    write_sample(folder / "crm", leads=leads, seed=seed)
    settings = read_settings(folder / "crm" / "leadscore.toml")
    assert settings.routing is not None  # noqa: S101  (the sample has reps)
    changes = {
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "known_until": None,
        "model": settings.model.model_copy(update={"scorer": "logistic", "trials": 1}),
        "routing": settings.routing.model_copy(update={"explore_share": EXPLORED}),
    }
    settings = settings.model_copy(update=changes)
    jobs.ingest(settings, known_until_us=as_us(UNTIL))
    train(settings, as_of=TRAINED)
    return settings


def publish_lists(settings: Settings) -> None:
    """A list every two weeks."""
    for day in pd.date_range(*LISTS, freq=f"{LIST_DAYS}D"):
        scored = jobs.score(settings, as_of_us=as_us(str(day.date())))
        jobs.publish(settings, scored.publication_id, even_if_unlike=True)


def lose_uncalled(settings: Settings) -> Settings:
    """The same company as it came out: a lead that the last list before its win gave to nobody was lost."""
    folder = settings.input_folder
    outcomes = pd.read_csv(folder / "outcomes.csv", dtype=str)
    stages = pd.read_csv(folder / "stage_history.csv", dtype=str)
    lost = find_uncalled(settings, outcomes)
    outcomes.loc[lost, "outcome"] = "lost"
    outcomes.loc[lost, ["amount", "currency"]] = None
    closing = stages["lead_id"].isin(outcomes.loc[lost, "lead_id"]) & (
        stages["stage"] == "Closed won"
    )
    stages.loc[closing, "stage"] = "Closed lost"
    outcomes.to_csv(folder / "outcomes.csv", index=False)
    stages.to_csv(folder / "stage_history.csv", index=False)

    lived = settings.model_copy(update={"data_folder": settings.data_folder.with_name("lived")})
    for name in ("scores", "store/receipts"):
        shutil.copytree(settings.project_folder() / name, lived.project_folder() / name)
    jobs.ingest(lived, known_until_us=as_us(UNTIL))
    return lived


def find_uncalled(settings: Settings, outcomes: pd.DataFrame) -> pd.Series[bool]:
    """Which wins would not have come about: the lead's last list before gave it to nobody."""
    assert settings.routing is not None  # noqa: S101
    data = settings.project_folder()
    receipts = read_past_receipts(data / "scores", data / "store").to_pandas()
    is_low = ~receipts["tier"].isin(settings.routing.tiers)
    receipts["uncalled"] = is_low & receipts["exploration_probability"].isna()
    receipts["at"] = receipts["as_of"].astype("datetime64[us, UTC]")
    closes = outcomes.assign(at=pd.to_datetime(outcomes["closed_at"]).astype("datetime64[us, UTC]"))
    listed = receipts[["lead_id", "at", "uncalled"]].sort_values("at")
    judged = pd.merge_asof(closes.reset_index().sort_values("at"), listed, on="at", by="lead_id")
    uncalled = judged.set_index("index")["uncalled"].reindex(outcomes.index)
    return (outcomes["outcome"] == "won") & uncalled.eq(True)


def retrain(settings: Settings, *, weighs: bool) -> Learned:
    """A model of all that came, beside the truth of the leads that are open at the end."""
    policy = settings.retraining.model_copy(update={"weigh_exploration": weighs})
    settings = settings.model_copy(update={"retraining": policy})
    train(settings)
    ours = jobs.score(settings).folder
    scores = pd.read_parquet(Path(ours) / "scores.parquet")
    truth = pd.read_csv(
        settings.input_folder.parent / "truth" / "leads.csv", dtype={"lead_id": str}
    )
    both = scores.merge(truth, on="lead_id", suffixes=("", "_true"))
    low = both["win_probability_true"] <= both["win_probability_true"].quantile(0.4)
    distance = np.abs(both["win_probability"] - both["win_probability_true"])
    return Learned(
        low=float(both.loc[low, "win_probability"].mean()),
        low_truth=float(both.loc[low, "win_probability_true"].mean()),
        distance=float(distance.mean()),
    )


def train(settings: Settings, *, as_of: str | None = None) -> None:
    """Train and let the model score."""
    trained = jobs.train(settings, as_of_us=None if as_of is None else as_us(as_of))
    who = Who("bench/feedback.py", "2026-03-01T00:00:00Z", "for the bench")
    jobs.register(settings, Path(trained.folder), who=who, promote=True)


def as_us(day: str) -> int:
    """A day's midnight in UTC microseconds."""
    return parse_moment(day, zone="UTC")


if __name__ == "__main__":
    main()
