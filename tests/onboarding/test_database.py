"""From a real database to an ingest, and to a list, by `leadscore init` and what it prints as next."""

import csv
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from databases import PASSWORD, create_reader, postgres_server, run_postgres
from leadscore import Project
from leadscore.cli import main as cli
from leadscore.errors import UserError
from leadscore.onboarding.database import is_address
from leadscore.project.starting import start
from leadscore.sample.sample import write_sample
from presets.hubspot import build_account
from presets.world import END

LEADS = 40
TO_A_LIST = 1000


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The address that a run keeps goes with the test."""
    monkeypatch.setenv("LEADSCORE_SOURCE_URL", "")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield address, create_reader(address)


def tables_of(folder: Path) -> dict[str, tuple[list[str], list[list[str | None]]]]:
    """The columns and rows of each file of the sample."""
    tables = {}
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as text:
            header, *rows = csv.reader(text)
        tables[file.stem] = (header, [[cell or None for cell in row] for row in rows])
    return tables


def fill_postgres(address: str, folder: Path) -> None:
    for name, (header, rows) in tables_of(folder).items():
        columns = ", ".join(f'"{column}" TEXT' for column in header)
        run_postgres(
            address, f'DROP TABLE IF EXISTS "{name}"', f'CREATE TABLE "{name}" ({columns})'
        )
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        run_postgres(address, f'INSERT INTO "{name}" VALUES {values}'.replace("%", "%%"))


def fill_sqlite(path: Path, folder: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for name, (header, rows) in tables_of(folder).items():
            columns = ", ".join(f'"{column}" TEXT' for column in header)
            database.execute(f'CREATE TABLE "{name}" ({columns})')
            marks = ", ".join("?" * len(header))
            database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)


def literal(cell: str | None) -> str:
    return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"


def run(*words: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["leadscore", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert not ended.value.code


def assert_secret(folder: Path, printed: str) -> None:
    """The planted password is in nothing that was written or printed."""
    for path in folder.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
    assert PASSWORD not in printed


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_init_when_given_postgres_then_ingests_and_keeps_the_password(
    tmp_path: Path, postgres: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, reader = postgres
    write_sample(tmp_path / "crm", leads=LEADS, seed=1)
    fill_postgres(owner, tmp_path / "crm" / "exports")

    run("init", reader, "--yes", "--project", "crm")

    printed = capsys.readouterr().out
    assert "Next: leadscore train" in printed
    assert "set LEADSCORE_SOURCE_URL for later runs" in printed
    settings = (tmp_path / "leadscore.toml").read_text()
    assert 'db_table = "leads"' in settings
    assert_secret(tmp_path, printed)


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_init_train_score_when_given_postgres_then_a_list_is_published(
    tmp_path: Path, postgres: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, reader = postgres
    write_sample(tmp_path / "crm", leads=TO_A_LIST, seed=1)
    fill_postgres(owner, tmp_path / "crm" / "exports")

    run("init", reader, "--yes", "--project", "crm")
    run("train")
    run("score")

    printed = capsys.readouterr().out
    assert "Published in data/crm/scores" in printed
    assert_secret(tmp_path, printed)


@pytest.mark.usefixtures("environment")
def test_start_when_given_sqlite_then_finds_its_tables(tmp_path: Path) -> None:
    write_sample(tmp_path / "crm", leads=LEADS, seed=1)
    path = tmp_path / "crm.db"
    fill_sqlite(path, tmp_path / "crm" / "exports")

    started = start([f"sqlite:///{path}"], tmp_path / "leadscore.toml", project="crm")

    assert started.url_env == "LEADSCORE_SOURCE_URL"
    assert os.environ["LEADSCORE_SOURCE_URL"] == f"sqlite:///{path}"
    parts = {part.part: part.place for part in started.parts}
    assert parts["id"] == "leads: lead_id"
    assert parts["stages"] == "stage_history: stage"
    settings = (tmp_path / "leadscore.toml").read_text()
    assert "CHECK: the newest row is much older than the moment of reading" in settings
    assert "files" not in settings


@pytest.mark.usefixtures("environment")
def test_start_when_tables_are_of_a_known_crm_then_the_preset_reads_them_and_orders_stages(
    tmp_path: Path,
) -> None:
    (tmp_path / "exports").mkdir()
    build_account(LEADS).write(tmp_path / "exports")
    fill_sqlite(tmp_path / "crm.db", tmp_path / "exports")

    started = start([f"sqlite:///{tmp_path}/crm.db"], tmp_path / "leadscore.toml", project="crm")

    assert started.preset == "hubspot/fivetran"
    ingested = Project(tmp_path / "leadscore.toml").ingest(known_until=END)
    assert "allowed" not in ingested.rejects
    assert ingested.accounts.tables["stages"].stored > LEADS


@pytest.mark.usefixtures("environment")
def test_start_when_the_database_is_empty_or_not_alone_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM")
    config = tmp_path / "leadscore.toml"

    with pytest.raises(UserError, match="has no table"):
        start([f"sqlite:///{path}"], config)
    with pytest.raises(UserError, match="one database, and nothing else"):
        start([f"sqlite:///{path}", "deals.csv"], config)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("postgresql://u:p@host/db", True),
        ("postgresql+psycopg://host/db", True),
        ("sqlite:////tmp/x.db", True),
        ("duckdb:///x.duckdb", True),
        ("s3://bucket/deals.csv", False),
        ("exports/deals.csv", False),
        ("C://exports", False),
    ],
)
def test_is_address_when_a_word_names_a_place_then_told_from_files(
    place: str, expected: bool
) -> None:
    assert is_address(place) == expected
