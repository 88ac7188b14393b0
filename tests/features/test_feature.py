"""The declared features: names, fingerprints, directions, and what their SQL may say."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest

from features.declared import BANT, FIELDS, STAGES, declared_features, declared_settings
from features.oracle import CHANGED, build_random_facts, make_oracle_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.feature import Feature
from leadscore.features.finish import (
    Amount,
    Count,
    DaysUntil,
    FullAmount,
    Known,
    Levels,
    Titles,
    WithinDays,
)
from leadscore.features.matrix import build_features, build_matrix
from leadscore.features.phrases import Phrase
from leadscore.history.split import History
from leadscore.settings.engine import EngineSettings

PLAIN = Feature(
    "profile_x",
    {"leads": {"field_x": "MAX(at_creation_x)"}},
    Amount("field_x", 2),
    "number",
    "profile_x",
    Phrase("x", "up", "down"),
)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "profile_y"},
        {"columns": {"leads": {"field_x": "MIN(at_creation_x)"}}},
        {"columns": {"leads": {"field_y": "MAX(at_creation_x)"}}},
        {"columns": {"changes": {"field_x": "MAX(at_creation_x)"}}},
        {"columns": {"leads": {"field_x": "MAX(at_creation_x)", "field_y": "MAX(at_creation_y)"}}},
        {"finish": Amount("field_x", 3)},
        {"finish": Amount("field_y", 2)},
        {"finish": Known(Amount("field_x", 2))},
        {"finish": Count("field_x")},
        {"unit": "days"},
        {"direction": 1},
        {"direction": -1},
        {"usual_for": ("a", "b")},
        {"usual_for": ("b", "a")},
        {"rests_on": ("new", "won")},
    ],
)
def test_a_fingerprint_changes_with_whatever_changes_a_value(change):
    assert replace(PLAIN, **change).fingerprint() != PLAIN.fingerprint()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Levels("x", ("a", "b", "c")), Levels("x", ("a", "c", "b"))),
        (Titles("x", (("*ceo*", 1.0), ("*", 0.0))), Titles("x", (("*", 0.0), ("*ceo*", 1.0)))),
        (Titles("x", (("*ceo*", 1.0),)), Titles("x", (("*ceo*", 0.9),))),
        (FullAmount("x", 2, 100.0), FullAmount("x", 2, 101.0)),
        (WithinDays("x", 30, 90), WithinDays("x", 31, 90)),
        (WithinDays("x", 30, 90), WithinDays("x", 30, 91)),
        (Amount("x", 0), DaysUntil("x")),
    ],
)
def test_a_fingerprint_changes_with_every_parameter_of_the_finish(one, other):
    assert replace(PLAIN, finish=one).fingerprint() != replace(PLAIN, finish=other).fingerprint()


def test_a_fingerprint_is_that_of_the_values_not_of_the_words():
    reworded = replace(
        PLAIN, group="another", phrase=Phrase("y", "{value}!", "{value}?", values=("none", "one"))
    )
    assert reworded.fingerprint() == PLAIN.fingerprint()
    two = {"field_x": "MAX(at_creation_x)", "field_y": "MAX(at_creation_y)"}
    ordered = [
        replace(PLAIN, columns={"leads": dict(pairs)})
        for pairs in (two.items(), reversed(two.items()))
    ]
    assert ordered[0].fingerprint() == ordered[1].fingerprint()
    assert re.fullmatch("[0-9a-f]{16}", PLAIN.fingerprint())


@pytest.mark.parametrize(
    ("changes", "changed", "differing"),
    [
        ({"kinds": {"email": "messages", "meeting": "talks"}}, (), set()),
        ({"seed": 7, "timezone": "Europe/Berlin"}, (), set()),
        ({"fields": FIELDS | {"price": {**FIELDS["price"], "label": "fee"}}}, (), set()),
        ({"fields": FIELDS | {"price": {**FIELDS["price"], "decimals": 3}}}, (), {"profile_price"}),
        ({"fields": FIELDS | {"price": {**FIELDS["price"], "type": "date"}}}, (), {"profile_price"}),
        ({}, ("industry",), {"profile_industry"}),
        ({"bant": BANT | {"budget": {"field": "amount", "full_amount": 99}}}, (), {"bant_budget"}),
        ({"bant": BANT | {"timeline": {"field": "start", "within_days": [30, 91]}}}, (), {"bant_timeline"}),
        ({"bant": BANT | {"need": {"field": "mood", "levels": ["c", "b", "a"]}}}, (), {"bant_need"}),
        ({"bant": BANT | {"need": {"field": "mood", "levels": ["a", "b"]}}}, (),
         {"bant_need", "bant_need_known", "bant_completeness"}),
        ({"bant": BANT | {"authority": {"field": "title", "titles": [["*chief*", 1.0]]}}}, (),
         {"bant_authority", "bant_authority_known", "bant_completeness"}),
        ({"stages": STAGES | {"open": ["qualified", "new", "proposal"]}}, (),
         {"stage_order", "stage_moves_forward", "stage_moves_back"}),
        ({"stages": STAGES | {"open": ["new", "demo", "qualified", "proposal"]}}, (), {"stage_order"}),
        ({"stages": STAGES | {"open": ["new", "qualified", "proposal", "rejected"], "lost": []}}, (), set()),
    ],
    ids=[
        "words of kinds", "seed and zone", "label", "decimals", "type", "history", "full amount", "days",
        "levels turned", "fewer levels", "fewer titles", "stages swapped", "a stage more", "same order of stages",
    ],
)  # fmt: skip
def test_settings_that_change_a_value_change_its_features_fingerprint(
    tmp_path, features, changes, changed, differing
):
    found = declared_features(declared_settings(**changes), changed=changed)
    after = {feature.name: feature.fingerprint() for feature in found}
    assert all(
        name.startswith(("stage_days_in_", "moves_price_"))
        for name in after.keys() ^ features.keys()
    )  # named by stage; only a date moves
    shared = after.keys() & features.keys()
    other = {name for name in shared if features[name].fingerprint() != after[name]}
    assert differing <= other
    assert {name.split("_")[0] for name in other} == {name.split("_")[0] for name in differing}


def test_features_when_handed_to_another_process_then_are_the_same(features):
    every = list(features.values())
    assert pickle.loads(pickle.dumps(every)) == every  # noqa: S301  (our own objects, in memory)


def test_names_are_unique_and_say_family_and_measure(tmp_path, features):
    many = declared_features(make_oracle_settings(), changed=tuple(CHANGED))
    for found in (many, list(features.values())):
        names = [feature.name for feature in found]
        assert len(set(names)) == len(names)
        assert all(
            re.fullmatch(
                "(bant|engagement|talk|reach|reply|plan|stage|profile|moves)_[a-z0-9_]+", name
            )
            for name in names
        )


def test_every_feature_has_the_direction_that_the_business_knows(features):
    assert {name: f.direction for name, f in features.items() if f.direction} == {
        "bant_budget": 1, "bant_authority": 1, "bant_need": 1, "bant_timeline": 1,
        "bant_budget_mean": 1, "bant_authority_mean": 1, "bant_need_mean": 1, "bant_timeline_mean": 1,
    }  # fmt: skip


def test_two_columns_of_one_name_are_of_one_meaning(tmp_path):
    meaning: dict[str, tuple[str, str]] = {}
    for feature in declared_features(make_oracle_settings(), changed=("pain", "funds")):
        for relation, named in feature.columns.items():
            for name, expression in named.items():
                assert meaning.setdefault(name, (relation, expression)) == (relation, expression)


class RecordingEngine(DuckDBEngine):
    """DuckDB that keeps what it was asked and what it answered."""

    def __init__(self) -> None:
        super().__init__(EngineSettings(threads=1))
        self.asked: list[tuple[str, pa.Table]] = []

    def query(self, sql: str) -> pa.Table:
        answer = super().query(sql)
        self.asked.append((sql, answer))
        return answer


@pytest.fixture(
    params=[CHANGED, ["pain"], []], ids=["all that may change", "one change", "no change"]
)
def recorded(request, tmp_path) -> Iterator[list[tuple[str, pa.Table]]]:
    facts, rows = build_random_facts(Random(3), leads=5, rows=5, changed=request.param)  # noqa: S311
    engine = RecordingEngine()
    history: History = facts.history(tmp_path, known_until=200, engine=engine)
    found = build_features(history.settings)
    engine.asked.clear()
    build_matrix(history.snapshot(rows), found)
    yield [(sql, answer) for sql, answer in engine.asked if "snapshots" in sql]
    engine.close()


FORBIDDEN = [
    r"/", r"::", r"\bSUM\s*\(", r"\bAVG\s*\(", r"\bLIKE\b", r"\bGLOB\b", r"\bLOWER\b", r"\bUPPER\b", r"\bCAST\b",
    r"\bDATE_?(DIFF|TRUNC|PART)\b", r"\bEXTRACT\b", r"\bNOW\b", r"\bCURRENT_\w+", r"\bRANDOM\b", r"\d\.\d",
    r"\bROUND\b",
]  # fmt: skip


def test_sql_counts_adds_integers_and_takes_extremes_and_nothing_else(recorded):
    assert len(recorded) == 1
    for sql, _ in recorded:
        bare = re.sub(r"'(?:[^']|'')*'", "''", sql)
        whole = r"CAST\(SUM\(CASE WHEN [^/.]*? THEN [^/.]*? END\) AS BIGINT\)"
        bare = re.sub(whole, "", bare)  # of whole microseconds and seconds
        assert bare.count("COUNT(") > 30
        assert [pattern for pattern in FORBIDDEN if re.search(pattern, bare, re.I)] == []


def test_sql_gives_integers_and_texts_only(recorded):
    for _, answer in recorded:
        kinds = {field.name: field.type for field in answer.schema}
        assert {"lead_id", "as_of_us", "stage_text", "stage_born"} < kinds.keys()
        odd = {
            name
            for name, kind in kinds.items()
            if not (pa.types.is_signed_integer(kind) or kind == pa.string())
        }
        assert odd == set()
