"""Rules that compare events with their leads: references, dates, and rows in two files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.ingest.checks.checked_table import CheckedTable, build_rejects
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.checks.overlaps import count_repeated_among, find_overlaps
from leadscore.ingest.sql import columns_sql, literals_sql, storing_order
from leadscore.ingest.staged import Staged
from leadscore.settings.validation import Validation
from leadscore.store.objects import write_rows
from leadscore.tables import HELD, REJECTS
from leadscore.times import FOREVER_US, format_us

READ_ROWS = 250_000
WRITE_ROWS = 100_000
LEFT_OUT = ("ignored", "duplicate")  # no rules: such rows are counted, but are no rejects


def check_events(staged: Staged, name: str, *, known_until: int) -> CheckedTable:
    """Check a table of events against the accepted leads, and store the rows that may stay.

    A part of which all rows stay is used as it is, without a copy. `checked_leads` and `ignored`
    must be readable.
    """
    find_overlaps(staged, name)
    parts = []
    for place, part in staged.parts_of(name):
        entry = part["tables"][name]
        parts.append(_check_part(staged, name, place, entry, known_until=known_until))
    return _sum_up(parts)


def _sum_up(parts: Sequence[CheckedTable]) -> CheckedTable:
    files = [file for part in parts for file in part.part["files"]]
    ignored: Counter[str] = Counter()
    for part in parts:
        ignored.update(part.ignored)
    rows = sum(file["rows"] for file in files)
    rejects = [REJECTS.empty_table(), *(part.rejects for part in parts)]
    return CheckedTable(
        part={"rows": rows, "files": files},
        rejects=pa.concat_tables(rejects),
        refused=sum(part.refused for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        ignored=dict(sorted(ignored.items())),
        repeated=sum(part.repeated for part in parts),
    )


def _check_part(
    staged: Staged,
    name: str,
    place: int,
    entry: dict[str, Any],
    *,
    known_until: int,
) -> CheckedTable:
    """Check one part; `entry` says what its file gave for the table."""
    sql = _flagged_sql(staged, name, place, known_until=known_until)
    flagged = staged.engine.query(sql)
    rules = flagged["rule"].to_pylist()
    left_out = np.array([rule in LEFT_OUT for rule in rules], dtype=bool)
    are_removed = [_is_removed(rule, staged.settings.validation) for rule in rules]
    removed = np.array(are_removed, dtype=bool)

    repeated = entry["repeated"]
    if repeated and removed.any():
        removed_rows = flagged.filter(pa.array(removed))
        repeated -= count_repeated_among(staged, name, place, removed_rows)

    rows = entry["rows"]
    if removed.any() or not staged.settings.is_dated:
        staying = np.ones(rows["rows"], dtype=bool)
        staying[flagged["row"].to_numpy()[removed]] = False
        rows = _write_staying(staged, name, place, rows, staying)

    stated = flagged.filter(pa.array(~left_out))
    ignored_as = flagged["ignored_as"].drop_null().to_pylist()
    return CheckedTable(
        part=rows,
        rejects=_build_event_rejects(staged, name, stated),
        refused=int((removed & ~left_out).sum()),
        duplicates=rules.count("duplicate"),
        ignored=Counter(ignored_as),
        repeated=repeated,
    )


def _is_removed(rule: str, validation: Validation) -> bool:
    return rule in LEFT_OUT or validation.severity_of(rule) == "refuse"


def _flagged_sql(staged: Staged, name: str, place: int, *, known_until: int) -> str:
    """SQL of the rows of a part that cannot stay as they are, by their place in it.

    They break a rule, repeat a row of an earlier part, or belong to an ignored lead.
    """
    closes = _closes_sql(staged, name)
    is_late = f"""({closes} AND r.event_us >= {known_until}
        OR NOT {closes} AND {_takes_place_sql(name)} AND r.available_us >= {known_until})"""
    return f"""SELECT {place} AS part, s.line, r.row, r.lead_id, r.event_us, r.available_us,
        i.name AS ignored_as,
        CASE
            WHEN i.lead_id IS NOT NULL THEN 'ignored'
            WHEN l.lead_id IS NULL THEN 'reference'
            WHEN o.row IS NOT NULL THEN 'duplicate'
            WHEN r.event_us < l.from_us THEN 'before_creation'
            WHEN {closes} THEN 'close_date'
            ELSE 'after_export'
        END AS rule
        FROM {name}_{place} AS r
        JOIN {name}_side_{place} AS s ON s.row = r.row
        LEFT JOIN {ACCEPTED_LEADS} AS l ON l.lead_id = r.lead_id
        LEFT JOIN ignored AS i ON i.lead_id = r.lead_id
        LEFT JOIN (SELECT row FROM overlapping WHERE part = {place}) AS o ON o.row = r.row
        WHERE l.lead_id IS NULL OR o.row IS NOT NULL OR r.event_us < l.from_us OR {is_late}
        ORDER BY r.row"""


def _closes_sql(staged: Staged, name: str) -> str:
    """SQL of whether row r of a table closes its lead."""
    if name == "outcomes":
        return "1 = 1"
    if name == "stages" and staged.settings.stages.closing():
        return f"r.stage IN ({staged.closing_stages_sql()})"
    return "1 = 0"


def _takes_place_sql(name: str) -> str:
    """SQL of whether row r of a table states what took place, not a plan or a cancelled one."""
    if name != "activities":
        return "1 = 1"
    return f"(r.outcome IS NULL OR r.outcome IN ({literals_sql(HELD)}))"


def _write_staying(
    staged: Staged,
    name: str,
    place: int,
    rows: dict[str, Any],
    staying: np.ndarray,
) -> dict[str, Any]:
    """Store the rows (n,) of a part that stay."""
    if staged.settings.is_dated:
        batches = _filter_rows(staged, rows, staying)
    else:
        batches = _order_by_lead(staged, name, place, staying)
    return write_rows(staged.folder, staged.table(name).schema(), batches)


def _filter_rows(
    staged: Staged,
    rows: dict[str, Any],
    staying: np.ndarray,
) -> Iterator[pa.RecordBatch]:
    begin = 0
    for path in staged.paths(rows):
        for batch in pq.ParquetFile(path).iter_batches(READ_ROWS, use_threads=False):
            end = begin + batch.num_rows
            yield batch.filter(pa.array(staying[begin:end]))
            begin = end


def _order_by_lead(
    staged: Staged,
    name: str,
    place: int,
    staying: np.ndarray,
) -> Iterator[pa.RecordBatch]:
    """The rows of an undated part that stay, each with its lead's position as its time."""
    staying_rows = pa.table({"row": np.flatnonzero(staying)})
    staged.engine.add_rows("staying", staying_rows)
    names = staged.table(name).schema().names
    own = [column for column in names if column not in {"event_us", "available_us"}]
    sql = f"""SELECT {columns_sql(own, of="r")}, l.event_us, l.event_us AS available_us
        FROM {name}_{place} AS r
        JOIN staying AS s ON s.row = r.row
        JOIN {ACCEPTED_LEADS} AS l ON l.lead_id = r.lead_id"""
    ordered = f"SELECT * FROM ({sql}) AS t ORDER BY {storing_order(names)}"
    return staged.engine.stream(ordered, rows=WRITE_ROWS)


def _build_event_rejects(staged: Staged, name: str, rows: pa.Table) -> pa.Table:
    """Rows that break a rule: the lead id shows what a missing reference is, else the time does."""
    by_lead = pc.equal(rows["rule"], "reference")
    event_us = rows["event_us"].to_pylist()
    times = ["" if us == FOREVER_US else format_us(us) for us in event_us]
    texts = pa.array(times, pa.string())
    values = pc.if_else(by_lead, rows["lead_id"], texts)
    columns = pc.if_else(by_lead, "lead_id", "event_at")
    return build_rejects(staged, name, rows, columns=columns, values=values)
