"""What exports showed of leads one after the other: fields that took another value since.

So history grows by itself. What was seen first stays in `leads`, since it is what was known at creation; what is seen
later becomes a change that is known from that export on. Both are read anew from the kept source text, by the settings
of today.
"""

from __future__ import annotations

from typing import Any

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.states import AT_FIRST
from leadscore.store.version import StoreVersion, write_rows
from leadscore.tables import CHANGES

ROWS = 100_000
JUDGED = "(SELECT * FROM judged WHERE broken_rule = '') AS n"


def attach_before(staged: Staged, before: StoreVersion | None) -> None:
    """Make the version before readable: before_<table>, and before_observed."""
    for name in ("leads", "changes", "activities", "stages", "outcomes"):
        schema = (before.schema(name) if before else None) or staged.table(name).schema()
        staged.engine.add_files(
            f"before_{name}", before.files(name) if before else [], schema=schema
        )
    observed = before.files("observed") if before else []
    staged.engine.add_files("before_observed", observed, schema=CHANGES.schema())


def leads_sql(staged: Staged, *, creation_us: int) -> str:
    """SQL of `leads` as it is stored: a field known from creation keeps the value that was seen first.

    A lead without a creation date gets `creation_us`. Dated, the table `states` must be readable.
    """
    first = staged.first_columns()
    columns = []
    for name in staged.table("leads").schema().names:
        quoted = identifier(name)
        if name == "event_us":
            columns.append(f"COALESCE(n.event_us, {creation_us}) AS event_us")
        elif name == "available_us":
            columns.append(
                f"CASE WHEN n.event_us IS NULL THEN {creation_us} ELSE n.available_us END AS available_us"
            )
        elif name in first:
            columns.append(
                f"CASE WHEN b.lead_id IS NULL THEN n.{quoted} ELSE b.{quoted} END AS {quoted}"
            )
        else:
            columns.append(f"n.{quoted} AS {quoted}")
    if not first:
        return f"SELECT {', '.join(columns)} FROM {JUDGED}"
    states = f"(SELECT * FROM states WHERE seq = {AT_FIRST}) AS b"
    return f"SELECT {', '.join(columns)} FROM {JUDGED} LEFT JOIN {states} ON b.lead_id = n.lead_id"


def observe(staged: Staged) -> dict[str, Any]:
    """The observed changes of all exports as a part of the manifest.

    `states`, `first_leads`, and the mapped changes, `changes_now` and `absent_changes`, must be readable: from when
    these tell of a lead's field it is left to them.
    """
    fields = staged.mapped_fields() if staged.settings.is_dated else []
    if not fields:
        return write_rows(staged.folder, CHANGES.schema(), [])
    rows = " UNION ALL ".join(_changes_sql(staged, name) for name in fields)
    sql = f"SELECT * FROM ({rows}) AS d ORDER BY lead_id, field, available_us, seq"
    return write_rows(staged.folder, CHANGES.schema(), staged.engine.stream(sql, rows=ROWS))


def _changes_sql(staged: Staged, name: str) -> str:
    """SQL of a field's observed changes, in the shape of `CHANGES`."""
    known, field = staged.settings.lead_fields()[name], literal(name)
    is_kept = (
        "1 = 1" if known.known_from == "export" else "1 = 0"
    )  # the first value, from its export on
    text = f"CAST({identifier(name)} AS VARCHAR)"
    states = f"""SELECT lead_id, known_until_us, seq, {text} AS value,
        LAG({text}) OVER (PARTITION BY lead_id ORDER BY seq) AS value_before FROM states"""
    unchanged = f"""SELECT n.lead_id, f.known_until_us, {AT_FIRST} AS seq, {text} AS value,
        CAST(NULL AS VARCHAR) AS value_before FROM {JUDGED}
        JOIN first_leads AS f ON f.lead_id = n.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM states) AS s ON s.lead_id = n.lead_id WHERE s.lead_id IS NULL"""
    seen = f"SELECT * FROM ({states}) AS s WHERE seq > {AT_FIRST} OR {is_kept}"
    if known.known_from == "export":
        seen += f" UNION ALL SELECT * FROM ({unchanged}) AS u"
    return f"""SELECT d.lead_id, {field} AS field, d.value, CASE WHEN d.seq < 0 THEN 0 ELSE d.seq END AS seq,
        d.known_until_us - 1 AS event_us, d.known_until_us - 1 AS available_us
        FROM ({seen}) AS d
        LEFT JOIN (SELECT lead_id, MIN(available_us) AS us FROM (
            SELECT lead_id, field, available_us FROM changes_now UNION ALL
            SELECT lead_id, field, available_us FROM absent_changes) AS m WHERE field = {field}
            GROUP BY lead_id) AS c ON c.lead_id = d.lead_id
        WHERE d.value IS DISTINCT FROM d.value_before AND (c.us IS NULL OR c.us >= d.known_until_us)"""
