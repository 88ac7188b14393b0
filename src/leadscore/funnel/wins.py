"""Wins with what they brought, as known at a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.history.split import History
from leadscore.times import FOREVER_US


def read_wins(history: History, *, known_us: int) -> pd.DataFrame:
    """The wins known at a moment, in the order in which they became known.

    Columns: lead_id, spell, close_us; paid, the amount that the win states; asked, the amount that
    the lead had; revenue, the first of these that is known. In units of the currency, NaN where
    unknown.
    """
    spells = history.spells(known_us)
    next_start = spells.groupby("lead_id")["start_us"].shift(-1, fill_value=FOREVER_US)
    won = spells.assign(next_us=next_start)
    won = won[won["won"] & (won["close_us"] < known_us)]
    won = won.merge(_read_asked(history, known_us), on="lead_id", how="left")
    won = won.merge(_read_paid(history, won, known_us), on=["lead_id", "spell"], how="left")
    won = won.assign(revenue=won["paid"].fillna(won["asked"]))
    columns = ["lead_id", "spell", "close_us", "paid", "asked", "revenue"]
    in_order: pd.DataFrame = won.sort_values(["close_us", "lead_id"], ignore_index=True)[columns]
    return in_order


def _unit(history: History) -> float:
    """How many minor units one unit of the currency has."""
    return float(10 ** history.settings.lead_fields()["amount"].decimals)


def _read_asked(history: History, known_us: int) -> pd.DataFrame:
    """lead_id and asked: the amount that each lead was known to have."""
    values = history.known_values(["amount"], as_of_us=known_us).to_pandas()
    asked = pd.to_numeric(values["amount"]) / _unit(history)
    return pd.DataFrame({"lead_id": values["lead_id"], "asked": asked})


def _read_paid(history: History, won: pd.DataFrame, known_us: int) -> pd.DataFrame:
    """lead_id, spell and paid: the last amount stated with a win of each spell."""
    stated = history.facts.wins(known_us).dropna(subset=["amount"])
    stated = stated.merge(won[["lead_id", "spell", "start_us", "next_us"]], on="lead_id")
    is_of_spell = stated["available_us"].between(
        stated["start_us"], stated["next_us"], inclusive="left"
    )
    last = stated[is_of_spell].sort_values("available_us", kind="stable")
    last = last.drop_duplicates(["lead_id", "spell"], keep="last")
    return last.assign(paid=last["amount"] / _unit(history))[["lead_id", "spell", "paid"]]


def compute_paid_share(wins: pd.DataFrame) -> float:
    """What wins brought as a share of the amounts asked for, of those that state both; else 1."""
    both = wins.dropna(subset=["paid", "asked"])
    asked = float(both["asked"].sum())
    return float(both["paid"].sum() / asked) if asked > 0 else 1.0


def revenue_between(wins: pd.DataFrame, start_us: int, end_us: int) -> np.ndarray:
    """What each win known in [start_us, end_us) brought (n,); a missing one as the median win."""
    inside = wins["close_us"].between(start_us, end_us, inclusive="left")
    revenue = wins["revenue"].fillna(wins["revenue"].median())
    return revenue[inside].to_numpy(dtype=float)
