"""What activities carry: outcomes, talk time, answers and plans, each on cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.opening import open_history
from leadscore.scoring.timeline import describe_fact
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion, write_version

UNKNOWN = pytest.approx(math.nan, nan_ok=True)
HOUR = 1 / 24
AS_OF = 100.0
EXPORT = 1000.0
OWN = ("outcome", "duration_s", "booked_at")
FAMILIES = ("talk_", "reach_", "reply_", "plan_")


def _settings(*columns: str, **changes: Any) -> Settings:
    """Settings whose activities fill these columns beside the required ones."""
    plain = make_settings().model_dump(mode="json")["mapping"][:1]
    required = {name: name for name in ("lead_id", "event_at", "kind")}
    entry = {
        "source": "leads",
        "table": "activities",
        "columns": required | {name: name for name in columns},
    }
    return make_settings(mapping=[*plain, entry], **changes)


def _values(
    facts: Facts, folder: Path, as_of: float = AS_OF, *, known_until: float = EXPORT
) -> dict[str, Any]:
    """The features of lead "a" at a moment, by name."""
    history = facts.history(folder, known_until=known_until)
    rows = pd.DataFrame(
        {"lead_id": ["a"], "spell": [1], "as_of_us": [day(as_of)], "known_us": [day(as_of)]}
    )
    try:
        matrix = build_matrix(history.snapshot(rows), build_features(history.settings))
    finally:
        history.engine.close()
    return {name: values[0] for name, values in matrix.columns.items()}


def _names(settings: Settings) -> set[str]:
    return {
        feature.name for feature in build_features(settings) if feature.name.startswith(FAMILIES)
    }


@pytest.mark.parametrize(
    ("columns", "families"),
    [
        ((), set()),
        (("activity_id",), set()),
        (("actor",), {"reply"}),
        (("duration_s",), {"talk"}),
        (("outcome",), {"talk", "reach"}),
        (("booked_at",), {"plan"}),
        (("actor", *OWN), {"talk", "reach", "reply", "plan"}),
    ],
)
def test_features_when_columns_are_mapped_then_only_theirs_exist(columns, families):
    names = _names(_settings(*columns))
    assert {name.split("_")[0] for name in names} == families


def test_talk_time_when_durations_are_not_mapped_then_only_attempts_exist():
    assert {name for name in _names(_settings("outcome")) if name.startswith("talk_")} == {
        "talk_attempts"
    }


@pytest.mark.parametrize("outcome", ["planned", "cancelled"])
def test_engagement_when_an_activity_did_not_take_place_then_it_counts_nowhere(tmp_path, outcome):
    facts = Facts(_settings("actor", *OWN)).lead("a", 0)
    without = _values(facts.activity("a", 20, "meeting", outcome="reached"), tmp_path / "without")
    facts.activity("a", 95, "meeting", outcome=outcome, duration_s=600, actor="lead")
    values = _values(facts, tmp_path / "with")
    changed = {name for name, value in values.items() if str(value) != str(without[name])}
    counted = {"reach_cancelled_90d", "reach_cancelled_ever"}
    assert changed == (counted if outcome == "cancelled" else set())


def test_outcome_when_it_is_unknown_then_the_activity_took_place(tmp_path):
    facts = Facts(_settings("actor", *OWN)).lead("a", 0)
    facts.activity("a", 95, "meeting", outcome=None, duration_s=600)
    values = _values(facts, tmp_path)
    assert values["engagement_meeting_7d"] == 1
    assert values["talk_conversations_7d"] == 1
    assert values["reach_share_ever"] == UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "actor", "outcome", "talked", "conversations"),
    [
        (None, "rep", None, 0, 0),
        (0, "rep", None, 0, 0),
        (60, "rep", None, 1, 0),  # a minute is not longer than a minute
        (61, "rep", None, 61 / 60, 1),
        (600, "lead", "reached", 10, 1),
        (600, "rep", "not_reached", 0, 0),  # a message on the answering machine
        (600, "system", "reached", 0, 0),
    ],
)
def test_talk_time_when_a_call_is_long_enough_then_it_is_a_conversation(
    tmp_path, seconds, actor, outcome, talked, conversations
):
    facts = Facts(_settings("actor", *OWN)).lead("a", 0)
    facts.activity("a", 95, "meeting", actor=actor, duration_s=seconds, outcome=outcome)
    values = _values(facts, tmp_path)
    assert [values[f"talk_time_{days}d"] for days in (1, 7, 30)] == [0, talked, talked]
    assert values["talk_conversations_7d"] == conversations
    assert values["talk_days_since"] == (5 if conversations else UNKNOWN)


def test_conversation_when_the_settings_ask_for_more_seconds_then_shorter_calls_are_none(tmp_path):
    settings = _settings("duration_s", activities={"conversation_seconds": 300})
    facts = Facts(settings).lead("a", 0)
    facts.activity("a", 95, "meeting", duration_s=300).activity("a", 96, "email", duration_s=301)
    assert _values(facts, tmp_path)["talk_conversations_7d"] == 1


@pytest.mark.parametrize(
    ("columns", "acts", "attempts"),
    [
        (("actor", "duration_s"), [], 0),
        (("actor", "duration_s"), [(10, "rep", 5, None), (11, "rep", 7, None)], 2),
        (("actor", "duration_s"), [(10, "rep", 600, None), (11, "rep", 5, None)], 1),
        (("actor", "duration_s"), [(10, "rep", 5, None), (11, "lead", 600, None)], 0),
        (("actor", "duration_s"), [(10, "rep", 600, None), (11, "lead", 5, None)], 0),
        (("actor", "outcome"), [(10, "rep", None, "reached"), (11, "rep", None, "not_reached")], 1),
        (("actor", "outcome"), [(10, "rep", None, "not_reached"), (11, "rep", None, "planned")], 1),
    ],
)
def test_attempts_are_what_reps_did_since_the_last_conversation(tmp_path, columns, acts, attempts):
    facts = Facts(_settings(*columns)).lead("a", 0)
    for at, actor, seconds, outcome in acts:
        facts.activity("a", at, "email", actor=actor, duration_s=seconds, outcome=outcome)
    assert _values(facts, tmp_path)["talk_attempts"] == attempts


@pytest.mark.parametrize(
    ("acts", "of_lead", "of_rep", "first"),
    [
        ([], UNKNOWN, UNKNOWN, UNKNOWN),
        ([(10, "system")], UNKNOWN, UNKNOWN, UNKNOWN),
        ([(10, "rep")], UNKNOWN, UNKNOWN, 0),
        ([(10, "lead")], UNKNOWN, UNKNOWN, 1),
        ([(10, "rep"), (10 + HOUR, "lead")], 60, UNKNOWN, 0),
        ([(10, "rep"), (11, "rep"), (11 + HOUR, "lead")], 60, UNKNOWN, 0),  # since the last one
        ([(10, "lead"), (10 + 2 * HOUR, "system"), (10 + 3 * HOUR, "rep")], UNKNOWN, 180, 1),
        (  # of an even number of answers the shorter middle one
            [(10, "rep"), (10 + HOUR, "lead"), (20, "rep"), (20 + 5 * HOUR, "lead")],
            60,
            (10 - HOUR) * 24 * 60,
            0,
        ),
        (
            [(t + wait, who) for t, late in ((10, 3), (20, 1), (30, 8))
             for wait, who in ((0, "rep"), (late * HOUR, "lead"))],
            180,
            (10 - 3 * HOUR) * 24 * 60,
            0,
        ),
    ],
)  # fmt: skip
def test_reply_is_the_lower_median_of_the_waits_of_a_side(tmp_path, acts, of_lead, of_rep, first):
    facts = Facts(_settings("actor")).lead("a", 0)
    for at, actor in acts:
        facts.activity("a", at, "email", actor=actor)
    values = _values(facts, tmp_path)
    approximate = pytest.approx(of_rep, nan_ok=True)  # the waits of a test are not whole
    assert values["reply_minutes_of_lead"] == pytest.approx(of_lead, nan_ok=True)
    assert values["reply_minutes_of_rep"] == approximate
    assert values["reply_first_by"] == first


@pytest.mark.parametrize(
    ("event", "booked", "outcome", "as_of", "steps"),
    [
        (120, 90, "planned", 100, 1),
        (120, 90, "reached", 100, 1),  # what came of it was not known then
        (120, 90, None, 100, 1),
        (120, 90, "cancelled", 100, 1),  # nothing says that it was cancelled by then
        (120, 100, "planned", 100, 0),  # known at that very moment is not yet known
        (120, None, "planned", 100, 0),  # nothing says since when
        (120, 90, "planned", 120, 1),
        (120, 90, "planned", 121, 0),  # the date has passed
        (95, 90, "planned", 100, 0),
        (120, 125, "planned", 130, 0),
    ],
)
def test_plan_when_it_is_booked_then_it_is_known_until_its_date(
    tmp_path, event, booked, outcome, as_of, steps
):
    facts = Facts(_settings("actor", *OWN)).lead("a", 0)
    booked_at = None if booked is None else day(booked)
    facts.activity("a", event, "meeting", outcome=outcome, booked_at=booked_at)
    values = _values(facts, tmp_path, as_of)
    assert values["plan_steps"] == steps
    assert values["plan_days_ahead"] == (event - as_of if steps else UNKNOWN)


@pytest.mark.parametrize(("outcome", "steps"), [("planned", 1), ("cancelled", 0)])
def test_plan_when_the_export_says_that_it_is_cancelled_then_its_list_has_none(
    tmp_path, outcome, steps
):
    facts = Facts(_settings("actor", *OWN)).lead("a", 0)
    facts.activity("a", 120, "meeting", outcome=outcome, booked_at=day(90))
    assert _values(facts, tmp_path, known_until=AS_OF)["plan_steps"] == steps


def test_history_when_a_column_was_mapped_after_the_ingest_then_says_to_ingest_again(tmp_path):
    facts = Facts(_settings("actor")).lead("a", 0).activity("a", 5, "meeting")
    history = facts.history(tmp_path, known_until=10)
    lacking = _without_columns(facts, tmp_path / "old")
    with pytest.raises(UserError, match=r"'outcome'.*leadscore ingest"):
        open_history(_settings("outcome"), lacking, history.engine)
    open_history(facts.settings, lacking, history.engine)
    history.engine.close()


def _without_columns(facts: Facts, folder: Path) -> StoreVersion:
    """A store version from before activities had an outcome."""
    manifest = dict(facts.write(folder, known_until=10).manifest)
    rows = facts.rows["activities"]
    old = pa.table(
        {name: [row[name] for row in rows] for name in ("lead_id", "kind", "actor", "seq", "event_us", "available_us")}
    )  # fmt: skip
    part = write_rows(folder, old.schema, old.to_batches())
    return write_version(folder, manifest | {"tables": manifest["tables"] | {"activities": part}})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("talk_time_30d", 12.0, "Talked for 12 minutes in the last 30 days"),
        ("talk_time_90d", 150.0, "Talked for 2.5 hours in the last 90 days"),
        (
            "talk_conversations_7d",
            2.0,
            "2 conversations of more than a minute in the last 7 days",
        ),
        ("talk_attempts", 4.0, "4 attempts to reach the lead since the last conversation"),
        ("reach_share_90d", 0.25, "Reached in 25% of the attempts of the last 90 days"),
        ("reach_cancelled_90d", 0.0, "Appointments cancelled in the last 90 days: none"),
        ("reply_first_by", 1.0, "The lead made the first contact"),
        ("plan_steps", 1.0, "1 next step planned"),
        ("plan_days_ahead", 2.0, "Next step planned in 2 days"),
    ],
)
def test_sentence_says_it_as_a_person_would(name, value, sentence):
    features = {feature.name: feature for feature in build_features(_settings("actor", *OWN))}
    for speaks_for in (True, False):
        assert features[name].sentence(value, speaks_for=speaks_for) == sentence


@pytest.mark.parametrize(
    ("name", "value", "up", "down"),
    [
        (
            "reply_minutes_of_lead",
            4320.0,
            "The lead usually answers within 3 days",
            "The lead usually takes 3 days to answer",
        ),
        (
            "reply_minutes_of_rep",
            95.0,
            "We usually answer within 1.6 hours",
            "We usually take 1.6 hours to answer",
        ),
    ],
)
def test_sentence_when_answers_come_fast_or_slowly_then_says_which(name, value, up, down):
    features = {feature.name: feature for feature in build_features(_settings("actor", *OWN))}
    assert features[name].sentence(value, speaks_for=True) == up
    assert features[name].sentence(value, speaks_for=False) == down


def test_facts_when_activities_have_outcomes_then_plans_are_no_work_and_outcomes_are_shown(
    tmp_path,
):
    facts = Facts(_settings("actor", "outcome")).lead("a", 0)
    for at, outcome in [(5, "cancelled"), (6, "planned"), (7, "not_reached"), (8, None)]:
        facts.activity("a", at, "call", outcome=outcome)
    history = facts.history(tmp_path, known_until=50)
    assert history.facts.first_worked(day(40)).to_dict() == {"a": day(7)}
    known = history.facts.about_leads(["a"], day(40))["a"]
    assert [describe_fact(fact, history.settings) for fact in known] == [
        "Created",
        "Call (rep), cancelled",
        "Call (rep), planned",
        "Call (rep), not reached",
        "Call (rep)",
    ]
    history.engine.close()
