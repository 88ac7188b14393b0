"""What the Spark engine says when Spark cannot start or fails, and what it keeps apart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.spark import need_spark, start_small_spark
from leadscore.engine.opening import open_engine
from leadscore.engine.protocol import BatchFunction
from leadscore.engine.spark import SparkEngine
from leadscore.errors import UnavailableError, UserError
from leadscore.settings.engine import EngineSettings

SPARK = EngineSettings(kind="spark")
NUMBERS = pa.table({"n": [3, 1, 2], "text": ["c", "a", None]})
START = """
from leadscore.engine.spark import SparkEngine
from leadscore.errors import UserError
from leadscore.settings.engine import EngineSettings

try:
    SparkEngine(EngineSettings(kind="spark"))
except UserError as e:
    print(e)
"""


@pytest.fixture(scope="module")
def spark():
    session = start_small_spark()
    yield session
    session.stop()


def test_without_pyspark_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with (
        pytest.raises(UserError, match=r"PySpark is not installed: run `pip install 'leadscore"),
        open_engine(SPARK),
    ):
        pass


@pytest.mark.slow
def test_without_java_it_says_what_to_install():
    need_spark()
    environment = os.environ | {"JAVA_HOME": "/nowhere", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True
    )
    assert "Spark does not start, since it needs Java" in done.stdout


@pytest.mark.slow
def test_tables_of_two_engines_are_apart_and_can_be_replaced(spark):
    with open_engine(SPARK) as one, open_engine(SPARK) as other:
        one.add_rows("t", NUMBERS)
        one.add_rows("t", NUMBERS.slice(1))
        other.add_rows("t", NUMBERS)
        count = "SELECT COUNT(*) AS n FROM t"
        assert one.query(count)["n"].to_pylist() == [2]
        assert other.query(count)["n"].to_pylist() == [3]


@pytest.mark.slow
def test_files_with_odd_names_are_read_and_written(spark, tmp_path):
    odd = tmp_path / "a b [x]*{y}?"
    odd.mkdir()
    pq.write_table(NUMBERS, odd / "part.parquet")
    with open_engine(SPARK) as engine:
        engine.add_files("t", [odd / "part.parquet"], schema=NUMBERS.schema)
        engine.add_files("none", [], schema=NUMBERS.schema)
        engine.write_files("SELECT * FROM t WHERE n > 1", tmp_path / "out")
        batches = engine.stream("SELECT n FROM t UNION ALL SELECT n FROM none", rows=2)
        assert sorted(n for batch in batches for n in batch["n"].to_pylist()) == [1, 2, 3]
    assert pq.read_table(tmp_path / "out")["n"].to_pylist() == [3, 2]


def fill_the_disk(_text: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Writes to a disk that is always full."""
    Path("/dev/full").write_text("x")
    yield from batches


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said_in_one_line(spark, tmp_path):
    made = BatchFunction(fill_the_disk, "", NUMBERS.schema)
    with open_engine(SPARK) as engine:
        engine.add_rows("t", NUMBERS)
        with pytest.raises(UnavailableError, match="the disk is full where Spark spills") as caught:
            engine.write_files("SELECT * FROM t", tmp_path / "out", made)
    assert len(str(caught.value).splitlines()) == 1
    assert not list((tmp_path / "out").glob("*.parquet"))


@pytest.mark.slow
def test_a_statement_that_fails_is_said_in_one_line(spark):
    engine = SparkEngine(SPARK)
    with pytest.raises(UnavailableError, match=r"Spark failed: .*nowhere") as caught:
        engine.query("SELECT * FROM nowhere")
    assert len(str(caught.value).splitlines()) == 1
    engine.add_rows("t", pa.table({"n": [2**62, 2**62]}))
    with pytest.raises(UnavailableError, match=r"Spark failed: .*ARITHMETIC_OVERFLOW"):
        engine.query("SELECT SUM(n) AS n FROM t")  # never a number that wrapped around
    engine.close()
