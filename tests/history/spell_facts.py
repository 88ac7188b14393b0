"""How tests of spells attach facts and read spells."""

import pyarrow as pa

from builders import Facts, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.ingest.mapping.entries import table_of

STAGES = {
    "open": ["new", "qualified", "proposal"],
    "won": ["signed"],
    "lost": ["rejected"],
    "after_sale": ["onboarding"],
    "review": ["looked back"],
}
SETTINGS = make_settings(engine={"threads": 1}, stages=STAGES)
WITHIN = 3  # days within which a close corrects


def attach(engine: DuckDBEngine, facts: Facts) -> None:
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, facts.settings).schema()))
    attach_plain_closes(engine, facts.settings.stages)
