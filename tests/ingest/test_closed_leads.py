"""Leads whose creation or close is missing, cannot be read, or contradicts the other."""

import pytest

from ingest.small_tables import COLUMNS, LEAD, account, ids, ingest, rejects, rows
from leadscore.store.version import StoreVersion
from leadscore.times import parse_moment

CLOSED = {
    "UTC": [
        ("2024-02-10T12:00:00", "2024-02-10T11:59:59", True),
        ("2024-02-10T12:00:00", "2024-02-10T12:00:00", False),
        ("2024-02-10T12:00:00", "2024-02-10", False),  # at the end of that day, as far as is known
        ("2024-02-10T12:00:00", "2024-02-09", True),
        (
            "2024-02-10",
            "2024-02-10T09:00:00",
            False,
        ),  # the creation is only known to be on that day
        ("2024-02-10", "2024-02-10T00:00:00", False),
        ("2024-02-10", "2024-02-09T23:59:59.999998", True),
        ("2024-02-10", "2024-02-10", False),
        ("2024-02-10", "2024-02-09", True),
        ("", "2020-01-01", False),  # there is no creation to be before
    ],
    "Asia/Tokyo": [
        ("2024-02-10", "2024-02-10T00:30:00", False),
        ("2024-02-10", "2024-02-09T23:30:00", True),
    ],
    "Europe/Berlin": [
        ("2023-10-29", "2023-10-29T00:30:00", False),  # a day of 25 hours
        ("2023-03-26", "2023-03-25T23:30:00", True),  # a day of 23 hours
    ],
}


@pytest.fixture(
    scope="module", params=[("outcomes", "lost"), ("stages", "rejected")], ids=lambda by: by[0]
)
def closed(request, tmp_path_factory) -> tuple[str, dict[str, StoreVersion]]:
    """(what closes the leads, the version by zone): each case of `CLOSED` is a lead, its number being the id."""
    by, how = request.param
    versions = {}
    for zone, cases in CLOSED.items():
        files = {
            "leads": [
                "sound,2020-01-01,",
                *(f"{i},{created}," for i, (created, _, _) in enumerate(cases)),
            ],
            by: [f"{i},{closed},{how}" for i, (_, closed, _) in enumerate(cases)],
            "calls": [f"{i},2024-02-20" for i in range(len(cases))],
        }
        versions[zone] = ingest(tmp_path_factory.mktemp("closed"), files, timezone=zone)
    return by, versions


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("zone", "case"),
    [(zone, case) for zone, cases in CLOSED.items() for case in range(len(cases))],
    ids=str,
)
def test_lead_when_it_closed_before_it_was_created_then_it_and_its_facts_are_refused(
    closed, zone, case
):
    by, versions = closed
    version, refused = versions[zone], CLOSED[zone][case][2]
    for table in ("leads", by, "activities"):
        assert (str(case) in ids(version, table)) == (not refused)
    told = [
        ("calls", case + 2, "reference"),
        ("leads", case + 3, "closed_before_created"),
        (by, case + 2, "reference"),
    ]
    assert [reject for reject in told if reject in rejects(version)] == (told if refused else [])


def test_lead_when_one_of_its_closes_lies_before_its_creation_then_it_is_refused(tmp_path):
    closes = ["1,2024-02-01,won", "1,2023-12-01,lost", "2,2024-02-01,won"]
    version = ingest(tmp_path, {"leads": [LEAD, "2,2024-01-01,"], "outcomes": closes})
    assert ids(version) == ids(version, "outcomes") == ["2"]
    assert version.manifest["rejects"]["rules"] == {"closed_before_created": 1, "reference": 2}


def test_lead_when_it_only_entered_an_open_stage_before_its_creation_then_it_stands(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD], "stages": ["1,2023-12-01,new"]})
    assert (ids(version), ids(version, "stages")) == (["1"], ["1"])
    assert rows(version, "rejects", "rule", "severity") == [("before_creation", "warned")]
    assert (version.manifest["rejects"]["rules"], version.manifest["rejects"]["warned"]) == (
        {},
        {"before_creation": 1},
    )


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [("1,never,won", "type"), ("1,2024-02-01,Won!", "allowed"), ("1,2024-02-01,", "required")],
)
def test_lead_when_its_outcome_cannot_be_read_then_it_is_refused_since_it_would_look_open(
    tmp_path, outcome, rule
):
    files = {
        "leads": [LEAD, "2,2024-01-01,"],
        "outcomes": [outcome, "2,2024-02-01,lost"],
        "calls": ["1,2024-01-05"],
    }
    version = ingest(tmp_path, files)
    assert ids(version) == ids(version, "outcomes") == ["2"]
    assert rejects(version) == [
        ("calls", 2, "reference"), ("leads", 2, "outcome_refused"), ("outcomes", 2, rule),
    ]  # fmt: skip
    assert account(version, "leads") == (2, 1, 1, 0)


def test_lead_when_one_of_its_outcomes_can_be_read_and_another_not_then_it_is_refused_with_both(
    tmp_path,
):
    version = ingest(
        tmp_path,
        {"leads": [LEAD, "2,2024-01-01,"], "outcomes": ["1,2024-02-01,won", "1,2024-02-02,undone"]},
    )
    assert ids(version) == ["2"]
    assert rejects(version) == [
        ("leads", 2, "outcome_refused"), ("outcomes", 2, "reference"), ("outcomes", 3, "allowed"),
    ]  # fmt: skip


def test_lead_when_the_date_of_its_closing_stage_cannot_be_read_then_it_is_refused_since_it_would_look_open(
    tmp_path,
):
    version = ingest(
        tmp_path,
        {"leads": [LEAD, "2,2024-01-01,"], "stages": ["1,2024-01-02,new", "1,never,signed"]},
    )
    assert ids(version) == ["2"]
    assert ("leads", 2, "outcome_refused") in rejects(version)


def test_lead_when_the_date_of_an_open_stage_cannot_be_read_then_only_that_row_is_refused(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD], "stages": ["1,never,new"], "calls": ["1,soon"]})
    assert ids(version) == ["1"]
    assert rejects(version) == [("calls", 2, "type"), ("stages", 2, "type")]


def test_lead_when_it_has_no_creation_date_then_it_is_stored_just_before_known_until_warned_and_counted(
    tmp_path,
):
    leads = ["1,,5", "2,2024-01-01,", "3, ,6", "3, ,6"]
    version = ingest(tmp_path, {"leads": leads, "calls": ["1,2024-01-05"]})
    just_before = parse_moment("2024-03-01", zone="UTC") - 1
    assert rows(version, "leads", "lead_id", "event_us", "available_us") == [
        ("1", just_before, just_before),
        ("2", *[parse_moment("2024-01-02", zone="UTC") - 1] * 2),
        ("3", just_before, just_before),
    ]
    warnings = [text for text in version.manifest["warnings"] if "creation date" in text]
    assert len(warnings) == 1
    assert warnings[0].startswith("2 leads")  # the repeated row is one lead


def test_lead_when_it_has_no_creation_date_but_is_known_since_then_it_is_stored_just_before_known_until_all_the_same(
    tmp_path,
):
    version = ingest(
        tmp_path, {"leads": ["1,,2024-01-05", "2,2024-01-01,"]}, mapping=[
            {"source": "leads", "table": "leads", "columns": COLUMNS | {"available_at": "amount"}}
        ],
    )  # fmt: skip
    just_before = parse_moment("2024-03-01", zone="UTC") - 1
    assert rows(version, "leads", "event_us", "available_us")[0] == (just_before, just_before)
    assert version.first_us == parse_moment("2024-01-02", zone="UTC") - 1


def test_lead_when_none_has_a_creation_date_then_there_is_no_past(tmp_path):
    version = ingest(tmp_path, {"leads": ["1,,5"]})
    assert version.first_us == version.known_until_us


@pytest.mark.parametrize(
    ("created", "closes", "value"),
    [
        ("2024-01-01", ["2023-12-01"], "created 2024-01-01, closed 2023-12-01"),
        ("2024-01-01", ["2024-02-01", "2023-12-24"], "created 2024-01-01, closed 2023-12-24"),
        (
            "2024-01-01 15:00:00",
            ["2024-01-01 10:30:00"],
            "created 2024-01-01T15:00:00Z, closed 2024-01-01T10:30:00Z",
        ),
    ],
)
def test_lead_when_it_closed_before_it_was_created_then_the_reject_shows_both_dates(
    tmp_path, created, closes, value
):
    outcomes = [f"1,{closed},lost" for closed in closes] + ["2,2024-02-01,won"]
    version = ingest(tmp_path, {"leads": [f"1,{created},", "2,2024-01-01,"], "outcomes": outcomes})
    found = rows(version, "rejects", "rule", "column", "value", "lead_id")
    assert [each for each in found if each[0] != "reference"] == [
        ("closed_before_created", "event_at", value, "1")
    ]


def test_stage_when_its_name_has_an_apostrophe_then_it_closes_all_the_same(tmp_path):
    stages = {"open": ["new"], "won": ["it's won"], "lost": ["lost"]}
    files = {"leads": [LEAD, "2,2024-01-01,"], "stages": ["1,2023-12-01,it's won"]}
    version = ingest(tmp_path, files, stages=stages)
    assert rejects(version) == [("leads", 2, "closed_before_created"), ("stages", 2, "reference")]
