"""When an export was made: what says so, in which order, and when nothing usable does."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import AlarmError, SourceFormatError, UserError
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import DAY_US, HOUR_US, parse_moment

LEADS = {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at"},
    "constants": {"kind": "meeting"},
}
JUNE_1, JUNE_2, JUNE_3 = "2024-06-01T06:00:00Z", "2024-06-02T06:00:00Z", "2024-06-03T06:00:00Z"
DAYS = [f"2024-05-{day:02}T10:00:00Z" for day in range(1, 32)]


def us(text: str) -> int:
    return parse_moment(text, zone="UTC")


def write(path: Path, header: str, rows: list[str], *, modified: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    touch(path, modified)


def touch(path: Path, modified: str) -> None:
    os.utime(path, ns=(us(modified) * 1000, us(modified) * 1000))


def deliver(
    folder: Path, *, leads: str = JUNE_1, calls: str = JUNE_1, more_calls: list[str] | None = None
) -> None:
    """A lead and a call on each day of May, in files written at two moments."""
    rows = [f"{n},{at}" for n, at in enumerate(DAYS)]
    write(folder / "in" / "leads.csv", "id,created", rows, modified=leads)
    write(folder / "in" / "calls.csv", "id,at", [*rows, *(more_calls or [])], modified=calls)


def settings_of(folder: Path, **changes: Any) -> Settings:
    plain = {
        "sources": {"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
        "mapping": [LEADS, CALLS],
        "input_folder": folder / "in",
        "data_folder": folder / "data",
    }
    return make_settings(**(plain | changes))


def ingest(settings: Settings, **more: Any) -> dict[str, Any]:
    return jobs.ingest(settings, **({"clock_us": us(JUNE_3)} | more))


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


@pytest.mark.parametrize(
    ("leads", "calls", "expected"),
    [
        (JUNE_1, JUNE_1, JUNE_1),
        (JUNE_1, JUNE_2, JUNE_1),  # a fresh file of calls does not vouch for older leads
        (JUNE_2, JUNE_1, JUNE_1),
    ],
)
def test_known_until_when_nothing_states_it_then_it_is_the_time_of_the_oldest_table(
    tmp_path, leads, calls, expected
):
    deliver(tmp_path, leads=leads, calls=calls)
    assert ingest(settings_of(tmp_path)).known_until == expected


def test_known_until_when_a_table_has_several_files_then_its_newest_counts(tmp_path):
    deliver(tmp_path, leads=JUNE_2)
    write(
        tmp_path / "in" / "calls" / "1.csv",
        "id,at",
        ["1,2024-05-02"],
        modified="2024-05-02T00:00:00Z",
    )
    write(tmp_path / "in" / "calls" / "2.csv", "id,at", ["1,2024-05-31"], modified=JUNE_1)
    settings = settings_of(
        tmp_path, sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls"}}
    )
    assert ingest(settings).known_until == JUNE_1


@pytest.mark.parametrize(
    "planned",
    [
        ["1,2024-10-15T10:00:00Z"],
        ["1,2024-06-02T10:00:00Z", "2,2024-06-09T10:00:00Z"],
        ["1,2150-01-01"],
    ],
)
def test_known_until_when_meetings_are_booked_for_later_then_it_stays_where_it_is(
    tmp_path, planned
):
    deliver(tmp_path, more_calls=planned)
    assert ingest(settings_of(tmp_path)).known_until == JUNE_1


def test_known_until_when_a_static_file_lies_beside_a_fresh_one_then_the_older_counts_and_it_is_said(
    tmp_path,
):
    deliver(tmp_path, leads="2024-05-20T06:00:00Z")
    result = ingest(settings_of(tmp_path))
    assert result.known_until == "2024-05-20T06:00:00Z"
    assert any("the files of leads" in text and "--known-until" in text for text in result.warnings)


def test_known_until_when_a_file_is_dated_past_the_clock_then_it_is_the_clocks_and_said(tmp_path):
    deliver(tmp_path, leads="2031-01-01T00:00:00Z", calls="2031-01-01T00:00:00Z")
    result = ingest(settings_of(tmp_path))
    assert result.known_until == JUNE_3
    assert any("past the clock" in text for text in result.warnings)


@pytest.mark.parametrize("planned", [[], ["1,2024-10-15T10:00:00Z"], ["1,2025-02-27T10:00:00Z"]])
def test_ingest_when_files_were_copied_long_after_the_export_then_it_stops_and_proposes_the_line(
    tmp_path, planned
):
    copied = "2025-03-01T12:00:00Z"
    deliver(tmp_path, leads=copied, calls=copied, more_calls=planned)
    with pytest.raises(UserError, match="known_until = 2024-05-31T10:00:01Z") as raised:
        ingest(settings_of(tmp_path), clock_us=us(copied))
    assert "run `leadscore ingest --known-until 2025-03-01T12:00:00Z`" in str(raised.value)
    proposed = settings_of(tmp_path, known_until="2024-05-31T10:00:01Z")
    assert ingest(proposed, clock_us=us(copied)).known_until == "2024-05-31T10:00:01Z"


def test_ingest_when_a_feed_has_rare_facts_then_its_usual_gaps_are_allowed(tmp_path):
    monthly = [f"{n},2023-{n:02}-15T10:00:00Z" for n in range(1, 13)]
    for name, header in (("leads", "id,created"), ("calls", "id,at")):
        write(tmp_path / "in" / f"{name}.csv", header, monthly, modified="2024-01-20T00:00:00Z")
    assert ingest(settings_of(tmp_path)).known_until == "2024-01-20T00:00:00Z"


def test_known_until_when_files_are_only_touched_or_renamed_then_nothing_moves(tmp_path):
    deliver(tmp_path)
    first = ingest(settings_of(tmp_path))
    touch(tmp_path / "in" / "leads.csv", JUNE_2)
    shutil.move(tmp_path / "in" / "calls.csv", tmp_path / "in" / "phone.csv")
    touch(tmp_path / "in" / "phone.csv", JUNE_2)
    renamed = settings_of(
        tmp_path, sources={"leads": {"path": "leads.csv"}, "calls": {"path": "phone.csv"}}
    )
    second = ingest(renamed)
    assert (second.store_version, second.known_until) == (first.store_version, JUNE_1)


def test_known_until_when_a_day_is_delivered_then_it_is_that_day(tmp_path):
    deliver(tmp_path)
    ingest(settings_of(tmp_path))
    deliver(tmp_path, leads=JUNE_2, calls=JUNE_2, more_calls=["1,2024-06-01T12:00:00Z"])
    assert ingest(settings_of(tmp_path)).known_until == JUNE_2


def test_known_until_when_it_is_an_argument_then_it_counts_before_all_else_and_writes_a_version(
    tmp_path,
):
    deliver(tmp_path)
    fixed = settings_of(tmp_path, known_until=JUNE_1)
    first = ingest(fixed)
    second = ingest(fixed, known_until_us=us(JUNE_2), accept=["same_files"])
    assert second.known_until == JUNE_2
    assert current(fixed).id == second.store_version != first.store_version


@pytest.mark.parametrize("changes", [{}, {"known_until": "2024-05-31T12:00:00Z"}])
def test_known_until_when_it_is_earlier_than_the_last_then_it_is_refused_unless_asked_by_name(
    tmp_path, changes
):
    deliver(tmp_path)
    ingest(settings_of(tmp_path), known_until_us=us(JUNE_2))
    asked = {} if changes else {"known_until_us": us(JUNE_1)}
    with pytest.raises(AlarmError, match="older_export"):
        ingest(settings_of(tmp_path, **changes), **asked)
    assert (
        ingest(settings_of(tmp_path, **changes), **asked, accept=["older_export"]).known_until
        < JUNE_2
    )


def test_known_until_when_it_is_set_after_a_first_ingest_then_a_version_is_written(tmp_path):
    deliver(tmp_path)
    ingest(settings_of(tmp_path))
    fixed = settings_of(tmp_path, known_until=JUNE_2)
    with pytest.raises(AlarmError, match="same_files: known_until moved from"):
        ingest(fixed)
    result = ingest(fixed, accept=["same_files"])
    assert (result.known_until, current(fixed).id) == (JUNE_2, result.store_version)


def test_ingest_when_files_changed_and_a_fixed_moment_did_not_then_it_stops_and_says_what_to_do(
    tmp_path,
):
    deliver(tmp_path)
    fixed = settings_of(tmp_path, known_until=JUNE_1)
    first = ingest(fixed)
    deliver(tmp_path, more_calls=["1,2024-06-01T12:00:00Z"])
    with pytest.raises(UserError, match=r"new since the last ingest: 'calls\.csv'") as raised:
        ingest(fixed)
    assert "--known-until" in str(raised.value)
    assert current(fixed).id == first.store_version
    assert ingest(fixed, known_until_us=us(JUNE_2)).known_until == JUNE_2


def test_ingest_when_only_the_mapping_of_an_archive_grew_then_its_fixed_moment_still_counts(
    tmp_path,
):
    deliver(tmp_path)
    only = {"sources": {"leads": {"path": "leads.csv"}}, "mapping": [LEADS]}
    ingest(settings_of(tmp_path, known_until=JUNE_1, **only))
    assert ingest(settings_of(tmp_path, known_until=JUNE_1)).known_until == JUNE_1


STATED = [
    (["2024-06-01T07:00:00Z", "2024-06-01T06:00:00Z", ""], {}, "2024-06-01T07:00:00Z"),
    (["2024-06-01T07:00:00"], {"timezone": "Europe/Berlin"}, "2024-06-01T05:00:00Z"),
    (["2024-06-01T07:00:00+02:00"], {}, "2024-06-01T05:00:00Z"),
    (["01.06.2024 07:00"], {"dates": "dmy"}, "2024-06-01T07:00:00Z"),
    (["2024-06-01"], {"timezone": "Europe/Berlin"}, "2024-05-31T22:00:00Z"),
]


@pytest.mark.parametrize(("values", "written", "expected"), STATED)
def test_known_until_when_a_column_states_it_then_its_latest_value_counts(
    tmp_path, values, written, expected
):
    deliver(tmp_path)
    rows = [f"{n},{DAYS[n]},{value}" for n, value in enumerate(values)]
    write(tmp_path / "in" / "leads.csv", "id,created,ExportedAt", rows, modified=JUNE_2)
    leads = {"path": "leads.csv", "known_until_column": "ExportedAt"} | written
    result = ingest(settings_of(tmp_path, sources={"leads": leads, "calls": {"path": "calls.csv"}}))
    assert (result.known_until, result.known_until_from) == (
        expected,
        "the column 'ExportedAt' of leads",
    )


def test_known_until_when_two_sources_state_it_then_the_older_counts(tmp_path):
    deliver(tmp_path)
    sources = {}
    for name, header, moment in (
        ("leads", "id,created,now", JUNE_2),
        ("calls", "id,at,now", JUNE_1),
    ):
        write(tmp_path / "in" / f"{name}.csv", header, [f"1,{DAYS[0]},{moment}"], modified=JUNE_3)
        sources[name] = {"path": f"{name}.csv", "known_until_column": "now"}
    assert ingest(settings_of(tmp_path, sources=sources)).known_until == JUNE_1


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [(["soon"], SourceFormatError, "'soon'"), (["", ""], UserError, "no time")],
)
def test_ingest_when_the_column_holds_no_time_then_it_stops_and_names_it(
    tmp_path, values, error, words
):
    deliver(tmp_path)
    rows = [f"{n},{DAYS[n]},{value}" for n, value in enumerate(values)]
    write(tmp_path / "in" / "leads.csv", "id,created,ExportedAt", rows, modified=JUNE_2)
    leads = {"path": "leads.csv", "known_until_column": "ExportedAt"}
    with pytest.raises(error, match=words):
        ingest(settings_of(tmp_path, sources={"leads": leads, "calls": {"path": "calls.csv"}}))


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2024-06-01T07:00:00Z\n", "UTC", "2024-06-01T07:00:00Z"),
        ("2024-06-01 07:00", "Europe/Berlin", "2024-06-01T05:00:00Z"),
        ("2024-06-01\r\n", "Asia/Tokyo", "2024-05-31T15:00:00Z"),
    ],
)
def test_known_until_when_a_file_states_it_then_it_counts(tmp_path, text, zone, expected):
    deliver(tmp_path, leads=JUNE_2, calls=JUNE_2)
    (tmp_path / "in" / "exported.txt").write_text(text)
    assert (
        ingest(settings_of(tmp_path, known_until_file="exported.txt", timezone=zone)).known_until
        == expected
    )


@pytest.mark.parametrize("by", ["known_until_file", "known_until_column"])
def test_ingest_when_files_changed_and_what_states_the_moment_did_not_then_it_stops(tmp_path, by):
    def write_leads(*rows: str) -> None:
        stated = [f"{row},{JUNE_1}" for row in rows]
        write(tmp_path / "in" / "leads.csv", "id,created,exported", stated, modified=JUNE_1)

    deliver(tmp_path)
    (tmp_path / "in" / "exported.txt").write_text(JUNE_1)
    leads = {"path": "leads.csv"}
    if by == "known_until_file":
        settings = settings_of(tmp_path, known_until_file="exported.txt")
    else:
        leads["known_until_column"] = "exported"
        settings = settings_of(tmp_path, sources={"leads": leads, "calls": {"path": "calls.csv"}})
    rows = [f"{n},{at}" for n, at in enumerate(DAYS)]
    write_leads(*rows)
    first = ingest(settings)
    assert ingest(settings).store_version == first.store_version

    write_leads(*rows[:-1], "99,2024-05-31T10:00:00Z")
    with pytest.raises(UserError, match=rf"still states {JUNE_1}.*--known-until {JUNE_1}"):
        ingest(settings)
    assert current(settings).id == first.store_version
    confirmed = ingest(settings, known_until_us=us(JUNE_1), accept=["facts_vanished"])
    assert confirmed.known_until == JUNE_1


@pytest.mark.parametrize("text", [None, "", "soon", "2024-06-01\n2024-06-02"])
def test_ingest_when_the_file_that_states_it_cannot_be_read_then_it_stops_and_names_it(
    tmp_path, text
):
    deliver(tmp_path)
    if text is not None:
        (tmp_path / "in" / "exported.txt").write_text(text)
    with pytest.raises(UserError, match=r"known_until_file: .*exported\.txt"):
        ingest(settings_of(tmp_path, known_until_file="exported.txt"))


@pytest.mark.parametrize(
    ("changes", "asked"), [({}, {"known_until_us": us(JUNE_3) + 1}), ({"known_until": 2099}, {})]
)
def test_ingest_when_the_stated_moment_lies_past_the_clock_then_it_stops(tmp_path, changes, asked):
    deliver(tmp_path)
    stated = {"known_until": "2099-01-01"} if changes else {}
    with pytest.raises(UserError, match="later than the clock, 2024-06-03T06:00:00Z"):
        ingest(settings_of(tmp_path, **stated), **asked)


def test_known_until_when_the_store_has_one_past_the_clock_then_the_same_files_do_not_keep_it(
    tmp_path,
):
    deliver(tmp_path)
    jobs.ingest(settings_of(tmp_path), known_until_us=us(JUNE_3) + 100 * DAY_US)
    assert ingest(settings_of(tmp_path), accept=["older_export"]).known_until == JUNE_1


def test_plans_when_the_export_holds_some_then_they_are_counted_and_said_by_table(tmp_path):
    deliver(tmp_path, more_calls=["1,2024-10-15T10:00:00Z", f"2,{JUNE_1}"])
    result = ingest(settings_of(tmp_path))
    assert result.warned["after_export"] == 2
    assert any(text.startswith("2 rows of activities") for text in result.warnings)


def test_ingest_when_nothing_is_dated_then_there_is_no_moment_to_give(tmp_path):
    (tmp_path / "leads.csv").write_text("id\n1\n")
    undated = Settings.model_validate({
        "project": "shop", "time": "none", "input_folder": tmp_path, "data_folder": tmp_path / "data",
        "sources": {"leads": {"path": "leads.csv"}},
        "mapping": [{"source": "leads", "table": "leads", "columns": {"lead_id": "id"}}],
    })  # fmt: skip
    with pytest.raises(UserError, match="nothing is dated, so leave out --known-until"):
        jobs.ingest(undated, known_until_us=us(JUNE_1) + HOUR_US)


def test_ingest_when_its_late_moment_is_that_of_the_last_ingest_then_it_is_not_refused(tmp_path):
    late = "2024-06-30T06:00:00Z"
    deliver(tmp_path)
    archive = settings_of(tmp_path, known_until=late)
    first = jobs.ingest(archive)
    assert jobs.ingest(archive).store_version == first.store_version

    substituted = settings_of(
        tmp_path, known_until=late, target={"horizon_days": 30, "undated_close": "last_activity"}
    )
    assert jobs.ingest(substituted).known_until == late

    deliver(tmp_path, more_calls=[f"1,{DAYS[0]}"])
    with pytest.raises(UserError, match=f"corrected, confirm it with --known-until {late}"):
        jobs.ingest(archive)
    assert jobs.ingest(archive, known_until_us=us(late)).known_until == late
