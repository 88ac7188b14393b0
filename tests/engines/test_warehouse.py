"""From the SQL of features, run by a real PostgreSQL, to the scores of the list."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import histories
from builders import day
from databases import postgres_server
from engines.postgres import PostgresEngine
from leadscore.engine.dialects import DIALECTS
from leadscore.errors import UserError
from leadscore.features.matrix import list_measures
from leadscore.history.opening import attach_tables
from leadscore.project.bulk import score_bulk
from leadscore.project.warehouse import score_rows, write_feature_sql
from leadscore.scoring.batches import BATCH_SCORES
from leadscore.scoring.features import build_model_features


@pytest.fixture
def postgres(tmp_path):
    with postgres_server(tmp_path / "postgres") as address:
        engine = PostgresEngine(address)
        yield engine
        engine.close()


@pytest.fixture(scope="module")
def scores() -> pa.Table:
    """The scores of the open leads, on DuckDB."""
    folder = Path(score_bulk(histories.trained().settings).folder)
    return pq.read_table(folder, partitioning=None).sort_by("lead_id").cast(BATCH_SCORES)


def _fill(engine: PostgresEngine) -> None:
    """The tables of the store, and the list of open leads, as a warehouse would have them."""
    world = histories.trained()
    attach_tables(engine, world.history.version)
    listed = world.history.open_list(day(world.days))
    engine.add_rows("snapshots", pa.Table.from_pandas(listed, preserve_index=False))


def test_rows_of_postgresql_are_scored_as_the_list(postgres, scores):
    pytest.importorskip("sqlglot", reason="SQLGlot is not installed: leadscore[warehouse]")
    settings = histories.trained().settings
    _fill(postgres)
    rows = postgres.run(write_feature_sql(settings, dialect="postgres"))
    upper = rows.rename_columns([name.upper() for name in rows.column_names])  # as Snowflake's
    scored = pa.Table.from_batches(score_rows(settings, upper.to_batches(max_chunksize=50)))
    assert scored.sort_by("lead_id").equals(scores)
    assert len(scores) > 100


def _select_on_duckdb() -> pa.Table:
    world = histories.trained()
    history = world.history
    snapshot = history.snapshot(history.open_list(day(world.days)))
    features = build_model_features(history.settings, world.model)
    return pa.concat_tables(snapshot.aggregate(list_measures(features)))


def test_rows_of_pandas_when_columns_have_no_value_or_became_floats_then_are_scored_as_the_list(
    scores,
):
    settings = histories.trained().settings
    batches = []
    for chunk in _select_on_duckdb().to_batches(max_chunksize=50):
        rows = chunk.to_pandas()
        empty = rows.columns[rows.isna().all()]
        rows[empty] = rows[empty].astype(object).where(rows[empty].notna(), None)
        batches += pa.Table.from_pandas(rows, preserve_index=False).to_batches()
    types = {field.type for batch in batches for field in batch.schema}
    assert {pa.null(), pa.float64()} <= types
    scored = pa.Table.from_batches(score_rows(settings, batches))
    assert scored.sort_by("lead_id").equals(scores)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop_columns(["as_of_us"]), "the rows have no column as_of_us"),
        (
            lambda rows: rows.set_column(1, "as_of_us", pa.array(["monday"] * len(rows))),
            "column as_of_us is of type string, and int64 is needed",
        ),
    ],
)
def test_rows_when_a_column_is_missing_or_of_another_type_then_words_name_it(change, words):
    rows = change(_select_on_duckdb())
    settings = histories.trained().settings
    with pytest.raises(UserError, match=words):
        next(score_rows(settings, rows.to_batches()))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_feature_sql_is_one_statement_that_its_dialect_reads(dialect):
    sqlglot = pytest.importorskip("sqlglot", reason="SQLGlot is not installed")
    sql = write_feature_sql(histories.trained().settings, dialect=dialect)
    (tree,) = sqlglot.parse(sql, read=dialect)
    tables = {table.name.lower() for table in tree.find_all(sqlglot.exp.Table)}
    assert tables == {"snapshots", "leads", "activities", "stages", "changes"}


def test_names_are_quoted_as_the_dialect_does():
    pytest.importorskip("sqlglot", reason="SQLGlot is not installed")
    settings = histories.trained().settings
    assert "t.`size` AS `at_creation_size`" in write_feature_sql(settings, dialect="bigquery")
    assert 't."SIZE" AS "AT_CREATION_SIZE"' in write_feature_sql(settings, dialect="snowflake")
