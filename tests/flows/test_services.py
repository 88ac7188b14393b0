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


def read_state(at: dict[str, str], run_id: str) -> str:
    """The state of a flow run, as the server has it."""
    with urlopen(f"{at['PREFECT_API_URL']}/flow_runs/{run_id}", timeout=60) as answer:
        return json.load(answer)["state_type"]


def wait_for_state(at: dict[str, str], run_id: str, expected: str) -> None:
    deadline = time.monotonic() + 600
    while (state := read_state(at, run_id)) != expected:
        assert time.monotonic() < deadline, f"the run is {state}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_worker_when_killed_in_the_middle_of_a_flow_then_it_is_crashed_and_the_next_run_ends_right(
    place, stack
):
    import services
    from stack import POOL, PREFECT

    _, _, at = stack
    words = ("deployment", "run", "leadscore-score/nightly", "--param", "as_of=null")
    asked = python("-m", "prefect", *words, **at)
    assert asked.returncode == 0, asked.stderr
    (run_id,) = re.findall(r"UUID: ([0-9a-f-]{36})", asked.stdout)
    wait_for_state(at, run_id, "RUNNING")

    worker = int((FOLDER / "worker.pid").read_text().split()[0])
    os.kill(worker, signal.SIGKILL)
    assert not Path("data/sample/scores/current.json").exists()  # it was in the middle
    services.start("worker", *PREFECT, "worker", "start", "--pool", POOL, "--limit", "1", **at)

    wait_for_state(at, run_id, "CRASHED")
    assert not Path("data/sample/scores/current.json").exists()  # nothing is half published
    again = python("-m", "prefect", *words, "--watch", **at)
    assert again.returncode == 0, (FOLDER / "worker.log").read_text()
    status = json.loads(run("status", "--json", "--config", place).out)
    assert status["published"] is not None


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
