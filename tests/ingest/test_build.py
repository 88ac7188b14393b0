import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.ingest.readers import batch
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import format_us, parse_moment

COLUMNS = {"lead_id": "id", "event_at": "created"}
LEADS = {"source": "leads", "table": "leads", "columns": COLUMNS | {"amount": "amount"}}
LOG = {"lead_id": "id", "event_at": "t"}
OUTCOMES = {"source": "outcomes", "table": "outcomes", "columns": LOG | {"outcome": "what"}}
STAGES = {"source": "stages", "table": "stages", "columns": LOG | {"stage": "what"}}
CALLS = {"source": "calls", "table": "activities", "columns": LOG, "constants": {"kind": "meeting"}}
ENTRIES = {"leads": LEADS, "outcomes": OUTCOMES, "stages": STAGES, "calls": CALLS}
HEADERS = {
    "leads": "id,created,amount",
    "outcomes": "id,t,what",
    "stages": "id,t,what",
    "calls": "id,t",
}
LEAD = "1,2024-01-01,5"


def make(folder: Path, files: dict[str, list[str]], **changes: Any) -> Settings:
    """Settings that read one CSV a table, written from its rows under the usual header."""
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows, ""]), encoding="utf-8")
    used = {
        "sources": {name: {"path": f"{name}.csv"} for name in files},
        "mapping": [ENTRIES[name] for name in files],
        "known_until": "2024-03-01",
    }
    return make_settings(input_folder=folder, data_folder=folder / "data", **(used | changes))


def ingest(folder: Path, files: dict[str, list[str]], **changes: Any) -> StoreVersion:
    settings = make(folder, files, **changes)
    known_until_us = settings.known_until_us()
    jobs.ingest(settings, known_until_us=known_until_us, accept=["same_files"])
    return current(folder)


def store(folder: Path) -> Path:
    return folder / "data" / "built" / "store"


def current(folder: Path) -> StoreVersion:
    return read_current(store(folder), project="built")


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


def ids(version: StoreVersion, table: str = "leads") -> list[str]:
    return [lead_id for (lead_id,) in rows(version, table, "lead_id")]


def rejects(version: StoreVersion) -> list[tuple]:
    """(source, line, rule) of every reject."""
    return rows(version, "rejects", "source", "line", "rule")


def account(version: StoreVersion, table: str) -> tuple[int, ...]:
    """(selected, stored, rejected, duplicates) of a table."""
    found = version.manifest["accounts"]["tables"][table]
    return tuple(found[key] for key in ("selected", "stored", "rejected", "duplicates"))


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("leads", "stored", "refused", "accounts"),
    [
        ([LEAD], ["1"], [], (1, 1, 0, 0)),
        ([LEAD, LEAD], ["1"], [], (2, 1, 0, 1)),
        ([LEAD, LEAD, LEAD, "2,2024-01-01,"], ["1", "2"], [], (4, 2, 0, 2)),
        (["2,2024-01-01,", LEAD, "1,2024-01-01,6"], ["2"], [3, 4], (3, 1, 2, 0)),
        (["2,2024-01-01,", LEAD, "1,2024-01-02,5"], ["2"], [3, 4], (3, 1, 2, 0)),
        (
            ["2,2024-01-01,", LEAD, "1,2024-01-01,6", "1,2024-01-01,7"],
            ["2"],
            [3, 4, 5],
            (4, 1, 3, 0),
        ),
        (["2,2024-01-01,", LEAD, LEAD, "1,2024-01-01,6"], ["2"], [3, 5], (4, 1, 2, 1)),
        (["2,2024-01-01,", LEAD, "1,,5"], ["2"], [3, 4], (3, 1, 2, 0)),
        (
            ["2,2024-01-01,", LEAD, "1,2024-01-01,5.0"],
            ["1", "2"],
            [],
            (3, 2, 0, 1),
        ),  # one number, one lead
        (
            [" 1 ,2024-01-01,5", LEAD],
            ["1"],
            [],
            (2, 1, 0, 1),
        ),  # blanks around a value are none of it
        (["01,2024-01-01,5", LEAD], ["01", "1"], [], (2, 2, 0, 0)),
    ],
)
def test_leads_when_an_id_comes_again_then_equal_rows_are_duplicates_and_different_ones_are_all_refused(
    tmp_path, leads, stored, refused, accounts
):
    version = ingest(tmp_path, {"leads": leads})
    assert ids(version) == stored
    assert rejects(version) == [("leads", line, "unique") for line in refused]
    assert account(version, "leads") == accounts


def test_leads_when_one_of_two_different_rows_cannot_be_read_then_the_other_is_not_taken_for_the_truth(
    tmp_path,
):
    version = ingest(tmp_path, {"leads": ["2,2024-01-01,", LEAD, "1,2024-01-01,five"]})
    assert ids(version) == ["2"]
    assert rejects(version) == [("leads", 3, "unique"), ("leads", 4, "type")]


def test_leads_when_two_sources_tell_different_things_then_both_rows_and_their_facts_are_refused(
    tmp_path,
):
    (tmp_path / "more.csv").write_text("id,created,amount\n1,2024-01-09,5\n3,2024-01-01,\n")
    version = ingest(
        tmp_path,
        {"leads": [LEAD], "calls": ["1,2024-01-02", "3,2024-01-02"]},
        sources={name: {"path": f"{name}.csv"} for name in ("leads", "calls", "more")},
        mapping=[LEADS, CALLS, LEADS | {"source": "more"}],
    )
    assert (ids(version), ids(version, "activities")) == (["3"], ["3"])
    assert rejects(version) == [
        ("calls", 2, "reference"),
        ("leads", 2, "unique"),
        ("more", 2, "unique"),
    ]


def test_leads_when_a_line_holds_two_of_them_then_both_are_stored(tmp_path):
    (tmp_path / "pairs.csv").write_text(
        "a,b,created\n1,2,2024-01-01\n3,3,2024-01-01\n4,,2024-01-01\n"
    )
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        sources={"pairs": {"path": "pairs.csv"}},
        mapping=[
            {
                "source": "pairs",
                "table": "leads",
                "columns": {"lead_id": "a", "event_at": "created"},
            },
            {
                "source": "pairs",
                "table": "leads",
                "columns": {"lead_id": "b", "event_at": "created"},
            },
        ],
    )
    jobs.ingest(settings)
    version = current(tmp_path)
    assert ids(version) == ["1", "2", "3", "4"]
    assert rejects(version) == [("pairs", 4, "required")]
    assert account(version, "leads") == (6, 4, 1, 1)


def test_leads_when_a_line_tells_two_things_of_one_then_both_are_refused(tmp_path):
    version = ingest(
        tmp_path,
        {"leads": ["1,2024-01-01,2024-01-09", "2,2024-01-01,2024-01-01"]},
        mapping=[
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created"},
            },
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "amount"},
            },
        ],
    )
    assert ids(version) == ["2"]
    assert rejects(version) == [("leads", 2, "unique")] * 2
    assert account(version, "leads") == (4, 1, 2, 1)


@pytest.mark.parametrize(
    ("calls", "accounts", "repeated"),
    [
        (["1,2024-01-02", "1,2024-01-02"], (2, 2, 0, 0), 1),  # two calls on one day
        (["1,2024-01-02"] * 3 + ["1,2024-01-03"], (4, 4, 0, 0), 2),
        (["1,2024-01-02T10:00:00", "1,2024-01-02T10:00:00"], (2, 2, 0, 0), 1),
        (["1,2024-01-02", "1,2024-01-03"], (2, 2, 0, 0), 0),
        (
            ["1,2024-01-02", "9,2024-01-02", "9,2024-01-02"],
            (3, 1, 2, 0),
            0,
        ),  # only rows that stay count
        (["9,2024-01-02"] * 3 + ["1,2024-01-02"] * 3, (6, 3, 3, 0), 2),
    ],
)
def test_activities_when_rows_without_an_id_are_equal_then_all_stay_and_the_number_is_reported(
    tmp_path, calls, accounts, repeated
):
    version = ingest(tmp_path, {"leads": [LEAD], "calls": calls})
    assert account(version, "activities") == accounts
    warnings = [text for text in version.manifest["warnings"] if "map activity_id" in text]
    assert [text.split()[0] for text in warnings] == ([str(repeated)] if repeated else [])


@pytest.mark.parametrize(
    ("calls", "accounts", "warned"),
    [
        (["1,2024-01-02,a", "1,2024-01-02,b"], (2, 2, 0, 0), []),
        (["1,2024-01-02,a", "1,2024-01-02,a"], (2, 1, 0, 1), []),
        (["1,2024-01-02,a", "1,2024-01-03,a"], (2, 2, 0, 0), ["1 activity shares its activity_id"]),
        (["1,2024-01-02,a", "2,2024-01-02,a"], (2, 2, 0, 0), []),  # one meeting with two leads
        (["1,2024-01-02,", "1,2024-01-02,"], (2, 2, 0, 0), ["1 row of activities equals"]),
    ],
)
def test_activities_when_they_have_ids_then_these_say_which_rows_are_the_same(
    tmp_path, calls, accounts, warned
):
    (tmp_path / "ids.csv").write_text("\n".join(["id,t,call", *calls, ""]))
    entry = CALLS | {"source": "ids", "columns": LOG | {"activity_id": "call"}}
    sources = {name: {"path": f"{name}.csv"} for name in ("leads", "ids")}
    files = {"leads": [LEAD, "2,2024-01-01,"]}
    version = ingest(tmp_path, files, sources=sources, mapping=[LEADS, entry])
    assert account(version, "activities") == accounts
    assert [
        text[: len(start)] for text, start in zip(version.manifest["warnings"], warned, strict=True)
    ] == warned


def test_activities_when_two_entries_select_one_line_then_it_counts_once(tmp_path):
    files = {"leads": [LEAD], "calls": ["1,2024-01-02", "1,2024-01-02"]}
    version = ingest(tmp_path, files, mapping=[LEADS, CALLS, CALLS])
    assert account(version, "activities") == (4, 2, 0, 2)


@pytest.mark.parametrize("name", ["outcomes", "stages"])
def test_closes_when_rows_are_equal_then_they_count_once(tmp_path, name):
    how = {"outcomes": "won", "stages": "new"}[name]
    version = ingest(tmp_path, {"leads": [LEAD], name: [f"1,2024-01-02,{how}"] * 2})
    assert account(version, name) == (2, 1, 0, 1)


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


def test_facts_when_no_lead_has_their_id_then_they_are_refused_by_reference(tmp_path):
    version = ingest(
        tmp_path,
        {
            "leads": [LEAD],
            "calls": ["1,2024-01-02", "01,2024-01-02", "one,2024-01-02"],
            "outcomes": ["x,2024-01-02,won"],
        },
    )
    assert rejects(version) == [
        ("calls", 3, "reference"),
        ("calls", 4, "reference"),
        ("outcomes", 2, "reference"),
    ]
    assert rows(version, "rejects", "table", "column", "value", "lead_id")[0] == (
        "activities",
        "lead_id",
        "01",
        "01",
    )
    assert version.manifest["rejects"]["rules"] == {"reference": 3}


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


def test_known_until_when_the_settings_state_it_then_it_is_that_moment_without_a_warning(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD]}, known_until="2024-03-01T12:30:00+01:00")
    assert version.manifest["known_until"] == "2024-03-01T11:30:00Z"
    assert version.known_until_us == parse_moment("2024-03-01T11:30:00Z", zone="UTC")
    assert version.manifest["warnings"] == []


def test_first_moment_when_leads_are_stored_then_it_is_when_the_first_of_them_was_known(tmp_path):
    leads = ["1,2024-01-05,", "2,2024-01-03T10:00:00,", "3,,", "4,2024-02-01,"]
    version = ingest(tmp_path, {"leads": leads, "calls": ["1,2023-01-01"]})
    assert format_us(version.first_us) == "2024-01-03T10:00:00Z"


def test_first_moment_when_refused_leads_lie_before_then_they_do_not_count(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD, "2,1950-01-01,", "2,1950-01-02,"]})
    assert ids(version) == ["1"]
    assert format_us(version.first_us) == "2024-01-01T23:59:59.999999Z"


def test_facts_when_they_lie_at_or_after_known_until_then_they_are_stored_and_warned_by_table(
    tmp_path,
):
    calls = ["1,2024-02-29", "1,2024-03-01T00:00:00", "1,2024-06-01", "9,2024-06-01"]
    version = ingest(tmp_path, {"leads": [LEAD, "2,2024-03-01,"], "calls": calls})
    assert account(version, "activities") == (4, 3, 1, 0)
    late = [text for text in version.manifest["warnings"] if "known_until" in text]
    assert len(late) == 2
    assert any(text.startswith("1 row of leads is dated") for text in late)
    assert any(
        text.startswith("2 rows of activities") for text in late
    )  # of those that were stored


def test_facts_when_rows_differ_only_in_a_column_that_selects_them_then_they_are_two(tmp_path):
    entry = STAGES | {
        "columns": LOG,
        "constants": {"stage": "new"},
        "where": {"what": ["in", "out"]},
    }
    log = ["1,2024-01-02,in", "1,2024-01-02,out", "1,2024-01-02,in"]
    version = ingest(tmp_path, {"leads": [LEAD], "stages": log}, mapping=[LEADS, entry])
    assert account(version, "stages") == (3, 2, 0, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_stored_bytes_when_the_rows_of_the_files_come_in_another_order_then_they_are_the_same(
    tmp_path, seed
):
    files = {
        "leads": [
            LEAD,
            LEAD,
            "2,2024-01-01,",
            "3,2024-01-05T10:00:00,7",
            "4,,",
            "5,2024-01-01,1",
            "5,2024-01-01,2",
        ],
        "stages": [
            "1,2024-01-02,new",
            "1,2024-01-02,qualified",
            "2,2024-01-02,new",
            "2,2024-01-02,new",
            "3,never,new",
        ],
        "calls": [
            "1,2024-01-02",
            "2,2024-01-02T10:00",
            "2,2024-01-02T10:00:00",
            "1,2024-01-02",
            "9,2024-01-03",
        ],
        "outcomes": [
            "1,2024-02-01,won",
            "1,2024-02-01,lost",
            "3,2024-01-04,won",
            "2,2024-02-02,lost",
        ],
    }
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = ingest(tmp_path / "a", files)
    chance = np.random.default_rng(seed)
    for lines in files.values():
        chance.shuffle(lines)
    mixed = ingest(tmp_path / "b", dict(reversed(files.items())))
    assert mixed.manifest["tables"] == plain.manifest["tables"]
    for key in ("first_us", "known_until_us", "accounts"):
        assert mixed.manifest[key] == plain.manifest[key]
    assert mixed.manifest["rejects"]["rules"] == plain.manifest["rejects"]["rules"]
    assert plain.manifest["tables"]["stages"]["rows"] == 3


@pytest.mark.parametrize("size", [1, 3])
def test_stored_bytes_when_files_are_read_in_other_batches_then_the_version_is_the_same(
    tmp_path, monkeypatch, size
):
    files = {
        "leads": [LEAD, LEAD, "2,2024-01-01,", "3,2024-01-05,7", "3,2024-01-05,8"],
        "calls": ["1,2024-01-02", "x", "9,9"],
    }
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = ingest(tmp_path / "a", files)
    monkeypatch.setattr(batch, "BATCH_ROWS", size)
    assert ingest(tmp_path / "b", files).id == plain.id


def test_ingest_when_nothing_changed_then_the_version_is_the_same_and_no_file_is_new(tmp_path):
    files = {"leads": [LEAD, "2,never,"], "calls": ["1,2024-01-02"]}
    first = ingest(tmp_path, files)
    before = everything(store(tmp_path))
    assert ingest(tmp_path, files).id == first.id
    assert everything(store(tmp_path)) == before


def test_ingest_when_the_input_changed_then_a_new_version_stands_beside_the_old_one(tmp_path):
    first = ingest(tmp_path, {"leads": [LEAD], "calls": ["1,2024-01-02"]})
    before = everything(store(tmp_path))
    second = ingest(tmp_path, {"leads": [LEAD], "calls": ["1,2024-01-02", "1,2024-01-03"]})
    assert second.id != first.id
    after = everything(store(tmp_path))
    assert {name: after[name] for name in before if name != "current.json"} == {
        name: data for name, data in before.items() if name != "current.json"
    }
    assert first.files("leads") == second.files("leads")  # what did not change is shared
    assert (
        len(rows(first, "activities", "lead_id")),
        len(rows(second, "activities", "lead_id")),
    ) == (1, 2)


def test_ingest_when_known_until_moves_then_only_the_manifest_is_new(tmp_path):
    first = ingest(tmp_path, {"leads": [LEAD]})
    second = ingest(tmp_path, {"leads": [LEAD]}, known_until="2024-04-01")
    assert first.id != second.id
    assert first.manifest["tables"] == second.manifest["tables"]


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        (
            lambda folder: (folder / "calls.csv").write_text('id,"t\n1,2024-01-02\n'),
            SourceFormatError,
        ),
        (lambda folder: (folder / "calls.csv").write_text("id,t\n"), SourceFormatError),
        (lambda folder: (folder / "calls.csv").write_text("id,when\n1,2024-01-02\n"), UserError),
        (lambda folder: (folder / "calls.csv").unlink(), UserError),
        (lambda folder: (folder / "calls.csv").write_bytes(b"id,t\n1,2024\0\n"), UserError),
        (
            lambda folder: (folder / "leads.csv").write_text("id,created,amount\n1,never,5\n"),
            UserError,
        ),
    ],
)
def test_ingest_when_it_fails_then_the_current_version_is_as_it_was(tmp_path, breaks, error):
    files = {"leads": [LEAD], "calls": ["1,2024-01-02"]}
    first = ingest(tmp_path, files)
    before = (store(tmp_path) / "current.json").read_bytes()
    settings = make(tmp_path, files)
    breaks(tmp_path)
    with pytest.raises(error):
        jobs.ingest(settings, known_until_us=settings.known_until_us())
    assert (store(tmp_path) / "current.json").read_bytes() == before
    assert current(tmp_path).manifest == first.manifest
    assert [path.name for path in (store(tmp_path) / "versions").iterdir()] == [f"{first.id}.json"]


def test_ingest_when_not_one_lead_can_be_stored_then_the_rules_that_refused_them_are_counted(
    tmp_path,
):
    with pytest.raises(
        UserError, match=r"1 by type \('created' of leads\), 2 by unique \('id' of leads\); no"
    ):
        ingest(tmp_path, {"leads": ["1,2024-01-01,5", "1,2024-01-01,6", "2,never,"]})
    assert not (store(tmp_path) / "current.json").exists()


def test_ingest_when_the_mapping_selects_no_lead_then_it_is_said(tmp_path):
    with pytest.raises(UserError, match="1 by unselected"):
        ingest(tmp_path, {"leads": [LEAD]}, mapping=[LEADS | {"where": {"id": "x"}}])
    ignoring = {"leads": {"path": "leads.csv", "ignore": {"all": {"id": "*"}}}}
    with pytest.raises(UserError, match="selected none"):
        ingest(tmp_path, {"leads": [LEAD]}, sources=ignoring)


def test_times_when_rows_are_stored_then_both_are_there_and_nothing_is_known_before_it_happens(
    tmp_path,
):
    (tmp_path / "late.csv").write_text(
        "id,t,known\n1,2024-01-02,2024-01-01\n1,2024-01-03,\n1,2024-01-04,2024-02-05\n"
    )
    version = ingest(
        tmp_path,
        {"leads": [LEAD]},
        sources={"leads": {"path": "leads.csv"}, "late": {"path": "late.csv"}},
        mapping=[LEADS, CALLS | {"source": "late", "columns": LOG | {"available_at": "known"}}],
    )
    times = rows(version, "activities", "event_us", "available_us")
    assert [(format_us(happened)[:10], format_us(known)[:10]) for happened, known in times] == [
        ("2024-01-02", "2024-01-02"), ("2024-01-03", "2024-01-03"), ("2024-01-04", "2024-02-05"),
    ]  # fmt: skip


def as_parquet(folder: Path, **columns: pa.Array) -> None:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    (folder / "leads.parquet").write_bytes(target.getvalue())


TEN = [datetime(2024, 1, 1, 10, tzinfo=UTC), None]


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("created", "amounts"),
    [
        (pa.array(TEN, pa.timestamp("us", "UTC")), pa.array([5, None], pa.int64())),
        (pa.array(TEN, pa.timestamp("ns", "Asia/Tokyo")), pa.array([5, None], pa.int16())),
        (pa.array(TEN, pa.timestamp("ms")), pa.array(["5", ""], pa.string())),
        (pa.array(["2024-01-01T10:00:00Z", None]), pa.array(["5", None]).dictionary_encode()),
        (pa.array(TEN, pa.timestamp("s")), pa.array([5.0, None], pa.float64())),
        (pa.array(TEN, pa.timestamp("s")), pa.array([5.0, float("nan")], pa.float32())),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_when_it_says_what_a_csv_says_then_the_stored_bytes_are_the_same(
    tmp_path, created, amounts
):
    for name in ("csv", "parquet"):
        (tmp_path / name).mkdir()
    plain = ingest(tmp_path / "csv", {"leads": ["1,2024-01-01T10:00:00,5", "2,,"]})
    as_parquet(tmp_path / "parquet", id=pa.array([1, 2]), created=created, amount=amounts)
    typed = ingest(
        tmp_path / "parquet", {}, sources={"leads": {"path": "leads.parquet"}}, mapping=[LEADS]
    )
    assert typed.manifest["tables"] == plain.manifest["tables"]
    assert ids(typed) == ["1", "2"]


def test_field_when_its_name_means_something_to_us_or_to_sql_then_it_is_stored_or_refused_in_words(
    tmp_path,
):
    names = [
        "source",
        "line",
        "copy",
        "order",
        "group",
        "table",
        "value",
        "rule",
        "same_id",
        "event_at",
        "seq",
        "l",
        "j",
    ]
    kept = []
    for name in names:
        try:
            make_settings(fields={name: {}})
        except ValueError as refused:
            assert f"fields.{name}: the name is taken" in str(refused)  # noqa: PT017
        else:
            kept.append(name)
    assert {"order", "group", "table", "value", "rule"} <= set(kept)
    columns = COLUMNS | dict.fromkeys(kept, "amount")
    version = ingest(
        tmp_path,
        {"leads": ["1,2024-01-01,web"]},
        fields={name: {} for name in kept},
        mapping=[LEADS | {"columns": columns}],
    )
    assert rows(version, "leads", "lead_id", *kept) == [("1", *["web"] * len(kept))]


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


def test_answers_when_no_level_lists_them_then_those_stored_are_counted_and_shown(tmp_path):
    version = ingest(
        tmp_path,
        {
            "leads": [
                LEAD,
                LEAD,
                "2,2024-01-01,yes",
                "3,2024-01-01,6",
                "3,2024-01-01,7",
                "4,2024-01-01,",
            ]
        },
        fields={"asked": {}},
        bant={"need": {"field": "asked", "levels": ["no", "yes"]}},
        mapping=[LEADS | {"columns": COLUMNS | {"asked": "amount"}}],
    )
    assert ids(version) == ["1", "2", "4"]
    (warning,) = [text for text in version.manifest["warnings"] if "bant.need" in text]
    assert warning.startswith(
        "1 answer to need is not among bant.need.levels and counts as unknown"
    )
    assert warning.endswith(": '5'")


def test_ingest_when_it_ends_then_the_job_tells_what_the_manifest_holds(tmp_path):
    settings = make(tmp_path, {"leads": [LEAD, "x", "2,never,", "3,soon,"]})
    steps = []
    told = jobs.ingest(
        settings, progress=lambda what, done, total: steps.append((what, done, total))
    )
    version = current(tmp_path)
    assert (told.project, told.store_version, told.known_until) == (
        "built",
        version.id,
        "2024-03-01T00:00:00Z",
    )
    assert told.accounts.to_dict() == version.manifest["accounts"]
    assert told.rejects == {"columns": 1, "type": 2}
    assert told.first_rejects == {
        "columns": "leads.csv, line 3",
        "type": "leads.csv, line 4, column event_at",
    }
    assert steps[0] == ("reading leads.csv", 0, 1)
    assert [what for what, _, _ in steps[1:]] == [
        f"checking {table}" for table in ("changes", "activities", "stages", "outcomes", "scores")
    ]


IGNORED = {"ignore": {"drafts": {"amount": ["draft"]}, "tests": {"amount": ["test*"]}}}


def test_facts_when_the_row_of_their_lead_was_ignored_then_they_are_ignored_under_that_name(
    tmp_path,
):
    files = {
        "leads": [LEAD, "2,2024-01-01,draft", "3,2024-01-01,test 1", "4,2024-01-01,draft", "4,2024-01-01,7",
                  "5,2024-01-01,draft", "5,never,7", ",2024-01-01,draft"],
        "calls": ["1,2024-01-02", "2,2024-01-02", "2,2024-01-02", "3,2024-01-02", "4,2024-01-02", "5,2024-01-02",
                  "6,2024-01-02"],
        "outcomes": ["2,2024-01-05,won", "1,2024-01-05,won"],
        "stages": ["3,2024-01-01,new"],
    }  # fmt: skip
    sources = {name: {"path": f"{name}.csv"} for name in files}
    version = ingest(tmp_path, files, sources=sources | {"leads": {"path": "leads.csv"} | IGNORED})
    accounts = version.manifest["accounts"]["tables"]
    ignored = {name: a["ignored_by"] for name, a in accounts.items() if a["ignored"]}
    assert ignored == {
        "activities": {"drafts": 2, "tests": 1},
        "outcomes": {"drafts": 1},
        "stages": {"tests": 1},
    }
    assert ids(version, "activities") == ["1", "4"]
    assert [(line, rule) for source, line, rule in rejects(version) if source == "calls"] == [
        (7, "reference"), (8, "reference"),  # a lead that was refused, and one that nobody knows
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "more", "repeated"),
    [
        (["2,2024-01-02"] * 60, [], 0),  # of an ignored lead
        (["2,2024-01-02"] * 60 + ["1,2024-01-02"] * 3, [], 2),
        (
            ["2,2024-01-02", "1,2024-01-02"],
            ["1,2024-01-02", "2,2024-01-02"],
            0,
        ),  # each is in both files
        (["1,2024-01-02"] * 3, ["1,2024-01-02"] * 2, 2),  # both files have two of them
        (["1,2024-01-02"] * 2, ["1,2024-01-02"] * 3 + ["2,2024-01-02"] * 9, 2),
        (
            ["1,2023-01-02"] * 2,
            ["1,2024-04-02"] * 2,
            2,
        ),  # before the creation, after the export: kept with a warning
    ],
)
def test_repeats_when_rows_do_not_stay_then_they_are_not_counted(tmp_path, calls, more, repeated):
    (tmp_path / "calls").mkdir()
    for name, lines in {"a": calls, "b": more or ["1,2024-02-02"]}.items():
        (tmp_path / "calls" / f"{name}.csv").write_text(
            "\n".join(["id,t", *lines, ""]), encoding="utf-8"
        )
    files = {"leads": [LEAD, "2,2024-01-01,draft"]}
    sources = {"leads": {"path": "leads.csv"} | IGNORED, "calls": {"path": "calls"}}
    version = ingest(tmp_path, files, sources=sources, mapping=[LEADS, CALLS])
    warnings = [text for text in version.manifest["warnings"] if "map activity_id" in text]
    assert [text.split()[0] for text in warnings] == ([str(repeated)] if repeated else [])


def test_facts_when_the_ignored_leads_are_in_a_file_that_is_not_read_again_then_they_are_ignored_all_the_same(
    tmp_path,
):
    files = {"leads": [LEAD, "2,2024-01-01,draft"], "calls": ["2,2024-01-02"]}
    sources = {"leads": {"path": "leads.csv"} | IGNORED, "calls": {"path": "calls.csv"}}
    ingest(tmp_path, files, sources=sources)
    version = ingest(tmp_path, files | {"calls": ["2,2024-01-02", "2,2024-01-03"]}, sources=sources)
    assert version.manifest["accounts"]["tables"]["activities"]["ignored_by"] == {"drafts": 2}


def test_facts_when_events_of_a_log_are_ignored_then_their_leads_are_not(tmp_path):
    (tmp_path / "log.csv").write_text(
        "id,t,what\n1,2024-01-01,lead\n2,2024-01-02,bot\n2,2024-01-02,call\n"
    )
    source = {"path": "log.csv", "ignore": {"bots": {"what": ["bot"]}}}
    entries = [
        {"source": "log", "table": "leads", "columns": LOG, "where": {"what": ["lead"]}},
        {"source": "log", "table": "activities", "columns": LOG, "constants": {"kind": "meeting"},
         "where": {"what": ["call"]}},
    ]  # fmt: skip
    version = ingest(tmp_path, {}, sources={"log": source}, mapping=entries)
    assert rejects(version) == [("log", 4, "reference")]
