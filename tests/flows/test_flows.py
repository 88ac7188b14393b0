"""The flows on Prefect's test harness and on a real server that they start themselves; other tests never start it."""

import ast
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import run
from leadscore.errors import UserError
from leadscore.sample.sample import write_sample

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "flows"
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Prefect's own
    pytest.mark.timeout(900),  # each trains anew, some beside a server
]


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    """A sample, just large enough for a signal, with settings of a quick training: each test here trains anew."""
    folder = tmp_path_factory.mktemp("crm with a space") / "crm"
    write_sample(folder, leads=900, seed=4)
    path = folder / "leadscore.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub("(?m)^cadence_days = .*$", "cadence_days = 28", text)
    text = re.sub("(?m)^max_per_lead = .*$", "max_per_lead = 2", text)
    path.write_text(text + '\n[model]\nscorer = "scorecard"\n', encoding="utf-8")
    return folder


def command(folder, *words, **environment):
    """A command as a user gives it, in a folder of its own; what it printed."""
    folder.mkdir(exist_ok=True)
    told = subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, check=False, capture_output=True, text=True,
        env={**os.environ, "COLUMNS": "120", **environment},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout


FORECAST = ["forecast", "--publish"]


@pytest.fixture(scope="module")
def by_commands(crm, tmp_path_factory):
    """Where `leadscore ingest`, `train`, `score`, `report`, `worklist` and `forecast` left their files."""
    folder = tmp_path_factory.mktemp("commands")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (["ingest"], ["train"], ["score"], ["report"], ["worklist"], FORECAST):
            ended = run(*words, "--config", crm / "leadscore.toml")
            assert ended.code == 0, ended.err
    return folder


def share_salt(ours, theirs):
    """Let the store of another folder hash as ours does: each draws a salt, and the bytes depend on it."""
    salt = Path("data", "sample", "store", "salt")
    (theirs / salt).parent.mkdir(parents=True)
    shutil.copy(ours / salt, theirs / salt)


def published(folder):
    """All bytes that jobs wrote, but for MLflow's and Prefect's own files, and who did it when."""
    kept = [*(folder / "data" / "sample").rglob("*"), *(folder / "models" / "sample").rglob("*")]
    files = [path for path in kept if path.is_file() and path.name != "audit.jsonl"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_flow_when_run_on_the_harness_then_writes_the_bytes_of_the_commands_and_shows_artifacts(
    harness, crm, by_commands, tmp_path, monkeypatch
):
    from prefect.artifacts import Artifact

    from run import run_flow

    share_salt(by_commands, tmp_path)
    monkeypatch.chdir(tmp_path)
    _, trained, registered, scored, *_ = run_flow(str(crm / "leadscore.toml"))
    assert published(tmp_path) == published(by_commands)
    assert registered.registered.aliases == ["champion"]
    found = {key: Artifact.get(key) for key in ("ingest", "metrics", "model-card", "summary", "files", "report", "digest")
             for key in [f"leadscore-{key}"]}  # fmt: skip
    assert "| leads |" in found["leadscore-ingest"].data
    assert f"{trained.evaluation.overall.auc.value}" in found["leadscore-metrics"].data
    assert Path(trained.card).resolve().as_uri() in found["leadscore-model-card"].data
    assert f"{scored.counts.scored:,} open leads" in found["leadscore-summary"].data
    assert scored.publication_id in found["leadscore-files"].data
    assert f"reports/{scored.publication_id}.html" in found["leadscore-report"].data
    assert "**First to call**" in found["leadscore-digest"].data


@pytest.mark.slow
def test_flows_when_train_and_score_run_one_by_one_then_write_the_bytes_of_the_commands(
    harness, crm, by_commands, tmp_path, monkeypatch
):
    from score import score_flow
    from train import train_flow

    share_salt(by_commands, tmp_path)
    monkeypatch.chdir(tmp_path)
    config = str(crm / "leadscore.toml")
    train_flow(config)
    score_flow(config)
    assert published(tmp_path) == published(by_commands)


@pytest.mark.slow
@pytest.mark.parametrize(("fails", "tries"), [(0, 1), (1, 2), (3, 4)])
def test_publication_when_it_fails_at_first_then_is_tried_again(
    harness, crm, by_commands, tmp_path, monkeypatch, fails, tries
):
    import score
    from leadscore.project import publishing

    monkeypatch.chdir(by_commands)
    calls, real = [], publishing.publish

    def flaky(*args, **how):
        calls.append(args)
        if len(calls) <= fails:
            raise OSError("the share is away for a moment")
        return real(*args, **how)

    monkeypatch.setattr(publishing, "publish", flaky)
    monkeypatch.setattr(score, "publish", score.publish.with_options(retry_delay_seconds=0))
    before = published(by_commands)
    score.score_flow(str(crm / "leadscore.toml"))
    assert len(calls) == tries
    assert published(by_commands) == before


def test_source_when_it_is_missing_then_is_told_at_once_and_not_tried_again(
    harness, crm, tmp_path, monkeypatch
):
    import score
    from leadscore.project import ingesting

    monkeypatch.chdir(tmp_path)
    calls, real = [], ingesting.ingest
    monkeypatch.setattr(
        ingesting, "ingest", lambda *args, **more: calls.append(args) or real(*args, **more)
    )
    with pytest.raises(UserError, match=r"leads\.csv"):
        score.score_flow(str(crm / "leadscore.toml"), data=str(tmp_path))
    assert len(calls) == 1


def test_flow_when_its_settings_are_missing_then_exits_with_2_and_words(tmp_path):
    told = subprocess.run(
        [sys.executable, FLOWS / "train.py"], cwd=tmp_path, check=False, capture_output=True, text=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect"), "COLUMNS": "120"},
    )  # fmt: skip
    assert told.returncode == 2
    assert (
        "error: leadscore.toml: there is no such file. Write one with `leadscore init FILES`"
        in told.stderr
    )


@pytest.mark.slow
def test_flow_when_an_error_ends_it_then_only_our_words_say_so(crm, tmp_path):
    told = subprocess.run(
        [sys.executable, FLOWS / "score.py", "--config", crm / "leadscore.toml", "--data", tmp_path / "none"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")},
    )  # fmt: skip
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
    assert len(told.stderr.splitlines()) < 12, told.stderr
    assert "error: source 'leads': there is no file" in told.stderr


@pytest.mark.slow
def test_flow_when_prefects_server_is_down_then_exits_with_2_and_one_line(crm, tmp_path):
    told = subprocess.run(
        [sys.executable, FLOWS / "score.py", "--config", crm / "leadscore.toml"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_API_URL": "http://127.0.0.1:1/api"},
    )  # fmt: skip
    assert told.returncode == 2
    [line] = told.stderr.splitlines()
    assert line.startswith("error: Prefect's server cannot be reached")
    assert "PREFECT_API_URL" in line


@dataclass(frozen=True)
class Interrupted:
    """A flow that was interrupted as a script, and what the next run of it printed."""

    folder: Path
    home: Path
    prefect_home: Path
    code: int
    out: str
    err: str
    told: str


@pytest.fixture(scope="module")
def interrupted(crm, by_commands, tmp_path_factory):
    """`python flows/run.py`, interrupted while it ingests, and then run once more to its end."""
    place = tmp_path_factory.mktemp("script")
    folder, home, prefect_home = (place / name for name in ("work", "home", "prefect"))
    folder.mkdir()
    home.mkdir()
    share_salt(by_commands, folder)
    homes = {"HOME": str(home), "PREFECT_HOME": str(prefect_home)}
    words = [str(FLOWS / "run.py"), "--config", str(crm / "leadscore.toml")]
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **homes},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stderr:
        if "Task run 'ingest" in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the server gets it, too
    out, err = process.communicate(timeout=60)
    told = command(folder, *words, **homes)
    return Interrupted(folder, home, prefect_home, process.returncode, out, err, told)


@pytest.mark.slow
def test_flow_when_interrupted_then_ends_at_once_and_the_next_run_completes(
    interrupted, by_commands
):
    assert (interrupted.code, interrupted.out) == (130, ""), interrupted.err
    assert "Traceback" not in interrupted.err
    assert published(interrupted.folder) == published(by_commands)


@pytest.mark.slow
def test_flow_when_run_as_a_script_then_starts_a_server_whose_files_stay_where_they_were_put(
    interrupted,
):
    assert (interrupted.prefect_home / "prefect.db").exists()
    assert not (interrupted.home / ".prefect").exists()
    for words in (
        "First to call",
        "AUC",
        "Published in data/sample/scores/",
        "mlflow ui --backend-store-uri",
    ):
        assert words in interrupted.told
    current = (interrupted.folder / "data" / "sample" / "scores" / "current.json").read_text()
    assert interrupted.told.split("data/sample/scores/")[1].split()[0] in current


def of_flow(pid):
    """The processes that a flow has started, by the variable that marks them."""
    mark = f"LEADSCORE_FLOW_{pid}=".encode()
    marked = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes():
                marked.append(int(path.parent.name))
    return marked


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux says what a process has started"
)
@pytest.mark.slow
def test_flow_when_it_is_killed_then_no_server_is_left(crm, tmp_path):
    words = [sys.executable, str(FLOWS / "run.py"), "--config", str(crm / "leadscore.toml")]
    place = {**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")}
    process = subprocess.Popen(words, cwd=tmp_path, env=place, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "Task run 'ingest" in line:
            break
    started = of_flow(process.pid)
    assert len(started) >= 2  # the server and the guard
    handles = [os.pidfd_open(pid) for pid in started]
    process.kill()
    process.communicate()
    for handle in handles:  # readable once its process has ended
        assert select.select([handle], [], [], 60)[0]
        os.close(handle)
    assert of_flow(process.pid) == []


QUIET = """
import local
from prefect.settings import get_current_settings
s = get_current_settings()
print(s.home, s.server.analytics_enabled, s.server.ephemeral.startup_timeout_seconds)
import os
print(os.environ["DO_NOT_TRACK"], os.environ["MLFLOW_DISABLE_TELEMETRY"])
"""


@pytest.mark.slow
def test_prefect_when_nothing_is_said_otherwise_then_lives_in_the_project_and_phones_nobody(
    tmp_path,
):
    mine = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PREFECT", "MLFLOW", "DO_NOT"))
    }
    told = subprocess.run(
        [sys.executable, "-c", QUIET], cwd=FLOWS, env=mine, check=True, capture_output=True, text=True
    )  # fmt: skip
    assert told.stdout.splitlines() == [f"{ROOT / 'data' / 'prefect'} False 120", "1 true"]


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.py")), ids=lambda path: path.name)
def test_flow_file_when_read_then_is_short_and_touches_no_frame(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    imports = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {
        "pandas",
        "numpy",
        "pyarrow",
        "duckdb",
        "mlflow",
    }
    assert ("prefect" in names) == (path.name == "local.py")
