"""Which export last showed each lead open: a close that a later export shows first cannot have been known before.

The memory is the part `opens` of a store version (`tables.OPENS`), carried from version to version like the one of
closes, so that a lead keeps its place over exports that do not have it. The entry `closing` says how the settings read
closes then: where they did not read a status as a close, a lead that seemed open may have been closed all along.
"""

from __future__ import annotations

from typing import Any

from leadscore.engine.protocol import literal
from leadscore.files import hash_bytes
from leadscore.ingest.checks.validate import Staged
from leadscore.json_files import canonical_json
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, write_rows
from leadscore.tables import OPENS

SHOWN = "(SELECT lead_id FROM judged WHERE broken_rule = '')"


def closing_reading(settings: Settings) -> dict[str, str]:
    """Hashes of the settings that decide which rows are closes (`status`), when (`dates`), and none (`ignored`)."""
    public = settings.public()
    entries = [entry for entry in public["mapping"] if entry["table"] in ("outcomes", "stages")]
    selecting = ("source", "table", "where", "where_not", "values", "constants")
    status = [{key: entry.get(key) for key in selecting} for entry in entries]
    dates = {
        "columns": [entry["columns"] for entry in entries],
        "sources": {name: _without_path(source) for name, source in public["sources"].items()},
        "timezone": public["timezone"],
        "undated_close": settings.target.undated_close,
    }
    ignored = {name: source.get("ignore") for name, source in public["sources"].items()}
    has_stages = any(entry["table"] == "stages" for entry in entries)
    stages = public.get("stages") if has_stages else None
    return {
        "status": _hash({"entries": status, "ignored": ignored, "stages": stages}),
        "dates": _hash(dates),
        "ignored": _hash(ignored),
    }


def _without_path(source: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key != "path"}


def _hash(value: dict[str, Any]) -> str:
    return hash_bytes(canonical_json(value))[:16]


def is_read_alike(staged: Staged, before: StoreVersion | None, what: str) -> bool:
    """Whether the version before was read as the settings do now; `what` is `status`, `dates` or `ignored`."""
    if before is None:
        return False
    reading: dict[str, str] = before.manifest.get("closing", {})
    return reading.get(what) == closing_reading(staged.settings)[what]


def attach_opens(staged: Staged, before: StoreVersion | None) -> None:
    """Make `before_opens` readable; `before_closes` must be."""
    staged.engine.add_files("before_opens", before.files("opens") if before else [], schema=OPENS)


def last_open_sql(staged: Staged, before: StoreVersion | None) -> str:
    """SQL of the known_until of the last export that showed each lead open: lead_id, origin, source_hash, last_open_us.

    Where other settings decide now what is a close, only source texts that were closes before are certain to have
    been absent then: for any other one the stated date counts, as at a first export.
    """
    if is_read_alike(staged, before, "status"):
        return """SELECT c.lead_id, c.origin, c.source_hash, MAX(o.last_open_us) AS last_open_us
            FROM stated_closes AS c JOIN before_opens AS o ON o.lead_id = c.lead_id
            GROUP BY c.lead_id, c.origin, c.source_hash"""
    return """SELECT c.lead_id, c.origin, c.source_hash, MAX(o.last_open_us) AS last_open_us
        FROM stated_closes AS c JOIN before_opens AS o ON o.lead_id = c.lead_id
        JOIN before_closes AS b ON b.origin = c.origin AND b.source_hash = c.source_hash
        GROUP BY c.lead_id, c.origin, c.source_hash"""


def write_opens(staged: Staged, before: StoreVersion | None, *, known_until: int) -> dict[str, Any]:
    """The memory with this export in it, as a part of the manifest; `settled_closes` must be readable."""
    rows = _shown_open_sql(staged, known_until)
    if is_read_alike(staged, before, "status"):
        rows = f"SELECT lead_id, last_open_us FROM before_opens UNION ALL {rows}"
    latest = f"SELECT lead_id, MAX(last_open_us) AS last_open_us FROM ({rows}) AS r GROUP BY lead_id ORDER BY lead_id"
    return write_rows(staged.folder, OPENS, staged.engine.query(latest).cast(OPENS).to_batches())


def _shown_open_sql(staged: Staged, known_until: int) -> str:
    """SQL of the leads that this export shows without a close, or back in an open stage after their last one."""
    opens = ", ".join(map(literal, staged.settings.stages.open)) or "''"
    return f"""SELECT l.lead_id, {known_until} AS last_open_us FROM {SHOWN} AS l
        LEFT JOIN (SELECT lead_id, MAX(event_us) AS close_us FROM settled_closes GROUP BY lead_id) AS c
            ON c.lead_id = l.lead_id
        LEFT JOIN (SELECT lead_id, MAX(event_us) AS open_us FROM stages_now
            WHERE stage IN ({opens}) AND event_us < {known_until} GROUP BY lead_id) AS s ON s.lead_id = l.lead_id
        WHERE c.lead_id IS NULL OR s.open_us > c.close_us"""
