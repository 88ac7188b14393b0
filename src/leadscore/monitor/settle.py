"""Settling: what became of the leads of published lists, as known at a moment.

Each list is labelled and weighted by itself, once its horizon is over. Until then only early closes
are known, which say more about fast leads than about good ones, so none of the list counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.history.labels import SPELL, build_side
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.times import DAY_US

SETTLED = "settled"
WAITING = "waiting"
OUT_OF_SIGHT = "out_of_sight"
UNDATED = "undated"
WITHOUT_LEAD = "without_lead"
NEVER_US = int(np.iinfo(np.int64).max)
STATES = (SETTLED, WAITING, OUT_OF_SIGHT, UNDATED, WITHOUT_LEAD)


@dataclass(frozen=True)
class ScoredList:
    """A list of scores that is to be settled.

    Attributes:
        name: of the list, unique.
        as_of_us: its date.
        horizon_days: within how many days a win counts.
        rows: lead_id (each once), probability, and any columns beside.
    """

    name: str
    as_of_us: int
    horizon_days: int
    rows: pd.DataFrame


def settle(history: History, lists: Sequence[ScoredList], *, known_us: int) -> pd.DataFrame:
    """The rows of the lists with what became of each by what was known at a moment.

    A fact that became known at `known_us` or later changes nothing. Lists of later dates are left
    out.

    Args:
        history: where the leads are.
        lists: with distinct dates.
        known_us: the moment.

    Returns:
        The columns of the lists' rows, and `name`, `as_of_us`, `spell` (0 without a lead),
        `known_us` (when the features of the list were known), `state` (one of `STATES`), `label`
        (1 won within the horizon, 0 not, NaN unless settled) and `weight` (1/G, 0 unless settled).
        Of all rows with a lead, settled or not: `end_us` of the horizon, `won_us` (`NEVER_US`
        without a win in it) and `followed_us`, until when it is known whether it was won.
    """
    spells = history.spells(known_us)
    past = [scored for scored in lists if scored.as_of_us <= known_us]
    parts = [_settle_list(history, scored, spells, known_us=known_us) for scored in past]
    return pd.concat(parts, ignore_index=True) if parts else _no_rows()


def _settle_list(
    history: History,
    scored: ScoredList,
    spells: pd.DataFrame,
    *,
    known_us: int,
) -> pd.DataFrame:
    rows = _look_up(history, scored, spells)
    end_us = scored.as_of_us + scored.horizon_days * DAY_US
    settled = rows.assign(
        state=WITHOUT_LEAD,
        label=np.nan,
        weight=0.0,
        end_us=end_us,
        won_us=NEVER_US,
        followed_us=scored.as_of_us,
    )
    is_open = rows["spell"] > 0
    settled.loc[is_open, "state"] = UNDATED

    side = _label(history, scored, rows[is_open], spells, known_us=known_us)
    known = side.rows["place"].to_numpy()
    label = side.rows["label"].to_numpy()
    assert side.x_us is not None  # noqa: S101  (of a dated side)
    closed_us = scored.as_of_us + side.x_us
    settled.loc[known, "won_us"] = np.where(label == 1, closed_us, NEVER_US)
    settled.loc[known, "followed_us"] = np.where(side.observed, end_us, closed_us)
    if end_us > known_us:
        settled.loc[known, "state"] = WAITING
        return settled

    is_settled = side.observed & side.is_watched_enough()
    weight = side.rows["weight"].to_numpy()
    settled.loc[known, "state"] = np.where(is_settled, SETTLED, OUT_OF_SIGHT)
    settled.loc[known, "label"] = np.where(is_settled, label, np.nan)
    settled.loc[known, "weight"] = np.where(is_settled, weight, 0.0)
    return settled


def _look_up(history: History, scored: ScoredList, spells: pd.DataFrame) -> pd.DataFrame:
    """The rows of a list, each with its spell and what it was scored by."""
    rows = scored.rows.reset_index(drop=True)
    return rows.assign(
        name=scored.name,
        as_of_us=scored.as_of_us,
        spell=_find_spells(scored, spells),
        known_us=history.known_us(scored.as_of_us),
    )


def _label(
    history: History,
    scored: ScoredList,
    rows: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    known_us: int,
) -> Side:
    """Rows of a list, labelled for its own horizon; `place` says which row each was."""
    horizon = {"horizon_days": scored.horizon_days}
    target = history.settings.target.model_copy(update=horizon)
    snapshots = rows.assign(grid_weight=1.0, young=False, place=rows.index)
    return build_side(scored.name, snapshots, spells, known_us=known_us, target=target)


def _find_spells(scored: ScoredList, spells: pd.DataFrame) -> np.ndarray:
    """The spell (n,) of each row that was open at the date of the list; 0 where none was.

    None was if the lead is gone from the store, or had closed by then as is known by now.
    """
    has_begun = spells["start_us"] < scored.as_of_us
    is_closed = spells["close_us"] < scored.as_of_us
    open_then = spells.loc[has_begun & ~is_closed, SPELL]
    latest = open_then.drop_duplicates("lead_id", keep="last")
    by_lead = latest.set_index("lead_id")["spell"]
    spell = scored.rows["lead_id"].map(by_lead)
    return spell.fillna(0).to_numpy(dtype=np.int64)


def _no_rows() -> pd.DataFrame:
    texts = ["lead_id", "name", "state", "tier"]
    numbers = ["probability", "label", "weight"]
    integers = ["as_of_us", "spell", "known_us", "end_us", "won_us", "followed_us"]
    nothing = pd.DataFrame(columns=[*texts, *numbers, *integers])
    types = (
        dict.fromkeys(texts, "str")
        | dict.fromkeys(numbers, "float64")
        | dict.fromkeys(integers, "int64")
    )
    return nothing.astype(types)


def count_states(rows: pd.DataFrame) -> dict[str, int]:
    """How many rows are in each state; they add up to all rows."""
    counts = rows["state"].value_counts()
    return {state: int(counts.get(state, 0)) for state in STATES}


def as_evaluation_set(settled: pd.DataFrame) -> EvaluationSet:
    """Settled rows with their outcomes; each list is ranked by itself."""
    return EvaluationSet(
        probability=settled["probability"].to_numpy(dtype=float),
        label=settled["label"].to_numpy(dtype=float),
        weight=settled["weight"].to_numpy(dtype=float),
        lead_id=settled["lead_id"].to_numpy(),
        block=settled["as_of_us"].to_numpy(),
    )
