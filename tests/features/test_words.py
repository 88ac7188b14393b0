"""What features say of a value: as a person reads it, and nothing that could mislead."""

from __future__ import annotations

import re

import pytest

from builders import make_settings
from features.declared import declared_features
from features.oracle import make_oracle_settings
from leadscore.features.feature import Around, Feature
from leadscore.features.finish import (
    Count,
)
from leadscore.features.matrix import build_features
from leadscore.features.phrases import both, capitalised
from leadscore.features.units import shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("x" * 80, "category", "x" * 80),
        ("x" * 10_000, "category", "x" * 80 + "…"),
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
        (0.2, "change", "20% higher"),
        (-0.25, "change", "25% lower"),
        (0.0, "share", "0%"),
        (0.5, "share", "50%"),
        (1.0, "share", "100%"),
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
        ("Proposal\nsent", "category", "Proposal sent"),
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
    "only all of it": r"\bonly 100%",
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
            "Last meeting yesterday",
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
        (
            "engagement_email_trend",
            1.02,
            *["1 more e-mail in the last week than in an average week before"] * 2,
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
        ("engagement_email_two_way_share", 0.5, *["50% of the e-mails came from the lead"] * 2),
        ("engagement_email_two_way_share", 0.0, "", "None of the e-mails came from the lead"),
        (
            "engagement_email_two_way_share",
            0.06,
            "Some of the e-mails came from the lead (6%)",
            "Only 6% of the e-mails came from the lead",
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
    named = {feature.name: feature for feature in declared_features(make_settings(fields=fields))}
    assert named["profile_channel"].sentence("referral", speaks_for=True) == "Came by referral"


@pytest.mark.parametrize(
    "words", ["{offer} calls", "calls {0}", "calls }", "{{calls}}", "100% calls %s"]
)
def test_words_from_the_settings_stand_in_sentences_as_they_were_written(tmp_path, words):
    fields = {"industry": {"known_from": "creation", "label": words}}
    found = declared_features(make_settings(fields=fields, kinds={"call": words}))
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
    found = declared_features(make_settings(mapping=mapping))
    said = next(f for f in found if f.name == "engagement_video_call_7d").sentence(
        1.0, speaks_for=True
    )
    assert said == "1 video call in the last 7 days"


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
