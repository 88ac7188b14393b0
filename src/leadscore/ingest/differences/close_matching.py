"""The closes that an export states, and which remembered closes they are."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.opens import last_open_sql
from leadscore.ingest.sql import columns_sql, literals_sql, union_sql
from leadscore.ingest.staged import Staged
from leadscore.store.version import StoreVersion
from leadscore.tables import CLOSES
from leadscore.times import FOREVER_US

REMEMBERED = (
    "event_us",
    "earliest_us",
    "available_us",
    "dated",
    "date_us",
    "narrowed_us",
    "narrowed_from_us",
)


@dataclass(frozen=True)
class Matching:
    """Which stated closes (c) are remembered ones (b), as SQL conditions.

    The source text is compared first, since other settings may read it differently now.

    Attributes:
        known_until: The moment of the export.
        reads_dates_alike: Whether dates are read as they were: then a close with another usable date is
            another close.
    """

    known_until: int
    reads_dates_alike: bool

    @property
    def by_source(self) -> str:
        """SQL condition: the same place among the closes of a lead with the same source text."""
        return self._same("source_hash", "of_source")

    @property
    def by_status(self) -> str:
        """SQL condition: the same place among the closes of a lead with the same status."""
        return self._same("status", "of_status")

    @property
    def not_shown(self) -> str:
        """SQL condition: the export does not show this remembered close."""
        return f"""NOT EXISTS (SELECT 1 FROM stated_closes AS c WHERE {self.by_source})
            AND NOT EXISTS (SELECT 1 FROM stated_closes AS c WHERE {self.by_status})"""

    def _same(self, column: str, place: str) -> str:
        is_alike = f"""c.lead_id = b.lead_id AND c.origin = b.origin
            AND c.{column} = b.{column} AND c.{place} = b.{place}"""
        if not self.reads_dates_alike:
            return is_alike
        gets_date = "b.dated = 0 AND b.narrowed_us IS NULL AND c.event_us <= b.first_seen_us"
        is_unusable = f"c.event_us >= {self.known_until}"
        return f"{is_alike} AND (c.event_us = b.date_us OR {is_unusable} OR {gets_date})"


def stated_sql(staged: Staged) -> str:
    """SQL of the closes that the export shows, as it states them; no date is `FOREVER_US`."""
    stages = staged.settings.stages
    outcome = f"""r.outcome AS status, {FOREVER_US} AS seq,
        CASE WHEN r.outcome = 'won' THEN 1 ELSE 0 END AS won"""
    entered = f"""r.stage AS status, r.seq,
        CASE WHEN r.stage IN ({literals_sql(stages.won)}) THEN 1 ELSE 0 END AS won"""
    is_closing = f"r.stage IN ({staged.closing_stages_sql()})"

    nothing = """SELECT lead_id, '' AS origin, status, seq, won, source_hash, event_us,
        available_us FROM before_closes WHERE 1 = 0"""
    selects = [nothing]
    closes = (("outcomes", outcome, "1 = 1"), ("stages", entered, is_closing))
    for name, columns, where in closes:
        for place, _ in staged.parts_of(name):
            selects.append(
                f"""SELECT r.lead_id, {literal(name)} AS origin, {columns},
                s.extra AS source_hash, r.event_us, r.available_us
                FROM {name}_{place} AS r JOIN {name}_side_{place} AS s ON s.row = r.row
                WHERE {where}"""
            )
    rows = f"""SELECT DISTINCT c.* FROM ({union_sql(selects)}) AS c
        JOIN {ACCEPTED_LEADS} AS l ON l.lead_id = c.lead_id"""
    return ranked_sql(rows, "event_us")


def ranked_sql(rows: str, date: str) -> str:
    """SQL of closes with their place among those of their lead with an equal text or status."""
    by = f"""ROW_NUMBER() OVER (PARTITION BY lead_id, origin, {{}}
        ORDER BY {date}, seq, available_us, status)"""
    of_source, of_status = by.format("source_hash"), by.format("status")
    return f"SELECT *, {of_source} AS of_source, {of_status} AS of_status FROM ({rows}) AS c"


def matched_sql(staged: Staged, before: StoreVersion | None, matching: Matching) -> str:
    """SQL of the closes that the export shows, with what is remembered of them as was_<column>.

    `first_seen_us` is when an export first showed the close, `last_open_us` the last export that
    showed the lead open. `not_before_us` is from when the close can have been known: if it
    replaces another one, not before the export that still showed the other. The last two are 0
    where nothing is known.
    """
    seen_us = matching.known_until - 1
    before_us = before.known_until_us if before else 0
    was = {
        name: f"CASE WHEN b.lead_id IS NULL THEN d.{name} ELSE b.{name} END"
        for name in CLOSES.names
    }
    remembered = ", ".join(f"{was[name]} AS was_{name}" for name in REMEMBERED)
    replacing = f"SELECT DISTINCT lead_id, origin FROM shown_before AS b WHERE {matching.not_shown}"
    return f"""SELECT c.*, {remembered},
        LEAST(COALESCE({was["first_seen_us"]}, {seen_us}), {seen_us}) AS first_seen_us,
        COALESCE({was["last_open_us"]}, o.last_open_us, 0) AS last_open_us,
        COALESCE({was["not_before_us"]},
            CASE WHEN p.lead_id IS NULL THEN 0 ELSE {before_us} END) AS not_before_us
        FROM stated_closes AS c
        LEFT JOIN shown_before AS b ON {matching.by_source}
        LEFT JOIN shown_before AS d ON {matching.by_status.replace("b.", "d.")}
        LEFT JOIN ({last_open_sql(staged, before)}) AS o
            ON o.lead_id = c.lead_id AND o.origin = c.origin AND o.source_hash = c.source_hash
        LEFT JOIN ({replacing}) AS p ON p.lead_id = c.lead_id AND p.origin = c.origin"""


def shown_sql() -> str:
    """SQL of the closes that the export shows, in the shape of `CLOSES`."""
    fixed = {"state": "'shown'", "gone_us": "CAST(NULL AS BIGINT)"}
    columns = []
    for name in CLOSES.names:
        quoted = identifier(name)
        columns.append(f"{fixed.get(name, quoted)} AS {quoted}")
    return f"SELECT DISTINCT {', '.join(columns)} FROM settled_closes"


def past_sql(matching: Matching) -> str:
    """SQL of the closes that are remembered and that the export does not show, as `CLOSES`.

    Those of leads that the export does not have stay as they were.
    """
    seen_us = matching.known_until - 1
    names = columns_sql(CLOSES.names)
    not_shown = f"""SELECT {names} FROM before_closes WHERE state <> 'shown'
        UNION ALL SELECT {names} FROM shown_before AS b WHERE {matching.not_shown}"""
    fixed = {
        "state": """CASE WHEN l.lead_id IS NULL OR b.state <> 'shown' THEN b.state
            WHEN s.lead_id IS NULL THEN 'gone' ELSE 'replaced' END""",
        "gone_us": f"""CASE WHEN l.lead_id IS NULL THEN b.gone_us
            ELSE COALESCE(b.gone_us, {seen_us}) END""",
    }
    columns = []
    for name in CLOSES.names:
        quoted = identifier(name)
        columns.append(f"{fixed.get(name, f'b.{quoted}')} AS {quoted}")
    return f"""SELECT {", ".join(columns)} FROM ({not_shown}) AS b
        LEFT JOIN {ACCEPTED_LEADS} AS l ON l.lead_id = b.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM stated_closes) AS s ON s.lead_id = b.lead_id"""
