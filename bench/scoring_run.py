"""One way of scoring or ingesting a company, in a process of its own, whose memory is its own: run by `open_leads.py`.

`python bench/scoring_run.py WAY SETTINGS.json` prints its measurements as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from company import BEFORE, NOW
from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix
from leadscore.project.opened import open_store
from leadscore.registry.registry import Registry
from leadscore.settings.settings import Settings
from notebook_peer import Timer, score_by_hand, score_by_notebook
from timed_steps import timed_steps

Measured = dict[str, Any]


def run_leadscore(settings: Settings) -> Measured:
    """Two lists a week apart, each scored and published, with the seconds of their steps."""
    return {**run_first(settings), **run_second(settings)}


def run_first(settings: Settings) -> Measured:
    """The list of a week ago."""
    return {"first list": _publish_list(settings, BEFORE)}


def run_second(settings: Settings) -> Measured:
    """The list of now, after that of a week ago."""
    return {"second list": _publish_list(settings, NOW)}


def _publish_list(settings: Settings, as_of_us: int) -> Measured:
    Registry(settings).load_champion()  # so that no list pays for imports
    with timed_steps() as seconds:
        before, used_before = time.perf_counter(), time.process_time()
        scored = jobs.score(settings, as_of_us=as_of_us)
        jobs.publish(settings, scored.publication_id, even_if_unlike=True)
    return {
        "steps": seconds,
        "total": time.perf_counter() - before,
        "processor": time.process_time() - used_before,
        "open leads": scored.counts.scored,
    }


def run_ingest(settings: Settings) -> Measured:
    """The exports into a new store, which is removed."""
    with tempfile.TemporaryDirectory() as folder:
        new = settings.model_copy(update={"data_folder": Path(folder)})
        before, used_before = time.perf_counter(), time.process_time()
        jobs.ingest(new, known_until_us=new.known_until_us())
        total, processor = time.perf_counter() - before, time.process_time() - used_before
    return {"ingest": {"total": total, "processor": processor}}


def run_notebook(settings: Settings) -> Measured:
    """The notebook's list of now."""
    encoded, booster = _encode(settings)
    now = pd.Timestamp(NOW, unit="us", tz="UTC")
    return _measured(score_by_notebook(settings.input_folder, booster, encoded, now))


def run_floor(settings: Settings) -> Measured:
    """The least that a list of now can take."""
    encoded, booster = _encode(settings)
    now = pd.Timestamp(NOW, unit="us", tz="UTC")
    threads = settings.engine.threads
    return _measured(score_by_hand(settings.input_folder, booster, encoded, now, threads=threads))


def _encode(settings: Settings) -> tuple[Any, Any]:
    model = Registry(settings).load_champion()[0]
    with open_store(settings) as history:
        features = build_features(settings)
        matrix = build_matrix(history.snapshot(history.open_list(NOW)), features)
    return model.encode_for_trees(matrix.columns), model.booster


def _measured(timer: Timer) -> Measured:
    return {"steps": timer.seconds, "total": timer.total, "processor": timer.processor}


WAYS = {
    "leadscore": run_leadscore,
    "first": run_first,
    "second": run_second,
    "ingest": run_ingest,
    "notebook": run_notebook,
    "floor": run_floor,
}


def main() -> None:
    """Run one way and print what it took."""
    way, path = sys.argv[1:]
    settings = Settings.model_validate_json(Path(path).read_text(encoding="utf-8"))
    measured = WAYS[way](settings)
    print(json.dumps({"measured": measured, "peak_mb": _read_peak_mb()}))


def _read_peak_mb() -> float:
    """The most memory that this process took; `getrusage` has that of its parent, if it was more."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [peak_kb] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak_kb) / 1024


if __name__ == "__main__":
    main()
