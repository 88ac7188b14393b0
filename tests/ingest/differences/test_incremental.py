"""What a second export adds to the first: files read once, differences that become history, alarms before scoring."""

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import atomic
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import (
    AlarmError,
    NoStoreError,
    SourceFormatError,
    UnavailableError,
    UserError,
)
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.opening import open_history
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import parse_moment

FIELDS = {
    "city": {"known_from": "creation"},
    "plan": {"known_from": "export"},
    "size": {"type": "number", "decimals": 0},
}
LEADS = {
    "source": "leads",
    "table": "leads",
    "columns": {
        "lead_id": "id",
        "event_at": "created",
        "city": "city",
        "plan": "plan",
        "size": "size",
    },
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at"},
    "constants": {"kind": "meeting"},
}
FIRST, SECOND, THIRD = (f"2024-0{month}-01" for month in (3, 4, 5))


def export(
    folder: Path,
    until: str,
    leads: list[str],
    calls: dict[str, list[str]] | None = None,
    **more: Any,
) -> Settings:
    """Write an export: leads.csv, and a file of calls for each name."""
    (folder / "leads.csv").write_text("\n".join(["id,created,city,plan,size", *leads, ""]))
    (folder / "calls").mkdir(exist_ok=True)
    for name, rows in (calls or {"01.csv": ["1,2024-01-05"]}).items():
        (folder / "calls" / name).write_text("\n".join(["id,at", *rows, ""]))
    sources = {"leads": {"path": "leads.csv"}, "calls": {"path": "calls"}}
    return make_settings(
        input_folder=folder, data_folder=folder / "data", sources=sources, mapping=[LEADS, CALLS], fields=FIELDS,
        known_until=until, **more,
    )  # fmt: skip


def ingest(settings: Settings, **more: Any) -> dict[str, Any]:
    return jobs.ingest(settings, **more)


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


def rows(version: StoreVersion, table: str) -> list[dict[str, Any]]:
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def observed(version: StoreVersion) -> set[tuple[str, str, str | None, str]]:
    """(lead, field, value, the export that showed it)."""
    exports = {parse_moment(until, zone="UTC") - 1: until for until in (FIRST, SECOND, THIRD)}
    found = rows(version, "observed")
    assert all(row["event_us"] == row["available_us"] for row in found)
    return {
        (row["lead_id"], row["field"], row["value"], exports[row["available_us"]]) for row in found
    }


def test_files_when_a_day_is_added_then_only_that_one_is_read(tmp_path):
    first = ingest(export(tmp_path, FIRST, ["1,2024-01-01,Ulm,,"]))
    assert {file.file: file.unchanged for file in first.files} == {
        "leads.csv": False,
        "calls/01.csv": False,
    }
    later = export(
        tmp_path, SECOND, ["1,2024-01-01,Ulm,,"], {"02.csv": ["1,2024-03-05", "1,2024-01-05"]}
    )
    second = ingest(later)
    assert {file.file: file.unchanged for file in second.files} == {
        "leads.csv": True, "calls/01.csv": True, "calls/02.csv": False,
    }  # fmt: skip
    assert second.accounts.tables["activities"].to_dict() == {
        "selected": 3,
        "stored": 2,
        "ignored": 0,
        "ignored_by": {},
        "rejected": 0,
        "duplicates": 1,
    }
    assert len(rows(current(later), "activities")) == 2


@pytest.mark.slow
def test_files_when_one_is_read_alone_or_with_others_then_the_rows_are_the_same(tmp_path):
    (tmp_path / "apart").mkdir()
    (tmp_path / "whole").mkdir()
    calls = ["1,2024-01-05", "2,2024-01-06", "9,2024-01-07", "1,2024-01-08"]
    leads = ["1,2024-01-01,Ulm,,", "2,2024-01-01,Bonn,,"]
    apart = export(
        tmp_path / "apart", FIRST, leads, {f"{i}.csv": [row] for i, row in enumerate(calls)}
    )
    whole = export(tmp_path / "whole", FIRST, leads, {"all.csv": calls})
    assert ingest(apart).accounts.tables == ingest(whole).accounts.tables
    told = [sorted(map(str, rows(current(each), "activities"))) for each in (apart, whole)]
    assert told[0] == told[1]


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("copies", "stored"),
    [((1, 1), 1), ((2, 1), 2), ((1, 3), 3), ((2, 2), 2), ((2, 0, 3), 3), ((1, 1, 1), 1)],
)
def test_activities_when_files_overlap_then_a_row_counts_as_often_as_in_the_file_that_has_most(
    tmp_path, copies, stored
):
    files = {
        f"{i}.csv": ["1,2024-01-05"] * n + [f"1,2024-02-0{i + 1}"] for i, n in enumerate(copies)
    }
    told = ingest(export(tmp_path, FIRST, ["1,2024-01-01,Ulm,,"], files))
    account = told.accounts.tables["activities"]
    assert account.stored == stored + len(copies)
    assert account.duplicates == sum(copies) - stored


@pytest.mark.slow
def test_files_when_the_mapping_changes_then_they_are_read_again(tmp_path):
    settings = export(tmp_path, FIRST, ["1,2024-01-01,Ulm,,"])
    ingest(settings)
    entry = CALLS | {"constants": {"kind": "email"}}
    told = ingest(settings.model_copy(update={"mapping": make_settings(
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls"}}, mapping=[LEADS, entry], fields=FIELDS
    ).mapping}))  # fmt: skip
    assert {file.file: file.unchanged for file in told.files} == {
        "leads.csv": True,
        "calls/01.csv": False,
    }
    assert [row["kind"] for row in rows(current(settings), "activities")] == ["email"]


def test_leads_when_values_differ_from_the_export_before_then_they_are_changes_known_from_this_one(
    tmp_path,
):
    ingest(
        export(
            tmp_path,
            FIRST,
            ["1,2024-01-01,Ulm,free,5", "2,2024-01-01,Bonn,,6", "3,2024-01-01,,free,"],
        )
    )
    later = export(tmp_path, SECOND, ["1,2024-01-01,Köln,pro,5", "2,2024-01-01,Bonn,free,7", "3,2024-01-01,Jena,free,",
                                      "4,2024-03-09,Kiel,pro,1"])  # fmt: skip
    ingest(later)
    by_export = {("1", "plan", "free", FIRST), ("3", "plan", "free", FIRST), ("1", "plan", "pro", SECOND),
                 ("2", "plan", "free", SECOND), ("4", "plan", "pro", SECOND)}  # fmt: skip
    differences = {
        ("1", "city", "Köln", SECOND),
        ("3", "city", "Jena", SECOND),
        ("2", "size", "7", SECOND),
    }
    assert observed(current(later)) == by_export | differences
    # what was seen first stays, also of a field that is only shown: the rest is changes
    assert [(row["lead_id"], row["city"], row["size"]) for row in rows(current(later), "leads")] == [
        ("1", "Ulm", 5), ("2", "Bonn", 6), ("3", None, None), ("4", "Kiel", 1),
    ]  # fmt: skip


@pytest.mark.slow
def test_leads_when_a_value_goes_back_or_away_then_each_step_is_a_change(tmp_path):
    for until, city in ((FIRST, "Ulm"), (SECOND, "Köln"), (THIRD, "")):
        settings = export(tmp_path, until, [f"1,2024-01-01,{city},,"])
        ingest(settings)
        again = ingest(settings)
        assert again.store_version == current(settings).id
    assert observed(current(settings)) == {
        ("1", "city", "Köln", SECOND),
        ("1", "city", None, THIRD),
    }


@pytest.mark.slow
def test_features_when_history_grew_by_itself_then_they_know_each_value_from_its_export_on(
    tmp_path,
):
    ingest(export(tmp_path, FIRST, ["1,2024-01-01,Ulm,free,"]))
    ingest(export(tmp_path, SECOND, ["1,2024-01-01,Köln,pro,"]))
    settings = export(tmp_path, THIRD, ["1,2024-01-01,,pro,"])
    ingest(settings)
    history = open_history(settings, current(settings), DuckDBEngine(settings.engine))
    features = [
        each for each in build_features(settings) if each.name in {"profile_city", "profile_plan"}
    ]
    told = []
    for moment in ("2024-02-01", FIRST, "2024-03-15", SECOND, THIRD):
        asked = history.open_list(parse_moment(moment, zone="UTC"))
        columns = build_matrix(history.snapshot(asked), features).columns
        told.append((columns["profile_city"][0], columns["profile_plan"][0]))
    assert told == [("Ulm", None), ("Ulm", "free"), ("Ulm", "free"), ("Köln", "pro"), (None, "pro")]


def test_changes_when_the_mapping_tells_them_then_none_is_made_up(tmp_path):
    (tmp_path / "log.csv").write_text("id,at,value\n1,2024-02-02,Köln\n")
    log = {"source": "log", "table": "changes", "columns": {"lead_id": "id", "event_at": "at", "value": "value"},
           "constants": {"field": "size"}}  # fmt: skip
    told = {
        "sources": {"leads": {"path": "leads.csv"}, "log": {"path": "log.csv"}},
        "mapping": [LEADS, log],
    }
    for until, size in ((FIRST, "5"), (SECOND, "7")):
        plain = export(tmp_path, until, [f"1,2024-01-01,Ulm,,{size}", f"2,2024-01-01,Ulm,,{size}"])
        (tmp_path / "log.csv").write_text("id,at,value\n1,2024-02-02,6\n")
        settings = make_settings(input_folder=tmp_path, data_folder=tmp_path / "data", fields=FIELDS, known_until=until,
                                 **told)  # fmt: skip
        assert plain.project == settings.project
        ingest(settings)
    assert observed(current(settings)) == {("2", "size", "7", SECOND)}


MANY = [f"{n},2024-01-01T10:00:00Z,{'Ulm' if n % 2 else 'Bonn'},,{n + 1}" for n in range(100)]
ALARMS = [
    ("half_delivered", MANY[:70], {}, "30 of 100 leads are no longer there"),
    ("half_delivered", MANY, {"01.csv": ["1,2024-01-05"]}, "activities had 40 rows and has 1"),
    ("same_files", MANY, {}, "no file changed"),
    ("renamed", [row.replace("Ulm", "Ulm (Donau)") for row in MANY], {},
     "leads.city: 'Ulm' is now 'Ulm (Donau)' in 50 rows"),
    ("currency_switch", [f"{row.rsplit(',', 1)[0]},{(n + 1) * 100}" for n, row in enumerate(MANY)], {},
     "size of 100 of 100 leads is 100 times what it was"),
    ("time_shift", [row.replace("T10", "T12") for row in MANY], {}, "moved by +2 hours"),
]  # fmt: skip


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("name", "leads", "calls", "words"), ALARMS, ids=[f"{a[0]} {i}" for i, a in enumerate(ALARMS)]
)
def test_alarm_when_an_export_looks_wrong_beside_the_one_before_then_it_stops(
    tmp_path, name, leads, calls, words
):
    before = {"01.csv": [f"{n},2024-01-05" for n in range(40)]}
    ingest(export(tmp_path, FIRST, MANY, before))
    version = current(export(tmp_path, FIRST, MANY, before)).id
    settings = export(tmp_path, SECOND, leads, before | calls)
    with pytest.raises(AlarmError, match=re.escape(words)) as raised:
        ingest(settings)
    assert name in raised.value.names
    assert current(settings).id == version
    assert jobs.list_rejects(settings).stopped == str(raised.value)
    assert any(words in text for text in ingest(settings, accept=raised.value.names).alarms)
    assert current(settings).id != version
    assert set(current(settings).manifest["accepted"]) == set(raised.value.names)
    assert jobs.list_rejects(settings).stopped is None


def test_alarm_when_an_export_is_empty_or_older_then_it_stops(tmp_path):
    ingest(export(tmp_path, SECOND, MANY, {"01.csv": [f"{n},2024-01-05" for n in range(40)]}))
    with pytest.raises(
        AlarmError,
        match=r"older_export: it was made at 2024-03-01\S*, before the previous one \(2024-",
    ):
        ingest(export(tmp_path, FIRST, MANY[1:]))
    with pytest.raises(AlarmError, match="empty: activities had 40 rows and has none"):
        ingest(export(tmp_path, THIRD, MANY[1:], {"01.csv": ["none,2024-01-05"]}))
    with pytest.raises(SourceFormatError, match="has a header but no rows"):
        ingest(export(tmp_path, THIRD, []))


def test_alarm_when_the_one_to_accept_is_mistyped_then_the_nearest_is_named_and_nothing_is_read(
    tmp_path,
):
    settings = export(tmp_path, FIRST, MANY)
    with pytest.raises(UserError, match="did you mean 'half_delivered'"):
        ingest(settings, accept=["half_deliverd"])
    assert not (settings.project_folder() / "store" / "current.json").exists()


def test_alarm_when_the_export_only_grew_then_nothing_is_said(tmp_path):
    ingest(export(tmp_path, FIRST, MANY, {"01.csv": [f"{n},2024-01-05" for n in range(40)]}))
    more = [f"{n},2024-03-05T10:00:00Z,Ulm,,{n + 1}" for n in range(100, 130)]
    told = ingest(
        export(tmp_path, SECOND, MANY + more, {"02.csv": [f"{n},2024-03-06" for n in range(40)]})
    )
    assert told.alarms == []


CITIES = {"city": {"Ulm": {"city": "Ulm (Donau)"}, "Bonn": {"city": "Bonn"}}}
EDITS = {
    "decimals": {"fields": FIELDS | {"size": {"type": "number", "decimals": 2}}},
    "a value map": {"mapping": [{**LEADS, "columns": {k: v for k, v in LEADS["columns"].items() if k != "city"},
                                 "values": CITIES}, CALLS]},
    "a label": {"fields": FIELDS | {"city": {"known_from": "creation", "label": "town"}}},
}  # fmt: skip


@pytest.mark.cases(1)
@pytest.mark.parametrize("name", EDITS)
def test_alarm_when_only_the_settings_were_edited_then_none_is_raised(tmp_path, name):
    calls = {"01.csv": [f"{n},2024-01-05" for n in range(40)]}
    ingest(export(tmp_path, FIRST, MANY, calls))
    more = [f"{n},2024-03-05T10:00:00Z,Ulm,,{n + 1}" for n in range(100, 130)]
    settings = export(tmp_path, SECOND, MANY + more, calls | {"02.csv": ["100,2024-03-06"]})
    edited = make_settings(**settings.model_dump(exclude_unset=True) | EDITS[name])
    assert ingest(edited).alarms == []


def test_alarm_when_a_label_was_edited_then_values_are_compared_all_the_same(tmp_path):
    ingest(export(tmp_path, FIRST, MANY))
    settings = export(tmp_path, SECOND, [row.replace("Ulm", "Ulm (Donau)") for row in MANY])
    edited = make_settings(**settings.model_dump(exclude_unset=True) | EDITS["a label"])
    with pytest.raises(AlarmError, match="renamed"):
        ingest(edited)


@pytest.mark.slow
def test_ingest_when_any_single_write_fails_then_the_store_is_whole_and_the_next_one_ends_it(
    tmp_path, monkeypatch
):
    (tmp_path / "sound").mkdir()
    second = (
        ["1,2024-01-01,Köln,pro,5", "2,2024-02-01,,,"],
        {"02.csv": ["2,2024-03-05", "9,2024-03-05"]},
    )
    ingest(export(tmp_path / "sound", FIRST, ["1,2024-01-01,Ulm,free,5"]))
    ingest(export(tmp_path / "sound", SECOND, *second))
    sound = current(export(tmp_path / "sound", SECOND, *second)).manifest
    write, failed = atomic._move, 0
    while True:
        folder = tmp_path / str(failed)
        folder.mkdir()
        ingest(export(folder, FIRST, ["1,2024-01-01,Ulm,free,5"]))
        settings = export(folder, SECOND, *second)
        before, count = current(settings).id, iter(range(10_000))

        def rename(beside, path, *, mode, count=count, at=failed):
            if next(count) == at:
                raise OSError(28, "No space left on device")
            write(beside, path, mode=mode)

        monkeypatch.setattr(atomic, "_move", rename)
        try:
            ingest(settings)
        except UnavailableError:
            assert current(settings).id in {before, ""} or current(settings).manifest == sound
        else:
            break
        finally:
            monkeypatch.setattr(atomic, "_move", write)
        ingest(settings)
        assert current(settings).manifest == sound
        failed += 1
    assert failed > 8  # every file of the second ingest was once the one that could not be written


def test_rejects_when_nothing_was_ingested_then_words_say_so(tmp_path):
    with pytest.raises(NoStoreError):
        jobs.list_rejects(export(tmp_path, FIRST, []))


def test_prune_when_a_version_goes_then_its_parts_go_too_and_what_stays_is_not_read_again(tmp_path):
    ingest(export(tmp_path, FIRST, ["1,2024-01-01,Ulm,,"], {"01.csv": ["1,2024-01-05"]}))
    (tmp_path / "calls" / "01.csv").unlink()
    settings = export(tmp_path, SECOND, ["1,2024-01-01,Köln,,"], {"02.csv": ["1,2024-03-05"]})
    ingest(settings)
    store = settings.project_folder() / "store"
    parts = {path.stem for path in (store / "parts").iterdir()}
    told = jobs.prune_store(settings, keep=1, really=True)
    assert (len(told.removed), len(parts), len(list((store / "parts").iterdir()))) == (1, 4, 2)
    again = ingest(settings)
    assert again.store_version == current(settings).id
    assert all(file.unchanged for file in again.files)
    assert observed(current(settings)) == {("1", "city", "Köln", SECOND)}
