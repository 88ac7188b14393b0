"""Small histories, their spells, and the lists that snapshots are of."""

from pathlib import Path

import pyarrow as pa

from builders import Facts, day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.store.version import StoreVersion
from leadscore.times import DAY_US

SETTINGS = make_settings(
    engine={"threads": 1},
    fields={"industry": {"known_from": "creation"}, "budget": {}},
    kinds={"email": "e-mails"},
)
JUST = 1 / DAY_US  # one microsecond, in days
IDS = ["10", "2", "00012", "Z", "a", "ä", "'; x", "a b"]


def open_facts(engine: DuckDBEngine, facts: Facts, *, until: float) -> History:
    """A history whose tables are in memory, for tests that open many."""
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, facts.settings).schema()))
    attach_plain_closes(engine, facts.settings.stages)
    first = min((row["available_us"] for row in facts.rows["leads"]), default=day(until))
    version = StoreVersion("in memory", {"known_until_us": day(until), "first_us": first}, Path())
    return History(facts.settings, version, engine)
