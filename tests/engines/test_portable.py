"""One definition of every feature and spell, with equal values on DuckDB, PostgreSQL and Spark."""

from __future__ import annotations

from random import Random

import pandas as pd
import pyarrow as pa
import pytest

from builders import Facts, day
from databases import postgres_server
from engines.postgres import PostgresEngine
from engines.spark import start_small_spark
from engines.test_same_values import LATER, NASTY, _bytes, _computed
from features.oracle import build_random_facts
from leadscore.engine import Engine
from leadscore.engine.dialects import DIALECTS, translate
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import literal
from leadscore.engine.spark import SparkEngine
from leadscore.errors import UserError
from leadscore.history.opening import open_history
from leadscore.settings.engine import EngineSettings
from leadscore.store.version import StoreVersion


@pytest.fixture(scope="module", params=["postgres", pytest.param("spark", marks=pytest.mark.slow)])
def new_engine(request, tmp_path_factory):
    if request.param == "spark":
        spark = start_small_spark()
        yield lambda: SparkEngine(EngineSettings())
        spark.stop()
        return
    pytest.importorskip("sqlglot", reason="SQLGlot is not installed: leadscore[warehouse]")
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield lambda: PostgresEngine(address)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[Facts, pd.DataFrame, StoreVersion]:
    facts, rows = build_random_facts(Random(11), leads=60, rows=14)  # noqa: S311
    folder = tmp_path_factory.mktemp("store")
    return facts, rows, facts.write(folder, known_until=200)


def test_features_are_the_same_bytes_wherever_their_sql_runs(world, new_engine):
    facts, rows, version = world
    duckdb = DuckDBEngine(EngineSettings(threads=2))
    raw, matrix = _computed(facts, version, rows, duckdb, chunk=10**6)
    other_raw, other = _computed(facts, version, rows, new_engine(), chunk=10**6)
    assert other_raw == raw
    assert _bytes(other) == _bytes(matrix)


def _spells(facts: Facts, version: StoreVersion, engine: Engine) -> list[pd.DataFrame]:
    history = open_history(facts.settings, version, engine)
    tables = [history.spells(LATER), history.open_list(day(110))]
    engine.close()
    return tables


def test_spells_and_open_leads_are_the_same_wherever_their_sql_runs(world, new_engine):
    facts, _, version = world
    tables = _spells(facts, version, DuckDBEngine(EngineSettings(threads=2)))
    for table, other in zip(tables, _spells(facts, version, new_engine()), strict=True):
        pd.testing.assert_frame_equal(other, table)
        assert len(table) > 10


def test_a_text_is_itself_wherever_sql_runs(new_engine):
    columns = ", ".join(f"{literal(text)} AS t{place}" for place, text in enumerate(NASTY))
    engine = new_engine()
    engine.add_rows("t", pa.table({"text": NASTY}))
    (row,) = engine.query(f"SELECT {columns}").to_pylist()
    assert list(row.values()) == NASTY
    in_order = engine.query("SELECT text FROM t ORDER BY text")["text"].to_pylist()
    assert in_order == sorted(NASTY)
    engine.close()


@pytest.mark.cases(1)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_written_for_a_dialect_is_read_and_written_by_it_unchanged(world, dialect):
    sqlglot = pytest.importorskip("sqlglot", reason="SQLGlot is not installed")
    facts, rows, version = world
    of_features = _Recording(EngineSettings())
    _computed(facts, version, rows, of_features, chunk=10**6)
    of_spells = _Recording(EngineSettings())
    _spells(facts, version, of_spells)
    asked = of_features.asked + of_spells.asked
    assert any("engagement_activities_n_7d" in sql for sql in asked)
    for sql in asked:
        written = translate(sql, dialect)
        (tree,) = sqlglot.parse(written, read=dialect)
        assert tree.sql(dialect=dialect) == written


class _Recording(DuckDBEngine):
    """DuckDB, and what it was asked."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self.asked: list[str] = []

    def query(self, sql: str) -> pa.Table:
        self.asked.append(sql)
        return super().query(sql)


def test_an_unknown_dialect_is_refused_with_those_there_are():
    with pytest.raises(
        UserError, match="no SQL dialect 'oracle'; there are 'bigquery', 'databricks'"
    ):
        translate("SELECT 1", "oracle")
