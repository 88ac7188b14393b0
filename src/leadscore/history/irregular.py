"""How much in the histories of leads is irregular: entries into stages that begin no visit."""

from __future__ import annotations

import pandas as pd

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.history.visits import Span, entries_sql, list_spells, spelled_sql
from leadscore.settings.stages import Stages
from leadscore.store.version import StoreVersion
from leadscore.tables import REJECTS


def count_irregular(
    engine: Engine,
    stages: Stages,
    spells: pd.DataFrame,
    span: Span,
    *,
    visits: int,
) -> dict[str, int]:
    """How many entries of the period began no visit, and how many leads had none.

    Args:
        engine: holds the facts.
        stages: of the sales pipeline.
        spells: as known at the end of the span.
        span: the period.
        visits: how many began in it (see `count_visits`).

    Returns:
        `at_one_moment`: entries of a moment that another of it replaced; `repeated`: entries into
        the stage in which the lead was already; `while_closed`: entries into an open stage that
        fell into no spell; `not_declared`: entries into a stage that the settings do not name, as
        after an edit of them; `without_stage`: spells that began in the period without a visit.
    """
    engine.add_rows("funnel_spells", list_spells(spells, span))
    in_spells = engine.query(f"""SELECT COUNT(*) AS moments, CAST(SUM(entries) AS BIGINT) AS entries,
            CAST(SUM(inside) AS BIGINT) AS inside
        FROM (SELECT number, entered_us, COUNT(*) AS entries,
                COUNT(CASE WHEN event_us >= {span.since_us} THEN 1 END) AS inside
            FROM ({spelled_sql(stages, span)}) AS spelled WHERE entered_us >= {span.since_us}
            GROUP BY number, entered_us) AS moments""").to_pylist()[0]
    entries = in_spells["entries"] or 0
    inside = in_spells["inside"] or 0
    return {
        "at_one_moment": entries - in_spells["moments"],
        "repeated": in_spells["moments"] - visits,
        "while_closed": _count(engine, _of_known_leads_sql(stages, span)) - inside,
        "not_declared": _count(engine, _not_declared_sql(stages, span)),
        "without_stage": _count(engine, _without_stage_sql(stages, span)),
    }


def count_rejected_stages(engine: Engine, version: StoreVersion) -> dict[str, int]:
    """How many rows for `stages` ingest rejected, whatever their time, which no reject has.

    Returns:
        `rejected_stage`: for a stage that is not declared or mapped; `rejected_date`: for a date
        that is missing or cannot be read.
    """
    engine.add_files("rejects", version.files("rejects"), schema=REJECTS)
    refused = """rejects WHERE "table" = 'stages' AND severity = 'refused' AND"""
    return {
        "rejected_stage": _count(engine, f"{refused} rule IN ('allowed', 'unmapped')"),
        "rejected_date": _count(engine, f"{refused} \"column\" = 'event_at'"),
    }


def _count(engine: Engine, rows: str) -> int:
    """How many rows what stands behind FROM has."""
    return int(engine.query(f"SELECT COUNT(*) AS n FROM {rows}")["n"][0].as_py())


def _of_known_leads_sql(stages: Stages, span: Span) -> str:
    """SQL of the entries of the period into open stages, of leads that were known."""
    return f"""({entries_sql(stages, span)}) AS t JOIN funnel_spells AS s ON s.lead_id = t.lead_id
        WHERE t.place >= 0 AND s.spell = 1
            AND t.event_us >= {span.since_us} AND t.event_us < {span.known_us}"""


def _not_declared_sql(stages: Stages, span: Span) -> str:
    """SQL of the entries of the period into stages that the settings do not name."""
    known = ", ".join(literal(stage) for stage in stages.order()) or "''"
    return f"""stages WHERE available_us < {span.known_us} AND event_us >= {span.since_us}
        AND stage NOT IN ({known})"""


def _without_stage_sql(stages: Stages, span: Span) -> str:
    """SQL of the spells of the period that have no visit."""
    visited = f"""SELECT DISTINCT number FROM ({spelled_sql(stages, span)}) AS spelled
        WHERE start_us >= {span.since_us}"""
    return f"""funnel_spells AS s LEFT JOIN ({visited}) AS v ON v.number = s.number
        WHERE s.start_us >= {span.since_us} AND v.number IS NULL"""
