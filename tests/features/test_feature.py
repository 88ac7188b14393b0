from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from builders import make_settings
from features.oracle import CHANGED, build_random_facts, make_oracle_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.feature import Around, Feature
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
from leadscore.features.phrases import Phrase, both, capitalised
from leadscore.features.units import shown
from leadscore.history.split import History
from leadscore.settings.engine import EngineSettings
from leadscore.settings.settings import Settings

FIELDS = {
    "industry": {"known_from": "creation"},
    "price": {"type": "number", "known_from": "creation"},
    "contract_end": {"type": "date", "known_from": "creation"},
    "title": {"known_from": "creation", "label": "position"},
    "start": {"type": "date", "known_from": "creation"},
    "mood": {},
}
BANT = {
    "budget": {"field": "amount", "full_amount": 100},
    "authority": {"field": "title", "titles": [["*chief*", 1.0], ["*head*", 0.5]]},
    "need": {"field": "mood", "levels": ["a", "b", "c"]},
    "timeline": {"field": "start", "within_days": [30, 90]},
}
STAGES = {"open": ["new", "qualified", "proposal"], "won": ["signed"], "lost": ["rejected"]}


def _settings(**changes: Any) -> Settings:
    return make_settings(**{"fields": FIELDS, "bant": BANT, "stages": STAGES} | changes)


def _features(settings: Settings, *, changed: tuple[str, ...] = ()) -> list[Feature]:
    """All features by settings in which the `changed` fields are not known from creation."""
    fields = {name: field.model_copy(update={"known_from": None}) if name in changed else field
              for name, field in settings.fields.items()}  # fmt: skip
    return build_features(settings.model_copy(update={"fields": fields}))


@pytest.fixture(scope="module")
def features(tmp_path_factory) -> dict[str, Feature]:
    found = _features(_settings())
    return {feature.name: feature for feature in found}


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
    found = _features(_settings(**changes), changed=changed)
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
    many = _features(make_oracle_settings(), changed=tuple(CHANGED))
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
    for feature in _features(make_oracle_settings(), changed=("pain", "funds")):
        for relation, named in feature.columns.items():
            for name, expression in named.items():
                assert meaning.setdefault(name, (relation, expression)) == (relation, expression)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("x" * 80, "category", "x" * 80),
        ("x" * 10_000, "category", "x" * 80 + "... (10,000 characters)"),
        (0.0, "count", "none"),
        (1.0, "count", "1"),
        (12.0, "count", "12"),
        (0.0, "days", "less than a day"),
        (0.4, "days", "less than a day"),
        (0.96, "days", "1 day"),
        (1.0, "days", "1 day"),
        (1.26, "days", "1 day"),
        (9.96, "days", "10 days"),
        (30.4, "days", "30 days"),
        (1234.0, "days", "1,234 days"),
        (0.4, "days ahead", "today"),
        (1.0, "days ahead", "tomorrow"),
        (20.0, "days ahead", "in 3 weeks"),
        (-0.4, "days ahead", "yesterday"),
        (-21.0, "days ahead", "3 weeks ago"),
        (-3.0, "moved", "3 days earlier"),
        (0.2, "change", "20 % higher"),
        (-0.25, "change", "25 % lower"),
        (0.0, "share", "0 %"),
        (0.5, "share", "50 %"),
        (1.0, "share", "100 %"),
        (0.03, "a week", "less than 0.1"),
        (2.0, "a week", "2"),
        (-7.25, "a week", "7.2"),
        (0.5, "times", "0.5 times"),
        (12.0, "times", "12.0 times"),
        (0.0, "flag", "not known"),
        (1.0, "flag", "known"),
        (0.0, "number", "0"),
        (-0.001, "number", "0"),
        (15000.0, "number", "15,000"),
        (15000.5, "number", "15,000.50"),
        (-3.0, "number", "-3"),
        ("it's {x} 😀", "category", "it's {x} 😀"),
    ],
)
def test_a_value_is_shown_as_a_person_reads_it(value, unit, text):
    assert shown(value, unit) == text


TYPICAL = {
    "count": [0.0, 1.0, 12.0, 1234.0],
    "days ahead": [0.0, 0.01, 1.0, 12.0, -0.01, -1.0, -30.0],
    "days": [0.0, 0.01, 0.5, 0.97, 1.0, 1.04, 2.0, 9.97, 12.0, 1234.0],
    "share": [0.0, 0.004, 1 / 3, 0.5, 1.0],
    "minutes": [0.0, 0.4, 1.0, 12.0, 90.0, 120.0, 2879.0, 2880.0, 99999.0],
    "moved": [0.0, 1.0, -1.0, 12.5, -400.0],
    "change": [0.0, 0.2, -0.25, 10.0, 0.001, -0.001],
    "a week": [0.0, 1.0, 12.0, -1.0, -0.04, -8.4],
    "times": [0.0, 0.04, 1.0, 2.5, 12.0],
    "flag": [0.0, 1.0],
    "category": ["web", "it's 1 of {x}"],
    "number": [0.0, 1.0, 12.0, 15000.0, 0.5, -3.0, -0.001],
}
WRONG = {
    "a field that was not filled in": r"\{value\}|\{\}",
    "an unknown value": r"\bnan\b|\bNone\b(?! of)",
    "one of many": r"(?<![\d.,-])1 days\b",
    "many of one": r"(?<![\d.,])(?!1\b)[\d.,]+ day\b",
    "minus nothing": r"-0(\.0+)?(?![.\d])",
    "less than no days": r"-[\d.,]+ days?\b",
    "only all of it": r"\bonly 100 %",
    "spaces": r"^\s|\s$|\s\s",
    "what the unit says twice": r"\b(\w+) \1\b",
}


@pytest.mark.parametrize("speaks_for", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("wrong", WRONG)
def test_no_sentence_says(features, wrong, speaks_for):
    said = []
    around = Around(stage="proposal", spent=61.0)
    for feature in [*features.values(), *build_features(make_oracle_settings())]:
        said += [
            feature.sentence(value, speaks_for=speaks_for, around=around)
            for value in TYPICAL[feature.unit]
        ]
    assert len(said) > 150
    assert [sentence for sentence in said if re.search(WRONG[wrong], sentence)] == []


AROUND = Around(stage="proposal", spent=61.0)


@pytest.mark.parametrize(
    ("name", "value", "up", "down"),
    [
        ("bant_budget", 0.25, *["Budget of about 25"] * 2),
        ("bant_need_known", 1.0, "Need question answered", ""),
        ("bant_timeline_known", 0.0, "", ""),
        ("bant_need_mean", 0.9, "Average answer on need: strong", ""),
        (
            "bant_need_mean",
            0.45,
            "Average answer on need: fair",
            "Average answer on need: lukewarm",
        ),
        ("bant_need_mean", 0.1, "", "Average answer on need: weak"),
        ("bant_need", 1.0, "Need: c", ""),
        ("bant_need", 0.0, "", "Need: a"),
        ("bant_need_answers", 0.0, "", "No answer on need yet"),
        ("bant_need_answers", 1.0, *["Need entered once"] * 2),
        ("bant_completeness", 0.0, "", "No BANT question answered yet"),
        ("bant_completeness", 3.0, *["3 of 4 BANT questions answered"] * 2),
        ("engagement_activities_7d", 3.0, *["3 activities in the last 7 days"] * 2),
        ("engagement_email_1d", 0.0, "", "No e-mails in the last 24 hours"),
        ("engagement_meeting_30d", 1.0, *["1 meeting in the last 30 days"] * 2),
        (
            "engagement_meeting_days_since",
            0.4,
            "Last meeting yesterday",
            "Last meeting was only yesterday",
        ),
        ("engagement_meeting_days_since", 21.0, *["Last meeting 3 weeks ago"] * 2),
        (
            "engagement_meeting_days_since",
            200.0,
            "Meeting in the past, most recently 7 months ago",
            "Last meeting 7 months ago",
        ),
        ("engagement_meeting_distinct_days_30d", 0.0, "", "No meetings in the last 30 days"),
        ("engagement_email_distinct_days_30d", 12.0, *["E-mails on 12 days of the last 30"] * 2),
        ("engagement_email_trend", 0.0, "", ""),
        ("engagement_email_trend", -0.9, "", ""),
        (
            "engagement_email_trend",
            -2.5,
            *["2.5 fewer e-mails in the last week than in an average week before"] * 2,
        ),
        ("engagement_email_pace", 2.5, *["2.5 e-mails a week since the lead came in"] * 2),
        ("engagement_email_pace", 0.01, "", "Very few e-mails so far"),
        (
            "engagement_email_pace",
            0.2,
            "",
            "About 1 e-mail every 5 weeks since the lead came in",
        ),
        ("engagement_email_pace", 0.7, *["About 1 e-mail a week since the lead came in"] * 2),
        ("engagement_email_pace", 1.02, *["About 1 e-mail a week since the lead came in"] * 2),
        ("engagement_email_two_way_share", 0.5, *["50 % of the e-mails came from the lead"] * 2),
        ("engagement_email_two_way_share", 0.0, "", "None of the e-mails came from the lead"),
        (
            "engagement_email_two_way_share",
            0.06,
            "Some of the e-mails came from the lead (6 %)",
            "Only 6 % of the e-mails came from the lead",
        ),
        ("engagement_email_two_way_share", 1.0, *["All e-mails came from the lead"] * 2),
        ("stage_age", 1.0, *["Came in yesterday"] * 2),
        ("stage_reopenings", 0.0, "", ""),
        ("stage_reopenings", 2.0, *["Re-opened 2 times"] * 2),
        ("stage_current", "proposal", "Has reached proposal", "Still in proposal"),
        ("stage_order", 0.0, "Has reached new", "Still in new"),
        ("stage_order", 4.0, "Has reached signed", "Still in signed"),
        ("stage_days_in_current", 45.0, *["In proposal for 45 days"] * 2),
        ("stage_days_in_current", 3.0, "In proposal for only 3 days", "In proposal for 3 days"),
        ("stage_days_in_current", 0.4, *["In proposal for less than a day"] * 2),
        ("stage_moves_back", 0.0, "", ""),
        ("stage_moves_forward", 0.0, "", "Has not moved forward yet"),
        (
            "stage_moves_forward",
            1.0,
            "Has moved forward to proposal",
            "Moved forward only once, now in proposal",
        ),
        ("stage_stalled", 1.1, "", ""),
        ("stage_stalled", 2.5, *["In proposal for 61 days; usual: 24 days"] * 2),
        ("profile_industry", "it's {x}", *["Industry: it's {x}"] * 2),
        ("profile_price", 15000.0, *["Price: 15,000"] * 2),
        ("profile_contract_end", 12.0, *["Contract end: in 12 days"] * 2),
    ],
)
def test_a_reason_tells_the_leads_own_value_and_praises_no_absence(features, name, value, up, down):
    assert features[name].reason(value, speaks_for=True, around=AROUND) == up
    assert features[name].reason(value, speaks_for=False, around=AROUND) == down


@pytest.mark.parametrize("name", ["stage_days_in_current", "stage_stalled"])
def test_a_reason_when_the_stage_is_not_known_then_there_is_none(features, name):
    assert features[name].reason(2.0, speaks_for=True) == ""


def test_a_sentence_when_a_field_has_one_of_its_own_then_it_is_said():
    fields = {"channel": {"known_from": "creation", "sentence": "Came by {value}"}}
    named = {feature.name: feature for feature in _features(make_settings(fields=fields))}
    assert named["profile_channel"].sentence("referral", speaks_for=True) == "Came by referral"


@pytest.mark.parametrize(
    "words", ["{offer} calls", "calls {0}", "calls }", "{{calls}}", "100 % calls %s"]
)
def test_words_from_the_settings_stand_in_sentences_as_they_were_written(tmp_path, words):
    fields = {"industry": {"known_from": "creation", "label": words}}
    found = _features(make_settings(fields=fields, kinds={"call": words}))
    named = {feature.name: feature for feature in found}
    said = named["engagement_call_7d"].sentence(2.0, speaks_for=True)
    assert said == f"2 {words} in the last 7 days"
    assert (
        named["profile_industry"].sentence("{it}", speaks_for=False)
        == f"{capitalised(words)}: {{it}}"
    )


def test_a_kind_without_words_is_said_by_its_name(tmp_path):
    mapping = [
        {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}},
        {"source": "leads", "table": "activities", "columns": {"lead_id": "id", "event_at": "at"},
         "constants": {"kind": "video_call"}},
    ]  # fmt: skip
    found = _features(make_settings(mapping=mapping))
    said = next(f for f in found if f.name == "engagement_video_call_7d").sentence(
        1.0, speaks_for=True
    )
    assert said == "1 video call in the last 7 days"


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


@pytest.mark.parametrize(
    ("age", "sentence"),
    [
        (None, "No calls in the last 30 days"),
        (30.0, "No calls in the last 30 days"),
        (29.5, "No calls since the lead came in"),
    ],
)
def test_a_window_that_is_longer_than_the_lead_is_old_then_begins_when_it_came_in(age, sentence):
    phrase = both("calls", "{value} calls", counted=True, none="No calls in the last 30 days")
    feature = Feature("calls_30d", {}, Count("calls"), "count", "calls", phrase)
    assert feature.reason(0.0, speaks_for=False, around=Around(age=age)) == sentence


@pytest.mark.parametrize("when", ["in the last 30 days", "a week since the lead came in"])
def test_a_count_of_what_the_lead_did_when_it_is_young_then_does_not_name_the_lead_twice(when):
    phrase = both("replies", f"{{value}} replies from the lead {when}")
    feature = Feature("replies", {}, Count("replies"), "count", "replies", phrase)
    young = feature.reason(2.0, speaks_for=True, around=Around(age=3.0))
    assert young == "2 replies from the lead so far"
    old = feature.reason(2.0, speaks_for=True, around=Around(age=40.0))
    assert old == f"2 replies from the lead {when}"


@pytest.mark.parametrize(
    ("name", "value", "age", "sentence"),
    [
        ("engagement_email_pace", 2.0, 3.0, "2 e-mails since the lead came in"),
        ("engagement_email_pace", 1.0, 6.9, "1 e-mail since the lead came in"),
        ("engagement_email_pace", 2.0, 7.0, "2 e-mails a week since the lead came in"),
        ("engagement_email_trend", 2.0, 13.9, ""),
        (
            "engagement_email_trend",
            2.0,
            14.0,
            "2 more e-mails in the last week than in an average week before",
        ),
    ],
)
def test_rate_when_the_lead_is_younger_than_what_it_compares_then_a_count_or_nothing(
    features, name, value, age, sentence
):
    assert features[name].reason(value, speaks_for=True, around=Around(age=age)) == sentence
