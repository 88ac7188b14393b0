"""A store of very many made-up leads, drawn column by column, for the settings of `histories.trained`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from builders import EPOCH_US
from histories import BUDGETS
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.settings import Settings
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion, write_version
from leadscore.tables import REJECTS, TABLES
from leadscore.times import DAY_US, format_us

DAYS = 250
ACTIVITIES = 6  # of a lead
KNOWN_UNTIL_US = EPOCH_US + DAYS * DAY_US


def write_crowd(settings: Settings, *, leads: int, seed: int = 1) -> StoreVersion:
    """A store of so many leads, a tenth of them closed."""
    folder = settings.project_folder() / "store"
    drawn = _draw(leads, np.random.default_rng(seed))
    parts = {}
    for name in TABLES:
        schema = table_of(name, settings).schema()
        rows = _shape(drawn.get(name, {}), schema)
        parts[name] = write_rows(folder, schema, rows.to_batches())
    manifest: dict[str, Any] = {
        "format": 1,
        "project": settings.project,
        "known_until": format_us(KNOWN_UNTIL_US),
        "known_until_us": KNOWN_UNTIL_US,
        "first_us": EPOCH_US,
        "tables": parts,
        "observed": {"rows": 0, "files": []},
        "rejects": {**write_rows(folder, REJECTS, []), "rules": {}, "warned": {}},
        "accounts": {"sources": {}, "tables": {name: {"rejected": 0} for name in TABLES}},
        "warnings": [],
    }
    return write_version(folder, manifest)


def _draw(leads: int, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Table -> column -> values; what is not drawn is null."""
    lead_id = np.char.zfill(np.arange(leads).astype(str), 9)
    created_us = EPOCH_US + rng.integers(0, DAYS * DAY_US, leads)
    acting = rng.integers(0, leads, ACTIVITIES * leads)
    moving = np.flatnonzero(rng.random(leads) < 0.3)
    answering = np.flatnonzero(rng.random(leads) < 0.8)
    closing = np.flatnonzero(rng.random(leads) < 0.1)

    def since(lead: np.ndarray) -> dict[str, Any]:
        """The lead and a moment between its creation and the export, for each of `lead`."""
        age_us = KNOWN_UNTIL_US - created_us[lead]
        event_us = created_us[lead] + (rng.random(len(lead)) * age_us).astype(np.int64)
        seq = np.zeros(len(lead), dtype=np.int64)
        return {
            "lead_id": lead_id[lead],
            "event_us": event_us,
            "available_us": event_us,
            "seq": seq,
        }

    entered = {"event_us": created_us, "available_us": created_us}
    first = {"lead_id": lead_id, "seq": np.zeros(leads, dtype=np.int64), **entered}
    moved = since(moving)
    stages = {name: np.concatenate([first[name], moved[name]]) for name in first}
    names = np.concatenate(
        [np.full(leads, "new"), rng.choice(["qualified", "proposal"], len(moving))]
    )
    return {
        "leads": {
            "lead_id": lead_id,
            "channel": rng.choice(["web", "fair", "referral"], leads),
            "size": rng.integers(1, 500, leads),
            **entered,
        },
        "activities": {
            "kind": rng.choice(["email", "meeting"], len(acting)),
            "actor": rng.choice(["rep", "lead"], len(acting)),
            **since(acting),
        },
        "stages": {"stage": names, **stages},
        "changes": {
            "field": np.full(len(answering), "budget"),
            "value": rng.choice(BUDGETS, len(answering)),
            **since(answering),
        },
        "outcomes": {"outcome": rng.choice(["won", "lost"], len(closing)), **since(closing)},
    }


def _shape(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    rows = len(next(iter(columns.values()), ()))
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        arrays.append(
            pa.nulls(rows, field.type) if values is None else pa.array(values, field.type)
        )
    return pa.Table.from_arrays(arrays, schema=schema)
