"""Builders for tests: small histories stated in days, stored and opened as real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion, write_version
from leadscore.tables import REJECTS, SCORE_UNIT, TABLES
from leadscore.times import DAY_US, format_us

EPOCH_US = 1_704_067_200_000_000  # day 0 of built histories: 2024-01-01T00:00:00Z


def day(days: float) -> int:
    """A moment so many days after day 0, in UTC microseconds."""
    return EPOCH_US + round(days * DAY_US)


def make_settings(**changes: Any) -> Settings:
    """Settings of a small sales pipeline; `changes` replace whole top-level keys."""
    plain: dict[str, Any] = {
        "project": "built",
        "target": {"horizon_days": 30, "cadence_days": 1},
        "sources": {"leads": {"path": "leads.csv"}},
        "mapping": [
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created"},
            },
            {
                "source": "leads",
                "table": "changes",
                "columns": {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"},
            },
        ],
        "stages": {
            "open": ["new", "qualified", "proposal"],
            "won": ["signed"],
            "lost": ["rejected"],
        },
        "kinds": {"email": "e-mails", "meeting": "meetings"},
        "validation": {"max_refused": 1.0},
        "model": {"scorer": "boosted", "trials": 1},
    }
    return Settings.model_validate(plain | changes)


class Facts:
    """Facts of a small history; every time is in days after day 0, `known` defaults to when it happened."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or make_settings()
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def lead(
        self, lead_id: str, created: float, *, known: float | None = None, **columns: Any
    ) -> Facts:
        """A lead; `columns` are its current values as stored (numbers in minor units)."""
        return self._add("leads", lead_id, created, known, columns)

    def change(self, lead_id: str, at: float, field: str, value: str | None, **more: Any) -> Facts:
        """A field that took a value."""
        return self._add(
            "changes", lead_id, at, more.pop("known", None), {"field": field, "value": value} | more
        )

    def activity(
        self, lead_id: str, at: float, kind: str, *, actor: str = "rep", **more: Any
    ) -> Facts:
        """An activity."""
        return self._add(
            "activities",
            lead_id,
            at,
            more.pop("known", None),
            {"kind": kind, "actor": actor} | more,
        )

    def stage(self, lead_id: str, at: float, stage: str, **more: Any) -> Facts:
        """The entry into a stage."""
        return self._add("stages", lead_id, at, more.pop("known", None), {"stage": stage} | more)

    def outcome(self, lead_id: str, at: float, outcome: str, **more: Any) -> Facts:
        """A close, won or lost."""
        return self._add(
            "outcomes", lead_id, at, more.pop("known", None), {"outcome": outcome} | more
        )

    def score(self, lead_id: str, at: float, name: str, value: float, **more: Any) -> Facts:
        """A value of somebody else's score."""
        stored = {"name": name, "value": round(value * SCORE_UNIT)}
        return self._add("scores", lead_id, at, more.pop("known", None), stored | more)

    def _add(
        self, table: str, lead_id: str, at: float, known: float | None, columns: dict[str, Any]
    ) -> Facts:
        event, available = day(at), day(at if known is None else max(at, known))
        defaults = {} if table == "leads" else {"seq": 0}
        self.rows[table].append(
            {"lead_id": lead_id, "event_us": event, "available_us": available} | defaults | columns
        )
        return self

    def write(self, folder: Path, *, known_until: float) -> StoreVersion:
        """The facts as a store version at `folder`."""
        parts = {}
        for name, rows in self.rows.items():
            schema = table_of(name, self.settings).schema()
            unknown = {key for row in rows for key in row} - set(schema.names)
            if unknown:
                raise KeyError(f"{name} has no column {sorted(unknown)}")
            parts[name] = write_rows(
                folder, schema, pa.Table.from_pylist(rows, schema).to_batches()
            )
        first = min((row["available_us"] for row in self.rows["leads"]), default=day(known_until))
        manifest: dict[str, Any] = {
            "format": 1,
            "project": self.settings.project,
            "known_until": format_us(day(known_until)),
            "known_until_us": day(known_until),
            "first_us": first,
            "tables": parts,
            "observed": {"rows": 0, "files": []},
            "rejects": {**write_rows(folder, REJECTS, []), "rules": {}, "warned": {}},
            "accounts": {"sources": {}, "tables": {name: {"rejected": 0} for name in TABLES}},
            "warnings": [],
        }
        return write_version(folder, manifest)

    def history(self, folder: Path, *, known_until: float, engine: Engine | None = None) -> History:
        """The facts, stored at `folder` and opened on an engine (default: DuckDB)."""
        version = self.write(folder, known_until=known_until)
        return open_history(self.settings, version, engine or DuckDBEngine(self.settings.engine))
