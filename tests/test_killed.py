"""A command that is killed, whenever it is, leaves everything readable, and the next one completes it."""

import multiprocessing
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadscore import project as jobs
from leadscore.publish.listed import find_standing, list_published
from leadscore.publish.publication import read_publication
from leadscore.registry.registry import Who
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment

SETTINGS = """
project = "shop"

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created", owner_id = "owner" }

[engine]
threads = 1
"""
MOMENTS = 5  # evenly spread over the time that a whole run takes
WHO = Who("ann", "2024-02-01T00:00:00Z", "a test")
FORKS = multiprocessing.get_context("forkserver")  # imports once what is slow to import
FORKS.set_forkserver_preload(["leadscore.project", "mlflow.pyfunc"])


def score(settings: Settings) -> None:
    jobs.publish(settings, jobs.score(settings).publication_id)


def prune(settings: Settings) -> None:
    jobs.prune_store(settings, keep=1, lists=jobs.ListLimits(1), really=True)


WORK = {"score": score, "prune": prune}


def work(name: str, settings: Settings, begun, ended) -> None:
    begun.set()
    WORK[name](settings)
    ended.set()


@dataclass(frozen=True)
class Project:
    """Versions and lists of some days, as they were before every run."""

    settings: Settings
    copy: Path

    def restore(self) -> None:
        shutil.rmtree(self.settings.data_folder)
        shutil.copytree(self.copy, self.settings.data_folder)

    def run(self, name: str, *, seconds: float | None = None) -> float | None:
        """Work in another process, killed after so many seconds; returns how many it took, if it came to its end."""
        begun, ended = FORKS.Event(), FORKS.Event()
        process = FORKS.Process(target=work, args=(name, self.settings, begun, ended))
        process.start()
        assert begun.wait(60)
        at = time.perf_counter()
        process.join(seconds)
        process.kill()
        process.join()
        return time.perf_counter() - at if ended.is_set() else None

    def contents(self) -> dict[str, bytes]:
        folder = self.settings.data_folder
        other = {".lock", "audit.jsonl"}  # the trail has a line for each attempt that came so far
        files = (path for path in folder.rglob("*") if path.is_file() and path.name not in other)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    (folder / "leadscore.toml").write_text(SETTINGS)
    rows = [f"{i:03d},2024-01-{i % 28 + 1:02d},{'ab'[i % 2]}" for i in range(30)]
    (folder / "leads.csv").write_text("\n".join(["id,created,owner", *rows]) + "\n")
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    settings = read_settings(folder / "leadscore.toml").model_copy(update=places)
    for day in range(1, 5):
        moment_us = parse_moment(f"2024-02-{day:02d}", zone="UTC")
        jobs.ingest(settings, accept=["same_files"], known_until_us=moment_us)
        if day == 1:
            jobs.register(settings, Path(jobs.train(settings).folder), who=WHO, promote=True)
        if day in {1, 3}:
            score(settings)
    shutil.copytree(settings.data_folder, folder / "copy")
    return Project(settings, folder / "copy")


def check_readable(settings: Settings) -> None:
    """All versions are whole, and readers are led to a whole list."""
    assert not any(version.damaged for version in jobs.list_store(settings).versions)
    scores, store = settings.project_folder() / "scores", settings.project_folder() / "store"
    standing = find_standing(scores, store)
    assert standing is not None
    read_publication(standing.id, folder=scores)
    assert jobs.explain(settings, "007").publication_id == standing.id
    for listed in list_published(scores, store):
        assert listed.manifest is not None or not (scores / listed.id / "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_command_when_it_is_killed_at_any_moment_then_all_is_readable_and_the_next_run_completes_it(
    project, name, monkeypatch
):
    monkeypatch.chdir(project.copy.parent)
    project.restore()
    whole_s = project.run(name)
    assert whole_s is not None
    completed = project.contents()
    killed = 0
    for moment in range(MOMENTS):
        project.restore()
        assert project.contents() != completed
        killed += project.run(name, seconds=whole_s * moment / MOMENTS) is None
        check_readable(project.settings)
        WORK[name](project.settings)
        assert project.contents() == completed
    assert killed
