"""When each lead was open: spells, from its creation or re-opening until its close."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.history.replayed import Facts, rank_places, replay
from leadscore.settings.stages import Stages
from leadscore.times import DAY_US, FOREVER_US

COLUMNS = {
    "lead_id": "str",
    "spell": "int64",
    "start_us": "int64",
    "earliest_us": "int64",
    "close_us": "int64",
    "won": "bool",
}


def build_spells(
    engine: Engine,
    stages: Stages,
    *,
    known_us: int,
    correction_days: float,
) -> pd.DataFrame:
    """Every spell that was known before `known_us`, and how it ended as far as was known by then.

    Columns: lead_id, spell (1, 2, ...), start_us, earliest_us, close_us (both `FOREVER_US` while
        open), won (False
    while open); ordered by lead_id and spell. Times are when it was known, not when it happened. A
    close without a usable date lies between earliest_us and close_us; else the two are one.

    A spell ends with the close that was known first. Its outcome is that of the last close known
    within `correction_days` of it, so that a corrected error is no win; later ones relabel nothing.
    Entry into an open stage that happened later than the close re-opens the lead, from when both
    are known; so does an export that shows it without any close. Facts are taken in the order in
    which they became known, so what was known at an earlier moment is the same whatever is learned
    after.
    """
    within_us = round(correction_days * DAY_US)
    spells = _read_first_spells(engine, known_us=known_us, within_us=within_us)
    reopened = engine.query(_reopened_facts_sql(stages, known_us))
    if reopened.num_rows:
        replayed = _replay_all(reopened, spells, within_us=within_us)
        spells = _replace_first_spells(spells, replayed)
    typed = spells.astype(COLUMNS)
    in_order: pd.DataFrame = typed.reset_index(drop=True)
    return in_order


def _replace_first_spells(spells: pd.DataFrame, replayed: pd.DataFrame) -> pd.DataFrame:
    """First spells, by lead, with those of the re-opened leads replaced by all that these had."""
    is_replaced = np.zeros(len(spells), dtype=bool)
    is_replaced[replayed["row"]] = True
    numbered = spells.assign(row=np.arange(len(spells)))
    both = pd.concat([numbered[~is_replaced], replayed])
    by_lead = np.lexsort((both["spell"], both["row"]))
    return both.iloc[by_lead].drop(columns="row")


def _read_first_spells(engine: Engine, *, known_us: int, within_us: int) -> pd.DataFrame:
    """The first spell of each known lead, by lead_id; its only one unless it was re-opened."""
    sql = f"SELECT * FROM ({first_spells_sql(known_us, within_us)}) AS f ORDER BY lead_id"
    spells: pd.DataFrame = engine.query(sql).to_pandas()
    return spells


def first_spells_sql(known_us: int, within_us: int) -> str:
    """SQL of the first spell of each known lead."""
    return f"""SELECT l.lead_id, 1 AS spell, l.available_us AS start_us,
            COALESCE(e.earliest_us, {FOREVER_US}) AS earliest_us,
            COALESCE(e.close_us, {FOREVER_US}) AS close_us,
            COALESCE(e.won, 0) AS won
        FROM leads AS l LEFT JOIN ({_ended_sql(known_us, within_us)}) AS e
            ON e.lead_id = l.lead_id
        WHERE l.available_us < {known_us}"""


def read_reopened_spells(
    engine: Engine,
    stages: Stages,
    *,
    known_us: int,
    correction_days: float,
) -> pd.DataFrame:
    """Every spell of the leads that were re-opened; columns as of `build_spells`, in no order."""
    within_us = round(correction_days * DAY_US)
    facts = engine.query(_reopened_facts_sql(stages, known_us))
    reopened = facts["lead_id"].unique()
    engine.add_rows("asked_leads", pa.table({"lead_id": reopened}))
    first = engine.query(
        f"""SELECT f.* FROM ({first_spells_sql(known_us, within_us)}) AS f
        JOIN asked_leads AS a ON a.lead_id = f.lead_id ORDER BY f.lead_id"""
    )
    spells = _replay_all(facts, first.to_pandas(), within_us=within_us)
    return spells[list(COLUMNS)]


def _replay_all(rows: pa.Table, first: pd.DataFrame, *, within_us: int) -> pd.DataFrame:
    """All spells of the re-opened leads, from their facts, which are ordered by lead.

    `row` is the position of their lead's first spell in `first`.
    """
    lead, lead_ids = pd.factorize(rows["lead_id"].to_pandas())
    columns = {name: rows[name].to_numpy() for name in rows.column_names[1:]}
    facts = Facts(
        lead=lead,
        available_us=columns["available_us"],
        earliest_us=columns["earliest_us"],
        place=rank_places(columns["event_us"], columns["seq"]),
        is_open=columns["is_open"].astype(bool),
        won=columns["won"].astype(bool),
    )
    row = pd.Index(first["lead_id"]).get_indexer(lead_ids)
    start_us = first["start_us"].to_numpy()[row]
    spells = replay(facts, start_us, within_us=within_us)
    replayed = pd.DataFrame(vars(spells))
    of_spell = replayed.pop("lead").to_numpy()
    return replayed.assign(lead_id=lead_ids[of_spell], row=row[of_spell])


def _since_lead(column: str) -> str:
    """SQL of a fact's time; what was known before its lead counts from when the lead was known."""
    return (
        f"CASE WHEN t.{column} < l.available_us THEN l.available_us ELSE t.{column} END AS {column}"
    )


def _known_sql(table: str, columns: str, known_us: int) -> str:
    """SQL of a table's facts known by then, of leads known by then."""
    return f"""SELECT t.lead_id, t.event_us, t.seq, {columns}, {_since_lead("available_us")}
        FROM {table} AS t JOIN leads AS l ON l.lead_id = t.lead_id
        WHERE t.available_us < {known_us} AND l.available_us < {known_us}"""


def _closes_sql(known_us: int) -> str:
    """SQL of all closes known by then, also of those that later exports show no more.

    A date that an export stated only later counts from that export on.
    """
    times = ", ".join(
        f"CASE WHEN narrowed_from_us < {known_us} THEN narrowed_us ELSE {name} END AS {name}"
        for name in ("event_us", "earliest_us", "available_us")
    )
    dated = f"(SELECT lead_id, seq, won, {times} FROM closes)"
    return _known_sql(dated, f"t.won, {_since_lead('earliest_us')}", known_us)


def _first_closes_sql(known_us: int) -> str:
    """SQL of one row a closed lead: its earliest known close."""
    return f"""SELECT lead_id, event_us, seq, earliest_us, available_us FROM (
            SELECT *, ROW_NUMBER() OVER (
                PARTITION BY lead_id
                ORDER BY available_us, event_us, seq, earliest_us DESC) AS place
            FROM ({_closes_sql(known_us)}) AS closes) AS ranked
        WHERE place = 1"""


def _ended_sql(known_us: int, within_us: int) -> str:
    """SQL of one row a closed lead: its first close, with the outcome that counts.

    That is the outcome of the last close within `within_us` of the first.

    Of two closes at one moment the loss counts, so that no win is made up.
    """
    first = "PARTITION BY lead_id ORDER BY available_us, event_us, seq, earliest_us DESC"
    last = "PARTITION BY lead_id ORDER BY available_us DESC, event_us DESC, seq DESC, won"
    return f"""SELECT lead_id, first_earliest_us AS earliest_us, close_us, won FROM (
            SELECT *, ROW_NUMBER() OVER ({last}) AS place FROM (
                SELECT *,
                    FIRST_VALUE(available_us) OVER ({first}) AS close_us,
                    FIRST_VALUE(earliest_us) OVER ({first}) AS first_earliest_us
                FROM ({_closes_sql(known_us)}) AS closes) AS paired
            WHERE available_us <= close_us + {within_us}) AS ranked
        WHERE place = 1"""


def _opens_sql(stages: Stages, known_us: int) -> str:
    """SQL of the entries into open stages, and of re-openings shown, known by then."""
    entered = _known_sql("stages", "1 AS is_open", known_us)
    shown = _known_sql("reopenings", "1 AS is_open", known_us)
    return f"{entered} AND t.stage IN ({_texts(stages.open)}) UNION ALL {shown}"


def _reopened_facts_sql(stages: Stages, known_us: int) -> str:
    """SQL of all closes and open stages of leads that were re-opened after their first close."""
    closes = _closes_sql(known_us)
    opens = _opens_sql(stages, known_us)
    reopened = f"""SELECT DISTINCT o.lead_id
        FROM ({opens}) AS o
        JOIN ({_first_closes_sql(known_us)}) AS c
            ON c.lead_id = o.lead_id
            AND (o.event_us > c.event_us OR o.event_us = c.event_us AND o.seq > c.seq)"""
    return f"""SELECT * FROM (
            SELECT lead_id, available_us, earliest_us, event_us, seq, 0 AS is_open, won
            FROM ({closes}) AS c
            UNION ALL
            SELECT lead_id, available_us, available_us AS earliest_us, event_us, seq,
                1 AS is_open, 0 AS won
            FROM ({opens}) AS o) AS facts
        WHERE lead_id IN ({reopened})
        ORDER BY lead_id, available_us, event_us, seq, is_open, won DESC, earliest_us DESC"""


def _texts(names: Iterable[str]) -> str:
    return ", ".join(literal(name) for name in names) or "''"
