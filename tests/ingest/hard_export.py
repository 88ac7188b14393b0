"""An export of deals that can be written in every odd way, and what ingest made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builders import make_settings
from leadscore import project as jobs
from leadscore.results import Ingested
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current

DEALS = {
    "source": "deals",
    "table": "leads",
    "where": {"Status": ["Open", "Won", "Lost"]},
    "columns": {"lead_id": "Id", "event_at": "Created", "amount": "Amount"},
}
CLOSES = {
    "source": "deals",
    "table": "outcomes",
    "where": {"Status": ["Won", "Lost"]},
    "columns": {"lead_id": "Id", "event_at": "Closed"},
    "values": {"Status": {"Won": {"outcome": "won"}, "Lost": {"outcome": "lost"}}},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "Deal", "event_at": "When"},
    "constants": {"kind": "call"},
}
HEADER = "Id,Status,Created,Closed,Amount"


class Export:
    """A folder of exports and the settings that read them: deals, and calls where there are any."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: Settings | None = None

    def write(self, name: str, text: str | bytes) -> None:
        """One of its files."""
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)

    def ingest(
        self,
        deals: str | bytes,
        calls: str | None = None,
        *,
        of_deals: dict[str, Any] | None = None,
        of_calls: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Ingested:
        """What comes of the files; `of_deals` and `of_calls` are settings of these sources."""
        self.write("deals.csv", deals)
        sources: dict[str, Any] = {"deals": {"path": "deals.csv"} | (of_deals or {})}
        mapping = [DEALS, CLOSES]
        if calls is not None:
            self.write("calls.csv", calls)
            sources["calls"] = {"path": "calls.csv"} | (of_calls or {})
            mapping.append(CALLS)
        plain = {
            "sources": sources,
            "mapping": mapping,
            "kinds": {"call": "calls"},
            "known_until": "2026-06-01",
            "validation": {},
        }
        settings = make_settings(
            input_folder=self.folder, data_folder=self.folder / "data", **(plain | changes)
        )
        self.settings = settings
        return jobs.ingest(settings, known_until_us=settings.known_until_us())

    def rows(self, table: str, *columns: str) -> list[tuple]:
        """The stored rows of a table."""
        assert self.settings is not None
        version = read_current(self.settings.project_folder() / "store", project="built")
        tables = [pq.read_table(path) for path in version.files(table)]
        return [tuple(row[name] for name in columns) for t in tables for row in t.to_pylist()]

    def ids(self) -> list[str]:
        """The ids of the stored leads."""
        return sorted(lead_id for (lead_id,) in self.rows("leads", "lead_id"))


def deals_csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


ROWS = [f"D{n},Open,2026-01-0{n},,{n}" for n in range(1, 6)]
