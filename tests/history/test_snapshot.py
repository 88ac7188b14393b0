"""The door to the past: which facts and columns a snapshot lets through, and the matrix built from it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from builders import Facts, day
from history.snapshots import IDS, JUST, SETTINGS, open_facts
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import UnsafeNameError
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.expressions import ForbiddenExpressionError
from leadscore.history.snapshot import KEYS, Snapshot
from leadscore.history.split import History
from leadscore.settings.stages import Stages


def list_of(*asked: tuple[str, float, float]) -> pd.DataFrame:
    """Snapshots from (lead, as_of, known), in days."""
    return pd.DataFrame(
        [(lead, 1, day(as_of), day(known)) for lead, as_of, known in asked], columns=KEYS
    )


@pytest.fixture
def door(engine: DuckDBEngine) -> Snapshot:
    facts = Facts(SETTINGS).lead(
        "a", 0, industry="select from", owner_id="kim", amount=5, budget="yes"
    )
    facts.outcome("a", 20, "won").activity("a", 3, "email")
    history = open_facts(engine, facts, until=30)
    return history.snapshot(list_of(("a", 10, 10)))


def read(snapshot: Snapshot, relation: str, expression: str) -> list[object]:
    return pa.concat_tables(snapshot.aggregate({relation: {"value": expression}}))[
        "value"
    ].to_pylist()


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT MAX(outcome) FROM outcomes)",
        "(select max(outcome) from outcomes)",
        "(SeLeCt 1)",
        "MAX(1) FROM outcomes",
        "MAX(event_us) fRoM leads",
        "MAX(event_us), 1 AS x FROM facts JOIN outcomes",
        "1 JoIn outcomes",
        "1 UNION ALL VALUES (1)",
        "with x",
        "MAX(event_us); DROP TABLE leads",
        "MAX(event_us) -- the rest",
        "MAX(event_us) /* the rest",
        'MAX("event_us")',
        "MAX(event_us)\nFROM outcomes",
        "MAX(outcomes.event_us)",
        "COUNT(CASE WHEN lead_id IN outcomes THEN 1 END)",
        "COUNT(CASE WHEN lead_id IN ('a' || leads) THEN 1 END)",
        "getvariable('x')",
        "MAX(event_us) # the rest",
        "MAX(event_us) -- 1",
        "MAX(event_us) / 2",
        "MAX(ëvent_us)",
        "MAX(event_us) AS x, MIN(event_us)",
        "(FROM outcomes)",
        "'it''s' || (SELECT 'x')",
        "'a' || (SELECT 'b') || 'c'",
        "COUNT(CASE WHEN EXISTS(TABLE outcomes) THEN 1 END)",
        "COUNT(CASE WHEN (table outcomes) IS NULL THEN 1 END)",
        r"E'\'' || (SELECT MAX(outcome) FROM outcomes) || ''",
        r"e'\'' || (SELECT MAX(outcome) FROM outcomes) || ''",
        "$$it's$$ || (SELECT MAX(outcome) FROM outcomes) || $$'$$",
        "COUNT(CASE WHEN (lead_id, 0, 1) IN (PIVOT outcomes ON outcome USING COUNT(*) GROUP BY lead_id) THEN 1 END)",
        "COUNT(CASE WHEN EXISTS(unpivot outcomes ON outcome) THEN 1 END)",
        "COUNT(CASE WHEN EXISTS(SUMMARIZE outcomes) THEN 1 END)",
        "COUNT(CASE WHEN EXISTS(DESCRIBE outcomes) THEN 1 END)",
        "COUNT(CASE WHEN EXISTS(SHOW outcomes) THEN 1 END)",
    ],
)
def test_door_when_an_expression_names_a_table_then_is_refused(
    door: Snapshot, expression: str
) -> None:
    with pytest.raises(ForbiddenExpressionError):
        read(door, "leads", expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "MAX('select from join union with table ; -- /* \"')",
            'select from join union with table ; -- /* "',
        ),
        ("MAX('it''s; SELECT')", "it's; SELECT"),
        ("COUNT(CASE WHEN 'FROM' <> '' THEN event_us END)", 1),
        ("MAX(CASE WHEN at_creation_industry = 'select from' THEN 'joined; --' END)", "joined; --"),
        ("COUNT(CASE WHEN at_creation_industry = 'selection' THEN 1 END)", 0),
        ("MAX(event_us - 1)", day(0) - 1),
    ],
)
def test_door_when_words_of_sql_stand_in_a_text_then_it_is_open(
    door: Snapshot, expression: str, expected: object
) -> None:
    assert read(door, "leads", expression) == [expected]


@pytest.mark.parametrize(
    "relation", ["outcomes", "rejects", "snapshots", "leads; --", "(SELECT 1)", "", "Leads"]
)
def test_door_when_another_table_is_asked_for_then_is_refused(
    door: Snapshot, relation: str
) -> None:
    with pytest.raises((ForbiddenExpressionError, UnsafeNameError)):
        read(door, relation, "COUNT(*)")


@pytest.mark.parametrize("name", ["x y", "x; DROP TABLE leads", "X", "", "1x", 'x"'])
def test_door_when_a_name_is_no_identifier_then_is_refused(door: Snapshot, name: str) -> None:
    with pytest.raises(UnsafeNameError):
        list(door.aggregate({"leads": {name: "COUNT(*)"}}))


@pytest.mark.parametrize("column", ["owner_id", "amount", "currency", "budget", "available_us"])
def test_door_when_a_column_of_leads_is_not_known_from_creation_then_cannot_be_read(
    door: Snapshot, column: str
) -> None:
    assert read(door, "leads", "MAX(at_creation_industry)") == ["select from"]
    for name in (column, f"at_creation_{column}", f"t.{column}", f"leads.{column}"):
        with pytest.raises(ForbiddenExpressionError):
            read(door, "leads", f"MAX({name})")


@pytest.mark.parametrize(
    ("relation", "column"),
    [
        ("leads", "kind"),
        ("leads", "seq"),
        ("leads", "at_creation_lead_id"),
        ("activities", "at_creation_industry"),
        ("activities", "available_us"),
        ("stages", "available_us"),
        ("changes", "available_us"),
        ("changes", "outcome"),
    ],
)
def test_door_when_a_column_is_not_of_the_relation_then_cannot_be_read(
    door: Snapshot, relation: str, column: str
) -> None:
    with pytest.raises(ForbiddenExpressionError):
        read(door, relation, f"MAX({column})")


def test_door_when_a_field_has_a_history_then_only_what_it_was_can_be_read(
    engine: DuckDBEngine,
) -> None:
    facts = Facts(SETTINGS).lead("a", 0, budget="now").change("a", 5, "budget", "then")
    history = open_facts(engine, facts, until=30)
    before, after = (history.snapshot(list_of(("a", known, known))) for known in (5, 5 + JUST))
    assert read(before, "changes", "MAX(value)") == [None]
    assert read(after, "changes", "MAX(value)") == ["then"]
    with pytest.raises(ForbiddenExpressionError):
        read(after, "leads", "MAX(at_creation_budget)")


@pytest.mark.parametrize(
    ("known", "as_of", "expected"),
    [(3, 3, 0), (3 + JUST, 3 + JUST, 1), (5, 5, 1), (5, 50, 1), (6, 50, 2), (7 + JUST, 50, 3)],
)
def test_door_when_known_is_earlier_than_as_of_then_only_facts_known_by_then_count(
    engine: DuckDBEngine, known: float, as_of: float, expected: int
) -> None:
    facts = Facts(SETTINGS).lead("a", 0)
    facts.activity("a", 3, "email").activity("a", 4, "email", known=5).activity(
        "a", 7, "email"
    ).lead("b", 0)
    snapshot = open_facts(engine, facts, until=60).snapshot(list_of(("a", as_of, known)))
    assert read(snapshot, "activities", "COUNT(*)") == [expected or None]


def test_past_when_facts_tie_then_the_latest_is_by_event_sequence_and_value(
    engine: DuckDBEngine,
) -> None:
    facts = Facts(SETTINGS)
    for lead_id in "abcd":
        facts.lead(lead_id, 0)
    facts.change("a", 5, "budget", "late", known=9).change("a", 6, "budget", "later")
    facts.change("b", 5, "budget", "z", seq=1).change("b", 5, "budget", "a", seq=2)
    facts.change("c", 5, "budget", "x").change("c", 5, "budget", "y").change(
        "c", 9, "industry", "other"
    )
    facts.change("d", 5, "budget", "x").change("d", 6, "budget", None)
    facts.stage("a", 5, "proposal", known=9).stage("a", 6, "new")
    facts.stage("b", 5, "proposal", seq=1).stage("b", 5, "new", seq=2)
    facts.stage("c", 5, "new").stage("c", 5, "qualified")
    rows = list_of(*((lead_id, 10, 10) for lead_id in "abcd"))
    snapshot = open_facts(engine, facts, until=60).snapshot(rows)
    latest = "MAX(CASE WHEN field = 'budget' AND recency = 1 THEN value END)"
    assert read(snapshot, "changes", latest) == ["later", "a", "y", None]
    assert read(snapshot, "stages", "MAX(CASE WHEN recency = 1 THEN stage END)") == [
        "new",
        "new",
        "qualified",
        None,
    ]
    assert read(snapshot, "stages", "MAX(previous_order)") == [2, 2, 0, None]


@pytest.fixture(scope="module")
def crowd(engine: DuckDBEngine) -> History:
    # An engine of its own, since other tests attach their tables to the shared one.
    own = DuckDBEngine(SETTINGS.engine)
    rng = np.random.default_rng(2)
    facts = Facts(SETTINGS)
    for i, lead_id in enumerate(IDS):
        facts.lead(lead_id, float(i) / 2, industry=f"kind {i % 3}")
        for at in rng.integers(0, 30, 5).tolist():
            facts.activity(lead_id, at, "email", actor=["lead", "rep"][at % 2]).change(
                lead_id, at, "budget", f"{at}"
            )
            facts.stage(lead_id, at, ["new", "qualified", "proposal"][at % 3])
    return open_facts(own, facts, until=40)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    def told(values: np.ndarray) -> object:
        return values.tolist() if values.dtype == object else (values.dtype, values.tobytes())

    return {k: told(v) for k, v in first.items()} == {k: told(v) for k, v in second.items()}


@pytest.mark.parametrize("chunk_rows", [1, 2, 7, 40, 41])
def test_matrix_when_built_in_chunks_then_is_what_one_chunk_gives(
    crowd: History, chunk_rows: int
) -> None:
    rows = pd.concat([crowd.open_list(day(at)) for at in (3, 8, 12, 20, 25)])
    features = build_features(crowd.settings)
    whole = build_matrix(crowd.snapshot(rows), features)
    parts = build_matrix(replace(crowd.snapshot(rows), chunk_rows=chunk_rows), features)
    pd.testing.assert_frame_equal(parts.keys, whole.keys)
    assert same(parts.columns, whole.columns)
    asked = sorted(zip(rows["lead_id"], rows["as_of_us"], strict=True))
    assert list(zip(whole.keys["lead_id"], whole.keys["as_of_us"], strict=True)) == asked


@pytest.mark.parametrize(
    ("chunk_rows", "expected"), [(1, 8), (5, 8), (6, 4), (7, 4), (39, 1), (40, 1), (100, 1)]
)
def test_chunks_when_cut_then_keep_the_rows_of_a_lead_together(
    crowd: History, chunk_rows: int, expected: int
) -> None:
    rows = pd.concat(
        [list_of(*((lead_id, at, at) for lead_id in IDS)) for at in (9, 10, 11, 12, 13)]
    )
    snapshot = replace(crowd.snapshot(rows), chunk_rows=chunk_rows)
    tables = list(snapshot.aggregate({"activities": {"n": "COUNT(*)"}}))
    leads = [set(table["lead_id"].to_pylist()) for table in tables]
    assert len(tables) == expected
    assert sum(len(each) for each in leads) == len(set().union(*leads)) == len(IDS)


def test_matrix_when_the_list_comes_in_another_order_then_is_the_same(crowd: History) -> None:
    rows = pd.concat([crowd.open_list(day(at)) for at in (12, 3, 25)], ignore_index=True)
    mixed = rows.iloc[np.random.default_rng(3).permutation(len(rows))]
    features = build_features(crowd.settings)
    first, second = (build_matrix(crowd.snapshot(each), features) for each in (rows, mixed))
    pd.testing.assert_frame_equal(first.keys, second.keys)
    assert same(first.columns, second.columns)


def test_matrix_when_nobody_is_open_then_has_all_columns_and_no_row(crowd: History) -> None:
    features = build_features(crowd.settings)
    rows = crowd.open_list(day(-10))
    matrix = build_matrix(crowd.snapshot(rows), features)
    assert len(matrix.keys) == 0
    assert set(matrix.columns) == {feature.name for feature in features}
    assert {len(values) for values in matrix.columns.values()} == {0}


def test_snapshot_when_shown_then_does_not_offer_its_engine(crowd: History) -> None:
    snapshot = Snapshot(crowd.engine, list_of(("a", 10, 10)), Stages())
    assert "engine" not in repr(snapshot)
