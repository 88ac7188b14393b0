"""`make up` and `make down`: real processes, started and ended; a scheduled flow run by the worker."""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from urllib.request import urlopen

import pytest
import yaml

from commands import run
from leadscore.sample.sample import write_sample

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "flows"
FOLDER = Path("data", "prefect", "services")


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def python(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a Python command printed, which must end within minutes."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "COLUMNS": "200", **variables},
    )


@pytest.fixture
def services(tmp_path, monkeypatch):
    """The module, in a working directory of its own; whatever it started is ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(FLOWS)
    FOLDER.mkdir(parents=True)
    import services

    yield services
    for pid_file in FOLDER.glob("*.pid"):
        services.stop(pid_file)


@pytest.fixture
def web(services):
    """A service that answers, and its port."""
    port = free_port()
    process = start_web(services, port)
    yield process, port
    process.kill()
    process.wait(timeout=60)


def start_web(services, port: int):
    address = f"http://127.0.0.1:{port}"
    words = ("http.server", "--bind", "127.0.0.1", str(port))
    process = services.start("web", *words)
    services.wait_for(address, process)
    return process


def test_service_when_started_then_answers_until_it_is_stopped(services, web):
    process, port = web

    services.stop(FOLDER / "web.pid")

    assert process.wait(timeout=60) != 0
    assert not list(FOLDER.glob("*.pid"))
    with socket.socket() as trial:
        assert trial.connect_ex(("127.0.0.1", port)) != 0


def test_service_when_another_process_has_its_id_then_that_one_is_left_alone(services, web):
    process, _ = web
    other = FOLDER / "other.pid"
    other.write_text(f"{process.pid} LEADSCORE_SERVICE_OTHER_1")

    services.stop(other)

    assert process.poll() is None
    assert not other.exists()


def test_service_when_it_dies_then_the_error_says_where_its_log_is(services):
    from leadscore.errors import UserError

    process = services.start("broken", "no_such_module")
    with pytest.raises(UserError, match=r"does not answer; see the logs in data/prefect/services"):
        services.wait_for("http://127.0.0.1:1", process)
    assert "no_such_module" in (FOLDER / "broken.log").read_text()


def test_up_when_a_port_is_in_use_then_starts_nothing(services):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = python(FLOWS / "up.py", "--prefect-port", port)
    assert refused.returncode == 2
    assert f"port {port} is in use" in refused.stderr
    assert not list(FOLDER.glob("*.pid"))


def test_up_when_something_is_up_already_then_names_it(web):
    refused = python(FLOWS / "up.py")
    assert refused.returncode == 2
    assert "the web was started already; `make down` stops it" in refused.stderr


def test_deployments_when_read_then_name_flows_and_parameters_that_exist():
    document = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    assert [each["name"] for each in document["deployments"]] == ["nightly", "when_due", "daily"]
    for deployment in document["deployments"]:
        path, _, name = deployment["entrypoint"].partition(":")
        tree = ast.parse((ROOT / path).read_text())
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        arguments = functions[name].args
        parameters = {argument.arg for argument in [*arguments.args, *arguments.kwonlyargs]}
        assert set(deployment["parameters"]) <= parameters
        assert deployment["concurrency_limit"]["limit"] == 1
        assert deployment["work_pool"]["name"] == "leadscore"


@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_automations_when_documented_then_are_what_prefect_reads():
    from prefect.events.schemas.automations import AutomationCore
    from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

    page = (ROOT / "docs" / "operate.md").read_text()
    automation, triggers = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    read = AutomationCore.model_validate(automation)
    assert read.trigger.expect == {"leadscore.withheld"}
    assert [action.type for action in read.actions] == ["call-webhook"]
    (trigger,) = triggers["triggers"]
    assert DeploymentEventTrigger.model_validate(trigger).expect == {"leadscore.drift"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A server's folder: flows, deployments, and a sample with a champion."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").symlink_to(FLOWS)
    (tmp_path / "prefect.yaml").symlink_to(ROOT / "prefect.yaml")
    write_sample(tmp_path / "crm", leads=900, seed=4)
    path = tmp_path / "crm" / "leadscore.toml"
    text = re.sub("(?m)^cadence_days = .*$", "cadence_days = 28", path.read_text())
    text = re.sub("(?m)^max_per_lead = .*$", "max_per_lead = 2", text)
    path.write_text(text + '\n[model]\nscorer = "scorecard"\n')
    assert run("ingest", "--config", path).code == 0
    trained = run("train", "--promote", "--config", path)
    assert trained.code == 0, trained.err
    return path


def marked(pid_files: dict[str, str]) -> list[str]:
    """The processes that carry the mark of a service."""
    from marks import is_marked

    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    marks = [text.split()[1] for text in pid_files.values()]
    return [mark for mark in marks for pid in pids if is_marked(pid, mark)]


@pytest.fixture
def stack(place, monkeypatch):
    """A server, a worker and MLflow for a sample, and what Prefect's commands must know of them."""
    monkeypatch.syspath_prepend(FLOWS)
    ports = {"prefect": free_port(), "mlflow": free_port()}
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    up = python("flows/up.py", "--config", place, *options)
    assert up.returncode == 0, up.stderr
    at = {
        "PREFECT_API_URL": f"http://127.0.0.1:{ports['prefect']}/api",
        "PREFECT_HOME": str(Path("data", "prefect").resolve()),
        "LEADSCORE_CONFIG": str(place),
    }
    yield up, ports, at
    python("flows/down.py")


def read_run(at: dict[str, str], run_id: str) -> dict[str, object]:
    """A flow run as the server has it."""
    with urlopen(f"{at['PREFECT_API_URL']}/flow_runs/{run_id}", timeout=60) as answer:
        return json.load(answer)


def wait_for_state(at: dict[str, str], run_id: str, expected: str) -> None:
    deadline = time.monotonic() + 600
    while (state := read_run(at, run_id)["state_type"]) != expected:
        assert time.monotonic() < deadline, f"the run is {state}"
        Event().wait(0.2)  # or the server has no time for anything else


def start_run(at: dict[str, str]) -> str:
    """Ask for a list; the id of the flow run."""
    words = ("deployment", "run", "leadscore-score/nightly", "--param", "as_of=null")
    asked = python("-m", "prefect", *words, **at)
    assert asked.returncode == 0, asked.stderr
    (run_id,) = re.findall(r"UUID: ([0-9a-f-]{36})", asked.stdout)
    return run_id


def kill_worker() -> None:
    os.kill(int((FOLDER / "worker.pid").read_text().split()[0]), signal.SIGKILL)


def kill_all_of_it() -> None:
    """The worker and its flow, as when a machine loses its power."""
    from marks import end_marked

    end_marked((FOLDER / "worker.pid").read_text().split()[1])


SOONER = """
from datetime import timedelta
from automations import apply_automations, crash_silent
apply_automations(crash_silent(timedelta(seconds=75)))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_run_when_it_is_killed_in_mid_flow_then_the_same_run_is_run_again_and_ends_right(
    place, monkeypatch, request
):
    monkeypatch.setenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
    monkeypatch.syspath_prepend(FLOWS)
    import services
    from stack import POOL, PREFECT

    _, _, at = request.getfixturevalue("stack")
    sooner = python("-c", SOONER, **at, PYTHONPATH=str(FLOWS))
    assert sooner.returncode == 0, sooner.stderr
    lists = []
    for kill in (kill_worker, kill_all_of_it):
        run_id = start_run(at)
        wait_for_state(at, run_id, "RUNNING")
        kill()
        assert Path("data/sample/scores").exists() == bool(lists)  # it was in the middle
        services.start("worker", *PREFECT, "worker", "start", "--pool", POOL, "--limit", "1", **at)

        wait_for_state(at, run_id, "COMPLETED")
        assert read_run(at, run_id)["run_count"] == 2
        status = json.loads(run("status", "--json", "--config", place).out)
        lists.append(status["published"]["publication_id"])
    assert lists[0] == lists[1]  # of the same exports
    assert run("store", "list", "--config", place).code == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_flow_when_the_server_is_killed_in_mid_flow_then_the_list_is_published_and_words_say_so(
    services, place
):
    from marks import end_marked
    from stack import PREFECT

    port = free_port()
    at = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(Path("data", "prefect").resolve()),
        "PREFECT_CLIENT_MAX_RETRIES": "1",  # or each of its calls waits for a minute
    }
    server = services.start("server", *PREFECT, "server", "start", "--port", str(port), **at)
    services.wait_for(f"{at['PREFECT_API_URL']}/health", server)
    words = [FLOWS / "score.py", "--config", place]
    flow = subprocess.Popen(
        [sys.executable, *words],
        env=os.environ | at,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in flow.stderr:
        if "Task run 'ingest" in line:
            break
    end_marked((FOLDER / "server.pid").read_text().split()[1])
    _, err = flow.communicate(timeout=600)
    assert flow.returncode == 2, err
    assert "error: Prefect's server cannot be reached" in err
    assert "Traceback" not in err
    assert re.search("Task run 'worklist-[^']*' - Finished in state Completed", err)
    current = json.loads(Path("data/sample/scores/current.json").read_text())["publication_id"]

    again = python(*words, PREFECT_HOME=at["PREFECT_HOME"])  # which starts a server of its own
    assert again.returncode == 0, again.stderr
    assert f"Published in data/sample/scores/{current}" in again.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)  # it starts a server, a worker and MLflow
@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_deployment_when_run_by_the_worker_then_publishes_a_list_and_down_leaves_no_process(
    place, monkeypatch
):
    monkeypatch.syspath_prepend(FLOWS)
    ports = {"prefect": free_port(), "mlflow": free_port()}
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    up = python("flows/up.py", "--config", place, *options)
    assert up.returncode == 0, up.stderr
    pid_files = {path.stem: path.read_text() for path in FOLDER.glob("*.pid")}
    try:
        assert f"Prefect: http://127.0.0.1:{ports['prefect']}" in up.stdout
        assert f"MLflow: http://127.0.0.1:{ports['mlflow']}" in up.stdout
        at = {
            "PREFECT_API_URL": f"http://127.0.0.1:{ports['prefect']}/api",
            "PREFECT_HOME": str(Path("data", "prefect").resolve()),
        }
        words = ("deployment", "run", "leadscore-score/nightly", "--param", "as_of=null", "--watch")
        ran = python("-m", "prefect", *words, **at)
        assert ran.returncode == 0, (FOLDER / "worker.log").read_text()
        assert "prefect.flow-run.Completed" in ran.stdout
        assert "leadscore.published" in ran.stdout
        current = json.loads(Path("data/sample/scores/current.json").read_text())
        status = json.loads(run("status", "--json", "--config", place).out)
        assert status["published"]["publication_id"] == current["publication_id"]
    finally:
        down = python("flows/down.py")
    assert down.stdout.splitlines() == ["stopped: worker", "stopped: server", "stopped: mlflow"]
    assert set(pid_files) == {"server", "worker", "mlflow"}
    assert marked(pid_files) == []
