"""Seeded histories of a small sales team with a known truth, built once a process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from builders import Facts, make_settings
from leadscore import project as jobs
from leadscore import results
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.closes import attach_plain_closes
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.model.apply import WinModel
from leadscore.model.train import FitResult, fit_model
from leadscore.progress import silent
from leadscore.registry.registry import Registry, Who
from leadscore.results import Evaluation
from leadscore.scoring.score import score_open_leads
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.tables import PRESENCE

BUDGETS = ("none", "some", "full")


def sales_settings(folder: Path, **changes: Any) -> Settings:
    """Settings with stages, two kinds of activity, a budget in levels, a category, a number, and an undated owner."""
    plain: dict[str, Any] = {
        "project": "synthetic",
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "target": {"horizon_days": 30, "cadence_days": 7, "max_per_lead": 3},
        "engine": {"threads": 1},
        "fields": {
            "budget": {"type": "text"},
            "channel": {"type": "text", "known_from": "creation"},
            "size": {"type": "number", "decimals": 0, "known_from": "creation"},
        },
        "bant": {"budget": {"field": "budget", "levels": BUDGETS}},
        "mapping": [
            {
                "source": "leads",
                "table": "leads",
                "columns": {
                    "lead_id": "id", "event_at": "created", "budget": "budget", "channel": "channel", "size": "size",
                    "owner_id": "owner",
                },
            },
            {
                "source": "leads",
                "table": "changes",
                "columns": {"lead_id": "id", "event_at": "changed", "value": "budget"},
                "constants": {"field": "budget"},
            },
        ],
    }  # fmt: skip
    return make_settings(**(plain | changes))


def sales_facts(
    settings: Settings, *, leads: int, days: float, seed: int, signal: float = 1.0
) -> Facts:
    """Leads that arrive evenly over `days`; with `signal` 0 nothing that is known of a lead tells its outcome."""
    rng = np.random.default_rng(seed)
    facts = Facts(settings)
    for i in range(leads):
        lead_id = f"{i:05d}"
        created = float(rng.uniform(0, days))
        quality = float(rng.normal())
        budget = int(rng.integers(0, 3)) if rng.random() < 0.8 else None
        channel = str(rng.choice(["web", "fair", "referral"]))
        size = int(rng.integers(1, 500)) if rng.random() < 0.9 else None
        leaning = -2.0 + signal * (
            1.2 * quality + 1.2 * (0 if budget is None else budget) + (channel == "referral")
        )
        wins = rng.random() < 1 / (1 + np.exp(-leaning))
        closes = created + 2 + float(rng.exponential(35))
        facts.lead(
            lead_id,
            created,
            channel=channel,
            size=size,
            budget=None if budget is None else BUDGETS[budget],
        )
        facts.stage(lead_id, created, "new")
        if budget is not None:
            _answer_budget(facts, lead_id, created, budget, days=days, rng=rng)
        _work(
            facts,
            lead_id,
            created,
            min(closes, days),
            rng=rng,
            pace=0.12 * np.exp(0.8 * signal * quality),
        )
        if closes < days:
            _close(facts, lead_id, closes, days=days, wins=bool(wins), rng=rng)
    return facts


def _answer_budget(
    facts: Facts,
    lead_id: str,
    created: float,
    budget: int,
    *,
    days: float,
    rng: np.random.Generator,
) -> None:
    """The answer, for some leads after a weaker one."""
    at = created + float(rng.uniform(0, 4))
    if budget and rng.random() < 0.3 and at < days:
        facts.change(lead_id, at, "budget", BUDGETS[budget - 1])
        at += float(rng.uniform(0.1, 6))
    if at < days:
        facts.change(lead_id, at, "budget", BUDGETS[budget])


def _work(
    facts: Facts,
    lead_id: str,
    created: float,
    until: float,
    *,
    rng: np.random.Generator,
    pace: float,
) -> None:
    """Activities at a pace a day, and the stages that some of them bring."""
    for at in np.sort(
        rng.uniform(created, max(until, created), rng.poisson(pace * max(until - created, 0)))
    ):
        kind, actor = str(rng.choice(["email", "meeting"])), str(rng.choice(["rep", "lead"]))
        facts.activity(lead_id, float(at), kind, actor=actor)
        if rng.random() < 0.15:
            facts.stage(lead_id, float(at), str(rng.choice(["qualified", "proposal"])))


def _close(
    facts: Facts, lead_id: str, closes: float, *, days: float, wins: bool, rng: np.random.Generator
) -> None:
    """By an outcome row, some known a day late, or by a closing stage; a few lost leads come back."""
    if rng.random() < 0.5:
        late = closes + 1 if rng.random() < 0.2 and closes + 1 < days else closes
        facts.outcome(lead_id, closes, "won" if wins else "lost", known=late)
        return
    facts.stage(lead_id, closes, "signed" if wins else "rejected")
    back = closes + float(rng.uniform(2, 20))
    if not wins and rng.random() < 0.1 and back < days:
        facts.stage(lead_id, back, "qualified")
        if (again := back + float(rng.exponential(30))) < days:
            facts.outcome(lead_id, again, "lost")


@cache
def scratch() -> Path:
    """A folder of this process, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="leadscore-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write_store(facts: Facts, *, known_until: float) -> StoreVersion:
    """The facts as the current store version of their settings' project."""
    return facts.write(facts.settings.project_folder() / "store", known_until=known_until)


def open_stored(settings: Settings) -> History:
    """The current store version of a project, opened for looking back."""
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return open_history(settings, version, DuckDBEngine(settings.engine))


WHO = Who("a test", "2024-12-31T00:00:00.000000Z", "to see")


def register(settings: Settings, trained: results.Trained, **how: Any) -> results.Registered:
    """Register what `jobs.train` gave."""
    return jobs.register(settings, Path(trained.folder), who=WHO, **how)


def score_and_publish(settings: Settings, **how: Any) -> results.Scored:
    """What `leadscore score` does."""
    told = jobs.score(settings, **how)
    jobs.publish(settings, told.publication_id)
    return told


@dataclass(frozen=True)
class Trained:
    """A stored history and the model that `jobs.train` kept of it."""

    settings: Settings
    facts: Facts
    history: History
    model: WinModel
    manifest: dict[str, Any]
    version: str
    evaluation: Evaluation
    days: float


@cache
def trained() -> Trained:
    """Some 1,500 leads with a signal, some hundred open at the end, and their model."""
    days = 250.0
    settings = sales_settings(scratch() / "trained")
    facts = sales_facts(settings, leads=1500, days=days, seed=9, signal=1.8)
    write_store(facts, known_until=days)
    told = jobs.train(settings)
    assert told.no_signal is None, told.no_signal
    register(settings, told)
    model, manifest, version = Registry(settings).load_champion()
    return Trained(
        settings,
        facts,
        open_stored(settings),
        model,
        manifest,
        version,
        told.evaluation,
        days,
    )


@cache
def open_matrix() -> Matrix:
    """The features of every lead that is open at the end of `trained`."""
    world = trained()
    until = world.history.version.known_until_us
    features = build_features(world.history.settings)
    return build_matrix(world.history.snapshot(world.history.open_list(until)), features)


def take_columns(columns: dict[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """Some rows of feature columns, in any order."""
    return {name: values[rows] for name, values in columns.items()}


@cache
def fitted_settings() -> Settings:
    """Settings of a small history that is stored, and that no model was written of."""
    settings = sales_settings(scratch() / "fitted")
    facts = sales_facts(settings, leads=400, days=85, seed=3, signal=1.8)
    write_store(facts, known_until=85)
    return settings


@cache
def fitted() -> FitResult:
    """What training on a small history gave, before anything is written of it."""
    history = open_stored(fitted_settings())
    return fit_model(history, known_us=history.version.known_until_us, progress=silent)


def with_signal(result: FitResult, **changes: Any) -> FitResult:
    """A training as if its evaluation had found a signal, with other changes of the evaluation."""
    evaluation = result.evaluation.model_copy(update={"no_signal": None, **changes})
    return replace(result, evaluation=evaluation)


def undated_settings(time: str, folder: Path = Path(), **changes: Any) -> Settings:
    """Settings of leads without dates: a color, a size, and a level in three answers that answers need."""
    columns = {"lead_id": "id", "color": "color", "size": "size", "level": "level"}
    known = {"known_from": "creation"}  # else no model is promoted
    if time == "ordered":
        columns["sequence"] = "place"
    outcomes = {"lead_id": "id", "outcome": "end"}
    plain: dict[str, Any] = {
        "project": "undated",
        "time": time,
        "input_folder": folder,
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "engine": {"threads": 1},
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {
            "color": known,
            "size": known | {"type": "number", "decimals": 0},
            "level": known,
        },
        "bant": {"need": {"field": "level", "levels": ["low", "mid", "high"]}},
        "mapping": [
            {"source": "leads", "table": "leads", "columns": columns},
            {"source": "leads", "table": "outcomes", "columns": outcomes, "where_not": {"end": ""}},
        ],
    }
    return Settings.model_validate(plain | changes)


def undated_leads(*, leads: int, seed: int, signal: float = 1.5, is_open: int = 0) -> pd.DataFrame:
    """Rows of id, place, color, size, level and end ("" for the last `is_open`), in the order of their places."""
    rng = np.random.default_rng(seed)
    level, size = rng.integers(0, 3, leads), rng.integers(1, 200, leads)
    color = rng.choice(["red", "green", "blue"], leads)
    odds = -0.5 + signal * (level - 1.0 + (color == "red"))
    end = np.where(rng.random(leads) < 1 / (1 + np.exp(-odds)), "won", "lost")
    end[leads - is_open :] = ""
    ids = [f"l{i:04d}" for i in rng.permutation(leads)]
    words = np.array(["low", "mid", "high"])[level]
    place = 10 + 3 * np.arange(leads)
    return pd.DataFrame(
        {"id": ids, "place": place, "color": color, "size": size, "level": words, "end": end}
    )


def open_undated(rows: pd.DataFrame, *, time: str, **changes: Any) -> History:
    """Rows as of `undated_leads`, opened in memory as ingest would store them."""
    settings = undated_settings(time, **changes)
    place = rows["place"].to_numpy() if time == "ordered" else np.zeros(len(rows), dtype=np.int64)
    leads = rows.rename(columns={"id": "lead_id"}).assign(event_us=place, available_us=place)
    engine = DuckDBEngine(settings.engine)
    for name, table in (
        ("leads", leads),
        ("outcomes", leads[leads["end"] != ""].rename(columns={"end": "outcome"})),
    ):
        stored = table_of(name, settings).schema()
        told = table.assign(seq=0).reindex(columns=stored.names)
        engine.add_rows(name, pa.Table.from_pandas(told, stored, preserve_index=False))
    for name in ("changes", "activities", "stages"):
        engine.add_rows(name, table_of(name, settings).schema().empty_table())
    attach_plain_closes(engine, settings.stages)
    engine.add_rows("presence", PRESENCE.empty_table())
    manifest = {"known_until_us": int(place.max()) + 1, "first_us": int(place.min()), "time": time}
    return History(settings, StoreVersion("in memory", manifest, Path()), engine)


def score_table(*args, **more):
    """The list alone, without what is told beside."""
    return score_open_leads(*args, **more).scores
