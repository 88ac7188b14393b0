from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from builders import make_settings
from leadscore import project as jobs
from leadscore.engine.closed import ClosedDatabase, Select, SelectError, read_select
from leadscore.errors import SettingsError, UserError
from leadscore.results import Ingested
from leadscore.settings.engine import EngineSettings
from leadscore.settings.read import read_settings
from leadscore.settings.rules import ALARMS
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current

DEALS = ["1,2024-01-01,Won,9001;9002", "2,2024-01-05,Open,9002", "3,2024-02-01,Lost,"]
CALLS = ["9001,2024-01-02,5", "9002,2024-01-07,300", "9009,2024-01-08,60"]
LINKS = "SELECT Id, unnest(string_split(People, ';')) AS person FROM deals"
TALKS = """
    SELECT Id, day, CASE WHEN CAST(seconds AS INTEGER) < 10 THEN 'attempt' ELSE 'talk' END AS kind,
        c._file, c._line
    FROM calls AS c JOIN links ON person = caller
"""
LEADS = {
    "source": "deals",
    "table": "leads",
    "columns": {"lead_id": "Id", "event_at": "Created"},
}
ACTIVITIES = {
    "source": "talks",
    "table": "activities",
    "columns": {"lead_id": "Id", "event_at": "day", "kind": "kind"},
}


def make(folder: Path, views: dict[str, Any] | None = None, **changes: Any) -> Settings:
    """Deals, and calls of people, which views give to deals."""
    write(folder, "deals", "Id,Created,Stage,People", DEALS)
    write(folder, "calls", "caller,day,seconds", CALLS)
    used = {
        "sources": {"deals": {"path": "deals.csv"}, "calls": {"path": "calls.csv"}},
        "views": views or {"links": {"sql": LINKS}, "talks": {"sql": TALKS}},
        "mapping": [LEADS, ACTIVITIES],
        "kinds": {"attempt": "attempts", "talk": "talks"},
        "known_until": "2024-03-01",
    }
    return make_settings(input_folder=folder, data_folder=folder / "data", **(used | changes))


def write(folder: Path, name: str, header: str, rows: list[str]) -> None:
    (folder / f"{name}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def ingest(settings: Settings) -> Ingested:
    return jobs.ingest(settings, known_until_us=settings.known_until_us())


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


def stored(settings: Settings, table: str) -> list[dict[str, Any]]:
    tables = [pq.read_table(path) for path in current(settings).files(table)]
    return pa.concat_tables(tables).to_pylist()


def test_view_when_calls_hang_on_people_then_gives_them_to_deals(tmp_path: Path) -> None:
    settings = make(tmp_path)

    ingested = ingest(settings)

    rows = [(row["lead_id"], row["kind"]) for row in stored(settings, "activities")]
    assert sorted(rows) == [("1", "attempt"), ("1", "talk"), ("2", "talk")]
    accounts = ingested.accounts
    assert accounts.sources["calls"].used == accounts.sources["calls"].read == 3
    assert accounts.sources["talks"].read == accounts.tables["activities"].stored == 3
    views = {name: (view.rows_in, view.rows) for name, view in accounts.views.items()}
    assert views == {
        "links": ({"deals": 3}, 3),
        "talks": ({"calls": 3, "links": 3}, 3),
    }


def test_view_when_rows_are_refused_then_rejects_name_their_file_and_line(tmp_path: Path) -> None:
    settings = make(tmp_path, validation={"max_refused": 0.9})
    write(tmp_path, "calls", "caller,day,seconds", ["9001,2024-01-02,5", "9002,never,300"])

    ingest(settings)

    first = jobs.list_rejects(settings).first["type"]
    assert {(row["file"], row["line"], row["value"]) for row in first} == {
        ("calls.csv", 3, "never")
    }


NAMED = """
    SELECT l.Id, c.day, CASE WHEN CAST(c.seconds AS INTEGER) < 10 THEN 'attempt' ELSE 'talk' END AS kind
    FROM calls AS c JOIN links AS l ON l.person = c.caller
"""
ALONE = "SELECT CALLER AS Id, DAY AS day, 'talk' AS kind FROM calls WHERE Seconds <> '0'"


@pytest.mark.parametrize("sql", [NAMED, ALONE], ids=["a join", "names in capitals"])
def test_file_when_only_a_view_reads_it_and_a_title_stands_above_then_its_header_is_found(
    tmp_path: Path, sql: str
) -> None:
    links = {"links": {"sql": LINKS}} if "links" in sql else {}
    settings = make(tmp_path, links | {"talks": {"sql": sql}})
    (tmp_path / "calls.csv").write_text(
        "\n".join(["Calls of the team,,", "", "caller,day,seconds", *CALLS, ""]), encoding="utf-8"
    )

    ingested = ingest(settings)

    assert ingested.accounts.sources["calls"].read == len(CALLS)
    assert ingested.accounts.views["talks"].rows_in["calls"] == len(CALLS)


def test_workbook_when_only_a_view_reads_it_and_a_title_stands_above_then_its_header_is_found(
    tmp_path: Path,
) -> None:
    book = Workbook()
    for line in ("Calls of the team", "", "caller,day,seconds", *CALLS):
        book.active.append(line.split(","))
    book.save(tmp_path / "calls.xlsx")
    settings = make(tmp_path, {"talks": {"sql": ALONE}})
    calls = settings.sources["calls"].model_copy(update={"path": "calls.xlsx"})
    settings = settings.model_copy(update={"sources": settings.sources | {"calls": calls}})

    ingested = ingest(settings)

    assert ingested.accounts.views["talks"].rows_in["calls"] == len(CALLS)


def test_view_when_nothing_changed_then_no_file_is_read_again(tmp_path: Path) -> None:
    settings = make(tmp_path)
    ingest(settings)
    before = current(settings).id

    again = ingest(settings)

    assert [file.unchanged for file in again.files] == [True, True, True]
    assert current(settings).id == before


@pytest.mark.parametrize(
    ("changed", "views", "unchanged"),
    [
        ("calls", None, {"deals": True, "calls": False, "talks": False}),
        ("", {"talks": {"sql": TALKS.replace("< 10", "< 1000")}}, {"deals": True, "talks": False}),
        ("", {"links": {"sql": LINKS + " WHERE Id <> '1'"}}, {"calls": True, "talks": False}),
    ],
)
def test_view_when_a_file_or_its_sql_changed_then_it_alone_is_run_again(
    tmp_path: Path, changed: str, views: dict[str, Any] | None, unchanged: dict[str, bool]
) -> None:
    ingest(make(tmp_path))
    settings = make(tmp_path)
    if changed:
        write(tmp_path, "calls", "caller,day,seconds", [*CALLS, "9001,2024-02-02,50"])
    if views:
        all_views = {"links": {"sql": LINKS}, "talks": {"sql": TALKS}} | views
        settings = settings.model_copy(update={"views": make(tmp_path, all_views).views})

    again = jobs.ingest(settings, known_until_us=settings.known_until_us(), accept=list(ALARMS))

    files = {file.source: file.unchanged for file in again.files}
    assert unchanged.items() <= files.items()


def test_view_when_it_changes_nothing_then_equals_the_source_itself(tmp_path: Path) -> None:
    plain = make(tmp_path, mapping=[LEADS], sources={"deals": {"path": "deals.csv"}}, views=None)
    plain = plain.model_copy(update={"views": {}, "data_folder": tmp_path / "plain"})
    through = make(
        tmp_path,
        {"same": {"sql": "SELECT * FROM deals"}},
        sources={"deals": {"path": "deals.csv"}},
        mapping=[LEADS | {"source": "same"}],
    )

    ingest(plain)
    ingest(through)

    assert stored(through, "leads") == stored(plain, "leads")


def test_view_when_values_are_missing_then_sees_null_and_gives_missing(tmp_path: Path) -> None:
    sql = "SELECT *, COALESCE(People, 'nobody') AS who, NULL AS nothing FROM deals"
    settings = make(
        tmp_path,
        {"filled": {"sql": sql}},
        sources={"deals": {"path": "deals.csv"}},
        fields={"who": {"known_from": "creation"}, "nothing": {"known_from": "creation"}},
        mapping=[
            {
                "source": "filled",
                "table": "leads",
                "columns": LEADS["columns"] | {"who": "who", "nothing": "nothing"},
            }
        ],
    )

    ingest(settings)

    who = {row["lead_id"]: (row["who"], row["nothing"]) for row in stored(settings, "leads")}
    assert who["3"] == ("nobody", None)
    assert who["2"] == ("9002", None)


def test_view_when_wide_stages_are_unpivoted_then_each_is_a_stage_row(tmp_path: Path) -> None:
    write(tmp_path, "wide", "Id,Created,Develop,Propose", ["1,2024-01-01,2024-01-02,2024-01-09"])
    sql = "SELECT * FROM (UNPIVOT wide ON Develop, Propose INTO NAME stage VALUE entered)"
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        sources={"wide": {"path": "wide.csv"}},
        views={"long": {"sql": sql}},
        stages={"open": ["Develop", "Propose"]},
        mapping=[
            LEADS | {"source": "wide"},
            {
                "source": "long",
                "table": "stages",
                "columns": {"lead_id": "Id", "event_at": "entered", "stage": "stage"},
            },
        ],
    )

    ingest(settings)

    assert [row["stage"] for row in stored(settings, "stages")] == ["Develop", "Propose"]


FILL_DOWN = """
    SELECT Id, Created,
        LAST_VALUE(Stage IGNORE NULLS) OVER (ORDER BY _line) AS filled, _file, _line
    FROM deals
"""


def test_view_when_values_stand_only_where_they_change_then_they_are_filled_down(
    tmp_path: Path,
) -> None:
    entry = LEADS | {"source": "filled", "columns": {**LEADS["columns"], "region": "filled"}}
    settings = make(
        tmp_path,
        views={"filled": {"sql": FILL_DOWN}},
        fields={"region": {}},
        sources={"deals": {"path": "deals.csv"}},
        mapping=[entry],
        kinds={},
    )
    rows = ["1,2024-01-01,North,", "2,2024-01-05,,", "3,2024-02-01,South,", "4,2024-02-02,,"]
    write(tmp_path, "deals", "Id,Created,Stage,People", rows)

    ingest(settings)

    filled = {row["lead_id"]: row["region"] for row in stored(settings, "leads")}
    assert filled == {"1": "North", "2": "North", "3": "South", "4": "South"}


def test_view_when_it_names_no_columns_of_a_file_with_a_title_then_says_what_to_write(
    tmp_path: Path,
) -> None:
    settings = make(
        tmp_path,
        views={"all": {"sql": "SELECT * FROM deals"}},
        sources={"deals": {"path": "deals.csv"}},
        mapping=[LEADS | {"source": "all"}],
        kinds={},
    )
    write(tmp_path, "deals", "Deals of the north,,,", ["Id,Created,Stage,People", *DEALS])

    with pytest.raises(UserError, match="write header_row under the source"):
        ingest(settings)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "calls read_csv()"),
        ("SELECT * FROM '/etc/passwd'", "no source or earlier view is called '/etc/passwd'"),
        ("SELECT * FROM (SELECT * FROM glob('*'))", "calls glob()"),
        ("SELECT (SELECT content FROM read_text('/etc/passwd'))", "calls read_text()"),
        ("SELECT * FROM query('SELECT 1')", "calls query()"),
        ("SELECT * FROM duckdb_settings()", "calls duckdb_settings()"),
        ("SELECT * FROM information_schema.tables", "reads information_schema.tables"),
        ("SELECT * FROM sqlite_master", "is called 'sqlite_master'"),
        ("FROM (DESCRIBE deals)", "describes the database"),
        ("SELECT 1; DROP TABLE deals", "must be one SELECT"),
        ("COPY deals TO 'x.csv'", "must be one SELECT"),
        ("ATTACH 'x.db'", "must be one SELECT"),
        ("INSTALL httpfs", "must be one SELECT"),
        ("SET memory_limit = '9GB'", "must be one SELECT"),
        ("PRAGMA version", "must be one SELECT"),
        ("CREATE TABLE t AS SELECT 1", "must be one SELECT"),
        ("WITH d AS (DELETE FROM deals RETURNING *) SELECT * FROM d", "must be one SELECT"),
        ("SELECT now() FROM deals", "uses now()"),
        ("SELECT current_date FROM deals", "uses current_date"),
        ("SELECT random() FROM deals", "uses random()"),
        ("SELECT getvariable('x') FROM deals", "uses getvariable()"),
        ("SELECT * FROM deals USING SAMPLE 10%", "uses a sample"),
        ("SELECT * FROM deal", "did you mean 'deals'?"),
        ("SELECT * FROM later", "no source or earlier view is called 'later'"),
        ("SELECT Id,\n  At, FROM deals WHERE", "in line 2"),
        ("SELECT peple FROM deals", "deals.csv has no column 'peple', which views.bad reads"),
        ("SELECT peple FROM deals", "did you mean 'People' for 'peple'?"),
        ("SELECT peple FROM (SELECT 1) AS d, deals", 'column "peple" not found'),
        ("SELECT CAST(People AS INTEGER) FROM deals", "TRY_CAST"),
        ("SELECT [Id] AS ids FROM deals", "has a column 'ids'"),
        ("SELECT COUNT(*) FROM deals, range(100000000000)", "took longer than 1 seconds"),
    ],
)
def test_view_when_hostile_or_wrong_then_refused_in_words(
    tmp_path: Path, sql: str, words: str
) -> None:
    entry = LEADS | {"source": "bad", "columns": {"lead_id": "ids", "event_at": "ids"}}
    settings = make(
        tmp_path,
        {"bad": {"sql": sql}, "later": {"sql": "SELECT 1"}},
        mapping=[entry],
        sources={"deals": {"path": "deals.csv"}},
        engine={"view_seconds": 1},
    )
    settings = settings.model_copy(
        update={
            "mapping": (
                *settings.mapping,
                settings.mapping[0].model_copy(update={"source": "later"}),
            )
        }
    )

    with pytest.raises(UserError) as refused:
        ingest(settings)

    assert words in str(refused.value)
    assert "9001" not in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{path}')",
        "SELECT * FROM read_parquet('{path}')",
        "SELECT content FROM read_text('{path}')",
        "SELECT * FROM '{path}'",
    ],
)
def test_closed_database_when_the_check_is_passed_by_then_opens_no_file(
    tmp_path: Path, sql: str
) -> None:
    path = tmp_path / "secret.parquet"
    pq.write_table(pa.table({"a": ["secret"]}), path)

    with ClosedDatabase(EngineSettings(), {}) as database, pytest.raises(SelectError):
        database.add_result("stolen", Select(sql.format(path=path), frozenset()))


def test_closed_database_when_memory_is_short_then_says_which_setting(tmp_path: Path) -> None:
    select = read_select("SELECT list(range) FROM range(100000000)")

    settings = EngineSettings(memory_limit_mb=128)
    with ClosedDatabase(settings, {}) as database, pytest.raises(SelectError) as failed:
        database.add_result("large", select)

    assert "engine.memory_limit_mb" in str(failed.value)


def test_settings_when_a_view_names_a_file_then_its_text_counts(tmp_path: Path) -> None:
    path = tmp_path / "leadscore.toml"
    (tmp_path / "same.sql").write_text("SELECT * FROM deals -- all of them")
    path.write_text(
        'project = "p"\n[sources.deals]\npath = "deals.csv"\n[views.same]\nfile = "same.sql"\n'
        '[[mapping]]\nsource = "same"\ntable = "leads"\n'
        'columns = { lead_id = "Id", event_at = "Created" }\n'
    )

    assert read_settings(path).views["same"].sql == "SELECT * FROM deals -- all of them"

    (tmp_path / "same.sql").unlink()
    with pytest.raises(SettingsError, match=r"same\.sql cannot be read: No such file"):
        read_settings(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"views": {"deals": {"sql": "SELECT 1"}}, "mapping": [LEADS]},
            "a source has the same name",
        ),
        ({"views": {"empty": {}}}, "give the SELECT as `sql`"),
    ],
)
def test_settings_when_views_do_not_fit_then_says_how(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make(tmp_path, **changes)


def test_view_when_nobody_reads_a_source_then_refused(tmp_path: Path) -> None:
    settings = make(tmp_path, {"links": {"sql": LINKS}}, mapping=[LEADS])

    with pytest.raises(UserError, match="no mapping entry or view reads the source 'calls'"):
        ingest(settings)


def test_source_when_optional_and_absent_then_read_as_without_rows_and_said(tmp_path: Path) -> None:
    settings = make(tmp_path)
    calls = {"path": "calls.csv", "optional": "no calls", "columns": ["caller", "day", "seconds"]}
    settings = make(tmp_path, sources={"deals": {"path": "deals.csv"}, "calls": calls})
    (tmp_path / "calls.csv").unlink()

    ingested = ingest(settings)

    assert ingested.accounts.tables["leads"].stored == 3
    assert ingested.accounts.tables["activities"].stored == 0
    assert "no file for calls (calls.csv), so no calls" in ingested.warnings


def test_source_when_an_expected_column_is_lacking_then_it_is_missing(tmp_path: Path) -> None:
    calls = {"path": "calls.csv", "columns": ["outcome", "seconds"]}
    sql = TALKS.replace("'talk'", "COALESCE(outcome, 'talk')")
    settings = make(
        tmp_path,
        {"links": {"sql": LINKS}, "talks": {"sql": sql}},
        sources={"deals": {"path": "deals.csv"}, "calls": calls},
    )

    ingest(settings)

    assert {row["kind"] for row in stored(settings, "activities")} == {"attempt", "talk"}


def test_source_when_a_mapped_column_may_be_lacking_then_it_is_missing(tmp_path: Path) -> None:
    settings = make(
        tmp_path,
        sources={
            "deals": {"path": "deals.csv", "columns": ["Region"]},
            "calls": {"path": "calls.csv"},
        },
        fields={"region": {"known_from": "creation"}},
        mapping=[LEADS | {"columns": LEADS["columns"] | {"region": "Region"}}, ACTIVITIES],
    )

    ingest(settings)

    assert {row["region"] for row in stored(settings, "leads")} == {None}
