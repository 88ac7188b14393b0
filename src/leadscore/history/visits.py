"""Visits of leads to open stages, and how each ended, as far as was known at a moment.

A visit begins with the entry into a stage and ends with the next entry into another one, or with
the close of its spell. What messy histories mean:

* a skipped stage has no visit: the lead moved on from the stage before;
* a move back ends the visit, and begins one to the earlier stage;
* a move into another pipeline ends the visit as that, neither forward nor back;
* a re-opened lead begins anew: its visits belong to the new spell;
* a lead that enters midway has its first visit there, and none to the stages before;
* of several entries at one moment the last counts, by their sequence, then by the order of the
  stages;
* entering the same stage again continues the visit;
* what happened before the lead was known counts from when it was;
* an entry while the lead is closed, or into a stage that is not open, begins no visit.

`irregular.count_irregular` counts the entries that begin none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.history.absences import seen_until
from leadscore.settings.stages import Stages

OTHER_PIPELINE = "other_pipeline"
EXITS = ("forward", "back", OTHER_PIPELINE, "won", "lost", "open")
HOUR_US = 3_600_000_000
IN_ORDER = "PARTITION BY number ORDER BY entered_us"
EARLIEST_US = 0  # before it no visit is looked for
EVERYONE = ""  # the part of a lead where leads are not told apart


@dataclass(frozen=True)
class Span:
    """The days that a funnel is about, with as many days before them.

    Attributes:
        since_us: its begin.
        known_us: its end; facts known from then on do not count.
    """

    since_us: int
    known_us: int

    @property
    def before_us(self) -> int:
        """When the period before begins, which is as long."""
        return self.since_us - (self.known_us - self.since_us)


def count_visits(
    engine: Engine,
    stages: Stages,
    spells: pd.DataFrame,
    span: Span,
    *,
    parts: Sequence[str] | None = None,
    reasons: Sequence[str] | None = None,
) -> pd.DataFrame:
    """How many visits ended in which way, by stage and whole hours.

    Columns: part; period, "now" for visits that began in it, "before" for those of the period
        before, else "older", of which those that ended are left out; stage; exit, one of `EXITS`,
        where "open" visits had not ended when last seen; next_stage, that a move led to, else
        None; is_first, 1 for the first visit of a lead; reason, of those lost in the period; hours,
        from the entry to the end or to when it was last seen; visits.

    Args:
        engine: holds the facts.
        stages: of the sales pipeline.
        spells: (n,) as known at the end of the period (see `build_spells`).
        span: in which visits began.
        parts: (n,) what each lead is counted under; default: all under one.
        reasons: (n,) for which each was lost; default: none.
    """
    engine.add_rows("funnel_spells", list_spells(spells, span, parts, reasons))
    keys = 'part, period, place, hours, "exit", next_place, is_first, reason'
    counted: pd.DataFrame = engine.query(f"""SELECT {keys}, COUNT(*) AS visits
        FROM ({_visits_sql(stages, span)}) AS visits
        WHERE period <> 'older' OR "exit" = 'open'
        GROUP BY {keys} ORDER BY {keys}""").to_pandas()
    names = dict(enumerate(stages.open))
    stage = counted["place"].map(names).astype(object)
    next_stage = counted["next_place"].map(names).astype(object)
    next_stage = next_stage.where(next_stage.notna(), None)
    named = counted.assign(stage=stage, next_stage=next_stage)
    return named.drop(columns=["place", "next_place"])


def list_open_visits(
    engine: Engine,
    stages: Stages,
    spells: pd.DataFrame,
    span: Span,
) -> pd.DataFrame:
    """The visits that had not ended at the end of a span, whenever they began.

    Columns: lead_id, stage, hours since the entry. A lead that exports no longer list is left out.
    """
    is_open = spells["close_us"] >= span.known_us
    is_listed = seen_until(spells, span.known_us) == span.known_us
    current = spells[is_open & is_listed]
    engine.add_rows("funnel_spells", list_spells(current, span))
    of_all = Span(EARLIEST_US, span.known_us)
    rows: pd.DataFrame = engine.query(f"""SELECT lead_id, place, hours
        FROM ({_visits_sql(stages, of_all)}) AS visits
        WHERE "exit" = 'open'
        ORDER BY lead_id""").to_pandas()
    names = dict(enumerate(stages.open))
    stage = rows["place"].map(names)
    return rows.assign(stage=stage).drop(columns="place")


def list_spells(
    spells: pd.DataFrame,
    span: Span,
    parts: Sequence[str] | None = None,
    reasons: Sequence[str] | None = None,
) -> pa.Table:
    """Spells with a number, until when each was followed, and how it had ended by then."""
    close_us = spells["close_us"].to_numpy()
    seen_us = seen_until(spells, span.known_us)
    closed_as = np.where(spells["won"], "won", "lost")
    ending = np.where(close_us < span.known_us, closed_as, "open")

    everyone = pa.repeat(pa.scalar(EVERYONE), len(spells))
    unknown = pa.nulls(len(spells), pa.string())
    return pa.table(
        {
            "number": np.arange(len(spells)),
            "lead_id": pa.array(spells["lead_id"], pa.string()),
            "spell": spells["spell"].to_numpy(),
            "start_us": spells["start_us"].to_numpy(),
            "until_us": np.minimum(close_us, seen_us),
            "ending": pa.array(ending),
            "part": everyone if parts is None else pa.array(parts, pa.string()),
            "reason": unknown if reasons is None else pa.array(reasons, pa.string()),
        }
    )


def _visits_sql(stages: Stages, span: Span) -> str:
    """SQL of one row a visit, with the columns that `count_visits` and `list_open_visits` name."""
    lasted_us = "(COALESCE(next_us, until_us) - entered_us)"
    whole_hours = f"CAST(({lasted_us} - {lasted_us} % {HOUR_US}) / {HOUR_US} AS BIGINT)"
    is_over = f"{_pipeline_sql('next_place', stages)} <> {_pipeline_sql('place', stages)}"
    return f"""SELECT lead_id, part, place, next_place, {whole_hours} AS hours,
            CASE WHEN entered_us >= {span.since_us} THEN 'now'
                WHEN entered_us >= {span.before_us} THEN 'before' ELSE 'older' END AS period,
            CASE WHEN spell = 1 AND place_before IS NULL THEN 1 ELSE 0 END AS is_first,
            CASE WHEN {is_over} THEN {literal(OTHER_PIPELINE)}
                WHEN next_place > place THEN 'forward'
                WHEN next_place < place THEN 'back' ELSE ending END AS "exit",
            CASE WHEN next_place IS NULL AND ending = 'lost' AND entered_us >= {span.since_us}
                THEN reason END AS reason
        FROM (SELECT *,
                LEAD(entered_us) OVER ({IN_ORDER}) AS next_us,
                LEAD(place) OVER ({IN_ORDER}) AS next_place
            FROM ({_begins_sql(stages, span)}) AS begins) AS paired"""


def _pipeline_sql(place: str, stages: Stages) -> str:
    """SQL of the number of the pipeline that a place lies in; null where the place is."""
    past_last = 0
    cases = []
    for number, of_pipeline in enumerate(stages.pipelines.values()):
        past_last += len(of_pipeline)
        cases.append(f"WHEN {place} < {past_last} THEN {number}")
    return f"CASE {' '.join(cases)} END" if cases else "0"


def _begins_sql(stages: Stages, span: Span) -> str:
    """SQL of the entries that begin a visit, in the spell that they fall into."""
    in_full = f"{IN_ORDER}, event_us, seq, place"
    return f"""SELECT *
        FROM (SELECT *, LAG(place) OVER ({IN_ORDER}) AS place_before
            FROM (SELECT *, LEAD(entered_us) OVER ({in_full}) AS entered_next
                FROM ({spelled_sql(stages, span)}) AS spelled
                WHERE until_us >= {span.before_us}) AS entries
            WHERE entered_next IS NULL OR entered_next > entered_us) AS moments
        WHERE place_before IS NULL OR place_before <> place"""


def spelled_sql(stages: Stages, span: Span) -> str:
    """SQL of the entries into open stages, each in the spell in which the lead was then."""
    is_early = "t.event_us < s.start_us AND s.spell = 1"
    return f"""SELECT s.lead_id, s.number, s.spell, s.part, s.reason, s.start_us, s.until_us, s.ending,
            t.event_us, t.seq, t.place,
            CASE WHEN {is_early} THEN s.start_us ELSE t.event_us END AS entered_us
        FROM ({entries_sql(stages, span)}) AS t
        JOIN funnel_spells AS s ON s.lead_id = t.lead_id
        WHERE t.place >= 0 AND (t.event_us >= s.start_us OR s.spell = 1)
            AND t.event_us < s.until_us"""


def entries_sql(stages: Stages, span: Span) -> str:
    """SQL of all entries into stages that were known, with their place; -1: not an open stage."""
    whens = [f"WHEN {literal(stage)} THEN {place}" for place, stage in enumerate(stages.open)]
    place = f"CASE stage {' '.join(whens)} ELSE -1 END" if whens else "-1"
    return f"""SELECT lead_id, event_us, seq, stage, {place} AS place
        FROM stages WHERE available_us < {span.known_us}"""
