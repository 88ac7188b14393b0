"""Scoring as a notebook does it, and the least that it can take: the peers of `bench/open_leads.py`.

The notebook merges and groups the exports with pandas, predicts with LightGBM, explains with its contributions, and
writes a CSV. The floor is one query by hand, LightGBM's bare prediction, and a Parquet file. Both take what ours has of
engagement and stages; neither has qualification, questions, routing, changes, replay or a door that shuts leaks out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import lightgbm
import numpy as np
import pandas as pd

WINDOWS = (1, 7, 30, 90)
DAY_S = 86_400
MOMENTS = "timestampformat = '%Y-%m-%d %H:%M:%SZ'"


class Timer:
    """Seconds of each step, in order, and of processor time in all."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        before = time.perf_counter()
        used_before = time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - before
        self.processor += time.process_time() - used_before

    @property
    def total(self) -> float:
        """Of all steps."""
        return sum(self.seconds.values())


def score_by_notebook(
    exports: Path, booster: lightgbm.Booster, encoded: np.ndarray, as_of: pd.Timestamp
) -> Timer:
    """The notebook's steps; `encoded` (n, features) stands for its own matrix in predicting and explaining."""
    timer = Timer()
    with timer.step("read"):
        tables = _read(exports, as_of)
    with timer.step("features"):
        features = _build_features(tables, as_of)
    with timer.step("predict"):
        probability = 1 / (1 + np.exp(-np.asarray(booster.predict(encoded, raw_score=True))))
    with timer.step("reasons"):
        added = np.asarray(booster.predict(encoded, pred_contrib=True))[:, :-1]
        largest = np.argsort(-np.abs(added), axis=1)[:, :3]
        names = np.array(booster.feature_name())[largest]
    with timer.step("write"):
        scored = pd.DataFrame(names, columns=["reason_1", "reason_2", "reason_3"])
        scored.insert(0, "win_probability", probability)
        scored.to_csv(exports / "notebook.csv", index=False)
    del features
    return timer


def _read(exports: Path, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The exports, with what happened by then."""
    moments = {
        "leads": "created_at", "activities": "at", "stage_history": "entered_at",
        "field_history": "changed_at", "outcomes": "closed_at",
    }  # fmt: skip
    tables = {}
    for name, column in moments.items():
        table = pd.read_csv(exports / f"{name}.csv", engine="pyarrow")
        table[column] = pd.to_datetime(table[column], utc=True)
        tables[name] = table[table[column] < as_of]
    return tables


def _build_features(tables: dict[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """Engagement by kind and window, stage, latest answers and attributes of the open leads."""
    leads = tables["leads"]
    is_open = ~leads["lead_id"].isin(tables["outcomes"]["lead_id"])
    frame = leads[is_open].set_index("lead_id")
    activities = tables["activities"]
    activities = activities[activities["lead_id"].isin(frame.index)]
    age = (as_of - activities["at"]).dt.total_seconds() / DAY_S
    parts = [frame]
    for kind in [None, *sorted(activities["type"].unique())]:
        of_kind = activities if kind is None else activities[activities["type"] == kind]
        parts.append(_describe_kind(of_kind, age[of_kind.index], prefix=kind or "all"))
    parts.append(_describe_stage(tables["stage_history"], as_of))
    latest = tables["field_history"].sort_values("changed_at", kind="stable")
    answers = latest.groupby(["lead_id", "field"])["value"].last().unstack()
    parts.append(answers.add_prefix("latest_"))
    return pd.concat([part.reindex(frame.index) for part in parts], axis=1)


def _describe_kind(rows: pd.DataFrame, age: pd.Series[float], *, prefix: str) -> pd.DataFrame:
    by_lead = rows.groupby("lead_id")
    columns = {f"{prefix}_ever": by_lead.size(), f"{prefix}_last": by_lead["at"].max()}
    for days in WINDOWS:
        columns[f"{prefix}_{days}d"] = rows[age <= days].groupby("lead_id").size()
    recent = rows[age <= 30]
    columns[f"{prefix}_days"] = recent["at"].dt.floor("D").groupby(recent["lead_id"]).nunique()
    columns[f"{prefix}_by_lead"] = (rows["actor"] == "lead").groupby(rows["lead_id"]).mean()
    return pd.DataFrame(columns)


def _describe_stage(stages: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    by_lead = stages.sort_values("entered_at", kind="stable").groupby("lead_id")
    last = by_lead.last()
    return pd.DataFrame(
        {
            "stage": last["stage"],
            "days_in_stage": (as_of - last["entered_at"]).dt.total_seconds() / DAY_S,
            "stages": by_lead.size(),
        }
    )


def score_by_hand(
    exports: Path,
    booster: lightgbm.Booster,
    encoded: np.ndarray,
    as_of: pd.Timestamp,
    *,
    threads: int,
) -> Timer:
    """The floor: one query, the bare prediction, a Parquet file; the exports are loaded beforehand."""
    timer = Timer()
    with duckdb.connect() as engine:
        engine.execute(f"SET threads = {threads}")
        for name in ("leads", "activities", "stage_history", "field_history", "outcomes"):
            file = exports / f"{name}.csv"
            engine.execute(f"CREATE TABLE {name} AS FROM read_csv('{file}', {MOMENTS})")
        kinds = engine.execute("SELECT DISTINCT type FROM activities ORDER BY type").fetchall()
        query = _write_query([kind for (kind,) in kinds], as_of)
        with timer.step("features"):
            features = engine.sql(query).to_arrow_table()
    with timer.step("predict"):
        probability = np.asarray(booster.predict(encoded, raw_score=True))
    with timer.step("write"):
        pd.DataFrame({"p": probability}).to_parquet(exports / "floor.parquet")
    del features
    return timer


def _write_query(kinds: list[str], as_of: pd.Timestamp) -> str:
    """The same features as `_build_features`, in one pass over each table."""
    now = f"TIMESTAMP '{as_of:%Y-%m-%d %H:%M:%S}'"
    columns = []
    for kind in [None, *kinds]:
        of_kind = "TRUE" if kind is None else f"type = '{kind}'"
        name = kind or "all"
        columns += [
            f'COUNT(*) FILTER ({of_kind} AND "at" >= {now} - INTERVAL {days} DAY) AS {name}_{days}d'
            for days in WINDOWS
        ]
        columns += [
            f"COUNT(*) FILTER ({of_kind}) AS {name}_ever",
            f'MAX("at") FILTER ({of_kind}) AS {name}_last',
            f'COUNT(DISTINCT "at"::DATE) FILTER ({of_kind} AND "at" >= {now} - INTERVAL 30 DAY) AS {name}_days',
            f"AVG((actor = 'lead')::INT) FILTER ({of_kind}) AS {name}_by_lead",
        ]
    return f"""
        WITH open_leads AS (
            SELECT * FROM leads
            WHERE created_at < {now}
            AND lead_id NOT IN (SELECT lead_id FROM outcomes WHERE closed_at < {now})),
        engagement AS (
            SELECT lead_id, {", ".join(columns)} FROM activities SEMI JOIN open_leads USING (lead_id)
            WHERE "at" < {now} GROUP BY lead_id),
        pipeline AS (
            SELECT lead_id, ARG_MAX(stage, entered_at) AS stage, MAX(entered_at) AS entered, COUNT(*) AS stages
            FROM stage_history SEMI JOIN open_leads USING (lead_id)
            WHERE entered_at < {now} GROUP BY lead_id),
        answers AS (
            SELECT lead_id, MAP_FROM_ENTRIES(LIST((field, value))) AS answers FROM (
                SELECT lead_id, field, ARG_MAX(value, changed_at) AS value
                FROM field_history SEMI JOIN open_leads USING (lead_id)
                WHERE changed_at < {now} GROUP BY lead_id, field)
            GROUP BY lead_id)
        SELECT * FROM open_leads LEFT JOIN engagement USING (lead_id)
        LEFT JOIN pipeline USING (lead_id) LEFT JOIN answers USING (lead_id)"""
