"""When closes happened and were known: by their dates where these can be used."""

from __future__ import annotations

from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.differences.close_matching import Matching
from leadscore.ingest.sql import literals_sql, union_sql
from leadscore.ingest.staged import Staged
from leadscore.tables import HELD
from leadscore.times import DAY_US, SECOND_US

HELD_SQL = f"outcome IS NULL OR outcome IN ({literals_sql(HELD)})"
TOOK_PLACE = {
    "activities": f"(SELECT * FROM activities_now WHERE {HELD_SQL}) AS held",
    "stages": "stages_now",
}
TABLES_OF = {"last_activity": ("activities",), "last_stage": ("stages",)}


def settled_sql(staged: Staged, matching: Matching) -> str:
    """SQL of the stated closes with the times at which they count, beside the stated ones.

    A date is usable up to the moment at which an export first showed the close; an outcome did not
    happen before the last export that showed the lead open, or another outcome. Without a usable
    date the close lies after the last export that showed the lead open, else after its creation,
    and after the begin of its own day where only a date is given, unless the settings name a
    substitute.
    """
    return f"""SELECT lead_id, origin, status, seq, won, source_hash, stated_us,
        stated_available_us, is_usable, substitute_us, first_seen_us, last_open_us, not_before_us,
        {_times_sql(matching)} FROM ({_ends_sql(_bounds_sql(staged))}) AS e"""


def _bounds_sql(staged: Staged) -> str:
    """SQL of the matched closes, whether their date is usable, and what they cannot lie before.

    `open_us` is the last moment at which the lead was certainly open, `floor_us` the earliest at
    which the close can have been known.
    """
    created_us = "CASE WHEN l.event_us IS NULL THEN 0 ELSE l.available_us END"
    return f"""SELECT c.*, c.event_us AS stated_us, c.available_us AS stated_available_us,
        c.event_us <= c.first_seen_us AS is_usable,
        c.event_us - c.first_seen_us < {DAY_US} AND (c.event_us + 1) % {SECOND_US} = 0
            AS is_of_that_day,
        LEAST(c.first_seen_us, GREATEST(c.last_open_us, {created_us})) AS open_us,
        LEAST(c.first_seen_us, GREATEST(c.last_open_us, c.not_before_us)) AS floor_us,
        s.last_us AS substitute_us
        FROM matched_closes AS c JOIN {ACCEPTED_LEADS} AS l ON l.lead_id = c.lead_id
        LEFT JOIN ({_substitutes_sql(staged)}) AS s ON s.lead_id = c.lead_id
            AND s.origin = c.origin AND s.first_seen_us = c.first_seen_us"""


def _ends_sql(rows: str) -> str:
    """SQL of both ends of the time in which each close happened, from_us to known_us.

    `from_us` is NULL where the moment itself is known.
    """
    dated_us = "LEAST(GREATEST(stated_available_us, floor_us), first_seen_us)"
    return f"""SELECT *, {dated_us} AS dated_us,
        CASE WHEN origin = 'outcomes' THEN GREATEST(stated_us, floor_us)
            ELSE stated_us END AS happened_us,
        CASE WHEN is_usable THEN {dated_us}
            WHEN is_of_that_day THEN first_seen_us
            WHEN substitute_us IS NOT NULL THEN GREATEST(substitute_us, open_us)
            ELSE first_seen_us END AS known_us,
        CASE WHEN is_usable THEN NULL
            WHEN is_of_that_day THEN GREATEST(open_us, stated_us + 1 - {DAY_US})
            WHEN substitute_us IS NOT NULL THEN NULL
            ELSE open_us END AS from_us
        FROM ({rows}) AS r"""


def _times_sql(matching: Matching) -> str:
    """SQL of a close's times: the remembered ones if dates are read alike, else as stated now."""
    stated = {
        "event_us": "CASE WHEN is_usable THEN happened_us ELSE known_us END",
        "earliest_us": "LEAST(COALESCE(from_us, known_us), known_us)",
        "available_us": "known_us",
        "dated": "CASE WHEN is_usable THEN 1 ELSE 0 END",
        "date_us": "stated_us",
        "narrowed_us": "CAST(NULL AS BIGINT)",
        "narrowed_from_us": "CAST(NULL AS BIGINT)",
    }
    if not matching.reads_dates_alike:
        return ", ".join(f"{sql} AS {name}" for name, sql in stated.items())

    lacks_date = "was_dated = 0 AND was_narrowed_us IS NULL"
    gets_date = f"{lacks_date} AND is_usable"
    remembered = {name: f"was_{name}" for name in stated} | {
        "date_us": f"CASE WHEN {lacks_date} THEN stated_us ELSE was_date_us END",
        "narrowed_us": f"CASE WHEN {gets_date} THEN dated_us ELSE was_narrowed_us END",
        "narrowed_from_us": f"""CASE WHEN {gets_date} THEN {matching.known_until - 1}
            ELSE was_narrowed_from_us END""",
    }
    return ", ".join(
        f"CASE WHEN was_dated IS NULL THEN {sql} ELSE {remembered[name]} END AS {name}"
        for name, sql in stated.items()
    )


def _substitutes_sql(staged: Staged) -> str:
    """SQL of when a lead was last heard of, if the settings let that stand for a missing date."""
    tables = TABLES_OF.get(staged.settings.target.undated_close or "", ())
    nothing = "SELECT lead_id, event_us, available_us FROM before_closes WHERE 1 = 0"
    facts = [f"SELECT lead_id, event_us, available_us FROM {TOOK_PLACE[name]}" for name in tables]
    return f"""SELECT c.lead_id, c.origin, c.first_seen_us, MAX(f.available_us) AS last_us
        FROM (SELECT DISTINCT lead_id, origin, first_seen_us FROM matched_closes) AS c
        JOIN ({union_sql([nothing, *facts])}) AS f ON f.lead_id = c.lead_id
            AND f.event_us <= c.first_seen_us AND f.available_us <= c.first_seen_us
        GROUP BY c.lead_id, c.origin, c.first_seen_us"""
