from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from engines.sqlite import SQLiteEngine
from features.oracle import CHANGED, build_random_facts
from leadscore.engine import Engine
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import literal
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.opening import open_history
from leadscore.history.snapshot import Snapshot
from leadscore.history.split import History
from leadscore.settings.engine import EngineSettings
from leadscore.store.version import StoreVersion

LATER = day(1000)
NASTY = [
    "it's", "''", '"quoted"', "back\\slash", "%_like*?", "a -- b", "/* a */", "a; DROP TABLE leads",
    "select 1 from leads join x union all", "NULL", "Ünïcødé ß", "e\u0301", "😀👩‍👩‍👧", "漢字", "line\nbreak\ttab",
    "{x}", " a ", "",
]  # fmt: skip


@pytest.fixture(params=["duckdb", "sqlite"])
def engine(request) -> Iterator[Engine]:
    opened: Engine = (
        SQLiteEngine() if request.param == "sqlite" else DuckDBEngine(EngineSettings(threads=1))
    )
    yield opened
    opened.close()


def _raw(snapshot: Snapshot, measures: dict[str, dict[str, str]]) -> dict[str, list[Any]]:
    """Whatever SQL gave, over all chunks."""
    chunks = [table.to_pydict() for table in snapshot.aggregate(measures)]
    return {name: [value for chunk in chunks for value in chunk[name]] for name in chunks[0]}


def _measures(history: History, known_us: int) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for feature in build_features(history.settings):
        for relation, named in feature.columns.items():
            found.setdefault(relation, {}).update(named)
    return found


def _computed(
    facts: Facts, version: StoreVersion, rows: pd.DataFrame, engine: Engine, *, chunk: int
) -> tuple[dict[str, list[Any]], Matrix]:
    settings = facts.settings.model_copy(update={"engine": EngineSettings(chunk_snapshots=chunk)})
    try:
        history = open_history(settings, version, engine)
        snapshot = history.snapshot(rows)
        raw = _raw(snapshot, _measures(history, LATER))
        return raw, build_matrix(snapshot, build_features(history.settings))
    finally:
        engine.close()


def _bytes(matrix: Matrix) -> dict[str, bytes | list[Any]]:
    columns = {
        name: v.tolist() if v.dtype == object else v.tobytes() for name, v in matrix.columns.items()
    }
    return {"keys": matrix.keys.to_dict("list"), **columns}


def _assert_same_everywhere(
    facts: Facts, rows: pd.DataFrame, folder: Path, *, chunks: list[int]
) -> None:
    version = facts.write(folder, known_until=200)
    raw, matrix = _computed(facts, version, rows, SQLiteEngine(), chunk=10**6)
    in_order = sorted(zip(rows["lead_id"], rows["as_of_us"], strict=True))
    assert list(zip(raw["lead_id"], raw["as_of_us"], strict=True)) == in_order
    assert list(zip(matrix.keys["lead_id"], matrix.keys["as_of_us"], strict=True)) == in_order
    for threads, chunk in zip([1, 2, 2], chunks, strict=True):
        engine = DuckDBEngine(EngineSettings(threads=threads))
        other_raw, other = _computed(facts, version, rows, engine, chunk=chunk)
        assert other_raw == raw
        assert _bytes(other) == _bytes(matrix)
        pd.testing.assert_frame_equal(other.keys, matrix.keys)


@given(random=st.randoms(use_true_random=False), n_changed=st.integers(0, 4))
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking takes minutes, and the oracle already names the feature
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.slow
def test_duckdb_and_sqlite_give_the_same_bytes_for_random_histories(
    tmp_path_factory, random, n_changed
):
    changed = random.sample(CHANGED, n_changed)
    facts, rows = build_random_facts(random, leads=random.randint(2, 12), rows=5, changed=changed)
    _assert_same_everywhere(facts, rows, tmp_path_factory.mktemp("store"), chunks=[1, 3, 10**6])


@pytest.mark.slow
def test_duckdb_and_sqlite_give_the_same_bytes_for_some_hundred_leads(tmp_path):
    facts, rows = build_random_facts(Random(11), leads=400, rows=14)  # noqa: S311
    assert len(rows) > 400
    _assert_same_everywhere(facts, rows, tmp_path, chunks=[10**6, 37, 10**6])


def test_spells_and_learned_lists_are_the_same_on_both_engines(tmp_path):
    facts, _ = build_random_facts(Random(5), leads=120, rows=20)  # noqa: S311
    version = facts.write(tmp_path, known_until=200)
    found = []
    for engine in (SQLiteEngine(), DuckDBEngine(EngineSettings(threads=2))):
        history = open_history(facts.settings, version, engine)
        found.append(
            (
                history.facts.changed_fields(LATER),
                history.spells(LATER),
                history.open_list(day(110)),
            )
        )
        engine.close()
    (fields, spells, listed), (other_fields, other_spells, other_listed) = found
    assert fields == other_fields == set(CHANGED)
    pd.testing.assert_frame_equal(spells, other_spells)
    pd.testing.assert_frame_equal(listed, other_listed)
    assert spells["spell"].max() > 2
    assert 0 < len(listed) < 120


@pytest.mark.cases(5)
@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
def test_chunks_hold_about_so_many_rows_keep_leads_whole_and_lose_none(tmp_path, engine, chunk):
    facts = Facts()
    sizes = {"a": 1, "b": 4, "c": 2, "d": 1}
    rows = pd.DataFrame(
        [(lead, 1, day(10 + i), day(10 + i)) for lead, n in sizes.items() for i in range(n)],
        columns=["lead_id", "spell", "as_of_us", "known_us"],
    )
    for lead in sizes:
        facts.lead(lead, 0)
    history = facts.history(tmp_path, known_until=20, engine=engine)
    snapshot = Snapshot(history.engine, rows.iloc[::-1], history.settings.stages, chunk_rows=chunk)
    chunks = [
        table["lead_id"].to_pylist() for table in snapshot.aggregate({"leads": {"n": "COUNT(*)"}})
    ]
    assert [lead_id for chunk in chunks for lead_id in chunk] == list("abbbbccd")
    assert all(not set(one) & set(other) for i, one in enumerate(chunks) for other in chunks[:i])
    assert all(len(one) >= chunk for one in chunks[:-1])
    assert all(len(one) < chunk + max(sizes.values()) for one in chunks)


CHANGES = [
    ([(10, 0, "a"), (11, 0, "b")], "b"),
    ([(10, 9, "z"), (11, 0, "b")], "b"),  # what happened later, whatever its seq
    ([(10, 2, "a"), (10, 1, "z")], "a"),  # at one moment the larger seq, whatever its text
    ([(10, 1, "a"), (10, 1, "b")], "b"),
    ([(10, 0, "9"), (10, 0, "10")], "9"),  # as text
    ([(10, 0, "Z"), (10, 0, "a")], "a"),
    ([(10, 0, "z"), (10, 0, "ä")], "ä"),
    ([(10, 0, "\uffee"), (10, 0, "😀")], "😀"),  # by code point; not so in UTF-16
    ([(10, 0, "a"), (10, 0, "a ")], "a "),
    ([(10, 0, ""), (10, 0, None)], ""),
    ([(10, 0, None), (10, 0, "a")], "a"),
    ([(10, 1, None), (10, 0, "a")], None),
    ([(10, 0, "a"), (12, 0, None)], None),
    ([(10, 0, None), (12, 0, "a")], "a"),
    ([(10, 0, None), (12, 0, None)], None),
    ([], None),
]


@pytest.mark.cases(16)
@pytest.mark.parametrize("backwards", [False, True], ids=["as listed", "backwards"])
@pytest.mark.parametrize(("changes", "latest"), CHANGES)
def test_the_latest_value_is_the_last_by_event_then_seq_then_larger_text(
    tmp_path, engine, changes, latest, backwards
):
    facts = Facts(make_settings(fields={"mood": {}})).lead("a", 0)
    facts.lead("b", 0).change("b", 30, "mood", "of another lead").change(
        "a", 30, "owner_id", "of another field"
    )
    for at, seq, value in reversed(changes) if backwards else changes:
        facts.change("a", at, "mood", value, seq=seq)
    assert _values(facts, tmp_path, engine)["profile_mood"] == latest


STAGES = [
    ([(10, 0, "new"), (10, 0, "proposal")], ("proposal", 1, 0)),
    ([(10, 0, "proposal"), (10, 0, "new"), (10, 0, "qualified")], ("proposal", 2, 0)),
    ([(10, 1, "new"), (10, 0, "proposal")], ("new", 0, 1)),
    ([(11, 0, "new"), (10, 5, "proposal")], ("new", 0, 1)),
    ([(10, 0, "qualified"), (10, 0, "qualified")], ("qualified", 0, 0)),
    ([(10, 0, "rejected"), (10, 0, "proposal")], ("rejected", 1, 0)),
    ([(10, 0, "rejected"), (10, 0, "signed")], ("signed", 1, 0)),
]


@pytest.mark.cases(8)
@pytest.mark.parametrize("backwards", [False, True], ids=["as listed", "backwards"])
@pytest.mark.parametrize(("stages", "told"), STAGES)
def test_the_current_stage_is_the_last_by_event_then_seq_then_order(
    tmp_path, engine, stages, told, backwards
):
    facts = Facts().lead("a", 0)
    for at, seq, stage in reversed(stages) if backwards else stages:
        facts.stage("a", at, stage, seq=seq)
    values = _values(facts, tmp_path, engine)
    assert (
        values["stage_current"],
        values["stage_moves_forward"],
        values["stage_moves_back"],
    ) == told


@pytest.mark.cases(9)
@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_told_as_it_was_stored_wherever_it_stands(tmp_path, engine, text):
    kinds = {text: "touches", "plain": "plain ones"} if text else {"plain": "plain ones"}
    settings = make_settings(
        fields={"mood": {}, "industry": {"known_from": "creation"}},
        kinds=kinds,
        stages={"open": ["new", text or "later", "proposal"]},
    )
    facts = Facts(settings).lead("a", 0, industry=text).change("a", 1, "mood", text)
    facts.stage("a", 1, "proposal").stage("a", 2, text or "later").activity(
        "a", 35, text or "plain"
    )
    values = _values(facts, tmp_path, engine)
    assert values["profile_industry"] == values["profile_mood"] == text
    assert values["stage_current"] == (text or "later")
    assert (values["stage_order"], values["stage_moves_back"]) == (1, 1)
    counted = {name for name, value in values.items() if name.endswith("_7d") and value == 1}
    assert len(counted) == 2
    assert ("engagement_plain_7d" in counted) == (not text)


@pytest.mark.parametrize("text", NASTY)
def test_a_literal_is_the_text_itself(engine, text):
    assert engine.query(f"SELECT {literal(text)} AS told").to_pylist() == [{"told": text}]


def test_a_lead_is_found_by_any_id_and_by_no_other(tmp_path, engine):
    facts = Facts()
    lead_ids = sorted(
        {*NASTY, *(text + "x" for text in NASTY), "12", "012", "12.0", "A", "a"} - {""}
    )
    for n, lead_id in enumerate(lead_ids):
        facts.lead(lead_id, 0)
        for _ in range(n):
            facts.activity(lead_id, 39, "email")
    matrix = _matrix(facts, tmp_path, engine)
    assert matrix.keys["lead_id"].tolist() == lead_ids
    assert matrix.columns["engagement_email_7d"].tolist() == list(range(len(lead_ids)))


def _matrix(facts: Facts, folder: Path, engine: Engine) -> Matrix:
    """The features of all leads at day 40."""
    history = facts.history(folder, known_until=50, engine=engine)
    at = {"spell": 1, "as_of_us": day(40), "known_us": day(40)}
    rows = pd.DataFrame([{"lead_id": row["lead_id"], **at} for row in facts.rows["leads"]])
    snapshot = history.snapshot(rows)
    return build_matrix(snapshot, build_features(history.settings))


def _values(facts: Facts, folder: Path, engine: Engine) -> dict[str, Any]:
    """The features of lead "a" at day 40, by name."""
    matrix = _matrix(facts, folder, engine)
    place = matrix.keys["lead_id"].tolist().index("a")
    return {name: values[place] for name, values in matrix.columns.items()}


def test_sqlite_engine_refuses_what_is_neither_integer_nor_text():
    engine = SQLiteEngine()
    engine.add_rows("t", pa.table({"n": [1, 2]}))
    with pytest.raises(TypeError, match="column mean is neither of integers nor of text"):
        engine.query("SELECT AVG(n) AS mean FROM t")
    engine.close()
