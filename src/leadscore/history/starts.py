"""Since when the facts of a store version have a history, and of how many leads."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier


@dataclass(frozen=True)
class Start:
    """The moment at which the first row of a history was known, and how many leads have rows."""

    since_us: int
    leads: int


def read_field_starts(engine: Engine, *, known_us: int) -> dict[str, Start]:
    """Field -> start of the history that the mapping gives it, by what was known before `known_us`."""
    return _read_starts(engine, "mapped_changes", "field", known_us=known_us)


def read_kind_starts(engine: Engine, *, known_us: int) -> dict[str, Start]:
    """Kind of activity -> start of its rows, by what was known before `known_us`."""
    return _read_starts(engine, "activities", "kind", known_us=known_us)


def read_stage_start(engine: Engine, *, known_us: int) -> Start | None:
    """Start of the stage history, by what was known before `known_us`; None if it is empty."""
    rows = engine.query(
        f"""SELECT MIN(available_us) AS us, COUNT(DISTINCT lead_id) AS leads
        FROM stages WHERE available_us < {known_us}"""
    ).to_pylist()
    first = rows[0]
    return None if first["us"] is None else Start(first["us"], first["leads"])


def _read_starts(engine: Engine, table: str, name: str, *, known_us: int) -> dict[str, Start]:
    rows = engine.query(
        f"""SELECT {identifier(name)} AS name, MIN(available_us) AS us,
            COUNT(DISTINCT lead_id) AS leads
        FROM {identifier(table)} WHERE available_us < {known_us}
        GROUP BY {identifier(name)} ORDER BY {identifier(name)}"""
    )
    return {row["name"]: Start(row["us"], row["leads"]) for row in rows.to_pylist()}
