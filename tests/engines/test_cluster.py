"""Scoring on several processes: one is killed on the way, and the scores are still DuckDB's."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import histories
from engines.crowd import write_crowd
from engines.spark import start_spark
from leadscore.project import bulk
from leadscore.scoring.batches import score_batches
from leadscore.settings.settings import Settings

LEADS = 1_000_000
MARKER = "LEADSCORE_TEST_KILLED"  # names the file that says that an executor was killed


def score_and_kill(scorer: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What `score_batches` gives; the first process that has given a batch kills its executor."""
    for batch in score_batches(scorer, batches):
        yield batch
        try:
            Path(os.environ[MARKER]).touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(_executor_of(os.getpid()), signal.SIGKILL)


def _executor_of(pid: int) -> int:
    """The Java process above a Python worker."""
    while Path(f"/proc/{pid}/comm").read_text().strip() != "java":
        status = Path(f"/proc/{pid}/stat").read_text()
        pid = int(status.rpartition(")")[2].split()[1])
    return pid


def make_crowd(folder: Path, *, leads: int) -> Settings:
    """The trained project, its model and its settings, with a crowd of leads."""
    settings = histories.trained().settings.model_copy(update={"data_folder": folder})
    write_crowd(settings, leads=leads)
    return settings


def read_scores(folder: str) -> pa.Table:
    """All scores, by lead."""
    return pq.read_table(folder, partitioning=None).sort_by("lead_id")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_scores_are_those_of_duckdb_when_an_executor_is_killed_on_the_way(tmp_path, monkeypatch):
    settings = make_crowd(tmp_path / "data", leads=LEADS)
    one = bulk.score_bulk(settings)

    killed = tmp_path / "killed"
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setattr(bulk, "score_batches", score_and_kill)
    on_spark = settings.engine.model_copy(update={"kind": "spark"})
    # Stated to Spark: its executors have the environment of a JVM that another test may have begun.
    of_executors = {f"spark.executorEnv.{MARKER}": str(killed)}
    spark = start_spark(
        "local-cluster[2,1,1024]", **{"spark.sql.shuffle.partitions": "8"}, **of_executors
    )
    try:
        Path(one.folder).rename(tmp_path / "one")
        several = bulk.score_bulk(settings.model_copy(update={"engine": on_spark}))
    finally:
        spark.stop()

    assert killed.exists()
    assert several.rows == one.rows > 0.8 * LEADS
    assert len(list(Path(several.folder).glob("*.parquet"))) > 1
    scores = read_scores(several.folder)
    assert scores.equals(read_scores(str(tmp_path / "one")).cast(scores.schema))
