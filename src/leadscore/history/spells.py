"""When each lead was open: spells, from its creation or re-opening until its close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.sections import Stages
from leadscore.times import FOREVER_US

Place = tuple[int, int]  # event_us, seq: stages of one moment are told apart by their sequence; an outcome is last
Fact = tuple[int, Place, bool, bool]  # available_us, when it happened, is an open stage, is a win


def build_spells(engine: Engine, stages: Stages, *, known_us: int) -> pd.DataFrame:
    """Every spell that was known before `known_us`, and how it ended as far as was known by then.

    Columns: lead_id, spell (1, 2, ...), start_us, close_us (`FOREVER_US` while open), won (False while open);
    ordered by lead_id and spell. Both times are when it was known, not when it happened.

    A lead closes with the earliest known of its outcome and its entry into a closing stage. Entry into an open
    stage that happened later than that close re-opens it, from when both are known. Facts are taken in the order
    in which they became known, so what was known at an earlier moment is the same whatever is learned after.
    """
    leads = engine.query(f"SELECT lead_id, available_us AS start_us FROM leads WHERE available_us < {known_us}")
    first = engine.query(_first_closes_sql(stages, known_us))
    spells = leads.to_pandas().merge(first.to_pandas(), on="lead_id", how="left", validate="one_to_one")
    spells = spells.assign(spell=1, won=spells["won"].eq(1), close_us=spells["close_us"].fillna(FOREVER_US))
    reopened = engine.query(_reopened_facts_sql(stages, known_us)).to_pandas()
    if len(reopened):
        starts = spells.set_index("lead_id")["start_us"]
        again = [row for lead_id, facts in reopened.groupby("lead_id", sort=True) if lead_id in starts.index
                 for row in _replay(str(lead_id), int(starts[lead_id]), _facts(facts))]  # fmt: skip
        rest = spells[~spells["lead_id"].isin(reopened["lead_id"])]
        spells = pd.concat([rest, pd.DataFrame(again, columns=["lead_id", "spell", "start_us", "close_us", "won"])])
    spells = spells.astype(
        {"lead_id": "str", "spell": "int64", "start_us": "int64", "close_us": "int64", "won": "bool"}
    )
    columns = ["lead_id", "spell", "start_us", "close_us", "won"]
    return pd.DataFrame(spells[columns].sort_values(["lead_id", "spell"], ignore_index=True))


def _known_sql(table: str, columns: str, known_us: int) -> str:
    """SQL of a table's facts known by then; what was known before its lead counts from when the lead was known."""
    return f"""SELECT t.lead_id, t.event_us, {columns},
        CASE WHEN t.available_us < l.available_us THEN l.available_us ELSE t.available_us END AS available_us
        FROM {table} AS t JOIN leads AS l ON l.lead_id = t.lead_id
        WHERE t.available_us < {known_us} AND l.available_us < {known_us}"""


def _closes_sql(stages: Stages, known_us: int) -> str:
    parts = [
        _known_sql("outcomes", f"{FOREVER_US} AS seq, CASE WHEN t.outcome = 'won' THEN 1 ELSE 0 END AS won", known_us)
    ]
    for won, names in ((1, stages.won), (0, stages.lost)):
        if names:
            parts.append(_known_sql("stages", f"t.seq, {won} AS won", known_us) + f" AND t.stage IN ({_texts(names)})")
    return " UNION ALL ".join(parts)


def _first_closes_sql(stages: Stages, known_us: int) -> str:
    """One row a closed lead: its earliest known close; of two at one moment the loss, so that none is made up."""
    return f"""SELECT lead_id, event_us AS close_event_us, seq AS close_seq, available_us AS close_us, won FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY available_us, event_us, seq, won) AS place
        FROM ({_closes_sql(stages, known_us)}) AS closes) AS ranked WHERE place = 1"""


def _opens_sql(stages: Stages, known_us: int) -> str:
    return _known_sql("stages", "t.seq, 1 AS is_open", known_us) + f" AND t.stage IN ({_texts(stages.open)})"


def _reopened_facts_sql(stages: Stages, known_us: int) -> str:
    """All closes and open stages of the leads that entered an open stage later than their first close."""
    closes, opens = _closes_sql(stages, known_us), _opens_sql(stages, known_us)
    chosen = f"""SELECT DISTINCT o.lead_id FROM ({opens}) AS o JOIN ({_first_closes_sql(stages, known_us)}) AS c
        ON c.lead_id = o.lead_id
        AND (o.event_us > c.close_event_us OR o.event_us = c.close_event_us AND o.seq > c.close_seq)"""
    return f"""SELECT lead_id, available_us, event_us, seq, is_open, won FROM (
        SELECT lead_id, available_us, event_us, seq, 0 AS is_open, won FROM ({closes}) AS c UNION ALL
        SELECT lead_id, available_us, event_us, seq, 1 AS is_open, 0 AS won FROM ({opens}) AS o) AS facts
        WHERE lead_id IN ({chosen}) ORDER BY lead_id, available_us, event_us, seq, is_open, won"""


def _texts(names: Iterable[str]) -> str:
    return ", ".join(literal(name) for name in names) or "''"


def _facts(rows: pd.DataFrame) -> Iterator[Fact]:
    columns = (rows[name].tolist() for name in ("available_us", "event_us", "seq", "is_open", "won"))
    for available_us, event_us, seq, is_open, won in zip(*columns, strict=True):
        yield available_us, (event_us, seq), bool(is_open), bool(won)


def _replay(lead_id: str, start_us: int, facts: Iterable[Fact]) -> list[tuple[str, int, int, int, bool]]:
    """The spells of one lead from its facts in the order in which they became known."""
    done: list[tuple[str, int, int, int, bool]] = []
    opened: Place | None = None  # when the event that opened the present spell happened; None for creation
    latest_open = closed = (-FOREVER_US, 0)  # when the latest open stage and the close that counts happened
    is_open = True
    for available_us, happened, opens, won in facts:
        if opens:
            latest_open = max(latest_open, happened)
        elif is_open and (opened is None or happened >= opened):
            done.append((lead_id, len(done) + 1, start_us, available_us, won))
            is_open, closed = False, happened
        else:  # a close of an earlier spell, or one more while closed: it only moves what "later" means
            closed = max(closed, happened)
        if not is_open and latest_open > closed:
            is_open, start_us, opened = True, available_us, latest_open
    if is_open:
        done.append((lead_id, len(done) + 1, start_us, FOREVER_US, False))
    return done
