"""20 million activities from CSV into the store, beside DuckDB's own copy of the same files to Parquet: `make bench`.

Each runs in a process of its own, twice in turn, on the same two threads; the better of each is compared.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from leadscore import project as jobs
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

LEADS, SEED, THREADS, MEMORY_MB = 1_020_000, 1, 2, 2048
AIM_TIMES, AIM_MB = 3.0, 3000
FILES = ("leads", "activities")


def main() -> None:
    """Write the exports of a large sample, copy and ingest them in turn, and print how they compare."""
    if sys.argv[1:]:
        globals()[sys.argv[1]](Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample(folder / "crm", leads=LEADS, seed=SEED)
        size = sum((folder / "crm" / "exports" / f"{file}.csv").stat().st_size for file in FILES)
        found: dict[str, list[tuple[float, float]]] = {"copy": [], "ingest": []}
        for _ in range(2):
            for what, runs in found.items():
                runs.append(_measure(what, folder))
        again = _measure("ingest_again", folder)
        ratio = min(found["ingest"])[0] / min(found["copy"])[0]
        peak = max(mb for _, mb in found["ingest"])
        print(
            f"{_rows(folder):,} activities and {LEADS:,} leads, {size / 1e9:.2f} GB of CSV, {THREADS} threads"
        )
        for what, runs in found.items():
            seconds, mb = ", ".join(f"{run[0]:.1f} s" for run in runs), max(run[1] for run in runs)
            print(f"{what}: {seconds}; at most {mb:,.0f} MB")
        print(f"ingest of the same files once more: {again[0]:.1f} s")
        print(
            f"ingest takes {ratio:.2f} times as long as the copy (aim: {AIM_TIMES:g}), {peak:,.0f} MB (aim: {AIM_MB:,})"
        )


def copy(folder: Path) -> None:
    """DuckDB's own copy of each CSV to compressed Parquet."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": f"{MEMORY_MB}MB"}) as engine:
        for name in FILES:
            source, target = folder / "crm" / "exports" / f"{name}.csv", folder / f"{name}.parquet"
            engine.execute(
                f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )


def ingest(folder: Path) -> None:
    """Into a new store: mapped, judged, accounted, in order, each row once."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    ingest_again(folder)


def ingest_again(folder: Path) -> None:
    """Into the store that is there."""
    settings = read_settings(folder / "crm" / "leadscore.toml")
    mapping = tuple(entry for entry in settings.mapping if entry.source in FILES)
    sources = {name: settings.sources[name] for name in FILES}
    engine = settings.engine.model_copy(update={"threads": THREADS, "memory_limit_mb": MEMORY_MB})
    jobs.ingest(settings.model_copy(update={
        "data_folder": folder / "data", "mapping": mapping, "sources": sources, "engine": engine,
    }))  # fmt: skip


def _measure(what: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of a process that does one thing."""
    begin = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, what, str(folder)])  # noqa: S603
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{what} failed")
    return time.perf_counter() - begin, used.ru_maxrss / 1e3


def _rows(folder: Path) -> int:
    with duckdb.connect() as engine:
        row = engine.execute(f"SELECT COUNT(*) FROM '{folder / 'activities.parquet'}'").fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
