"""Trainings that are killed at random moments: nothing is lost, nothing is half promoted, and the next one works.

`python bench/killed.py` trains and registers on a small sample again and again, each time with another seed, and kills
the process at a random moment of the time that a whole training takes. After each it reads all that readers may read.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections import Counter
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from leadscore import project as jobs
from leadscore.errors import LeadscoreError
from leadscore.project.trail import find_damaged_entries
from leadscore.publish.listed import read_current_id
from leadscore.publish.publication import read_publication
from leadscore.registry.registry import Registry, Who
from leadscore.settings.settings import Settings
from sample_project import build_sample

LEADS, SEED = 900, 4
WHO = Who("bench/killed.py", "2026-03-01T00:00:00Z", "a training that may be killed")
FORKS = multiprocessing.get_context("forkserver")  # imports once what is slow to import
FORKS.set_forkserver_preload(["leadscore.project", "mlflow.pyfunc"])


def main() -> None:
    """Kill so many trainings, and print what was read after them; one may come to its end first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings = prepare(Path(name))
        published = read_current_id(settings.project_folder() / "scores") or ""
        whole_s = run(settings, seconds=None) or 0.0
        rng = np.random.default_rng(SEED)
        counts: Counter[str] = Counter()
        damaged = 0
        while counts["killed"] < asked.times:
            seeded = settings.model_copy(update={"seed": counts.total() + 1})
            ended_s = run(seeded, seconds=rng.uniform(0, whole_s))
            counts["killed" if ended_s is None else "ended"] += 1
            damaged += not is_whole(settings, published)
            whole_s = min(whole_s, ended_s or whole_s)  # the first one has more to import
        last_s = run(settings.model_copy(update={"seed": counts.total() + 1}), seconds=None)
        jobs.publish(settings, jobs.score(settings).publication_id)
        versions = len(Registry(settings).versions())
    print(
        f"{counts['killed']} trainings of {whole_s:.0f} s killed, {counts['ended']} others came to their end first; "
        f"{damaged} left anything damaged; the next one {'worked' if last_s else 'failed'}, with {versions} "
        "versions in the registry"
    )


def prepare(folder: Path) -> Settings:
    """A small sample with a champion and a published list."""
    settings = build_sample(folder, leads=LEADS, seed=SEED)
    target = settings.target.model_copy(update={"cadence_days": 28, "max_per_lead": 2})
    model = settings.model.model_copy(update={"scorer": "logistic", "trials": 1})
    settings = settings.model_copy(update={"target": target, "model": model})
    trained = jobs.train(settings)
    jobs.register(settings, Path(trained.folder), who=WHO, promote=True)
    jobs.publish(settings, jobs.score(settings).publication_id)
    return settings


def run(settings: Settings, *, seconds: float | None) -> float | None:
    """Train in another process, killed after so many seconds; how many it took, if it came to its end."""
    begun, ended = FORKS.Event(), FORKS.Event()
    process = FORKS.Process(target=train, args=(settings, begun, ended))
    process.start()
    begun.wait(120)
    at = time.perf_counter()
    process.join(seconds)
    process.kill()
    process.join()
    return time.perf_counter() - at if ended.is_set() else None


def train(settings: Settings, begun: Event, ended: Event) -> None:
    """Train and register, in a process that may be killed."""
    begun.set()
    trained = jobs.train(settings)
    jobs.register(settings, Path(trained.folder), who=WHO, promote=True)
    ended.set()


def is_whole(settings: Settings, publication_id: str) -> bool:
    """Whether store, published list, every registered model and audit trail are there, and can be read."""
    registry = Registry(settings)
    scores = settings.project_folder() / "scores"
    try:
        damaged = any(version.damaged for version in jobs.list_store(settings).versions)
        read_publication(publication_id, folder=scores)
        for version in registry.versions():
            registry.load(str(version.number))
        registry.load_champion()
    except LeadscoreError as e:
        print(e)
        return False
    is_current = read_current_id(scores) == publication_id
    return is_current and not damaged and not find_damaged_entries(settings)


if __name__ == "__main__":
    main()
