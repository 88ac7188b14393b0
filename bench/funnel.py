"""The funnel and the review of closes of 1 million leads with 10 million stage moves: seconds and peak memory.

The moves are made by DuckDB from hashes of the lead and the move, so that they are the same on every run.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.ingest.mapping.entries import table_of
from leadscore.project.pipeline import YEAR, measure_funnel
from leadscore.project.win_loss import review_closes
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.tables import PRESENCE, TABLES
from leadscore.times import DAY_US

LEADS = 1_000_000
MOVES = 10  # of a lead
START_US = 1_672_531_200_000_000  # 2023-01-01
CREATED_DAYS = 700
KNOWN_US = START_US + 900 * DAY_US
THREADS, MEMORY_MB = 2, 2048
AIM_SECONDS, AIM_MB = 30.0, 4096
OPEN = ["New", "Contacted", "Qualified", "Proposal", "Negotiation"]
SETTINGS = Settings.model_validate(
    {
        "project": "bench",
        "engine": {"threads": THREADS, "memory_limit_mb": MEMORY_MB},
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {"channel": {"known_from": "creation"}},
        "mapping": [
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created", "channel": "channel"},
            }
        ],
        "stages": {"open": OPEN},
    }
)
CREATED = f"{START_US} + hash(i) % {CREATED_DAYS * DAY_US}"
# a move comes 7 to 14 days after the one before; two of three lead on
MOVED = f"""SELECT i, k, created_us + k * {7 * DAY_US} + hash(i, k) % {7 * DAY_US} AS event_us,
    CAST((k + hash(i, k, 'stage') % 3) / 3 AS INTEGER) AS place FROM created, range({MOVES}) AS moves(k)"""
# a lead closes after its last move, one in 50 before and is then re-opened; one in 10 stays open
CLOSED = f"""SELECT i, hash(i, 'won') % 4 = 0 AS is_won,
    created_us + {7 * DAY_US} * CASE WHEN hash(i, 'slip') % 50 = 0 THEN {MOVES // 2} ELSE {MOVES} + 1 END
        + hash(i, 'end') % {7 * DAY_US} AS event_us
    FROM created WHERE hash(i, 'closes') % 10 > 0"""


def main() -> None:
    """Make the facts in one process, measure the funnel in another, and print what it took."""
    if sys.argv[1:]:
        _measure(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_facts(folder)
        subprocess.run([sys.executable, __file__, name], check=True)  # noqa: S603


def _write_facts(folder: Path) -> None:
    """Leads, stages and outcomes as Parquet."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": f"{MEMORY_MB}MB"}) as engine:
        engine.execute(
            f"CREATE TABLE created AS SELECT i, CAST({CREATED} AS BIGINT) AS created_us "
            f"FROM range({LEADS}) AS leads(i)"
        )
        lead_id = "printf('L%07d', i) AS lead_id"
        times = "CAST(event_us AS BIGINT) AS event_us, CAST(event_us AS BIGINT) AS available_us"
        stages = " ".join(f"WHEN {place} THEN '{stage}'" for place, stage in enumerate(OPEN))
        selects = {
            "leads": f"""SELECT {lead_id}, created_us AS event_us, created_us AS available_us,
                'R1' AS owner_id, CAST(NULL AS BIGINT) AS amount, 'EUR' AS currency,
                printf('channel %d', hash(i, 'channel') % 6) AS channel FROM created""",
            "stages": f"""SELECT {lead_id}, CASE place {stages} ELSE '{OPEN[-1]}' END AS stage,
                CAST(k AS BIGINT) AS seq, {times} FROM ({MOVED})""",
            "outcomes": f"""SELECT {lead_id}, CASE WHEN is_won THEN 'won' ELSE 'lost' END AS outcome,
                CASE WHEN is_won THEN 1000000 END AS amount, 'EUR' AS currency,
                CASE WHEN NOT is_won THEN printf('reason %d', hash(i, 'reason') % 6) END AS reason,
                0 AS seq, {times} FROM ({CLOSED})""",
        }
        for name, select in selects.items():
            path = folder / f"{name}.parquet"
            engine.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def _measure(folder: Path) -> None:
    """Print how long the funnel took, and the most memory that the process had."""
    history = _open(folder)
    moves = history.engine.query("SELECT COUNT(*) AS n FROM stages")["n"][0].as_py()
    before = time.perf_counter()
    computed = time.process_time()
    span = Span(KNOWN_US - YEAR * DAY_US, KNOWN_US)
    funnel = measure_funnel(history, span)
    seconds = time.perf_counter() - before
    computed = time.process_time() - computed
    grouped = measure_funnel(history, span, by="channel")
    again = time.perf_counter() - before - seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    closed = review_closes(_open(folder), span)
    reviewed = time.perf_counter() - began
    visits = sum(stage.visits for stage in funnel.stages)
    print(f"{LEADS:,} leads, {moves:,} stage moves, {THREADS} threads; {visits:,} visits of a year")
    print(f"funnel: {seconds:.1f} s (aim: {AIM_SECONDS:g} s); {computed:.1f} s of processor time")
    print(f"by {len(grouped.groups)} channels: {again:.1f} s")
    leads = closed.won.leads + closed.lost.leads
    print(f"review of {leads:,} closes: {reviewed:.1f} s")
    print(f"peak memory: {peak:,.0f} MB (aim: {AIM_MB:,} MB)")


def _open(folder: Path) -> History:
    """The facts, opened for looking back."""
    engine = DuckDBEngine(SETTINGS.engine)
    for name in TABLES:
        path = folder / f"{name}.parquet"
        paths = [path] if path.exists() else []
        engine.add_files(name, paths, schema=table_of(name, SETTINGS).schema())
    attach_plain_closes(engine, SETTINGS.stages)
    engine.add_rows("presence", PRESENCE.empty_table())
    manifest = {"known_until_us": KNOWN_US, "first_us": START_US, "time": "dated", "tables": {}}
    return History(SETTINGS, StoreVersion("in memory", manifest, folder), engine)


if __name__ == "__main__":
    main()
