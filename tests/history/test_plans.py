"""What is dated after the export is planned: no list, feature or field reads it, however late the as_of."""

import pytest

from builders import Facts, day, make_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.fallback import fit_scorecard
from leadscore.scoring.explanation import explain_lead
from leadscore.times import parse_moment

SETTINGS = make_settings(fields={"city": {}})
EXPORT, LATER = 30, 31.5  # within the 36 hours that an as_of may lie past an export


def plain() -> Facts:
    """A lead of which all lies before the export."""
    facts = Facts(SETTINGS).lead("a", 1).change("a", 2, "city", "Ulm")
    return facts.activity("a", 20, "meeting").stage("a", 3, "new")


def planned() -> Facts:
    """The same, with all that can be dated between the export and the as_of."""
    facts = plain().lead("b", 31).change("a", 31, "city", "Bonn")
    facts.activity("a", 31, "meeting").activity("a", 31, "email", actor="lead", known=2)
    return facts.stage("a", 31, "signed").outcome("a", 31, "lost")


@pytest.fixture
def histories(tmp_path) -> tuple[History, History]:
    return tuple(facts.history(tmp_path / name, known_until=EXPORT)
                 for name, facts in (("plain", plain()), ("planned", planned())))  # fmt: skip


@pytest.mark.parametrize("as_of", [EXPORT, 30.5, LATER])
def test_list_when_facts_are_dated_after_the_export_then_it_is_as_without_them(histories, as_of):
    without, with_plans = (history.open_list(day(as_of)) for history in histories)
    assert with_plans["lead_id"].tolist() == ["a"]
    assert with_plans.equals(without)


def test_features_when_meetings_are_booked_after_the_export_then_none_counts_as_held(histories):
    without, with_plans = (
        build_matrix(
            history.snapshot(history.open_list(day(LATER))), build_features(SETTINGS)
        ).columns
        for history in histories
    )
    assert with_plans["engagement_meeting_90d"][0] == 1
    assert with_plans["engagement_meeting_days_since"][0] == pytest.approx(
        LATER - 20
    )  # only time has passed
    assert with_plans["engagement_activities_1d"][0] == 0
    assert {name: str(values) for name, values in with_plans.items()} == {
        name: str(values) for name, values in without.items()
    }


def test_known_values_when_a_change_is_dated_after_the_export_then_it_is_not_shown(histories):
    for history in histories:
        rows = history.known_values(["city"], as_of_us=day(LATER)).to_pylist()
        assert rows == [{"lead_id": "a", "city": "Ulm"}]


def test_explanation_when_facts_are_dated_after_the_export_then_none_is_shown(histories):
    model = fit_scorecard(histories[0], known_us=day(EXPORT), why="no outcomes").model
    without, with_plans = (
        explain_lead(history, model, lead_id="a", as_of_us=day(LATER))["facts"]
        for history in histories
    )
    assert len(without) == 4
    assert with_plans == without


def test_explanation_when_fields_changed_then_values_are_as_people_write_them(tmp_path):
    fields = {
        "budget": {"type": "number"}, "seats": {"type": "number", "decimals": 0}, "start": {"type": "date"},
        "city": {"label": "town"},
    }  # fmt: skip
    facts = Facts(make_settings(fields=fields, timezone="America/New_York")).lead("a", 1)
    last_us = parse_moment("2025-12-18T23:59:59.999999", zone="America/New_York")
    changes = [
        ("budget", "2020150"),
        ("seats", "12000"),
        ("start", str(last_us)),
        ("city", "Ulm"),
        ("city", None),
    ]
    for at, (field, value) in enumerate(changes):
        facts.change("a", 2 + at, field, value)
    history = facts.history(tmp_path, known_until=EXPORT)
    model = fit_scorecard(history, known_us=day(EXPORT), why="no outcomes").model
    told = explain_lead(history, model, lead_id="a", as_of_us=day(EXPORT))["facts"]
    assert [fact["what"] for fact in told[1:]] == [
        "Budget: 20,201.50", "Seats: 12,000", "Start: 2025-12-18", "Town: Ulm", "Town: none",
    ]  # fmt: skip
