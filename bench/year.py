"""A year of the sample company, week by week: what docs/monitor.md shows.

`python bench/year.py` ingests an export every Monday, scores, publishes and settles, and trains when the policy of
the settings says so. In month 4 a delivery is cut off; from the first day of month 7 on, since a competitor is gone,
most promising leads that would have been lost are won. It prints what happened and when, and `--chart FILE` draws it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.errors import AlarmError
from leadscore.project.monitoring import monitor
from leadscore.project.trail import read_trail
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.retraining import RetrainingSettings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment
from year_chart import draw_chart

FIRST, WEEKS = pd.Timestamp("2025-03-03"), 52
BAD = pd.Timestamp("2025-06-09")  # a delivery that is cut off
DRIFT = pd.Timestamp("2025-09-01")
WON_INSTEAD = 0.8  # of the losses of promising leads from then on
PROMISING = ("ready", "weighing")  # classes of the sample, which no export shows
HORIZON_DAYS = 30
DATED = {
    "leads": "created_at",
    "field_history": "changed_at",
    "activities": "at",
    "stage_history": "entered_at",
    "outcomes": "closed_at",
}
Tables = dict[str, pd.DataFrame]
Event = tuple[pd.Timestamp, str, str]


@dataclass
class Year:
    """What happened, by the Monday: the day, the event in two or three words, and more about it."""

    settings: Settings
    tables: Tables
    events: list[Event] = field(default_factory=list)

    def note(self, day: pd.Timestamp, event: str, more: str) -> None:
        """Remember an event, and show that time goes on."""
        self.events.append((day, event, more))
        print(f"{day.date()}: {event}: {more}", flush=True)


def main() -> None:
    """Live through the year, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chart", type=Path, help="an SVG file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        year = build_year(Path(name), leads=asked.leads, seed=asked.seed)
        for week in range(WEEKS):
            live_week(year, FIRST + pd.Timedelta(weeks=week))
        months = settle_months(year.settings)
        print_events(year.events)
        print_months(months)
        print(f"{len(read_trail(year.settings))} lines in the audit trail")
        if asked.chart:
            draw_chart(asked.chart, months, year.events, drift=DRIFT)


def build_year(folder: Path, *, leads: int, seed: int) -> Year:
    """The sample as it would have been, and settings that train when it is due."""
    write_sample(folder / "crm", leads=leads, seed=seed)
    exports = folder / "crm" / "exports"
    tables = {name: pd.read_csv(exports / f"{name}.csv", dtype=str) for name in DATED}
    settings = read_settings(folder / "crm" / "leadscore.toml")
    changes = {
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "known_until": None,
        "target": settings.target.model_copy(update={"horizon_days": HORIZON_DAYS}),
        "model": settings.model.model_copy(update={"scorer": "logistic", "trials": 1}),
        "retraining": RetrainingSettings(every_days=None),  # on an alarm alone
    }
    truth = pd.read_csv(folder / "crm" / "truth" / "leads.csv", dtype=str)
    promising = set(truth.loc[truth["class"].isin(PROMISING), "lead_id"])
    return Year(settings.model_copy(update=changes), win_losses(tables, promising, seed=seed))


def win_losses(tables: Tables, promising: set[str], *, seed: int) -> Tables:
    """The same company, but for a share of the losses of promising leads since the drift, which are won."""
    outcomes, stages, leads = tables["outcomes"], tables["stage_history"], tables["leads"]
    is_lost = (outcomes["outcome"] == "lost") & (outcomes["closed_at"] >= str(DRIFT.date()))
    drawn = np.random.default_rng(seed).random(len(outcomes)) < WON_INSTEAD
    is_won = is_lost & drawn & outcomes["lead_id"].isin(promising)
    asked_for = outcomes["lead_id"].map(leads.set_index("lead_id")["amount"])
    changed = outcomes.assign(
        outcome=outcomes["outcome"].mask(is_won, "won"),
        amount=outcomes["amount"].mask(is_won, asked_for),
        currency=outcomes["currency"].mask(is_won, "EUR"),
        reason=outcomes["reason"].mask(is_won),
    )
    closes = set(
        zip(outcomes.loc[is_won, "lead_id"], outcomes.loc[is_won, "closed_at"], strict=True)
    )
    entered = pd.Series(list(zip(stages["lead_id"], stages["entered_at"], strict=True)))
    is_close = entered.isin(closes).to_numpy() & (stages["stage"] == "Closed lost")
    stage = stages["stage"].mask(is_close, "Closed won")
    return tables | {"outcomes": changed, "stage_history": stages.assign(stage=stage)}


def live_week(year: Year, day: pd.Timestamp) -> None:
    """One Monday: ingest, score, publish, settle, and train if it is due."""
    settings = year.settings
    if day == DRIFT:
        year.note(day, "the drift begins", "a competitor is gone")
    deliver(year, day)
    try:
        jobs.ingest(settings, known_until_us=as_us(day))
    except AlarmError as e:
        year.note(day, "delivery quarantined", ", ".join(e.names))
        return
    if day == FIRST:
        train(year, day, why="the first model")
    scored = jobs.score(settings)
    published = jobs.publish(settings, scored.publication_id)
    if published.withheld:
        year.note(day, "list withheld", "; ".join(published.withheld))
    due = jobs.find_due(settings)
    if due.due:
        train(year, day, why=due.why)


def deliver(year: Year, day: pd.Timestamp) -> None:
    """What the CRM exports on a day; on one Monday only half of the activities arrive."""
    folder = year.settings.input_folder
    for name, table in year.tables.items():
        shown = table[table[DATED[name]] < str(day.date())]
        if day == BAD and name == "activities":
            shown = shown.head(len(shown) // 2)
        shown.to_csv(folder / f"{name}.csv", index=False)


def train(year: Year, day: pd.Timestamp, *, why: str) -> None:
    """Train a challenger; the evidence decides whether it scores."""
    trained = jobs.train(year.settings)
    who = Who("bench/year.py", f"{day.date()}T00:00:00Z", why)
    jobs.register(year.settings, Path(trained.folder), who=who)
    decided = "promoted" if trained.promotion.promoted else "refused"
    year.note(day, f"trained, {decided}", f"{why}; {trained.promotion.why}")


def settle_months(settings: Settings) -> pd.DataFrame:
    """Predicted and actual win rates by month of the list, with the interval of the latter."""
    groups = [group.to_dict() for group in monitor(settings).settled.months]
    columns = ["name", "leads", "mean_probability", "win_rate", "low", "high"]
    return pd.DataFrame(groups)[columns]


def print_events(events: Sequence[Event]) -> None:
    """What happened, and how long after the drift."""
    print("| Monday | weeks after the drift | what happened | why |")
    for day, event, more in events:
        weeks = (day - DRIFT).days // 7
        print(f"| {day.date()} | {weeks if weeks >= 0 else ''} | {event} | {more} |")


def print_months(months: pd.DataFrame) -> None:
    """The table of docs/monitor.md."""
    print("| month | leads | predicted | won | 95% interval |")
    for row in months.itertuples():
        print(
            f"| {row.name} | {row.leads:,} | {row.mean_probability:.1%} | {row.win_rate:.1%} | "
            f"{row.low:.1%} to {row.high:.1%} |"
        )


def as_us(day: pd.Timestamp) -> int:
    """A day's midnight in UTC microseconds."""
    return parse_moment(str(day.date()), zone="UTC")


if __name__ == "__main__":
    main()
