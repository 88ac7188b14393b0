"""When the closes of an export were known, and the memory of all closes that exports have shown.

A status that is seen as closed was known at the latest when an export first showed it, whatever
its date says, and not before the last export that still showed the lead open (`opens.py`). The
memory is the part `closes` of a store version (`tables.CLOSES`): every ingest carries the rows of
the version before on, so that only ancestors count, and none is ever dropped or moved: a later
export never changes what was known at an earlier moment. A usable date that comes later for a
close without one counts from the export that brought it (`narrowed_us`); another usable date is
another close, which takes the place of the first. Only where other settings read the dates are
they read anew.

To build on it: `state` is `shown` while the export shows the close, `replaced` once it shows
another close of that lead instead, `gone` once it shows the lead without any; `gone_us` is when
that was first seen. All of them are facts of the past. A lead was re-opened at some time between
the last export that showed a close that is `gone` and `gone_us`, from when that is known. The rows
of a lead that the export does not have stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.differences.close_matching import (
    Matching,
    matched_sql,
    past_sql,
    ranked_sql,
    shown_sql,
    stated_sql,
)
from leadscore.ingest.differences.close_times import settled_sql
from leadscore.ingest.differences.close_warnings import find_close_warnings
from leadscore.ingest.differences.opens import (
    attach_opens,
    closing_reading,
    is_read_alike,
    write_opens,
)
from leadscore.ingest.sql import columns_sql, storing_order
from leadscore.ingest.staged import Staged
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion
from leadscore.tables import CLOSES

MOVED_SQL = """SELECT DISTINCT origin FROM settled_closes
    WHERE event_us <> stated_us OR available_us <> stated_available_us ORDER BY origin"""


@dataclass(frozen=True)
class Closes:
    """The closes of an export.

    Attributes:
        entries: The memory, as entries of the manifest.
        moved: The tables of which a close has other times than its row states.
        warnings: What was taken for granted, with counts.
    """

    entries: dict[str, Any]
    moved: list[str]
    warnings: list[str]


def settle_closes(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Closes:
    """Make the table `closes_now`, what is known of every close, and store it.

    `checked_leads` and every <table>_now must be readable.
    """
    matching = Matching(known_until, is_read_alike(staged, before, "dates"))
    _attach_closes(staged, before, matching)
    order = columns_sql(CLOSES.names)
    rows = staged.engine.query(f"SELECT {order} FROM closes_now ORDER BY {order}").cast(CLOSES)
    entries = {
        "closes": write_rows(staged.folder, CLOSES, rows.to_batches()),
        "opens": write_opens(staged, before, known_until=known_until),
        "closing": closing_reading(staged.settings),
    }
    moved = staged.engine.query(MOVED_SQL)["origin"].to_pylist()
    return Closes(entries, moved, find_close_warnings(staged, known_until))


def _attach_closes(staged: Staged, before: StoreVersion | None, matching: Matching) -> None:
    """Make the tables of closes, each from those above it."""
    engine = staged.engine
    files = before.files("closes") if before else []
    engine.add_files("before_closes", files, schema=CLOSES)
    attach_opens(staged, before)
    engine.add_result("stated_closes", stated_sql(staged))
    shown_before = "SELECT * FROM before_closes WHERE state = 'shown'"
    engine.add_result("shown_before", ranked_sql(shown_before, "date_us"))
    engine.add_result("matched_closes", matched_sql(staged, before, matching))
    engine.add_result("settled_closes", settled_sql(staged, matching))

    shown = engine.query(shown_sql()).cast(CLOSES)
    past = engine.query(past_sql(matching)).cast(CLOSES)
    engine.add_rows("closes_now", pa.concat_tables([shown, past]))


def restated_sql(staged: Staged, name: str) -> str:
    """SQL of a table of events in which every close has the times at which it counts."""
    names = staged.table(name).schema().names
    status = identifier("outcome" if name == "outcomes" else "stage")
    columns = []
    for column in names:
        quoted = identifier(column)
        value = f"t.{quoted}"
        if column in {"event_us", "available_us"}:
            value = f"COALESCE(c.{quoted}, {value})"
        columns.append(f"{value} AS {quoted}")
    settled = f"""SELECT lead_id, status, stated_us, stated_available_us,
        MIN(event_us) AS event_us, MIN(available_us) AS available_us
        FROM settled_closes WHERE origin = {literal(name)}
        GROUP BY lead_id, status, stated_us, stated_available_us"""
    restated = f"""SELECT {", ".join(columns)} FROM {identifier(f"{name}_now")} AS t
        LEFT JOIN ({settled}) AS c ON c.lead_id = t.lead_id AND c.status = t.{status}
            AND c.stated_us = t.event_us AND c.stated_available_us = t.available_us"""
    return f"SELECT * FROM ({restated}) AS r ORDER BY {storing_order(names)}"
