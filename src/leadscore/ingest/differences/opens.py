"""Which export last showed each lead open: a close that a later export shows was not known before.

The memory is the part `opens` of a store version (`tables.OPENS`), carried from version to version
like that of closes, so that it outlasts exports without the lead. The manifest's entry `closing`
says how the settings read closes: where they did not read a status as a close, a lead that seemed
open may have been closed all along.
"""

from __future__ import annotations

from typing import Any, Literal

from leadscore.files import hash_bytes
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.sql import literals_sql
from leadscore.ingest.staged import Staged
from leadscore.json_files import canonical_json
from leadscore.settings.settings import Settings
from leadscore.settings.source import WHERE
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import OPENS

CLOSE_KEYS = ("source", "table", "where", "where_not", "values", "constants")
Reading = Literal["status", "dates", "ignored"]


def closing_reading(settings: Settings) -> dict[Reading, str]:
    """Hashes of the settings that decide which rows are closes, when, and which are ignored."""
    public = settings.public()
    all_sources = public["sources"]
    closing = ("outcomes", "stages")
    entries = [entry for entry in public["mapping"] if entry["table"] in closing]
    ignored = {name: source.get("ignore") for name, source in all_sources.items()}
    has_stages = any(entry["table"] == "stages" for entry in entries)
    deciding = [{key: entry.get(key) for key in CLOSE_KEYS} for entry in entries]
    status = {
        "entries": deciding,
        "ignored": ignored,
        "stages": public.get("stages") if has_stages else None,
    }
    sources = {name: _without_place(source) for name, source in all_sources.items()}
    dates = {
        "columns": [entry["columns"] for entry in entries],
        "sources": sources,
        "timezone": public["timezone"],
        "undated_close": settings.target.undated_close,
    }
    return {"status": _hash(status), "dates": _hash(dates), "ignored": _hash(ignored)}


def _without_place(source: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key not in WHERE}


def _hash(value: dict[str, Any]) -> str:
    return hash_bytes(canonical_json(value))[:16]


def is_read_alike(staged: Staged, before: StoreVersion | None, what: Reading) -> bool:
    """Whether the version before was read as the settings do now, in one of the three respects."""
    if before is None:
        return False
    reading: dict[str, str] = before.manifest.get("closing", {})  # none without dates
    return reading.get(what) == closing_reading(staged.settings)[what]


def attach_opens(staged: Staged, before: StoreVersion | None) -> None:
    """Make `before_opens` readable: lead_id, last_open_us."""
    files = before.files("opens") if before else []
    staged.engine.add_files("before_opens", files, schema=OPENS)


def last_open_sql(staged: Staged, before: StoreVersion | None) -> str:
    """SQL of the known_until of the last export that showed each stated close's lead open.

    Columns: lead_id, origin, source_hash, last_open_us. Where other settings decide now what is a
    close, only source texts that were closes before are certain to have been absent then: for any
    other one the stated date counts, as at a first export.
    """
    sql = """SELECT c.lead_id, c.origin, c.source_hash, MAX(o.last_open_us) AS last_open_us
        FROM stated_closes AS c
        JOIN before_opens AS o ON o.lead_id = c.lead_id"""
    if not is_read_alike(staged, before, "status"):
        sql += """
        JOIN before_closes AS b ON b.origin = c.origin AND b.source_hash = c.source_hash"""
    return f"{sql} GROUP BY c.lead_id, c.origin, c.source_hash"


def write_opens(staged: Staged, before: StoreVersion | None, *, known_until: int) -> dict[str, Any]:
    """Store the memory with this export in it; `settled_closes` must be readable."""
    rows = _shown_open_sql(staged, known_until)
    if is_read_alike(staged, before, "status"):
        rows = f"SELECT lead_id, last_open_us FROM before_opens UNION ALL {rows}"
    latest = staged.engine.query(
        f"""SELECT lead_id, MAX(last_open_us) AS last_open_us FROM ({rows}) AS r
        GROUP BY lead_id ORDER BY lead_id"""
    )
    batches = latest.cast(OPENS).to_batches()
    return write_rows(staged.folder, OPENS, batches)


def _shown_open_sql(staged: Staged, known_until: int) -> str:
    """SQL of the leads that this export shows without a close, or in an open stage after it."""
    closed = "SELECT lead_id, MAX(event_us) AS close_us FROM settled_closes GROUP BY lead_id"
    opened = f"""SELECT lead_id, MAX(event_us) AS open_us FROM stages_now
        WHERE stage IN ({literals_sql(staged.settings.stages.open)}) AND event_us < {known_until}
        GROUP BY lead_id"""
    return f"""SELECT l.lead_id, {known_until} AS last_open_us FROM {ACCEPTED_LEADS} AS l
        LEFT JOIN ({closed}) AS c ON c.lead_id = l.lead_id
        LEFT JOIN ({opened}) AS s ON s.lead_id = l.lead_id
        WHERE c.lead_id IS NULL OR s.open_us > c.close_us"""
