"""MLflow's server is slow, or does what it is asked and answers too late: nothing is lost or half promoted."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from socket import socket
from urllib.request import urlopen

import pytest

import histories
from builders import day
from late import late_server
from leadscore import project as jobs
from leadscore.errors import UnavailableError
from leadscore.registry.registry import Registry

TIMEOUT_S = 2


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A stored history whose model was trained, with MLflow told to wait for two seconds."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(TIMEOUT_S))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    world = histories.trained()
    shutil.copytree(world.settings.data_folder, tmp_path / "data")
    return world.settings.model_copy(update={"data_folder": tmp_path / "data"})


def at(settings, address):
    registry = settings.registry.model_copy(update={"tracking_uri": address})
    return settings.model_copy(update={"registry": registry})


def model_folder(settings):
    return settings.models_folder / settings.project / histories.trained().version


@pytest.fixture
def mlflow_port(tmp_path):
    """The port of a real MLflow server with nothing in it."""
    with socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    folder = tmp_path / "mlflow"
    folder.mkdir()
    words = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    database = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder}/mlflow.db"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words],
            cwd=folder,
            env=os.environ | database,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            break
    yield port
    process.terminate()
    process.wait(timeout=60)


def test_list_when_mlflow_never_answers_then_the_old_one_stands_and_words_say_so(
    settings, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    histories.score_and_publish(settings)
    current = settings.project_folder() / "scores" / "current.json"
    standing = current.read_bytes()
    with late_server(lambda *_: 0) as address:
        slow = at(settings, address)
        with pytest.raises(UnavailableError, match=r"MLflow failed while .*timed out"):
            jobs.score(slow, as_of_us=day(histories.trained().days + 1))
        with pytest.raises(UnavailableError, match=r"MLflow failed while .*timed out"):
            jobs.register(slow, model_folder(settings), who=histories.WHO)
    assert current.read_bytes() == standing


@pytest.mark.slow
def test_model_when_mlflow_is_slow_then_is_registered_and_scores(settings, mlflow_port):
    with late_server(lambda *_: 0.2, port=mlflow_port) as address:
        check_scores(at(settings, address))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_model_when_mlflow_does_it_but_answers_too_late_then_one_version_scores_once_it_answers(
    settings, mlflow_port
):
    late = set()

    def delay(method, path):
        """The first answer to every kind of change comes when nobody waits for it any more."""
        path = path.partition("?")[0]
        if method == "GET" or path in late:
            return 0
        late.add(path)
        return TIMEOUT_S + 1

    with late_server(delay, port=mlflow_port) as address:
        slow = at(settings, address)
        with suppress(UnavailableError):
            jobs.register(slow, model_folder(settings), who=histories.WHO, promote=True)
        check_scores(slow)
    assert late


def check_scores(settings):
    """Registering again leads to one champion with the model's version, and a list is published by it."""
    version = histories.trained().version
    jobs.register(settings, model_folder(settings), who=histories.WHO, promote=True)
    registry = Registry(settings)
    assert [known.version for known in registry.versions()] == [version]
    assert registry.champion().version == version
    scored = histories.score_and_publish(settings)
    current = settings.project_folder() / "scores" / "current.json"
    assert scored.publication_id in current.read_text()
