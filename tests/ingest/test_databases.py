"""Sources that a database answers: the same store as from files, asked again, and in increments."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from databases import (
    PASSWORD,
    create_reader,
    postgres_server,
    run_duckdb,
    run_postgres,
    run_sqlite,
)
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.project.checkup import check_up
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import format_us, parse_moment

UNTIL = "2024-03-01"
LEADS = "id TEXT, created TEXT, city TEXT, size NUMERIC(10, 1)"
ROWS = (
    "('00012', '2024-01-01T10:00:00Z', 'Köln', 12.5)",
    "('7', '2024-01-02T10:00:00Z', NULL, NULL)",
    "('8', '2024-01-03T10:00:00Z', 'Ulm', 1234.0)",
)
MAPPING = {
    "source": "leads",
    "table": "leads",
    "columns": {"lead_id": "id", "event_at": "created", "city": "city", "size": "size"},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "lead", "event_at": "at"},
    "constants": {"kind": "meeting"},
}
FIELDS = {"city": {"known_from": "creation"}, "size": {"type": "number", "decimals": 1}}
VARIABLE = "LEADSCORE_SOURCE_URL"
VALUES = f"INSERT INTO leads VALUES {', '.join(ROWS)}"
SECRETS = (PASSWORD, "pl4nted", "p%40ss")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The addresses of a superuser and of a role with a password."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield address, create_reader(address)


@pytest.fixture
def postgres(server, monkeypatch):
    """The address of the superuser of a PostgreSQL with a table of leads, which settings reach."""
    run_postgres(
        server[0], "DROP TABLE IF EXISTS leads, calls", f"CREATE TABLE leads ({LEADS})", VALUES
    )
    monkeypatch.setenv(VARIABLE, server[1])
    return server[0]


def settings_of(folder: Path, leads: dict[str, Any], **more: Any) -> Settings:
    stated = {"known_until": UNTIL, "mapping": [MAPPING], "fields": FIELDS}
    stated |= {"input_folder": folder, "data_folder": folder / "data"} | more
    sources = {"leads": leads} | stated.pop("sources", {})
    return make_settings(sources=sources, **stated)


def stored(settings: Settings, table: str = "leads") -> list[dict[str, Any]]:
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def moments(settings: Settings) -> list[str]:
    return sorted(format_us(row["event_us"])[:10] for row in stored(settings, "activities"))


def test_leads_when_they_come_from_any_database_then_the_store_is_that_of_a_csv(
    tmp_path, postgres, monkeypatch
):
    (tmp_path / "leads.csv").write_text(
        "id,created,city,size\n00012,2024-01-01T10:00:00Z,Köln,12.5\n"
        "7,2024-01-02T10:00:00Z,,\n8,2024-01-03T10:00:00Z,Ulm,1234\n"
    )
    whole = settings_of(tmp_path, {"path": "leads.csv"})
    jobs.ingest(whole)

    run_sqlite(tmp_path / "crm.db", f"CREATE TABLE leads ({LEADS})", VALUES)
    run_duckdb(tmp_path / "crm.duckdb", f"CREATE TABLE leads ({LEADS})", VALUES)
    addresses = {
        "postgres": os.environ[VARIABLE],
        "sqlite": f"sqlite:///{tmp_path / 'crm.db'}",
        "duckdb": f"duckdb:///{tmp_path / 'crm.duckdb'}",
    }
    for name, address in addresses.items():
        monkeypatch.setenv("CRM_URL", address)
        settings = settings_of(
            tmp_path, {"db_table": "leads", "url_env": "CRM_URL"}, data_folder=tmp_path / name
        )
        ingested = jobs.ingest(settings)
        assert stored(settings) == stored(whole), name
        assert [file.file for file in ingested.files] == ["leads"]


@pytest.mark.slow
def test_answer_when_its_rows_are_the_same_then_nothing_is_read_again(tmp_path, postgres):
    settings = settings_of(tmp_path, {"sql": "SELECT * FROM leads"}, known_until=None)
    first = jobs.ingest(settings, known_until_us=parse_moment(UNTIL, zone="UTC"))
    run_postgres(postgres, "UPDATE leads SET city = city WHERE id = '00012'")  # moves the row
    again = jobs.ingest(settings)
    assert [file.unchanged for file in again.files] == [True]
    assert (again.known_until, again.store_version) == (first.known_until, first.store_version)
    assert again.known_until_from == "the ingest before, of the same files"

    later = jobs.ingest(settings, known_until_us=parse_moment("2024-03-02", zone="UTC"))
    assert later.alarms == []  # a quiet day: the database was asked
    run_postgres(postgres, "UPDATE leads SET city = 'Bonn' WHERE id = '8'")
    changed = jobs.ingest(settings, known_until_us=parse_moment("2024-03-03", zone="UTC"))
    assert [file.unchanged for file in changed.files] == [False]


def test_known_until_when_nothing_states_it_then_the_clock_of_the_database_does(tmp_path, postgres):
    run_postgres(
        postgres,
        "UPDATE leads SET created = to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYY-MM-DD')",
    )
    settings = settings_of(tmp_path, {"db_table": "public.leads"}, known_until=None)
    ingested = jobs.ingest(settings)
    assert ingested.known_until_from == "the database of leads"
    version = read_current(settings.project_folder() / "store", project=settings.project)
    assert 0 < version.known_until_us - stored(settings)[0]["event_us"] < 3 * 86_400_000_000


def test_known_until_when_the_database_is_long_past_its_last_fact_then_it_is_asked_for(
    tmp_path, postgres
):
    settings = settings_of(tmp_path, {"db_table": "leads"}, known_until=None)
    with pytest.raises(UserError, match="the job that fills the database may have stopped"):
        jobs.ingest(settings)


def test_rows_when_they_are_rejected_then_the_table_and_the_row_are_named(tmp_path, postgres):
    run_postgres(postgres, "INSERT INTO leads VALUES ('9', 'soon', 'Ulm', 1)")
    settings = settings_of(tmp_path, {"db_table": "leads"}, validation={"max_refused": 1.0})
    jobs.ingest(settings)
    rejects = jobs.list_rejects(settings)
    (row,) = rejects.first["type"]
    assert (row["source"], row["file"], row["line"], row["value"]) == ("leads", "leads", 4, "soon")


def test_database_when_a_view_reads_it_then_the_view_has_its_rows(tmp_path, postgres):
    views = {"all_leads": {"sql": "SELECT *, upper(city) AS loud FROM leads"}}
    entry = MAPPING | {"source": "all_leads", "columns": MAPPING["columns"] | {"city": "loud"}}
    settings = settings_of(tmp_path, {"db_table": "leads"}, views=views, mapping=[entry])
    jobs.ingest(settings)
    assert sorted(row["city"] or "" for row in stored(settings)) == ["", "KÖLN", "ULM"]
    assert jobs.ingest(settings).files[0].unchanged


def incremental(folder: Path, **more: Any) -> Settings:
    calls = {"db_table": "calls", "cursor": "number"} | more.pop("calls", {})
    return settings_of(
        folder, {"db_table": "leads"}, mapping=[MAPPING, CALLS], sources={"calls": calls}, **more
    )


def add_calls(postgres: str, *rows: tuple[int, str, str]) -> None:
    values = ", ".join(f"({number}, '{lead}', '{at}')" for number, lead, at in rows)
    run_postgres(
        postgres,
        "CREATE TABLE IF NOT EXISTS calls (number INT, lead TEXT, at TEXT)",
        f"INSERT INTO calls VALUES {values}",
    )


def test_cursor_when_rows_are_added_then_only_they_are_read_and_the_earlier_ones_stay(
    tmp_path, postgres
):
    settings = incremental(tmp_path)
    add_calls(postgres, (1, "7", "2024-01-05"), (2, "8", "2024-01-06"))
    jobs.ingest(settings)
    assert moments(settings) == ["2024-01-05", "2024-01-06"]

    run_postgres(postgres, "DELETE FROM calls WHERE number = 1")
    add_calls(postgres, (3, "7", "2024-01-07"), (4, "no lead", "2024-01-08"))
    second = jobs.ingest(settings, known_until_us=parse_moment("2024-03-02", zone="UTC"))
    assert moments(settings) == ["2024-01-05", "2024-01-06", "2024-01-07"]
    calls = [(file.file, file.unchanged) for file in second.files if file.source == "calls"]
    assert calls == [("calls", True), ("calls after 2", False)]
    assert second.accounts.sources["calls"].read == 4
    assert second.rejects == {"reference": 1}

    third = jobs.ingest(settings, known_until_us=parse_moment("2024-03-02", zone="UTC"))
    assert third.store_version == second.store_version
    assert all(file.unchanged for file in third.files)
    jobs.rollback_store(settings, read_before(settings))
    add_calls(postgres, (5, "8", "2024-01-09"))
    jobs.ingest(settings, known_until_us=parse_moment("2024-03-03", zone="UTC"))
    assert moments(settings) == ["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-09"]


def read_before(settings: Settings) -> str:
    """The version before the current one."""
    current = read_current(settings.project_folder() / "store", project=settings.project).id
    versions = [version.version for version in jobs.list_store(settings).versions]
    return next(version for version in versions if version != current)


def test_cursor_when_it_cannot_go_on_then_all_rows_are_read_again(tmp_path, postgres):
    add_calls(postgres, (1, "7", "2024-01-05"), (2, "8", "2024-01-06"))
    jobs.ingest(incremental(tmp_path))
    add_calls(postgres, (3, "7", "2024-01-07"))

    other_question = incremental(tmp_path, calls={"timezone": "Europe/Berlin"})
    asked = jobs.ingest(other_question, known_until_us=parse_moment("2024-03-02", zone="UTC"))
    assert [file.file for file in asked.files if file.source == "calls"] == ["calls"]
    assert moments(other_question) == ["2024-01-05", "2024-01-06", "2024-01-07"]

    for part in (other_question.project_folder() / "store" / "parts").iterdir():
        part.write_text("damaged")
    add_calls(postgres, (4, "7", "2024-01-08"))
    again = jobs.ingest(other_question, known_until_us=parse_moment("2024-03-03", zone="UTC"))
    assert [file.file for file in again.files if file.source == "calls"] == ["calls"]
    assert len(moments(other_question)) == 4


@pytest.mark.parametrize(
    ("leads", "more", "words"),
    [
        ({}, {}, "give one of path, db_table and sql; there is none of them"),
        ({"path": "x.csv", "sql": "SELECT 1"}, {}, "there is path and sql"),
        ({"path": "x.csv", "cursor": "id"}, {}, "cursor is for databases only"),
        ({"db_table": "leads", "delimiter": ";"}, {}, "delimiter is for files only"),
        ({"db_table": "leads; DROP TABLE x"}, {}, "must be a table like"),
        ({"db_table": "leads", "cursor": "id"}, {}, "so leave out `cursor`"),
        ({"sql": "DELETE FROM leads"}, {}, "must begin with SELECT or WITH, got 'DELETE'"),
        ({"sql": "SELECT 1; DROP TABLE leads"}, {}, "there is a ';' between two statements"),
        ({"sql": "SELECT ';' AS a, \"b;c\" -- d;\n, /* ; */ $x$;$x$ AS e;", "decimal": "?"}, {}, "decimal"),
        ({"db_table": "leads", "url_env": f"postgresql://me:{PASSWORD}@h/d"}, {}, "must be the name of an environment variable"),
    ],
)  # fmt: skip
def test_settings_when_a_database_is_stated_wrongly_then_that_is_said(tmp_path, leads, more, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        settings_of(tmp_path, leads, **more)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("time", "columns", "words"),
    [
        ("none", {"city": "city"}, "map a column to lead_id"),
        ("ordered", {"lead_id": "id"}, "map a column to sequence"),
    ],
)
def test_settings_when_leads_are_known_by_lines_then_a_database_cannot_give_them(
    time, columns, words
):
    stated = {
        "project": "undated",
        "time": time,
        "sources": {"leads": {"db_table": "leads"}},
        "fields": {"city": {}},
        "mapping": [{"source": "leads", "table": "leads", "columns": columns}],
    }
    with pytest.raises(ValueError, match=words):
        Settings.model_validate(stated)


def test_cursor_when_a_view_reads_the_source_then_it_is_refused(tmp_path, postgres):
    add_calls(postgres, (1, "7", "2024-01-05"))
    settings = settings_of(
        tmp_path,
        {"db_table": "leads"},
        mapping=[MAPPING, CALLS | {"source": "all_calls"}],
        sources={"calls": {"db_table": "calls", "cursor": "number"}},
        views={"all_calls": {"sql": "SELECT * FROM calls"}},
    )
    with pytest.raises(UserError, match="a view needs all rows"):
        jobs.ingest(settings)


TOML = """
project = "planted"
known_until = "2024-03-01"
[sources.leads]
db_table = "leads"
url_env = "CRM_URL"
[fields.city]
known_from = "creation"
[fields.size]
type = "number"
[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created", city = "city", size = "size" }
"""


@pytest.mark.slow
def test_password_when_it_is_planted_then_it_stands_nowhere(tmp_path, server, postgres):
    (tmp_path / "leadscore.toml").write_text(TOML)
    good, wrong = server[1], server[1].replace("crm_reader:", "crm_reader:x")
    assert "pl4nted" in good
    for address, code in ((good, 0), (wrong, 2), (f"{good}%zz@", 2)):
        words = [sys.executable, "-m", "leadscore", "ingest", "--config", "leadscore.toml"]
        run = subprocess.run(
            words,
            check=False,
            cwd=tmp_path,
            env=os.environ | {"CRM_URL": address},
            capture_output=True,
            text=True,
        )
        assert run.returncode == code, run.stderr
        assert not any(secret in run.stdout + run.stderr for secret in SECRETS)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in written:
        data = path.read_bytes()
        assert not any(secret.encode() in data for secret in SECRETS), path


def test_database_when_it_gives_no_rows_then_that_is_said(tmp_path, postgres):
    run_postgres(postgres, "DELETE FROM leads")
    with pytest.raises(SourceFormatError, match="leads gives no rows"):
        jobs.ingest(settings_of(tmp_path, {"db_table": "leads"}))


@pytest.mark.parametrize("state", ["ok", "problem"])
def test_doctor_when_a_source_is_a_database_then_it_is_reached(
    tmp_path, postgres, monkeypatch, state
):
    if state == "problem":
        monkeypatch.delenv(VARIABLE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadscore.toml").write_text(TOML.replace('url_env = "CRM_URL"', ""))
    checkup = check_up(tmp_path / "leadscore.toml", clock_us=parse_moment(UNTIL, zone="UTC"))
    exports = next(check for check in checkup.checks if check.name == "exports")
    assert exports.state == state
    words = VARIABLE if state == "problem" else "1 answer or file from elsewhere"
    assert words in exports.seen
