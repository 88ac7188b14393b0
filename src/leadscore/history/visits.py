"""Visits of leads to open stages, and how each ended, as far as was known at a moment.

A visit begins with the entry into a stage and ends with the next entry into another one, or with
the close of its spell. Of several entries at one moment the last counts, by their sequence, then by
the order of the stages; the others are passed through. Entering the same stage again continues the
visit.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.settings.stages import Stages

EXITS = ("forward", "back", "won", "lost", "open")
HOUR_US = 3_600_000_000


def count_visits(
    engine: Engine,
    stages: Stages,
    spells: pd.DataFrame,
    *,
    known_us: int,
    since_us: int,
) -> pd.DataFrame:
    """How many visits ended in which way, by stage and whole hours.

    Columns: stage; exit, one of `EXITS`, where "open" visits had not ended by `known_us`; hours,
        from the entry to that end or to `known_us`; visits. Ordered by stage, hours and exit.

    Args:
        engine: holds the facts.
        stages: of the sales pipeline.
        spells: as known at `known_us` (see `build_spells`).
        known_us: facts known from then on do not count.
        since_us: visits that began earlier are left out.
    """
    engine.add_rows("funnel_spells", pa.Table.from_pandas(spells, preserve_index=False))
    counted: pd.DataFrame = engine.query(f"""SELECT stage, "exit", hours, COUNT(*) AS visits
        FROM ({_visits_sql(stages, known_us)}) AS visits
        WHERE entered_us >= {since_us}
        GROUP BY stage, "exit", hours
        ORDER BY stage, hours, "exit" """).to_pandas()
    return counted


def _visits_sql(stages: Stages, known_us: int) -> str:
    """SQL of one row a visit: lead_id, spell, stage, entered_us, exit, hours."""
    end_us = f"CASE WHEN close_us < {known_us} THEN close_us ELSE {known_us} END"
    lasted_us = f"(COALESCE(next_us, {end_us}) - entered_us)"
    whole_hours = f"CAST(({lasted_us} - {lasted_us} % {HOUR_US}) / {HOUR_US} AS BIGINT)"
    return f"""SELECT lead_id, spell, stage, entered_us, {whole_hours} AS hours,
            CASE WHEN next_place > place THEN 'forward'
                WHEN next_place < place THEN 'back'
                WHEN close_us >= {known_us} THEN 'open'
                WHEN won = 1 THEN 'won' ELSE 'lost' END AS "exit"
        FROM (SELECT *,
                LEAD(entered_us) OVER ({IN_ORDER}) AS next_us,
                LEAD(place) OVER ({IN_ORDER}) AS next_place
            FROM ({_entries_sql(stages, known_us)}) AS entries) AS paired"""


IN_ORDER = "PARTITION BY lead_id, spell ORDER BY entered_us"


def _entries_sql(stages: Stages, known_us: int) -> str:
    """SQL of the entries that begin a visit, in the spell that they fall into."""
    return f"""SELECT lead_id, spell, stage, place, entered_us, close_us, won
        FROM (SELECT *, LAG(place) OVER ({IN_ORDER}) AS place_before
            FROM ({_spelled_sql(stages, known_us)}) AS spelled) AS entries
        WHERE place_before IS NULL OR place_before <> place"""


def _spelled_sql(stages: Stages, known_us: int) -> str:
    """SQL of one entry a lead and moment, with the spell in which the lead was then.

    What happened before the lead was known counts from when it was.
    """
    order = "PARTITION BY t.lead_id, s.spell, {at} ORDER BY t.seq DESC, {place} DESC"
    place = _place_sql(stages)
    at = "CASE WHEN t.event_us < s.start_us AND s.spell = 1 THEN s.start_us ELSE t.event_us END"
    return f"""SELECT lead_id, spell, stage, place, entered_us, close_us, won
        FROM (SELECT t.lead_id, s.spell, t.stage, {place} AS place, {at} AS entered_us,
                s.close_us, CASE WHEN s.won THEN 1 ELSE 0 END AS won,
                ROW_NUMBER() OVER ({order.format(at=at, place=place)}) AS recency
            FROM stages AS t JOIN funnel_spells AS s ON s.lead_id = t.lead_id
            WHERE t.available_us < {known_us} AND {place} >= 0
                AND (t.event_us >= s.start_us OR s.spell = 1)
                AND t.event_us < s.close_us) AS moments
        WHERE recency = 1"""


def _place_sql(stages: Stages) -> str:
    """SQL of the place of an open stage in the sales pipeline, from 0 on; -1 for any other."""
    whens = [f"WHEN {literal(stage)} THEN {place}" for place, stage in enumerate(stages.open)]
    return f"CASE t.stage {' '.join(whens)} ELSE -1 END" if whens else "-1"
