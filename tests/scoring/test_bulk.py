"""Scores in bulk are those of the list, bit for bit, on DuckDB and on Spark."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import histories
from builders import day
from engines.spark import start_small_spark
from leadscore.errors import UserError
from leadscore.features.matrix import list_measures
from leadscore.project.bulk import MANIFEST, score_bulk
from leadscore.project.scoring import score
from leadscore.results import BulkScores
from leadscore.scoring.batches import BATCH_SCORES, score_batches, write_scorer
from leadscore.scoring.features import build_model_features
from leadscore.settings.settings import Settings


@pytest.fixture(scope="module")
def listed() -> pa.Table:
    """The list, as `leadscore score` writes it, by lead."""
    settings = histories.trained().settings
    folder = settings.project_folder() / "scores" / score(settings).publication_id
    scores = pq.read_table(folder / "scores.parquet")
    return scores.select(BATCH_SCORES.names).sort_by("lead_id")


def _on(kind: str, folder: Path) -> Settings:
    """The trained project with its bulk scores elsewhere, and another engine."""
    settings = histories.trained().settings
    (folder / settings.project).mkdir(parents=True)
    (folder / settings.project / "store").symlink_to(settings.project_folder() / "store")
    engine = settings.engine.model_copy(update={"kind": kind})
    return settings.model_copy(update={"data_folder": folder, "engine": engine})


def _read(scores: BulkScores) -> pa.Table:
    return pq.read_table(scores.folder).select(BATCH_SCORES.names).sort_by("lead_id")


def _assert_equal(scores: BulkScores, listed: pa.Table) -> None:
    read = _read(scores)
    assert read.cast(BATCH_SCORES).equals(listed.cast(BATCH_SCORES))
    assert scores.rows == listed.num_rows > 100
    assert not list(Path(scores.folder).glob("_list"))
    manifest = json.loads((Path(scores.folder) / MANIFEST).read_text())
    assert BulkScores.from_dict(manifest) == scores


def test_bulk_scores_are_those_of_the_list_on_duckdb(tmp_path, listed):
    scores = score_bulk(_on("duckdb", tmp_path))
    _assert_equal(scores, listed)
    files = {path: path.stat().st_mtime_ns for path in Path(scores.folder).iterdir()}
    assert score_bulk(_on("duckdb", tmp_path / "again")).rows == scores.rows
    assert {path: path.stat().st_mtime_ns for path in Path(scores.folder).iterdir()} == files


def test_bulk_scores_when_the_folder_is_there_then_nothing_is_computed_again(tmp_path):
    settings = _on("duckdb", tmp_path)
    scores = score_bulk(settings)
    parent = Path(scores.folder).parent
    before_ns = (
        parent.stat().st_mtime_ns
    )  # a new folder beside it, if only for a while, would change it
    assert score_bulk(settings) == scores
    assert parent.stat().st_mtime_ns == before_ns


@pytest.mark.slow
def test_bulk_scores_are_those_of_the_list_on_spark(tmp_path, listed):
    spark = start_small_spark()
    try:
        scores = score_bulk(_on("spark", tmp_path))
    finally:
        spark.stop()
    assert scores.engine == "spark"
    _assert_equal(scores, listed)


def test_batches_of_any_size_give_the_same_scores(listed):
    world = histories.trained()
    history = world.history
    snapshot = history.snapshot(history.open_list(day(world.days)))
    features = build_model_features(history.settings, world.model)
    rows = pa.concat_tables(snapshot.aggregate(list_measures(features)))
    scorer = write_scorer(history.settings, world.model, shift=0.0)
    for size in (1, 7, len(rows)):
        batches = rows.to_batches(max_chunksize=size)
        scored = pa.Table.from_batches(score_batches(scorer, batches))
        assert scored.equals(listed.cast(BATCH_SCORES))


def test_leads_without_dates_are_refused(tmp_path):
    settings = histories.undated_settings("none", tmp_path)
    with pytest.raises(UserError, match="time = none: leads without dates"):
        score_bulk(settings)
