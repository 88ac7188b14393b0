"""Lists in a real database: upserted, kept, and never half there, whenever the process dies."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from builders import day
from databases import PASSWORD, create_reader, postgres_server
from leadscore.errors import UnavailableError, UserError
from leadscore.publish.targets import database
from leadscore.publish.targets.database import write_database
from leadscore.publish.targets.typed_rows import build_table
from leadscore.settings.targets import TargetSettings
from publish.targets.lists import NASTY, make_list, publication

FIRST, SECOND = "20240410T000000Z-000000000001", "20240411T000000Z-000000000002"
DATABASE = TargetSettings(kind="database")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield create_reader(address)


@pytest.fixture(params=["postgresql", "sqlite"])
def address(request, tmp_path, monkeypatch):
    """An empty database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'scores.db'}"
    else:
        url = request.getfixturevalue("server")
        ask(url, "DROP TABLE IF EXISTS scores, scores_history, scores_publications")
    monkeypatch.setenv("LEADSCORE_TARGET_URL", url)
    return url


def ask(address, statement):
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg2://"))
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def write(rows, name=FIRST, *, project="shop", excluded=(), settings=DATABASE):
    pub = publication(name)
    table, _ = build_table(pub, make_list(rows), excluded=excluded, valid_days=14)
    return write_database(table, pub, settings, project=project)


def contents(address):
    tables = ("scores", "scores_history", "scores_publications")
    return {name: sorted(ask(address, f"SELECT * FROM {name}"), key=str) for name in tables}


def test_list_when_written_then_scores_are_it_and_the_history_has_all(address):
    assert write({"1": {}, "2": {}, "3": {}}) == 0
    assert write({"2": {"score": 5.0}, "4": {}}, SECOND) == 2
    current = ask(address, "SELECT lead_id, score, publication_id FROM scores ORDER BY lead_id")
    assert current == [("2", 5.0, SECOND), ("4", 80.0, SECOND)]
    history = ask(address, "SELECT publication_id, lead_id FROM scores_history ORDER BY 1, 2")
    assert history == [(FIRST, "1"), (FIRST, "2"), (FIRST, "3"), (SECOND, "2"), (SECOND, "4")]
    lists = ask(
        address, "SELECT publication_id, leads, is_current FROM scores_publications ORDER BY 1"
    )
    assert [(name, n, bool(current)) for name, n, current in lists] == [
        (FIRST, 3, False), (SECOND, 2, True),
    ]  # fmt: skip


def test_list_when_written_again_then_nothing_changes_and_the_one_before_can_come_back(address):
    write({"1": {}, "2": {}})
    first = contents(address)
    write({"1": {}, "2": {}})
    assert contents(address) == first
    write({"2": {}}, SECOND)
    write({"1": {}, "2": {}})
    back = contents(address)
    assert back["scores"] == first["scores"]
    assert len(back["scores_history"]) == 3


def test_lists_when_of_two_projects_then_do_not_touch_each_other(address):
    write({"1": {}})
    write({"1": {"score": 1.0}}, SECOND, project="other")
    assert ask(address, "SELECT project, score FROM scores ORDER BY 1") == [
        ("other", 1.0),
        ("shop", 80.0),
    ]


def test_list_when_empty_then_the_current_one_is_empty(address):
    write({"1": {}})
    assert write({}, SECOND) == 1
    assert ask(address, "SELECT * FROM scores") == []


def test_texts_when_hostile_then_are_stored_without_what_commands(address):
    rows = {f"{n}": {"reason_up_1": words} for n, words in enumerate(NASTY)}
    write(rows)
    stored = dict(ask(address, "SELECT lead_id, reason_up_1 FROM scores"))
    assert stored["0"] == NASTY[0]
    assert stored["4"] == "nuland[31mescape"
    assert stored["7"] == "x" * 10_000


def test_lead_when_its_id_is_no_text_of_a_database_then_is_refused_by_name():
    table, refused = build_table(
        publication(), make_list({"a\x00": {}, "b": {}, "c": {}, "x" * 256: {}}), excluded=("c",), valid_days=1
    )  # fmt: skip
    assert table["lead_id"].to_pylist() == ["b"]
    assert [row.lead_id for row in refused] == ["a\x00", "x" * 256]


def test_database_without_an_upsert_when_written_then_the_result_is_the_same(address, monkeypatch):
    write({"1": {}, "2": {}})
    write({"2": {"score": 3.0}}, SECOND)
    upserted = contents(address)
    for name in upserted:
        ask(address, f"DELETE FROM {name}")
    monkeypatch.setattr(database, "INSERTS", {})
    write({"1": {}, "2": {}})
    write({"2": {"score": 3.0}}, SECOND)
    assert contents(address) == upserted


KILLED = """
import sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from leadscore.publish.targets import database
from publish.targets.test_database import LATER, SECOND, write

database.BATCH = 10
statements = []

@event.listens_for(Engine, "after_cursor_execute")
def wait(connection, cursor, statement, *rest):
    if statement.startswith(("INSERT", "UPDATE", "DELETE")):
        statements.append(statement)
    if len(statements) == int(sys.argv[1]):
        print("in the middle", flush=True)
        sys.stdin.read()

write(LATER, SECOND)
print("done", flush=True)
"""
LATER = {f"{n}": {"score": 7.0} for n in range(2, 60)}


@pytest.mark.cases(2)
@pytest.mark.parametrize("statements", [1, 4, 9, 14])
def test_list_when_its_process_is_killed_in_the_middle_then_the_one_before_stands_and_a_repeat_completes_it(
    address, statements
):
    write({"1": {}, "2": {}})
    before = contents(address)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(statements)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env=environment(address),
    )  # fmt: skip
    assert process.stdout.readline() == "in the middle\n"
    assert contents(address) == before
    process.kill()
    process.communicate()
    assert contents(address) == before
    write(LATER, SECOND)
    completed = contents(address)
    assert {row[-1] for row in ask(address, "SELECT lead_id, publication_id FROM scores")} == {
        SECOND
    }
    write(LATER, SECOND)
    assert contents(address) == completed


def environment(address):
    import os

    tests = Path(__file__).parents[2]
    path = f"{tests}:{tests.parent / 'src'}"
    return os.environ | {"LEADSCORE_TARGET_URL": address, "PYTHONPATH": path}


@pytest.mark.parametrize(("url", "error", "problem"), [
    (None, UserError, "LEADSCORE_TARGET_URL, which should hold the address"),
    ("nonsense", UserError, "holds no address like"),
    ("oracle+missing://u:secret@h/d", UserError, "no driver"),
    ("sqlite://", UserError, "in memory"),
    ("sqlite:///:memory:", UserError, "in memory"),
    ("sqlite:///file:x?mode=memory&uri=true", UserError, "in memory"),
    ("sqlite+aiosqlite:////tmp/x.db", UserError, "begin the address with sqlite://"),
    ("postgresql+asyncpg://u:secret@h/d", UserError, "begin the address with postgresql://"),
    ("mysql://u:secret@h/d", UserError, "knows for mysql"),
    ("mssql://u:secret@h/d", UserError, "knows for mssql"),
    ("sqlite:////nowhere/x.db?foo=bar", UserError, "foo"),
    ("postgresql://u:secret@127.0.0.1:1/d", UnavailableError, "cannot be written now"),
    ("sqlite:////nowhere/at/all.db", UnavailableError, "cannot be written now"),
])  # fmt: skip
def test_database_when_it_cannot_be_written_then_says_why_without_the_password(
    monkeypatch, url, error, problem
):
    monkeypatch.delenv("LEADSCORE_TARGET_URL", raising=False)
    if url:
        monkeypatch.setenv("LEADSCORE_TARGET_URL", url)
    with pytest.raises(error, match=problem) as raised:
        write({"1": {}})
    assert "secret" not in str(raised.value)


def test_password_when_the_database_refuses_then_stands_in_no_message(server, monkeypatch):
    monkeypatch.setenv("LEADSCORE_TARGET_URL", server)
    with pytest.raises(UserError) as raised:
        write({"1": {}}, settings=TargetSettings(kind="database", schema_name="nowhere"))
    assert "nowhere" in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_table_when_it_lacks_a_column_then_names_it(address):
    write({"1": {}})
    ask(address, "ALTER TABLE scores DROP COLUMN trend")
    with pytest.raises(UserError, match="the table scores has no column 'trend'"):
        write({"1": {}}, SECOND)


def test_dates_when_stored_then_are_those_of_the_list(address):
    write({"1": {}})
    (row,) = ask(address, "SELECT as_of, score_valid_until FROM scores")
    as_of, until = map(str, row)
    assert as_of.startswith("2024-04-10 00:00:00.000001")
    assert until.startswith("2024-04-24")
    assert day(100)
