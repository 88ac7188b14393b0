from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from features.oracle import (
    CHANGED,
    assert_equals_oracle,
    build_random_facts,
    compute_oracle,
    make_oracle_settings,
)
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.times import DAY_US

US = 1 / DAY_US
AS_OF = 100.0
UNIX_EPOCH = -19723.0  # 1970-01-01, in days after day 0
UNKNOWN = pytest.approx(math.nan, nan_ok=True)


def _checked_matrix(facts: Facts, rows: pd.DataFrame, folder: Path) -> Matrix:
    """The matrix of a list, after every value of it was found equal to the oracle's."""
    history = facts.history(folder, known_until=1000)
    try:
        features = build_features(history.settings)
        matrix = build_matrix(history.snapshot(rows), features)
    finally:
        history.engine.close()
    assert_equals_oracle(matrix, features, compute_oracle(facts, rows))
    return matrix


def _at(
    facts: Facts, folder: Path, as_of: float = AS_OF, *, known: float | None = None, spell: int = 1
) -> Any:
    """The features of lead "a" at a moment, by name."""
    as_of_us, known_us = day(as_of), day(as_of if known is None else known)
    rows = pd.DataFrame(
        {"lead_id": ["a"], "spell": [spell], "as_of_us": [as_of_us], "known_us": [known_us]}
    )
    matrix = _checked_matrix(facts, rows, folder)
    return {name: values[0] for name, values in matrix.columns.items()}


def _meetings(*ages: float, actor: str = "rep") -> Facts:
    facts = Facts().lead("a", 0)
    for age in ages:
        facts.activity("a", AS_OF - age, "meeting", actor=actor)
    return facts


@given(random=st.randoms(use_true_random=False), n_changed=st.integers(0, 4))
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking takes minutes, and the oracle already names the feature
    suppress_health_check=list(HealthCheck),
)
def test_every_feature_of_a_random_history_equals_the_oracle(tmp_path_factory, random, n_changed):
    changed = random.sample(CHANGED, n_changed)
    facts, rows = build_random_facts(random, leads=random.randint(1, 10), rows=6, changed=changed)
    _checked_matrix(facts, rows, tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize(
    "changed", [CHANGED, []], ids=["fields that change", "fields known from creation"]
)
def test_every_feature_of_some_hundred_leads_equals_the_oracle_and_varies(tmp_path, changed):
    facts, rows = build_random_facts(Random(7), leads=250, rows=12, changed=changed)  # noqa: S311
    matrix = _checked_matrix(facts, rows, tmp_path)
    few = {
        name for name, values in matrix.columns.items() if len(set(pd.Series(values).dropna())) < 2
    }
    never_told = {
        name for name, field in facts.settings.lead_fields().items() if not field.known_from
    } - set(changed)
    fields = {letter: bant.field for letter, bant in facts.settings.bant.items()}
    empty = {f"profile_{name}" for name in never_told - set(fields.values())}
    empty |= {
        name for name in few if name.startswith("moves_") and name.split("_")[1] in never_told
    }
    empty |= {f"moves_renewal_{step}" for step in ("later", "earlier", "moved")}  # never changes
    empty |= {
        f"bant_{letter}{end}"
        for letter, name in fields.items()
        if name in never_told
        for end in ("", "_known", "_mean", "_answers")
    }
    assert few == {"stage_stalled"} | empty


def test_a_matrix_without_snapshots_has_every_feature_and_no_row(tmp_path):
    facts, rows = build_random_facts(Random(1), leads=2, rows=4)  # noqa: S311
    matrix = _checked_matrix(facts, rows.iloc[:0], tmp_path)
    assert {len(values) for values in matrix.columns.values()} == {0}
    assert len(matrix.keys) == 0


@pytest.mark.parametrize("days", [1, 7, 30, 90])
@pytest.mark.parametrize(("shift_us", "counted"), [(-1, 0), (0, 1), (1, 1)])
def test_a_window_begins_with_the_very_microsecond(tmp_path, days, shift_us, counted):
    values = _at(_meetings(days - shift_us * US), tmp_path)
    assert values[f"engagement_meeting_{days}d"] == counted
    assert values[f"engagement_activities_{days}d"] == counted
    assert values[f"engagement_email_{days}d"] == 0


@pytest.mark.parametrize(
    ("event", "known", "as_of", "known_us", "told"),
    [
        (AS_OF - 1, AS_OF - US, AS_OF, AS_OF, (1, 1.0)),
        (
            AS_OF - 1,
            AS_OF,
            AS_OF,
            AS_OF,
            (0, UNKNOWN),
        ),  # known at that very moment is not yet known
        (AS_OF - US, None, AS_OF, AS_OF, (1, US)),
        (AS_OF, None, AS_OF, AS_OF, (0, UNKNOWN)),
        (AS_OF - 4, None, AS_OF, AS_OF - 3, (1, 4.0)),  # only time has passed since
        (AS_OF - 3, None, AS_OF, AS_OF - 3, (0, UNKNOWN)),
        (AS_OF + 7, AS_OF - 1, AS_OF, AS_OF, (0, UNKNOWN)),  # booked for next week is not held
        (AS_OF + 7, AS_OF - 1, AS_OF + 7, AS_OF + 7, (0, UNKNOWN)),
        (AS_OF + 7, AS_OF - 1, AS_OF + 8, AS_OF + 8, (1, 1.0)),
        (AS_OF - 2, AS_OF + 1, AS_OF, AS_OF, (0, UNKNOWN)),  # held, but told later
        (AS_OF - 2, AS_OF + 1, AS_OF + 2, AS_OF + 2, (1, 4.0)),
        (AS_OF - 2, AS_OF + 9, AS_OF + 10, AS_OF + 10, (0, 12.0)),
    ],
)
def test_a_meeting_counts_once_it_was_held_and_known(tmp_path, event, known, as_of, known_us, told):
    facts = Facts().lead("a", 0).activity("a", event, "meeting", known=known)
    values = _at(facts, tmp_path, as_of, known=known_us)
    assert (values["engagement_meeting_7d"], values["engagement_meeting_days_since"]) == told


@pytest.mark.parametrize(
    ("ages", "trend"),
    [
        ([], 0.0),
        ([0.5, 7], 2.0),
        ([7 + US], -7 / 30),
        ([37], -7 / 30),
        ([37 + US], 0.0),
        ([1] * 14 + [20] * 30, 7.0),
        ([1] * 7 + [8] * 15 + [36] * 15, 0.0),
        ([8] * 60, -14.0),
    ],
)
def test_trend_is_last_week_less_a_week_of_the_30_days_before(tmp_path, ages, trend):
    assert _at(_meetings(*ages), tmp_path)["engagement_meeting_trend"] == pytest.approx(
        trend, abs=1e-12
    )


@pytest.mark.parametrize(
    ("moments", "as_of", "n"),
    [
        ([], AS_OF, 0),
        ([AS_OF - 1, AS_OF - US], AS_OF, 1),  # 00:00 and the last microsecond of one day
        ([AS_OF - 1, AS_OF - 1 - US], AS_OF, 2),
        ([AS_OF - 30, AS_OF - 30 - US], AS_OF, 1),  # the second is older than 30 days
        ([AS_OF - k / 2 for k in range(1, 60)], AS_OF, 30),
        ([UNIX_EPOCH - 0.25, UNIX_EPOCH + 0.25], UNIX_EPOCH + 1, 2),
        ([UNIX_EPOCH - 1.25, UNIX_EPOCH - 0.25], UNIX_EPOCH + 1, 2),
    ],
)
def test_distinct_days_are_days_of_the_calendar(tmp_path, moments, as_of, n):
    facts = Facts().lead("a", min([*moments, as_of]) - 1)
    for moment in moments:
        facts.activity("a", moment, "meeting")
    assert _at(facts, tmp_path, as_of)["engagement_meeting_distinct_days_30d"] == n


@pytest.mark.parametrize(
    ("actors", "share"),
    [
        ([], UNKNOWN),
        (["system", "system"], UNKNOWN),
        (["rep"], 0.0),
        (["lead"], 1.0),
        (["lead", "rep", "rep", "rep", "system"], 0.25),
    ],
)
def test_two_way_share_is_the_leads_part_of_what_lead_and_rep_did(tmp_path, actors, share):
    facts = Facts().lead("a", 0)
    for age, actor in enumerate(actors):
        facts.activity("a", 99 - 20 * age, "email", actor=actor)
    values = _at(facts, tmp_path)
    assert values["engagement_email_two_way_share"] == share
    assert values["engagement_activities_two_way_share"] == share
    assert values["engagement_meeting_two_way_share"] == UNKNOWN


@pytest.mark.parametrize(
    ("way", "current", "order", "days", "moves"),
    [
        ([], None, UNKNOWN, UNKNOWN, (0, 0)),
        ([(10, "new")], "new", 0, 90, (0, 0)),
        ([(10, "new"), (40, "new")], "new", 0, 60, (0, 0)),
        ([(10, "new"), (20, "qualified"), (30, "proposal")], "proposal", 2, 70, (2, 0)),
        (
            [(10, "new"), (20, "proposal"), (30, "qualified"), (99, "proposal")],
            "proposal",
            2,
            1,
            (2, 1),
        ),
        ([(30, "new"), (10, "proposal")], "new", 0, 70, (0, 1)),
        (
            [(10, "new"), (100, "qualified")],
            "new",
            0,
            90,
            (0, 0),
        ),  # entered at as_of: not known yet
    ],
)
def test_stage_tells_where_a_lead_is_and_how_it_came_there(
    tmp_path, way, current, order, days, moves
):
    facts = Facts().lead("a", 0)
    for at, stage in way:
        facts.stage("a", at, stage)
    values = _at(facts, tmp_path)
    assert values["stage_current"] == current
    assert values["stage_order"] == order
    assert values["stage_days_in_current"] == days
    assert (values["stage_moves_forward"], values["stage_moves_back"]) == moves


@pytest.mark.parametrize(("spell", "reopenings"), [(1, 0), (2, 1), (4, 3)])
def test_age_runs_from_creation_also_after_a_reopening(tmp_path, spell, reopenings):
    values = _at(Facts().lead("a", 25.5, known=60), tmp_path, spell=spell)
    assert (values["stage_age"], values["stage_reopenings"]) == (74.5, reopenings)


def test_without_declared_stages_only_age_and_reopenings_are_told(tmp_path):
    values = _at(Facts(make_settings(stages={})).lead("a", 90), tmp_path)
    assert [name for name in values if name.startswith("stage_")] == [
        "stage_age",
        "stage_reopenings",
    ]
    assert values["stage_age"] == 10


@pytest.mark.parametrize(
    ("field", "stored", "value"),
    [
        ("industry", "A -- 😀 '", "A -- 😀 '"),
        ("industry", None, None),
        ("order", "a column called like a word of SQL", "a column called like a word of SQL"),
        ("size", 12, 12.0),
        ("size", None, UNKNOWN),
        ("price", -1250, -1.25),
        ("price", 2**53 - 1, 9007199254740.991),
        ("renewal", day(AS_OF + 1.5), 1.5),
        ("renewal", day(AS_OF - 10), -10.0),
        ("renewal", None, UNKNOWN),
    ],
)
def test_profile_shows_a_field_known_from_creation_as_it_was_written(
    tmp_path, field, stored, value
):
    facts = Facts(make_oracle_settings()).lead("a", 0, **{field: stored})
    assert _at(facts, tmp_path)[f"profile_{field}"] == value


@pytest.mark.parametrize(
    ("field", "written", "value"),
    [
        ("mood", "ünsure", "ünsure"),
        ("mood", None, None),
        ("seats", "125", 12.5),
        ("seats", str(2**53 - 1), 900719925474099.1),
        ("seats", None, UNKNOWN),
        ("review", str(day(AS_OF + 2)), 2.0),
        ("review", None, UNKNOWN),
        ("owner_id", "00012", "00012"),
    ],
)
def test_profile_shows_the_latest_change_of_a_field(tmp_path, field, written, value):
    facts = Facts(make_oracle_settings()).lead("a", 0)
    facts.change("a", 10, field, "1").change("a", 20, field, written).change("a", 15, field, "2")
    assert _at(facts, tmp_path)[f"profile_{field}"] == value
