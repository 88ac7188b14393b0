"""Rules for whole leads: one row each, a readable outcome, no close before creation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.ingest.checks.checked_table import build_rejects
from leadscore.ingest.checks.odd_ids import find_odd_ids
from leadscore.ingest.sql import columns_sql, read_row
from leadscore.ingest.staged import Staged
from leadscore.times import format_day, format_us

COMPARED = 1000  # leads at the begin of a file whose ids the last one is compared with
ACCEPTED_LEADS = "(SELECT * FROM checked_leads WHERE broken_rule = '')"

REFUSED_IDS = """(SELECT DISTINCT lead_id FROM row_rejects
    WHERE "table" = 'leads' AND severity = 'refused')"""

# SQL of the ids of all leads that the export has, accepted or refused
EXPORTED_IDS = f"(SELECT lead_id FROM checked_leads UNION SELECT lead_id FROM {REFUSED_IDS} AS r)"

# A lead with another row, accepted or refused, is not ignored.
IGNORED_SQL = f"""SELECT i.lead_id, MIN(i.name) AS name
    FROM ignored_rows AS i
    LEFT JOIN checked_leads AS c ON c.lead_id = i.lead_id
    LEFT JOIN {REFUSED_IDS} AS r ON r.lead_id = i.lead_id
    WHERE c.lead_id IS NULL AND r.lead_id IS NULL
    GROUP BY i.lead_id"""


def check_leads(staged: Staged) -> None:
    """Make the tables `checked_leads` and `ignored`.

    `checked_leads` has each distinct row of `leads` once, with `broken_rule`, the rule that its
    lead breaks, or ''. `ignored` has the leads that the settings ignore by name, and the name.

    A lead whose outcome cannot be read is refused as a whole, because without it a closed lead
    would look open; so is a lead that closed before it was created.
    """
    staged.engine.add_rows("not_leads", _find_not_leads(staged))
    staged.engine.add_result("checked_leads", _checked_sql(staged))
    staged.engine.add_result("ignored", IGNORED_SQL)


def _find_not_leads(staged: Staged) -> pa.Table:
    """Undated rows (part, line, lead_id) whose id is unlike those of their source's dated leads."""
    rows = staged.rows_sql("leads")
    undated = staged.engine.query(
        f"""SELECT DISTINCT part, line, lead_id FROM ({rows}) AS s
        WHERE event_us IS NULL ORDER BY part, line, lead_id"""
    )
    ids = undated["lead_id"].combine_chunks()
    places = undated["part"].to_pylist()
    sources = np.array([staged.parts[place]["source"] for place in places])

    is_odd = np.zeros(undated.num_rows, dtype=bool)
    for source in set(sources.tolist()):
        of_source = sources == source
        usual = _read_dated_ids(staged, source)
        ids_of_source = ids.filter(pa.array(of_source))
        is_odd[of_source] = find_odd_ids(ids_of_source, usual)
    return undated.filter(pa.array(is_odd))


def _read_dated_ids(staged: Staged, source: str) -> pa.Array:
    places = [place for place, part in staged.parts_of("leads") if part["source"] == source]
    parts = ", ".join(map(str, places))
    rows = staged.engine.query(
        f"""SELECT lead_id FROM ({staged.rows_sql("leads")}) AS s
        WHERE event_us IS NOT NULL AND part IN ({parts})"""
    )
    return rows["lead_id"].combine_chunks()


def _checked_sql(staged: Staged) -> str:
    names = staged.table("leads").schema().names
    columns = columns_sql([*names, "extra"])
    numbered = f"""SELECT *,
        ROW_NUMBER() OVER (PARTITION BY {columns} ORDER BY part, line) AS copy
        FROM ({staged.rows_sql("leads")}) AS s"""
    distinct = f"""SELECT *, COUNT(*) OVER (PARTITION BY lead_id) AS same_id
        FROM ({numbered}) AS o WHERE copy = 1"""

    return f"""SELECT l.*, c.close_us AS first_close_us,
        CASE
            WHEN n.line IS NOT NULL THEN 'not_a_lead'
            WHEN l.same_id > 1 OR u.lead_id IS NOT NULL THEN 'unique'
            WHEN r.lead_id IS NOT NULL THEN 'outcome_refused'
            WHEN c.close_us < l.from_us THEN 'closed_before_created'
            ELSE ''
        END AS broken_rule
        FROM ({distinct}) AS l
        LEFT JOIN not_leads AS n
            ON n.part = l.part AND n.line = l.line AND n.lead_id = l.lead_id
        LEFT JOIN ({_first_closes_sql(staged)}) AS c ON c.lead_id = l.lead_id
        LEFT JOIN {REFUSED_IDS} AS u ON u.lead_id = l.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM row_rejects WHERE closes) AS r
            ON r.lead_id = l.lead_id"""


def _first_closes_sql(staged: Staged) -> str:
    """SQL of when each lead first closed, by an outcome or a closing stage."""
    return f"""SELECT lead_id, MIN(event_us) AS close_us
        FROM (SELECT lead_id, event_us FROM ({staged.rows_sql("outcomes")}) AS o
            UNION ALL
            SELECT lead_id, event_us FROM ({staged.rows_sql("stages")}) AS s
            WHERE stage IN ({staged.closing_stages_sql()})) AS closes
        GROUP BY lead_id"""


def find_refused_leads(staged: Staged) -> pa.Table:
    """The rows of `leads` that `check_leads` refused, in the shape of `REJECTS`."""
    rows = staged.engine.query(
        """SELECT part, line, broken_rule AS rule, lead_id, event_us, first_close_us
        FROM checked_leads WHERE broken_rule <> '' ORDER BY part, line"""
    )
    columns = []
    values = []
    for row in rows.to_pylist():
        if row["rule"] == "closed_before_created":
            columns.append("event_at")
            values.append(_describe_dates(row, zone=staged.settings.timezone))
        else:
            columns.append("lead_id")
            values.append(row["lead_id"])
    return build_rejects(staged, "leads", rows, columns=columns, values=values)


def _describe_dates(row: Mapping[str, Any], *, zone: str) -> str:
    created = format_day(row["event_us"], zone=zone)
    closed = format_day(row["first_close_us"], zone=zone)
    return f"created {created}, closed {closed}"


def find_late_leads(staged: Staged, *, known_until: int) -> pa.Table:
    """Warnings, in the shape of `REJECTS`, of accepted leads created at or after known_until."""
    rows = staged.engine.query(
        f"""SELECT part, line, 'after_export' AS rule, lead_id, event_us
        FROM {ACCEPTED_LEADS} AS l
        WHERE event_us IS NOT NULL AND available_us >= {known_until} ORDER BY part, line"""
    )
    columns = ["event_at"] * rows.num_rows
    values = [format_us(us) for us in rows["event_us"].to_pylist()]
    return build_rejects(staged, "leads", rows, columns=columns, values=values)


def warn_of_last_rows(staged: Staged) -> Iterator[str]:
    """Leads in the last row of a file that look like totals, but have a creation date."""
    parts = {
        place: part
        for place, part in staged.parts_of("leads")
        if part["source"] in staged.settings.sources
        and staged.settings.sources[part["source"]].path is not None
    }
    dated = f"(SELECT part, line, lead_id FROM {ACCEPTED_LEADS} AS l WHERE event_us IS NOT NULL)"
    rows = staged.engine.query(
        f"""SELECT d.part, d.line, d.lead_id FROM {dated} AS d
        JOIN (SELECT part, MAX(line) AS line FROM {dated} AS a GROUP BY part) AS m
            ON m.part = d.part AND m.line = d.line ORDER BY d.part"""
    )
    for row in rows.to_pylist():
        part = parts.get(row["part"])
        if part is None:
            continue
        usual = staged.engine.query(
            f"""SELECT lead_id FROM {dated} AS d
            WHERE part = {row["part"]} AND line < {row["line"]} ORDER BY line LIMIT {COMPARED}"""
        )
        last = pa.array([row["lead_id"]], pa.string())
        if find_odd_ids(last, usual["lead_id"].combine_chunks(), by_length=False)[0]:
            yield (
                f"the last row of {part['file']} is taken for a lead, though its id "
                f"{row['lead_id']!r} is unlike the others: if it is a total or a footer, add to "
                f"[sources.{part['source']}]: ignore.totals = {{ ... }}, with what stands in it"
            )


def count_duplicate_leads(staged: Staged) -> int:
    """How many rows of `leads` repeat a row of another part exactly."""
    counts = read_row(
        staged.engine,
        f"""SELECT COUNT(*) AS distinct_rows,
            (SELECT COUNT(*) FROM ({staged.rows_sql("leads")}) AS s) AS all_rows
            FROM checked_leads""",
    )
    return int(counts["all_rows"] - counts["distinct_rows"])
