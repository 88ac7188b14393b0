"""20 million activities from CSV into the store, beside DuckDB's own copy of the same files to Parquet: `make bench`.

The copy is also made in the order of the store, by lead and time. Each runs in a process of its own, twice in turn,
on the same two threads; the better of each is compared. Last, the export of a day is ingested after that of the day
before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from leadscore import project as jobs
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment

LEADS, SEED, THREADS, MEMORY_MB = 1_020_000, 1, 2, 2048
AIM_TIMES, AIM_MB = 3.0, 3000
DATES = {"leads": "created_at", "activities": "at"}  # the column of each file
DAY_BEFORE = "2026-02-28"  # the sample ends a day later


@dataclass(frozen=True)
class Run:
    """What one process took: seconds by the clock, seconds of processor, and its peak memory."""

    seconds: float
    processor_s: float
    peak_mb: float


def main() -> None:
    """Write the exports of a large sample, copy and ingest them in turn, and print how they compare."""
    if sys.argv[1:]:
        step, folder = sys.argv[1:]
        STEPS[step](Path(folder))
        return
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name))


def compare(folder: Path) -> None:
    """Print how long the copy and the ingest take in `folder`, and how they compare."""
    write_sample(folder / "crm", leads=LEADS, seed=SEED)
    copies: list[Run] = []
    ordered: list[Run] = []
    ingests: list[Run] = []
    for _ in range(2):
        copies.append(measure("copy", folder))
        ordered.append(measure("ordered_copy", folder))
        ingests.append(measure("ingest", folder))
    measure("ingest_day_before", folder)
    night = measure("ingest_next", folder)

    sizes = [(folder / "crm" / "exports" / f"{file}.csv").stat().st_size for file in DATES]
    print(f"{count_activities(folder):,} activities and {LEADS:,} leads")
    print(f"{sum(sizes) / 1e9:.2f} GB of CSV, {THREADS} threads")
    show("copy", copies)
    show("copy in order", ordered)
    show("ingest", ingests)
    show("ingest a day later", [night])

    peak_mb = max(run.peak_mb for run in ingests)
    print(f"ingest takes {compare_runs(ingests, copies)} (aim: {AIM_TIMES:g} times as long),")
    print(f"{compare_runs(ingests, ordered)} in order, and {peak_mb:,.0f} MB (aim: {AIM_MB:,})")


def show(name: str, runs: list[Run]) -> None:
    """Print what each run of a step took."""
    seconds = ", ".join(f"{run.seconds:.1f} s" for run in runs)
    processor = ", ".join(f"{run.processor_s:.1f} s" for run in runs)
    peak_mb = max(run.peak_mb for run in runs)
    print(f"{name}: {seconds}; {processor} of processor; at most {peak_mb:,.0f} MB")


def compare_runs(ours: list[Run], theirs: list[Run]) -> str:
    """How many times as long ours take as copies, by the clock and by the processor."""
    by_clock = min(run.seconds for run in ours) / min(run.seconds for run in theirs)
    by_processor = min(run.processor_s for run in ours) / min(run.processor_s for run in theirs)
    return f"{by_clock:.2f} times as long as the copy, {by_processor:.2f} times its processor time"


def copy(folder: Path) -> None:
    """DuckDB's own copy of each CSV to compressed Parquet."""
    copy_files(folder, in_order=False)


def ordered_copy(folder: Path) -> None:
    """The same in the order of the store."""
    copy_files(folder, in_order=True)


def copy_files(folder: Path, *, in_order: bool) -> None:
    """Copy each CSV."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": f"{MEMORY_MB}MB"}) as engine:
        for name, date in DATES.items():
            source = folder / "crm" / "exports" / f"{name}.csv"
            target = folder / f"{name}.parquet"
            rows = f"FROM read_csv('{source}')"
            if in_order:
                rows += f' ORDER BY lead_id, "{date}"'
            engine.execute(f"COPY ({rows}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def ingest(folder: Path) -> None:
    """Into a new store: mapped, judged, accounted, in order, each row once."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    ingest_next(folder)


def ingest_next(folder: Path) -> None:
    """Into the store that is there."""
    jobs.ingest(settings_of(folder))


def ingest_day_before(folder: Path) -> None:
    """Into a new store, what the exports had a day before."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    before = folder / "before"
    before.mkdir()
    with duckdb.connect(config={"threads": THREADS}) as engine:
        for name, date in DATES.items():
            source = folder / "crm" / "exports" / f"{name}.csv"
            rows = (
                f"FROM read_csv('{source}', all_varchar = true) WHERE \"{date}\" < '{DAY_BEFORE}'"
            )
            engine.execute(f"COPY ({rows}) TO '{before / source.name}' (HEADER)")
    settings = settings_of(folder).model_copy(update={"input_folder": before})
    jobs.ingest(settings, known_until_us=parse_moment(DAY_BEFORE, zone="UTC"))


def settings_of(folder: Path) -> Settings:
    """The sample's settings, for its leads and activities alone."""
    settings = read_settings(folder / "crm" / "leadscore.toml")
    engine = settings.engine.model_copy(update={"threads": THREADS, "memory_limit_mb": MEMORY_MB})
    changed = {
        "data_folder": folder / "data",
        "mapping": tuple(entry for entry in settings.mapping if entry.source in DATES),
        "sources": {name: settings.sources[name] for name in DATES},
        "engine": engine,
    }
    return settings.model_copy(update=changed)


def measure(step: str, folder: Path) -> Run:
    """Run a step in a process of its own."""
    begin = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, step, str(folder)])  # noqa: S603
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{step} failed")
    seconds = time.perf_counter() - begin
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3)


def count_activities(folder: Path) -> int:
    """The activities that were copied."""
    with duckdb.connect() as engine:
        row = engine.execute(f"SELECT COUNT(*) FROM '{folder / 'activities.parquet'}'").fetchone()
        return int(row[0]) if row else 0


STEPS = {
    "copy": copy,
    "ordered_copy": ordered_copy,
    "ingest": ingest,
    "ingest_day_before": ingest_day_before,
    "ingest_next": ingest_next,
}

if __name__ == "__main__":
    main()
