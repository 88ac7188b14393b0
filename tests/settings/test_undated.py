"""Settings of leads without dates: in an order, or in none."""

import re

import pytest
from pydantic import ValidationError

from builders import make_settings
from leadscore.settings.settings import Settings

LEADS_ENTRY = {"source": "leads", "table": "leads", "columns": {"city": "city"}}
ENDS_ENTRY = {"source": "leads", "table": "outcomes", "columns": {"outcome": "end"}}
MORE = {"sources": {"leads": {"path": "leads.csv"}, "more": {"path": "more.csv"}}}


def named(entry, **columns):
    return entry | {"columns": {"lead_id": "id"} | entry["columns"] | columns}


def undated(time, **changes):
    plain = {
        "project": "shop",
        "time": time,
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {"city": {}},
    }
    return Settings.model_validate(plain | {"mapping": [LEADS_ENTRY, ENDS_ENTRY]} | changes)


@pytest.mark.parametrize("time", ["ordered", "none"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": {"horizon_days": 30}}, "nothing is dated, so leave out 'target'"),
        (
            {"stages": {"open": ["new"]}, "kinds": {"call": "calls"}},
            "nothing is dated, so leave out 'kinds', 'stages'",
        ),
        ({"max_staleness_hours": 1}, "nothing is dated, so leave out 'max_staleness_hours'"),
        (
            {"fields": {"city": {}, "due": {"type": "date"}}},
            "the field 'due' is a date, which says nothing without",
        ),
        (
            {
                "mapping": [
                    named(LEADS_ENTRY),
                    named(ENDS_ENTRY)
                    | {"table": "stages", "columns": {"lead_id": "id", "stage": "s"}},
                ]
            },
            "rows of stages need dates; only leads and outcomes can be mapped",
        ),
        (
            {"mapping": [named(LEADS_ENTRY, event_at="created"), named(ENDS_ENTRY)]},
            "leads has no column 'event_at'",
        ),
        (
            {"mapping": [LEADS_ENTRY, named(ENDS_ENTRY)]},
            "leads -> outcomes: either leads and outcomes of one source all",
        ),
        (
            {"mapping": [named(LEADS_ENTRY), ENDS_ENTRY]},
            "leads -> outcomes: either leads and outcomes of one source all",
        ),
        (
            {"mapping": [LEADS_ENTRY, ENDS_ENTRY | {"source": "more"}], **MORE},
            "more -> outcomes: either leads and outcomes of one source all",
        ),
        ({"mapping": [LEADS_ENTRY, ENDS_ENTRY | {"columns": {}}]}, "nothing fills 'outcome'"),
        (
            {"mapping": [LEADS_ENTRY, named(ENDS_ENTRY, sequence="n")]},
            "outcomes has no column 'sequence'",
        ),
        ({"fields": {"city": {}, "sequence": {}}}, "fields.sequence: the name is taken"),
        ({"fields": {"city": {}, "stage_now": {}}}, "fields.stage_now: the name is taken"),
        ({"fields": {"city": {}, "before": {}}}, "fields.before: the name is taken"),
    ],
)
def test_settings_when_nothing_is_dated_then_what_needs_dates_or_cannot_be_joined_is_refused(
    time, changes, words
):
    with pytest.raises(ValidationError, match=re.escape(words)):
        undated(time, **changes)


@pytest.mark.parametrize(
    ("time", "changes", "words"),
    [
        ("none", {"mapping": [named(LEADS_ENTRY, sequence="n"), named(ENDS_ENTRY)]}, "leads has no column 'sequence'"),
        (
            "ordered", {"mapping": [LEADS_ENTRY, ENDS_ENTRY, LEADS_ENTRY | {"source": "more"}], **MORE},
            "lines of several sources have no common order; map a column to sequence",
        ),
        ("sorted", {}, "Input should be 'dated', 'ordered' or 'none'"),
    ],
)  # fmt: skip
def test_settings_when_an_order_is_asked_for_that_is_not_there_then_they_are_refused(
    time, changes, words
):
    with pytest.raises(ValidationError, match=re.escape(words)):
        undated(time, **changes)


@pytest.mark.parametrize(
    ("time", "changes", "by_line"),
    [
        ("ordered", {}, True),
        ("none", {}, False),
        (
            "none",
            {"mapping": [LEADS_ENTRY, ENDS_ENTRY, LEADS_ENTRY | {"source": "more"}], **MORE},
            False,
        ),
        (
            "ordered",
            {"mapping": [named(LEADS_ENTRY), named(ENDS_ENTRY) | {"source": "more"}], **MORE},
            True,
        ),
        (
            "ordered",
            {
                "mapping": [
                    named(LEADS_ENTRY, sequence="n"),
                    named(LEADS_ENTRY, sequence="n") | {"source": "more"},
                ],
                **MORE,
            },
            False,
        ),
    ],
)
def test_settings_when_leads_have_an_order_or_none_then_are_accepted(time, changes, by_line):
    settings = undated(time, **changes)
    assert not settings.is_dated
    assert settings.ordered_by_line("leads") is by_line
    assert settings.fields_of_leads() == {"city"}
    assert settings.assumption().startswith(
        f"time = {time}: it is not known when fields were filled in"
    )


def test_settings_when_they_are_dated_then_they_assume_nothing_and_read_no_line_as_an_order():
    settings = make_settings()
    assert (settings.is_dated, settings.assumption(), settings.ordered_by_line("leads")) == (
        True,
        None,
        False,
    )
