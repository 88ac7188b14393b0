"""When closes count whose date is missing, planned, or of the same day, over one export and over several."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import UserError
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import format_us, parse_moment

UNTIL = "2024-06-01T06:00:00Z"
SEEN = "2024-06-01T05:59:59.999999Z"
NEXT = "2024-07-01T06:00:00Z"
NEXT_SEEN = "2024-07-01T05:59:59.999999Z"
CREATED = "2024-03-01T09:00:00Z"
MAPPING = [
    {"source": "deals", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}},
    {
        "source": "deals",
        "table": "outcomes",
        "columns": {"lead_id": "id", "event_at": "closed"},
        "where": {"status": ["won", "lost"]},
        "values": {"status": {"won": {"outcome": "won"}, "lost": {"outcome": "lost"}}},
    },
]
STAGES = {
    "source": "stages",
    "table": "stages",
    "columns": {"lead_id": "id", "event_at": "at", "stage": "stage"},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at"},
    "constants": {"kind": "meeting"},
}


def write(folder: Path, until: str, **files: Any) -> Settings:
    """An export of deals (id,status,closed), of stages (id,at,stage) and calls (id,at), and its settings."""
    settings = files.pop("settings", {})
    folder.mkdir(exist_ok=True)
    deals = [
        f"{row.split(',')[0]},{CREATED},{row.split(',', 1)[1]}" for row in files.get("deals", [])
    ]
    (folder / "deals.csv").write_text("\n".join(["id,created,status,closed", *deals, ""]))
    mapping, sources = [*MAPPING], {"deals": {"path": "deals.csv"}}
    for name, header, entry in (("stages", "id,at,stage", STAGES), ("calls", "id,at", CALLS)):
        if name in files:
            (folder / f"{name}.csv").write_text("\n".join([header, *files[name], ""]))
            mapping.append(entry)
            sources[name] = {"path": f"{name}.csv"}
    plain = {"mapping": mapping, "sources": sources, "known_until": until} | settings
    return make_settings(input_folder=folder, data_folder=folder / "data", **plain)


def ingest(folder: Path, until: str = UNTIL, **files: Any) -> tuple[Settings, dict[str, Any]]:
    settings = write(folder, until, **files)
    return settings, jobs.ingest(settings, accept=["half_delivered", "empty", "same_files"])


def open_now(settings: Settings) -> History:
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return open_history(settings, version, DuckDBEngine(settings.engine))


def closes(settings: Settings, *columns: str) -> list[tuple[Any, ...]]:
    version = read_current(settings.project_folder() / "store", project=settings.project)
    rows = pa.concat_tables([pq.read_table(file) for file in version.files("closes")]).to_pylist()
    named = [
        {name: format_us(row[name]) if name.endswith("_us") else row[name] for name in columns}
        for row in rows
    ]
    return sorted(tuple(row.values()) for row in named)


def spells(settings: Settings, until: str = UNTIL) -> list[tuple[str, str, str, bool]]:
    history = open_now(settings)
    rows = history.spells(parse_moment(until, zone="UTC")).itertuples()
    return [
        (r.lead_id, format_us(r.earliest_us), format_us(r.close_us), r.won)
        for r in rows
        if r.close_us < 2**61
    ]


CASES = {
    # status, close date -> from, to
    "a past moment": ("lost,2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"),
    "a past date": (
        "lost,2024-05-01",
        "2024-05-01T23:59:59.999999Z",
        "2024-05-01T23:59:59.999999Z",
    ),
    "next month's date": ("lost,2024-07-15", CREATED, SEEN),
    "a moment to come": ("won,2024-06-01T06:00:00Z", CREATED, SEEN),
    "today's date without a time": ("lost,2024-06-01", "2024-06-01T00:00:00Z", SEEN),
    "tomorrow's date": ("lost,2024-06-02", CREATED, SEEN),
    "no date": ("won,", CREATED, SEEN),
}


@pytest.mark.cases(3)
@pytest.mark.parametrize(("row", "earliest", "latest"), CASES.values(), ids=CASES)
def test_lead_when_its_row_says_closed_then_is_never_open_whatever_its_close_date(
    tmp_path, row, earliest, latest
):
    settings, _ = ingest(tmp_path, deals=[f"1,{row}", "2,open,2024-07-15"])
    assert spells(settings) == [("1", earliest, latest, row.startswith("won"))]
    assert open_now(settings).open_list(parse_moment(UNTIL, zone="UTC"))["lead_id"].tolist() == [
        "2"
    ]


@pytest.mark.cases(3)
@pytest.mark.parametrize(("row", "earliest", "latest"), CASES.values(), ids=CASES)
def test_lead_when_it_entered_a_closing_stage_then_is_never_open_whatever_the_date(
    tmp_path, row, earliest, latest
):
    status, closed = row.split(",")
    stage = {"won": "signed", "lost": "rejected"}[status]
    settings, _ = ingest(
        tmp_path, deals=["1,open,", "2,open,"], stages=[f"1,{closed},{stage}", "2,2024-03-02,new"]
    )
    assert spells(settings) == [("1", earliest, latest, status == "won")]
    assert open_now(settings).open_list(parse_moment(UNTIL, zone="UTC"))["lead_id"].tolist() == [
        "2"
    ]


def test_open_stage_when_it_has_no_date_then_is_refused_as_before(tmp_path):
    settings = {"validation": {"max_refused": 1.0}}
    _, told = ingest(tmp_path, deals=["1,open,"], stages=["1,,new"], settings=settings)
    assert told.rejects == {"required": 1}


def test_ingest_when_closes_have_no_usable_date_then_counts_them_by_kind_and_by_rule(tmp_path):
    rows = ["1,lost,2024-07-15", "2,won,", "3,lost,2024-06-01", "4,lost,2024-05-01", "5,lost,"]
    _, told = ingest(tmp_path, deals=rows)
    assert told.warned == {"close_date": 4}
    assert told.warnings == [
        "2 closed leads have a close date after the export: taken as closed by then",
        "2 closed leads have no close date: taken as closed by the first export that shows it",
    ]


@pytest.mark.parametrize("severity", ["warn", "refuse"])
def test_close_date_when_it_cannot_be_read_then_is_missing_only_where_the_settings_warn(
    tmp_path, severity
):
    validation = {"severity": {"type": severity}, "max_refused": 1.0}
    settings, told = ingest(
        tmp_path, deals=["1,lost,soon", "2,open,"], settings={"validation": validation}
    )
    warned = [("1", CREATED, SEEN, False)]
    assert spells(settings) == (warned if severity == "warn" else [])
    assert told.rejects == ({} if severity == "warn" else {"outcome_refused": 1, "type": 1})


def test_close_when_a_later_export_shows_it_again_then_stays_where_the_first_put_it(tmp_path):
    ingest(tmp_path, deals=["1,lost,2024-07-15", "2,won,", "3,open,"])
    rows = ["1,lost,2024-07-20", "2,won,2024-06-20", "3,lost,"]
    settings, _ = ingest(tmp_path, NEXT, deals=rows)
    assert spells(settings, NEXT) == [
        ("1", CREATED, SEEN, False),
        ("2", CREATED, SEEN, True),
        ("3", UNTIL, NEXT_SEEN, False),  # the first export still showed it open
    ]


def test_close_when_its_date_comes_later_and_is_usable_then_narrows_what_was_unknown(tmp_path):
    ingest(tmp_path, deals=["1,lost,"])
    settings, _ = ingest(tmp_path, NEXT, deals=["1,lost,2024-05-20T08:00:00Z"])
    assert spells(settings, NEXT) == [("1", "2024-05-20T08:00:00Z", "2024-05-20T08:00:00Z", False)]
    assert spells(settings, UNTIL) == [("1", CREATED, SEEN, False)]  # nobody knew the date then


BEFORE_IT_WAS_SHOWN = "2024-05-10T08:00:00Z"


def test_close_when_it_is_dated_before_an_export_that_showed_the_lead_open_then_counts_from_that_export(
    tmp_path,
):
    ingest(tmp_path, deals=["1,open,", "2,open,", "3,lost,2024-05-01T08:00:00Z"])
    ingest(tmp_path, "2024-06-10T06:00:00Z", deals=["1,open,", "3,lost,2024-05-01T08:00:00Z"])
    rows = [
        f"1,lost,{BEFORE_IT_WAS_SHOWN}",
        f"2,won,{BEFORE_IT_WAS_SHOWN}",
        f"4,won,{BEFORE_IT_WAS_SHOWN}",
    ]
    settings, told = ingest(tmp_path, NEXT, deals=rows)
    assert spells(settings, NEXT) == [
        ("1", "2024-06-10T06:00:00Z", "2024-06-10T06:00:00Z", False),
        ("2", UNTIL, UNTIL, True),  # the export between does not have it
        ("3", "2024-05-01T08:00:00Z", "2024-05-01T08:00:00Z", False),  # its past stays
        ("4", BEFORE_IT_WAS_SHOWN, BEFORE_IT_WAS_SHOWN, True),  # no export showed it open
    ]
    warning = "2 closes are dated before an export that still showed the lead open: counted from the time of that export"
    assert warning in told.warnings


def test_close_when_the_lead_was_in_an_open_stage_after_its_stated_date_then_is_closed_all_the_same(
    tmp_path,
):
    stages = ["1,2024-05-20T08:00:00Z,new"]
    ingest(tmp_path, deals=["1,open,"], stages=stages)
    settings, _ = ingest(tmp_path, NEXT, deals=[f"1,lost,{BEFORE_IT_WAS_SHOWN}"], stages=stages)
    assert spells(settings, NEXT) == [("1", UNTIL, UNTIL, False)]
    assert open_now(settings).open_list(parse_moment(NEXT, zone="UTC")).empty


def test_close_when_the_lead_was_reopened_and_closed_again_between_exports_then_is_closed(tmp_path):
    first = "2024-05-20T08:00:00Z"
    ingest(tmp_path, deals=[f"1,lost,{first}"], stages=["1,2024-04-01T08:00:00Z,new"])
    again = ["1,2024-04-01T08:00:00Z,new", "1,2024-06-05T08:00:00Z,new"]
    settings, _ = ingest(tmp_path, NEXT, deals=["1,lost,2024-06-20T08:00:00Z"], stages=again)
    assert spells(settings, NEXT) == [
        ("1", first, first, False),
        ("1", "2024-06-20T08:00:00Z", "2024-06-20T08:00:00Z", False),
    ]


@pytest.mark.parametrize("is_new_export", [False, True])
def test_close_when_only_now_the_settings_read_its_status_as_one_then_its_date_counts(
    tmp_path, is_new_export
):
    rows = [f"1,lost,{BEFORE_IT_WAS_SHOWN}", f"2,won,{BEFORE_IT_WAS_SHOWN}", "3,open,"]
    only_won = MAPPING[1] | {
        "where": {"status": ["won"]},
        "values": {"status": {"won": {"outcome": "won"}}},
    }
    sources = {"deals": {"path": "deals.csv", "ignore": {}}}
    ingest(tmp_path, deals=rows, settings={"mapping": [MAPPING[0], only_won], "sources": sources})
    until = NEXT if is_new_export else UNTIL
    settings, told = ingest(tmp_path, until, deals=rows)
    assert spells(settings, until) == [
        ("1", BEFORE_IT_WAS_SHOWN, BEFORE_IT_WAS_SHOWN, False),
        ("2", BEFORE_IT_WAS_SHOWN, BEFORE_IT_WAS_SHOWN, True),
    ]
    assert not any("still showed the lead open" in line for line in told.warnings)


def test_close_when_another_takes_its_place_then_both_are_remembered_and_the_last_in_time_counts(
    tmp_path,
):
    ingest(tmp_path, deals=["1,won,2024-05-30T08:00:00Z"])
    soon = "2024-06-03T06:00:00Z"
    settings, _ = ingest(tmp_path, soon, deals=["1,lost,2024-05-30T08:00:00Z"])
    assert closes(settings, "status", "state", "available_us") == [
        ("lost", "shown", "2024-06-01T06:00:00Z"),  # the first export still showed the win
        ("won", "replaced", "2024-05-30T08:00:00Z"),
    ]
    close = "2024-05-30T08:00:00Z"
    assert spells(settings, soon) == [("1", close, close, False)]
    assert spells(settings, UNTIL) == [("1", close, close, True)]  # as it was known then


def test_close_when_the_settings_translate_its_source_otherwise_then_is_the_same_close_read_anew(
    tmp_path,
):
    ingest(tmp_path, deals=["1,won,", "2,lost,"])
    values = {"status": {"won": {"outcome": "lost"}, "lost": {"outcome": "won"}}}
    mapping = [MAPPING[0], MAPPING[1] | {"values": values}]
    settings, _ = ingest(tmp_path, NEXT, deals=["1,won,", "2,lost,"], settings={"mapping": mapping})
    assert spells(settings, NEXT) == [("1", CREATED, SEEN, False), ("2", CREATED, SEEN, True)]
    assert closes(settings, "state") == [("shown",), ("shown",)]


def test_close_when_the_export_shows_the_lead_open_again_then_is_gone_and_remembered(tmp_path):
    ingest(tmp_path, deals=["1,lost,2024-05-01", "2,open,"])
    settings, _ = ingest(tmp_path, NEXT, deals=["1,open,2024-09-01", "2,open,"])
    assert closes(settings, "lead_id", "state", "gone_us") == [("1", "gone", NEXT_SEEN)]


def test_close_when_its_lead_is_missing_from_an_export_then_is_remembered_for_when_it_is_back(
    tmp_path,
):
    ingest(tmp_path, deals=["1,lost,", "2,open,"])
    ingest(tmp_path, "2024-06-10T06:00:00Z", deals=["2,open,"])
    settings, _ = ingest(tmp_path, NEXT, deals=["1,lost,2024-06-20", "2,open,"])
    assert spells(settings, NEXT) == [("1", CREATED, SEEN, False)]


def test_memory_when_rolled_back_then_only_what_ancestors_saw_counts(tmp_path):
    settings, first = ingest(tmp_path, deals=["1,open,", "2,open,"])
    ingest(tmp_path, "2024-06-10T06:00:00Z", deals=["1,lost,", "2,open,"])
    jobs.rollback_store(settings, first.store_version)
    settings, _ = ingest(tmp_path, NEXT, deals=["1,lost,", "2,open,"])
    assert spells(settings, NEXT) == [("1", UNTIL, NEXT_SEEN, False)]


SUBSTITUTES = {
    "last_activity": ("2024-05-10T10:00:00Z", ("1", "2")),
    "last_stage": ("2024-04-20T10:00:00Z", ("1", "2")),
}


@pytest.mark.parametrize(("chosen", "told"), SUBSTITUTES.items(), ids=SUBSTITUTES)
def test_undated_close_when_a_substitute_is_stated_then_takes_its_time(tmp_path, chosen, told):
    moment, _ = told
    settings, said = ingest(
        tmp_path,
        deals=["1,lost,", "2,lost,2024-08-01", "3,won,2024-05-01T00:00:00Z", "4,lost,"],
        calls=[
            f"{i},{at}"
            for i in (1, 2, 3)
            for at in ("2024-05-10T10:00:00Z", "2024-06-20", "2024-04-02")
        ],
        stages=[f"{i},2024-04-20T10:00:00Z,new" for i in (1, 2, 3)],
        settings={"target": {"undated_close": chosen}},
    )
    assert spells(settings) == [
        ("1", moment, moment, False),
        ("2", moment, moment, False),
        ("3", "2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z", True),
        ("4", CREATED, SEEN, False),  # nothing of the kind is known of it
    ]
    words = chosen.replace("_", " ")
    assert f"2 of the closes without a usable date take the time of the {words}" in said.warnings


def test_undated_close_when_the_substitute_changes_then_the_next_ingest_obeys(tmp_path):
    files = {
        "deals": ["1,lost,"],
        "calls": ["1,2024-05-10T10:00:00Z"],
        "stages": ["1,2024-04-20T10:00:00Z,new"],
    }
    found = []
    for chosen in ("last_activity", "last_stage", None):
        settings, _ = ingest(tmp_path, **files, settings={"target": {"undated_close": chosen}})
        found.append(spells(settings)[0][1:3])
    assert found == [("2024-05-10T10:00:00Z",) * 2, ("2024-04-20T10:00:00Z",) * 2, (CREATED, SEEN)]


def test_ingest_when_closes_contradict_each_other_then_counts_slips_reversals_and_differing_tables(
    tmp_path,
):
    deals = [
        "1,lost,2024-05-01T09:04:00Z",
        "2,won,2024-05-01T09:00:00Z",
        "3,open,",
        "4,lost,2024-05-02T00:00:00Z",
    ]
    at = "2024-05-01T09:00:00Z"
    stages = [
        f"1,{at},signed", "1,2024-05-01T09:04:00Z,rejected",  # a slip, put right
        f"2,{at},rejected",  # contradicts its outcome row
        f"3,{at},signed", "3,2024-05-20T09:00:00Z,rejected",  # too late to be a correction
        f"4,{at},signed", "4,2024-05-01T12:00:00Z,new",  # re-opened between
    ]  # fmt: skip
    settings, told = ingest(tmp_path, deals=deals, stages=stages)
    assert told.warnings == [
        "2 leads have an outcome and a last closing stage that contradict each other: the later one counts",
        "2 leads were closed as won and as lost within 7 days: the last close known counts",
        "1 lead was closed with the other outcome more than 7 days after the first close: the first counts",
    ]
    assert [(lead_id, won) for lead_id, _, _, won in spells(settings)] == [
        ("1", False), ("2", True), ("3", True), ("4", True), ("4", False),
    ]  # fmt: skip


def test_training_side_when_closes_have_no_usable_date_then_leaves_out_what_hangs_on_it_and_refuses_too_many(
    tmp_path,
):
    rows = [f"{i},{'won' if i % 2 else 'lost'},2024-05-01T10:00:00Z" for i in range(40)]
    settings, _ = ingest(tmp_path, deals=[*rows, "40,lost,2024-07-01"])
    history = open_now(settings)
    side = history.earlier_side(parse_moment(UNTIL, zone="UTC"))
    assert side.unusable == {"won": 0, "lost": side.unusable["lost"]}
    assert side.unusable["lost"] > 0
    assert "40" not in set(side.rows["lead_id"])
    settings, _ = ingest(tmp_path / "other", deals=[*rows, *(f"{i},lost," for i in range(40, 50))])
    with pytest.raises(UserError, match=r'target\.undated_close = "last_activity"'):
        open_now(settings).earlier_side(parse_moment(UNTIL, zone="UTC")).check(
            tables=["activities"]
        )
