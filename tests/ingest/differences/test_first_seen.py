"""The value at creation, whatever later exports show and however the settings change between them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.settings.settings import Settings
from leadscore.store.objects import object_path
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import parse_moment

FIRST, SECOND, THIRD = "2024-03-01", "2024-04-01", "2024-05-01"
PLAIN = {"lead_id": "id", "event_at": "created"}
INDUSTRY = {"industry": {"known_from": "creation"}}


def export(
    folder: Path,
    until: str,
    text: str,
    *,
    columns: dict[str, str] | None = None,
    entry: dict[str, Any] | None = None,
    **more: Any,
) -> Settings:
    """Write leads.csv; every column of `columns` beside the id and the creation is mapped to a field."""
    (folder / "leads.csv").write_text(text, encoding="utf-8")
    mapped = PLAIN | ({"industry": "industry"} if columns is None else columns)
    leads = {"source": "leads", "table": "leads", "columns": mapped} | (entry or {})
    more = {"fields": INDUSTRY} | more
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources={"leads": {"path": "leads.csv"}},
        mapping=[leads],
        known_until=until,
        **more,
    )


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


def rows(version: StoreVersion, table: str) -> list[dict[str, Any]]:
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def at_creation(settings: Settings, field: str = "industry") -> dict[str, Any]:
    return {row["lead_id"]: row[field] for row in rows(current(settings), "leads")}


def observed(settings: Settings) -> set[tuple[str, str, str | None, str]]:
    """(lead, field, value, the export that showed it)."""
    exports = {parse_moment(until, zone="UTC") - 1: until for until in (FIRST, SECOND, THIRD)}
    found = rows(current(settings), "observed")
    return {
        (row["lead_id"], row["field"], row["value"], exports[row["available_us"]]) for row in found
    }


def leads(*lines: str, header: str = "id,created,industry") -> str:
    return "\n".join([header, *lines, ""])


RETAIL, BOUGHT = leads("1,2024-01-01,Retail"), leads("1,2024-01-01,BOUGHT")
EDITS: dict[str, dict[str, Any]] = {
    "a label": {"fields": {"industry": {"known_from": "creation", "label": "branch"}}},
    "another field": {"fields": INDUSTRY | {"city": {}}},
    "kinds": {"kinds": {"call": "calls"}},
    "stages": {"stages": {"open": ["new"], "won": ["won"], "lost": ["lost"]}},
    "money": {"money": {"currency": "EUR", "rates": {"USD": 0.9}}},
    "severity": {"validation": {"severity": {"type": "warn"}}},
    "a constant": {"entry": {"constants": {"owner_id": "kim"}}},
}


@pytest.mark.cases(2)
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_creation_when_settings_were_edited_between_two_exports_then_it_is_what_the_first_one_showed(
    tmp_path, edit
):
    jobs.ingest(export(tmp_path, FIRST, RETAIL))
    settings = export(tmp_path, SECOND, BOUGHT, **edit)
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "Retail"}
    assert observed(settings) == {("1", "industry", "BOUGHT", SECOND)}


def test_creation_when_a_lead_was_missing_from_one_export_then_it_is_what_the_first_one_showed(
    tmp_path,
):
    other = "2,2024-01-01,Food"
    exports = {
        FIRST: ["1,2024-01-01,Retail", other],
        SECOND: [other],
        THIRD: ["1,2024-01-01,X", other],
    }
    for until, lines in exports.items():
        settings = export(tmp_path, until, leads(*lines))
        jobs.ingest(settings, accept=["half_delivered"])
    assert at_creation(settings) == {"1": "Retail", "2": "Food"}
    assert observed(settings) == {("1", "industry", "X", THIRD)}


def test_creation_when_a_column_is_mapped_later_then_its_history_was_kept_all_along(tmp_path):
    jobs.ingest(export(tmp_path, FIRST, RETAIL, columns={}))
    jobs.ingest(
        export(tmp_path, SECOND, leads("1,2024-01-01,Food", "2,2024-03-05,Steel"), columns={})
    )
    settings = export(tmp_path, THIRD, leads("1,2024-01-01,BOUGHT", "2,2024-03-05,Steel"))
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "Retail", "2": "Steel"}
    assert observed(settings) == {
        ("1", "industry", "Food", SECOND),
        ("1", "industry", "BOUGHT", THIRD),
    }


def test_creation_when_a_column_appears_later_then_it_is_known_from_its_first_export(tmp_path):
    jobs.ingest(export(tmp_path, FIRST, leads("1,2024-01-01", header="id,created"), columns={}))
    settings = export(tmp_path, SECOND, leads("1,2024-01-01,Retail", "2,2024-03-05,Food"))
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": None, "2": "Food"}
    assert observed(settings) == {("1", "industry", "Retail", SECOND)}


def test_creation_when_a_value_map_is_edited_then_the_first_text_is_mapped_anew(tmp_path):
    def mapped(**words: str) -> dict[str, Any]:
        return {
            "values": {"industry": {word: {"industry": value} for word, value in words.items()}}
        }

    jobs.ingest(
        export(tmp_path, FIRST, RETAIL, columns={}, entry=mapped(Retail="shops", BOUGHT="gone"))
    )
    settings = export(
        tmp_path, SECOND, BOUGHT, columns={}, entry=mapped(Retail="trade", BOUGHT="trade")
    )
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "trade"}
    assert observed(settings) == set()


def test_creation_when_a_number_is_only_written_differently_then_nothing_changed(tmp_path):
    size = {
        "fields": {"size": {"type": "number", "decimals": 0, "known_from": "creation"}},
        "columns": {"size": "n"},
    }
    for until, number in ((FIRST, "5"), (SECOND, "5.0"), (THIRD, "7")):
        settings = export(
            tmp_path, until, leads(f"1,2024-01-01,{number}", header="id,created,n"), **size
        )
        jobs.ingest(settings)
    assert at_creation(settings, "size") == {"1": 5}
    assert observed(settings) == {("1", "size", "7", THIRD)}


def test_creation_when_the_row_was_refused_at_first_then_its_text_counts_from_then(tmp_path):
    size = {
        "fields": INDUSTRY | {"size": {"type": "number"}},
        "columns": {"industry": "industry", "size": "n"},
    }
    sound = [f"{n},2024-01-01,Food,1" for n in range(2, 40)]
    header = "id,created,industry,n"
    jobs.ingest(
        export(tmp_path, FIRST, leads("1,2024-01-01,Retail,what", *sound, header=header), **size)
    )
    settings = export(
        tmp_path, SECOND, leads("1,2024-01-01,BOUGHT,5", *sound, header=header), **size
    )
    jobs.ingest(settings)
    assert at_creation(settings)["1"] == "Retail"


def test_creation_after_a_rollback_then_only_ancestors_of_the_version_count(tmp_path):
    first = export(tmp_path, FIRST, leads("1,2024-01-01,Retail"))
    version = jobs.ingest(first).store_version
    jobs.ingest(export(tmp_path, SECOND, leads("1,2024-01-01,Food", "2,2024-02-01,Steel")))
    jobs.rollback_store(first, version)
    settings = export(tmp_path, THIRD, leads("1,2024-01-01,Food", "2,2024-02-01,BOUGHT"))
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "Retail", "2": "BOUGHT"}
    assert observed(settings) == {("1", "industry", "Food", THIRD)}


def test_creation_when_the_source_is_called_otherwise_or_columns_change_places_then_it_stays(
    tmp_path,
):
    jobs.ingest(export(tmp_path, FIRST, RETAIL))
    settings = export(tmp_path, SECOND, leads("BOUGHT,1,2024-01-01", header="industry,id,created"))
    leads_entry = {"source": "crm", "table": "leads", "columns": PLAIN | {"industry": "industry"}}
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        sources={"crm": {"path": "leads.csv"}},
        mapping=[leads_entry],
        known_until=SECOND,
        fields=INDUSTRY,
    )
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "Retail"}


PERSONAL = [
    ("E-Mail", "ann@example.com"),
    ("Mobile", "+49 170 1234567"),
    ("Contact Name", "Ann Smith"),
    ("x1", "ann@example.com"),
    ("x2", "+49 170 1234567"),
    ("notes", "Ann called. " * 40),
]


@pytest.mark.cases(2)
@pytest.mark.parametrize(("column", "value"), PERSONAL, ids=[column for column, _ in PERSONAL])
def test_first_seen_when_a_column_is_personal_then_only_a_salted_hash_of_it_is_kept(
    tmp_path, column, value
):
    lines = [f"{n},2024-01-01,{value if n else 'bob@example.com'}" for n in range(30)]
    settings = export(tmp_path, FIRST, leads(*lines, header=f"id,created,{column}"), columns={})
    jobs.ingest(settings)
    settings = export(tmp_path, SECOND, leads(*lines, header=f"id,created,{column}").replace(value, value + "9"),
                      columns={})  # fmt: skip
    jobs.ingest(settings)
    kept = [text for path in (tmp_path / "data").rglob("*.parquet") for text in texts_of(path)]
    assert "2024-01-01" in kept
    assert not [text for text in kept if value.strip() in text]


def texts_of(path: Path) -> list[str]:
    return [str(value) for column in pq.read_table(path).to_pydict().values() for value in column]


def test_first_seen_when_a_hashed_column_is_mapped_later_then_texts_that_are_still_there_are_read(
    tmp_path,
):
    """A column that only looked personal: of what was hashed, the words that an export still has are recognised."""
    header = "id,created,Segment name"
    jobs.ingest(export(tmp_path, FIRST, leads("1,2024-01-01,A", "2,2024-01-01,B", "3,2024-01-01,C", header=header),
                       columns={}))  # fmt: skip
    settings = export(tmp_path, SECOND, leads("1,2024-01-01,A", "2,2024-01-01,A", "3,2024-01-01,B", header=header),
                      columns={"industry": "Segment name"})  # fmt: skip
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "A", "2": "B", "3": None}
    assert observed(settings) == {("2", "industry", "A", SECOND), ("3", "industry", "B", SECOND)}


def test_prune_when_versions_go_then_what_was_first_seen_stays(tmp_path):
    jobs.ingest(export(tmp_path, FIRST, RETAIL))
    settings = export(tmp_path, SECOND, BOUGHT)
    jobs.ingest(settings)
    jobs.prune_store(settings, keep=1, really=True)
    version = current(settings)
    told = [file["sha256"] for block in version.manifest["first_seen"] for file in block["files"]]
    assert told
    assert all(object_path(version.folder, sha256).exists() for sha256 in told)
    settings = export(tmp_path, THIRD, leads("1,2024-01-01,Gone"))
    jobs.ingest(settings)
    assert at_creation(settings) == {"1": "Retail"}
    assert json.dumps(settings.public())


def test_field_when_it_is_read_from_a_new_column_then_a_warning_says_that_its_past_is_not_used(
    tmp_path,
):
    jobs.ingest(export(tmp_path, FIRST, "id,created,industry\n1,2024-02-01,retail\n"))
    for until, warned in ((SECOND, 1), (THIRD, 0)):
        text = f"id,created,sector\n1,2024-02-01,retail\n2,{until[:7]}-01,food\n"
        told = jobs.ingest(
            export(tmp_path, until, text, columns={"industry": "sector"}), accept=["emptied"]
        )
        found = [each for each in told.warnings if "industry is now read from sector" in each]
        assert len(found) == warned


def known(settings: Settings, until: str, field: str = "industry") -> list[str | None]:
    """The values of a field that were known at a moment, by lead."""
    history = open_history(settings, current(settings), DuckDBEngine(settings.engine))
    values = history.known_values([field], as_of_us=parse_moment(until, zone="UTC"))
    return values[field].to_pylist()


FIELDS: dict[str, dict[str, Any]] = {
    "creation": INDUSTRY,
    "export": {"industry": {"known_from": "export"}},
    "nothing": {"industry": {}},
}


@pytest.mark.cases(1)
@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_known_values_when_a_later_export_shows_another_one_then_those_of_before_stay(
    tmp_path, fields
):
    for until, value in ((FIRST, "Retail"), (SECOND, "Food"), (THIRD, "Steel")):
        settings = export(tmp_path, until, leads(f"1,2024-01-01,{value}"), fields=fields)
        jobs.ingest(settings)
    shown = {until: known(settings, until) for until in ("2024-02-01", FIRST, SECOND, THIRD)}
    assert shown == {
        "2024-02-01": ["Retail"],
        FIRST: ["Retail"],
        SECOND: ["Food"],
        THIRD: ["Steel"],
    }


def test_known_values_when_a_lead_with_other_values_is_absent_then_those_of_before_stay(tmp_path):
    other = "2,2024-01-01,Food"
    exports = {FIRST: ["1,2024-01-01,A", other], SECOND: ["1,2024-01-01,B", other], THIRD: [other]}
    for until, lines in exports.items():
        settings = export(tmp_path, until, leads(*lines), fields={"industry": {}})
        jobs.ingest(settings, accept=["half_delivered"])
    shown = [known(settings, until)[0] for until in exports]
    assert shown == ["A", "B", "B"]


def with_changes(folder: Path, until: str, text: str, *changes: str) -> Settings:
    """An export that maps a history of the field, too."""
    columns = {"industry": "industry", "amount": "amount"}
    settings = export(folder, until, text, columns=columns, fields={"industry": {}})
    (folder / "changes.csv").write_text("\n".join(["id,at,value", *changes, ""]))
    entry = {
        "source": "changes",
        "table": "changes",
        "columns": {"lead_id": "id", "event_at": "at", "value": "value"},
        "constants": {"field": "industry"},
    }
    return Settings.model_validate(
        settings.model_dump(exclude_unset=True)
        | {
            "fields": {"industry": {}, "amount": {"type": "number", "known_from": "creation"}},
            "sources": {"leads": {"path": "leads.csv"}, "changes": {"path": "changes.csv"}},
            "mapping": [*settings.model_dump(exclude_unset=True)["mapping"], entry],
        }
    )


def test_known_values_when_the_mapping_gives_a_change_then_nothing_is_known_before_it(tmp_path):
    header = "id,created,industry,amount"
    text = leads("1,2024-01-01,Steel,5", "2,2024-01-01,Food,5", header=header)
    settings = with_changes(tmp_path, FIRST, text, "1,2024-02-10T00:00:00Z,Steel")
    jobs.ingest(settings)
    assert known(settings, "2024-02-01") == [None, "Food"]
    assert known(settings, FIRST) == ["Steel", "Food"]

    changes = ("1,2024-02-10T00:00:00Z,Steel", "2,2024-03-10T00:00:00Z,Retail")
    text = leads("1,2024-01-01,Steel,6", "2,2024-01-01,Retail,5", header=header)
    settings = with_changes(tmp_path, SECOND, text, *changes)
    jobs.ingest(settings)
    assert known(settings, "2024-02-01") == [None, "Food"]
    assert known(settings, FIRST) == ["Steel", "Food"]
    assert known(settings, SECOND) == ["Steel", "Retail"]


@pytest.mark.cases(1)
@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_renamed_when_it_was_accepted_once_then_the_next_delivery_is_compared_with_that_one(
    tmp_path, fields
):
    for until, value in ((FIRST, "Retail"), (SECOND, "Shops"), (THIRD, "Shops")):
        lines = [f"{n},2024-01-{n % 28 + 1:02d},{value}" for n in range(1, 41)]
        told = jobs.ingest(
            export(tmp_path, until, leads(*lines), fields=fields),
            accept=["renamed", "rewritten"] if until == SECOND else ["same_files"],
            known_until_us=parse_moment(until, zone="UTC"),
        )
        assert any(alarm.startswith("renamed") for alarm in told.alarms) == (until == SECOND)


@pytest.mark.parametrize("known_from", ["creation", "export"])
def test_currency_switch_when_it_was_accepted_once_then_the_next_delivery_says_nothing(
    tmp_path, known_from
):
    columns = {"amount": "amount", "currency": "currency"}
    fields = {"amount": {"type": "number", "known_from": known_from}}
    for until, currency in ((FIRST, "EUR"), (SECOND, "USD"), (THIRD, "USD")):
        lines = [f"{n},2024-01-{n % 28 + 1:02d},{n}00,{currency}" for n in range(1, 41)]
        text = leads(*lines, header="id,created,amount,currency")
        told = jobs.ingest(
            export(tmp_path, until, text, columns=columns, fields=fields),
            accept=["currency_switch"] if until == SECOND else ["same_files"],
        )
        has_switched = any(alarm.startswith("currency_switch") for alarm in told.alarms)
        assert has_switched == (until == SECOND)


def test_currency_switch_when_rates_are_given_later_then_the_conversion_raises_no_alarm(tmp_path):
    lines = [
        f"{n},2024-01-{n % 28 + 1:02d},{n}00,{'EUR' if n % 2 else 'USD'}" for n in range(1, 41)
    ]
    text = leads(*lines, header="id,created,amount,currency")
    columns = {"amount": "amount", "currency": "currency"}
    jobs.ingest(export(tmp_path, FIRST, text, columns=columns))
    rates = {"currency": "EUR", "rates": {"USD": "0.9"}}

    told = jobs.ingest(export(tmp_path, FIRST, text, columns=columns, money=rates))

    assert not any(alarm.startswith("currency_switch") for alarm in told.alarms)


FIRST_CREATED = "2024-01-01T08:00:00Z"
CREATED = {
    "moved later": ([FIRST_CREATED, "2024-03-20T08:00:00Z"], FIRST_CREATED, "another creation"),
    "moved earlier": ([FIRST_CREATED, "2023-03-20T08:00:00Z"], FIRST_CREATED, "another creation"),
    "emptied": ([FIRST_CREATED, ""], FIRST_CREATED, "another creation"),
    "and back": ([FIRST_CREATED, "2024-03-20T08:00:00Z", FIRST_CREATED], FIRST_CREATED, None),
    "written otherwise": ([FIRST_CREATED, "2024-01-01T09:00:00+01:00"], FIRST_CREATED, None),
    "filled in": (["", FIRST_CREATED], FIRST_CREATED, None),
    "a slip": (["2042-01-01T08:00:00Z", FIRST_CREATED], FIRST_CREATED, "another creation"),
}


@pytest.mark.cases(3)
@pytest.mark.parametrize(("dates", "expected", "warning"), CREATED.values(), ids=CREATED)
@pytest.mark.parametrize("fields", [INDUSTRY, {}], ids=["with a field", "without"])
def test_creation_date_when_a_later_export_has_another_one_then_the_first_usable_one_counts(
    tmp_path, dates, expected, warning, fields
):
    columns = {"industry": "industry"} if fields else {}
    for until, created in zip((FIRST, SECOND, THIRD), dates, strict=False):
        lines = [f"1,{created},Food", "2,2024-01-02,Food"]
        settings = export(tmp_path, until, leads(*lines), columns=columns, fields=fields)
        told = jobs.ingest(settings)
    stored = {row["lead_id"]: row["event_us"] for row in rows(current(settings), "leads")}
    assert stored["1"] == parse_moment(expected, zone="UTC")
    assert observed(settings) == set()
    is_warned = any("another creation date" in text for text in told.warnings)
    assert is_warned == (warning is not None and dates[0] == FIRST_CREATED)


def test_open_leads_when_a_creation_date_moves_then_those_of_before_stay(tmp_path):
    for until, created in ((FIRST, "2024-01-01"), (SECOND, "2024-03-20")):
        settings = export(tmp_path, until, leads(f"1,{created},Food", "2,2024-01-02,Food"))
        jobs.ingest(settings)
    history = open_history(settings, current(settings), DuckDBEngine(settings.engine))
    listed = history.open_list(parse_moment("2024-02-01", zone="UTC"))
    assert listed["lead_id"].tolist() == ["1", "2"]


def test_creation_date_when_the_zone_of_the_settings_is_edited_then_the_first_text_is_read_anew(
    tmp_path,
):
    text = leads("1,2024-01-01 08:00,Food", "2,2024-01-02 08:00,Food")
    jobs.ingest(export(tmp_path, FIRST, text))
    moved = leads("1,2024-02-01 08:00,Food", "2,2024-01-02 08:00,Food")
    settings = export(tmp_path, SECOND, moved, timezone="Europe/Berlin")
    jobs.ingest(settings, known_until_us=parse_moment(SECOND, zone="UTC"))
    stored = [row["event_us"] for row in rows(current(settings), "leads")]
    moments = ("2024-01-01T07:00:00Z", "2024-01-02T07:00:00Z")
    assert stored == [parse_moment(moment, zone="UTC") for moment in moments]
