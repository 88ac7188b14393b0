"""Other scores of the sample judged beside ours: points with decay, and the same points when they peek.

`python bench/judged.py` makes both from the sample's exports, as a CRM's history of scores would give them, and draws
what `leadscore judge` says. Then it compares orders of the last list by the true expected value, which only a sample
knows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.cli.rendering.judged import draw_judge
from leadscore.project.judging import judge_score
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from settled import publish_lists

POINTS = {
    "email_open": 1,
    "email_reply": 10,
    "web_visit": 2,
    "pricing_visit": 8,
    "download": 5,
    "webinar": 10,
    "meeting": 20,
    "call": 6,
}
SOURCES = {"Demo request": 20, "Referral": 15, "Webinar": 5}
HALF_LIFE_DAYS = 30
STEP_DAYS = 7
MAPPING = """
[sources.scores]
path = "scores.csv"

[[mapping]]
source = "scores"
table = "scores"
columns = { lead_id = "lead_id", event_at = "at", name = "name", value = "value" }
"""


def main() -> None:
    """Judge both scores, and compare the last list's orders by the truth."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = build_scored_sample(Path(name), leads=asked.leads, seed=asked.seed)
        publish_lists(settings)
        for score in ("points", "peeking points"):
            draw_judge(judge_score(settings, score))
        print_truth(settings)


def build_scored_sample(folder: Path, *, leads: int, seed: int) -> Settings:
    """A sample with a history of other scores, ingested."""
    write_sample(folder / "crm", leads=leads, seed=seed)
    exports = folder / "crm" / "exports"
    points = score_by_rules(exports)
    peeking = let_peek(points, exports)
    scores = pd.concat([points.assign(name="points"), peeking.assign(name="peeking points")])
    scores.to_csv(exports / "scores.csv", index=False)

    path = folder / "crm" / "leadscore.toml"
    text = path.read_text(encoding="utf-8")
    places = f'data_folder = "{folder}/data"\nmodels_folder = "{folder}/models"\n'
    path.write_text(places + text + MAPPING, encoding="utf-8")
    settings = read_settings(path)
    jobs.ingest(settings)
    return settings


def score_by_rules(exports: Path) -> pd.DataFrame:
    """Points for what a lead did, halved every 30 days, and for its source; written every week.

    lead_id, at and value, from 0 to 100, until ten weeks after the last activity.
    """
    leads = pd.read_csv(exports / "leads.csv", dtype=str)
    created = pd.to_datetime(leads["created_at"], utc=True, format="ISO8601")
    source = leads["source"].map(SOURCES).fillna(0).to_numpy()
    activities = pd.read_csv(exports / "activities.csv", dtype=str)
    activities = activities[activities["actor"] == "lead"]
    place = pd.Index(leads["lead_id"]).get_indexer(activities["lead_id"])
    points = activities["type"].map(POINTS).fillna(0).to_numpy()
    at = pd.to_datetime(activities["at"], utc=True, format="ISO8601")

    weeks = pd.date_range("2024-03-04", "2026-02-28", freq=f"{STEP_DAYS}D", tz="UTC")
    parts = []
    kept = np.zeros(len(leads))
    before = weeks[0] - pd.Timedelta(days=STEP_DAYS)
    for week in weeks:
        kept *= 0.5 ** (STEP_DAYS / HALF_LIFE_DAYS)
        is_new = ((at >= before) & (at < week)).to_numpy()
        kept += np.bincount(place[is_new], weights=points[is_new], minlength=len(leads))
        value = np.clip(np.round(kept + source), 0, 100).astype(int)
        is_there = (created < week).to_numpy()
        parts.append(
            pd.DataFrame({"lead_id": leads["lead_id"], "at": str(week), "value": value})[is_there]
        )
        before = week
    every_week = pd.concat(parts)
    moved = every_week.groupby("lead_id")["value"].shift() != every_week["value"]
    return every_week[moved]


def let_peek(points: pd.DataFrame, exports: Path) -> pd.DataFrame:
    """The same points in a CRM that sets won leads to 100, and lost ones to 0, an hour before the close."""
    outcomes = pd.read_csv(exports / "outcomes.csv", dtype=str).drop_duplicates("lead_id")
    closed = pd.to_datetime(outcomes["closed_at"], utc=True, format="ISO8601")
    value = np.where(outcomes["outcome"] == "won", 100, 0)
    at = (closed - pd.Timedelta(hours=1)).astype(str)
    jumps = pd.DataFrame({"lead_id": outcomes["lead_id"], "at": at, "value": value})
    close_of = pd.Series(closed.array, index=outcomes["lead_id"])
    ends = points["lead_id"].map(close_of)
    is_before = ends.isna() | (pd.to_datetime(points["at"], utc=True) < ends)
    return pd.concat([points[is_before], jumps])


def print_truth(settings: Settings) -> None:
    """The true expected value in the first tenth of the last list: by the truth, by ours, and by the points."""
    exports = settings.input_folder
    truth = pd.read_csv(exports.parent / "truth" / "leads.csv", dtype={"lead_id": str}).set_index(
        "lead_id"
    )
    leads = pd.read_csv(exports / "leads.csv", dtype={"lead_id": str}).set_index("lead_id")
    scored = jobs.score(settings).to_pandas().set_index("lead_id")
    points = pd.read_csv(exports / "scores.csv", dtype={"lead_id": str})
    points = points[points["name"] == "points"].drop_duplicates("lead_id", keep="last")
    table = pd.DataFrame({
        "worth": truth["win_probability"] * leads["amount"],
        "true expected value": truth["win_probability"] * leads["amount"],
        "our expected value": scored["win_probability"] * leads["amount"],
        "our probability": scored["win_probability"],
        "points": points.set_index("lead_id")["value"],
    })  # fmt: skip
    table = table.loc[scored.index].fillna(0)
    top = len(table) // 10
    for order in table.columns[1:]:
        worth = table.sort_values(order, ascending=False, kind="stable")["worth"].iloc[:top].sum()
        print(
            f"first {top} leads of the last list by {order}: {worth:,.0f} EUR of true expected value"
        )


if __name__ == "__main__":
    main()
