from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import day
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import UnsafeNameError, identifier, literal
from leadscore.errors import UnavailableError
from leadscore.features.engagement import build_engagement
from leadscore.features.matrix import build_matrix
from leadscore.history.snapshot import Snapshot
from leadscore.settings.engine import EngineSettings
from leadscore.settings.stages import Stages
from leadscore.tables import ACTIVITIES
from leadscore.times import DAY_US

NUMBERS = pa.schema([pa.field("n", pa.int64()), pa.field("word", pa.string())])


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(EngineSettings(memory_limit_mb=128, threads=2))
    yield opened
    opened.close()


def _setting(engine: DuckDBEngine, name: str) -> object:
    return engine.query(f"SELECT current_setting({literal(name)}) AS value")["value"][0].as_py()


def _rows(*pairs: tuple[int | None, str | None]) -> pa.Table:
    return pa.table(
        {"n": [n for n, _ in pairs], "word": [word for _, word in pairs]}, schema=NUMBERS
    )


def _file(folder: Path, *pairs: tuple[int | None, str | None]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "part.parquet"
    pq.write_table(_rows(*pairs), path)
    return path


def _told(engine: DuckDBEngine, name: str = "t") -> list[int]:
    return engine.query(f"SELECT n FROM {name} ORDER BY n")["n"].to_pylist()


def test_names_when_rows_files_and_results_take_turns_then_the_last_one_is_read(engine, tmp_path):
    path = _file(tmp_path, (2, "two"))
    takers = {
        1: lambda: engine.add_rows("taken", _rows((1, "one"))),
        2: lambda: engine.add_files("taken", [path], schema=NUMBERS),
        3: lambda: engine.add_result("taken", "SELECT 3 AS n, 'three' AS word"),
    }
    for n in (1, 2, 3, 1, 3, 2, 1, 3, 3, 2):
        takers[n]()
        assert engine.query("SELECT n FROM taken")["n"].to_pylist() == [n]


def test_results_when_memory_is_short_then_they_are_kept_on_the_disk(engine):
    engine.add_result(
        "many", "SELECT range AS n, 'a text of some length ' || range AS word FROM range(3000000)"
    )
    assert engine.query("SELECT COUNT(DISTINCT n) AS n FROM many")["n"][0].as_py() == 3_000_000


def test_settings_reach_duckdb_and_nothing_is_downloaded():
    engine = DuckDBEngine(EngineSettings(memory_limit_mb=256, threads=1))
    assert _setting(engine, "threads") == 1
    assert _setting(engine, "memory_limit") == "244.1 MiB"  # 256 million bytes
    assert _setting(engine, "autoinstall_known_extensions") is False
    engine.close()


@pytest.mark.parametrize("files", [0, 1, 3])
def test_files_are_read_as_one_table(tmp_path, engine, files):
    paths = [_file(tmp_path / str(i), (i, "é"), (i + 10, None)) for i in range(files)]
    engine.add_files("t", paths, schema=NUMBERS)
    assert _told(engine) == [*range(files), *range(10, 10 + files)]
    assert engine.query("SELECT * FROM t").schema.names == NUMBERS.names


def test_no_file_is_an_empty_table_of_its_schema(engine):
    engine.add_files("activities", [], schema=ACTIVITIES.schema())
    found = engine.query("SELECT * FROM activities")
    assert found.num_rows == 0
    assert found.schema.types == ACTIVITIES.schema().types
    assert found.schema.names == ACTIVITIES.schema().names


@pytest.mark.parametrize(
    ("folder", "beside"),
    [
        ("it's", "its"),
        ("'); DROP TABLE t; --", "x"),
        ("ünï 😀", "uni"),
        ("a b", "a_b"),
        ("back\\slash", "backslash"),
        ("$HOME", "~"),
        ("100 %20", "100  "),
        ("crm*", "crm2"),
        ("crm?", "crm2"),
        ("crm[2]", "crm2"),
        ("{a,b}", "a"),
    ],
)
def test_a_file_is_read_wherever_it_lies_and_no_other(tmp_path, engine, folder, beside):
    path, _ = _file(tmp_path / folder, (1, "mine")), _file(tmp_path / beside, (2, "another one's"))
    engine.add_files("t", [path], schema=NUMBERS)
    assert _told(engine) == [1]


@pytest.mark.parametrize("first", ["rows", "files", "no files"])
@pytest.mark.parametrize("second", ["rows", "files", "no files"])
def test_a_table_takes_the_place_of_one_of_the_same_name(tmp_path, engine, first, second):
    for step, what in enumerate([first, second], 1):
        if what == "rows":
            engine.add_rows("t", _rows((step, "x")))
        else:
            files = [] if what == "no files" else [_file(tmp_path / str(step), (step, "x"))]
            engine.add_files("t", files, schema=NUMBERS)
    assert _told(engine) == ([] if second == "no files" else [2])


def test_rows_live_as_long_as_the_engine_though_nobody_else_holds_them(engine):
    engine.add_rows("t", _rows(*((i, str(i)) for i in range(50_000))))
    gc.collect()
    assert engine.query("SELECT COUNT(*) AS k, MAX(n) AS n FROM t").to_pylist() == [
        {"k": 50_000, "n": 49_999}
    ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "T",
        "1a",
        "a b",
        "a;",
        'a"',
        "a'",
        "a--",
        "ä",
        "a\n",
        "a.b",
        "a-b",
        "*",
        "t; DROP TABLE t",
        "\uff54",
        "²",
    ],
)
def test_a_name_that_is_not_on_the_allow_list_is_refused(tmp_path, engine, name):
    path = _file(tmp_path, (1, "x"))
    for use in (
        lambda: identifier(name),
        lambda: engine.add_rows(name, _rows()),
        lambda: engine.add_files(name, [], schema=NUMBERS),
        lambda: engine.add_files(name, [path], schema=NUMBERS),
    ):
        with pytest.raises(UnsafeNameError) as error:
            use()
        assert repr(name) in str(error.value)


@pytest.mark.parametrize("name", ["t", "_t1", "order", "select", "group", "a" * 200])
def test_an_allowed_name_may_be_any_word(tmp_path, engine, name):
    engine.add_rows(name, _rows((1, "x")))
    assert _told(engine, identifier(name)) == [1]
    other = DuckDBEngine(EngineSettings())
    other.add_files(name, [_file(tmp_path, (2, "x"))], schema=NUMBERS)
    assert _told(other, identifier(name)) == [2]
    other.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(EngineSettings(threads=1))
    yield opened
    opened.close()


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_literal_is_one_string_whatever_it_holds(shared, text):
    found = shared.query(f"SELECT {literal(text)} AS told, 'end' AS rest").to_pylist()
    assert found == [{"told": text, "rest": "end"}]


def test_a_stream_gives_every_row_once_in_batches_and_in_order(engine):
    engine.add_rows("t", _rows(*((i, None) for i in range(10_000))))
    batches = list(engine.stream("SELECT n FROM t ORDER BY n DESC", rows=2048))
    assert len(batches) > 3
    assert all(isinstance(batch, pa.RecordBatch) and batch.num_rows <= 2048 for batch in batches)
    assert [n for batch in batches for n in batch["n"].to_pylist()] == list(range(9_999, -1, -1))


def test_a_stream_that_was_left_early_does_not_block_the_next_query(engine):
    engine.add_rows("t", _rows(*((i, None) for i in range(100_000))))
    stream = engine.stream("SELECT n FROM t", rows=1000)
    next(stream)
    stream.close()
    assert engine.query("SELECT COUNT(*) AS k FROM t")["k"].to_pylist() == [100_000]


def test_close_removes_the_temporary_folder_and_ends_the_engine():
    engine = DuckDBEngine(EngineSettings())
    folder = Path(str(_setting(engine, "temp_directory")))
    assert folder.is_dir()
    (folder / "spilt").mkdir()
    engine.close()
    assert not folder.exists()
    with pytest.raises(duckdb.ConnectionException):
        engine.query("SELECT 1 AS one")
    engine.close()


def test_an_engine_that_nobody_closed_leaves_no_folder_behind():
    engine = DuckDBEngine(EngineSettings())
    folder = Path(str(_setting(engine, "temp_directory")))
    del engine
    gc.collect()
    assert not folder.exists()


def test_two_engines_share_neither_tables_nor_folder(engine):
    other = DuckDBEngine(EngineSettings())
    engine.add_rows("t", _rows((1, "x")))
    with pytest.raises(duckdb.CatalogException):
        other.query("SELECT * FROM t")
    assert _setting(engine, "temp_directory") != _setting(other, "temp_directory")
    other.close()


SORT = """SELECT md5(CAST(range AS VARCHAR)) || md5(CAST(range + 1 AS VARCHAR)) AS word, range AS n
    FROM range(2000000) ORDER BY word"""


def test_a_query_larger_than_the_memory_limit_spills_to_disk(engine):
    folder = Path(str(_setting(engine, "temp_directory")))
    stream = engine.stream(SORT, rows=1000)
    first = next(stream)["word"].to_pylist()
    assert first == sorted(first)
    assert sum(path.stat().st_size for path in folder.iterdir()) > 10_000_000
    stream.close()


def test_the_memory_limit_holds_where_there_is_nowhere_to_spill(engine, tmp_path):
    engine._connection.execute("SET max_temp_directory_size = '0B'")
    needed = (
        r"more than 128 MB of memory \(engine.memory_limit_mb\), and there is no room on the disk"
    )
    with pytest.raises(UnavailableError, match=needed):
        next(engine.stream(SORT, rows=1000))
    with pytest.raises(UnavailableError, match=needed):
        engine.query(SORT)
    with pytest.raises(UnavailableError, match=needed):
        engine.write_files(SORT, tmp_path)


def _many_activities(n: int, leads: int) -> tuple[np.ndarray, np.ndarray, pa.Table]:
    rng = np.random.default_rng(3)
    lead, event_us = rng.integers(0, leads, n), day(0) + rng.integers(0, 200 * DAY_US, n)
    rows = {
        "lead_id": [f"{i:05d}" for i in lead], "kind": rng.choice(["email", "meeting"], n), "actor": ["rep"] * n,
        "outcome": [None] * n, "duration_s": [None] * n, "booked_at": [None] * n, "activity_id": [None] * n, "seq": np.arange(n), "event_us": event_us,
        "available_us": event_us,
    }  # fmt: skip
    return lead, event_us, pa.table(rows, schema=ACTIVITIES.schema())


def test_a_matrix_of_several_hundred_thousand_activities_fits_into_128_mb_chunk_by_chunk(
    tmp_path, engine
):
    leads, as_ofs = 4000, np.array([day(60), day(120), day(180)])
    lead, event_us, rows = _many_activities(300_000, leads)
    pq.write_table(rows, tmp_path / "activities.parquet")
    engine.add_files("activities", [tmp_path / "activities.parquet"], schema=ACTIVITIES.schema())
    names = [f"{i:05d}" for i in range(leads)]
    born = {"lead_id": names, "event_us": [day(0)] * leads, "available_us": [day(0)] * leads}
    engine.add_rows("leads", pa.table(born))
    listed = pd.DataFrame({"lead_id": np.repeat(names, 3), "spell": 1})
    listed = listed.assign(as_of_us=np.tile(as_ofs, leads), known_us=np.tile(as_ofs, leads))
    snapshot = Snapshot(engine, listed.sample(frac=1, random_state=1), Stages(), chunk_rows=3000)
    done: list[int] = []
    features = build_engagement(["email"], {})
    matrix = build_matrix(snapshot, features, progress=lambda _step, n, _of: done.append(n))
    assert done == [3000, 6000, 9000, 12_000]
    assert matrix.keys["lead_id"].tolist() == listed["lead_id"].tolist()
    assert matrix.keys["as_of_us"].tolist() == listed["as_of_us"].tolist()
    for at, as_of_us in enumerate(as_ofs):
        within = (event_us < as_of_us) & (event_us >= as_of_us - 30 * DAY_US)
        counted = np.bincount(lead[within], minlength=leads)
        assert matrix.columns["engagement_activities_30d"][at::3].tolist() == counted.tolist()
