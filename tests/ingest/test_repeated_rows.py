"""Rows that come again: duplicates, contradictions, and events that may well be two."""

import pytest

from builders import make_settings
from ingest.small_tables import (
    CALLS,
    IGNORED,
    LEAD,
    LEADS,
    LOG,
    STAGES,
    account,
    current,
    ids,
    ingest,
    rejects,
)
from leadscore import project as jobs


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


def test_facts_when_rows_differ_only_in_a_column_that_selects_them_then_they_are_two(tmp_path):
    entry = STAGES | {
        "columns": LOG,
        "constants": {"stage": "new"},
        "where": {"what": ["in", "out"]},
    }
    log = ["1,2024-01-02,in", "1,2024-01-02,out", "1,2024-01-02,in"]
    version = ingest(tmp_path, {"leads": [LEAD], "stages": log}, mapping=[LEADS, entry])
    assert account(version, "stages") == (3, 2, 0, 1)


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
