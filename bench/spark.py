"""Scores in bulk on Spark beside DuckDB: are they equal, and what do a lead and an activity cost?

`python bench/spark.py --leads 50000`. No list is broadcast, so that all is shuffled as it would be with very many
leads. Needs `leadscore[spark]` and Java 17. Prints seconds, those of all tasks, and MB read and shuffled.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.project.bulk import score_bulk
from leadscore.project.opened import open_store
from leadscore.results import BulkScores
from leadscore.settings.settings import Settings
from sample_project import build_sample, train_champion

MB = 1e6
PROPERTIES = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.shuffle.partitions": "8",
}


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of all tasks, and MB that these read and shuffled."""

    seconds: float
    task_seconds: float
    input_mb: float
    shuffled_mb: float


def main() -> None:
    """Train on a sample, then score it with both engines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = build_sample(Path(name), leads=asked.leads, seed=1)
        boosted = settings.model.model_copy(update={"scorer": "boosted", "trials": 1})
        settings = settings.model_copy(update={"model": boosted})
        train_champion(settings, by="bench/spark.py")

        begun = time.perf_counter()
        by_duckdb = _read(score_bulk(settings))
        seconds = time.perf_counter() - begun
        shutil.rmtree(settings.project_folder() / "bulk")
        engine = settings.engine.model_copy(update={"kind": "spark"})
        spent, by_spark = _score_on_spark(settings.model_copy(update={"engine": engine}))
        activities = _count_activities(settings)

    is_equal = by_spark.equals(by_duckdb.cast(by_spark.schema))
    print(f"{asked.leads:,} leads, {len(by_duckdb):,} open, {activities:,} activities")
    print(f"duckdb {seconds:.0f} s, spark {spent.seconds:.0f} s; equal: {is_equal}")
    _print_spent(spent, activities)


def _print_spent(spent: Spent, activities: int) -> None:
    """What all tasks took, in all and for a million activities."""
    totals = {
        "tasks": (spent.task_seconds, "s"),
        "read": (spent.input_mb, "MB"),
        "shuffled": (spent.shuffled_mb, "MB"),
    }
    for name, (total, unit) in totals.items():
        per_million = total / activities * 1e6
        print(f"{name} {total:,.1f} {unit}, {per_million:,.1f} {unit} per million activities")


def _score_on_spark(settings: Settings) -> tuple[Spent, pa.Table]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{settings.engine.threads}]")
    for name, value in PROPERTIES.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    begun = time.perf_counter()
    scores = _read(score_bulk(settings))
    seconds = time.perf_counter() - begun
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(True)
    spent = _sum_up(executors, seconds)
    spark.stop()
    return spent, scores


def _sum_up(executors: Any, seconds: float) -> Spent:
    """What all executors did, by Spark's own account."""
    of_all = [executors.apply(place) for place in range(executors.size())]
    return Spent(
        seconds=seconds,
        task_seconds=sum(executor.totalDuration() for executor in of_all) / 1000,
        input_mb=sum(executor.totalInputBytes() for executor in of_all) / MB,
        shuffled_mb=sum(executor.totalShuffleWrite() for executor in of_all) / MB,
    )


def _read(scores: BulkScores) -> pa.Table:
    return pq.read_table(scores.folder, partitioning=None).sort_by("lead_id")


def _count_activities(settings: Settings) -> int:
    with open_store(settings) as history:
        part: dict[str, Any] = history.version.manifest["tables"]["activities"]
        return int(part["rows"])


if __name__ == "__main__":
    main()
