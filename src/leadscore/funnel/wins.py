"""Wins with what they brought, as known at a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.history.split import History
from leadscore.times import FOREVER_US

SPELL = ["lead_id", "spell"]
COLUMNS = [
    *SPELL,
    "close_us",
    "paid",
    "asked",
    "revenue",
]


def read_wins(history: History, *, known_us: int) -> pd.DataFrame:
    """The wins known at a moment, in the order in which they became known.

    Columns: lead_id, spell, close_us; paid, the amount that the win states; asked, the amount that
    the lead had; revenue, the first of these that is known. In units of the currency, NaN where
    unknown, and everywhere if they are in several currencies, which cannot be added up.
    """
    won = _list_won(history, known_us)
    asked = read_asked(history, known_us)
    paid = _read_paid(history, won, known_us)
    wins = won.merge(asked, on="lead_id", how="left")
    wins = wins.merge(paid, on=SPELL, how="left")

    if len(history.facts.currencies(known_us)) > 1:
        wins = wins.assign(paid=np.nan, asked=np.nan)
    revenue = wins["paid"].fillna(wins["asked"])
    wins = wins.assign(revenue=revenue)
    in_order = wins.sort_values(["close_us", "lead_id"], ignore_index=True)
    return in_order[COLUMNS]


def _list_won(history: History, known_us: int) -> pd.DataFrame:
    """The spells won by then, with next_us: when the lead was re-opened."""
    spells = history.spells(known_us)
    starts = spells.groupby("lead_id")["start_us"]
    next_us = starts.shift(-1, fill_value=FOREVER_US)
    spells = spells.assign(next_us=next_us)
    is_closed = spells["close_us"] < known_us
    return spells[spells["won"] & is_closed]


def _to_units(history: History, amount: pd.Series[float]) -> pd.Series[float]:
    """Amounts in units of the currency, from minor units; NaN for 0 unless the settings allow it."""
    field = history.settings.lead_fields()["amount"]
    units: pd.Series[float] = amount / 10**field.decimals
    return units if field.zero else units.mask(units == 0)


def read_asked(history: History, known_us: int) -> pd.DataFrame:
    """lead_id and asked: the amount that each lead was known to have."""
    values = history.known_values(["amount"], as_of_us=known_us)
    known = values.to_pandas()
    amount = pd.to_numeric(known["amount"])
    asked: pd.DataFrame = known.assign(asked=_to_units(history, amount))
    return asked[["lead_id", "asked"]]


def _read_paid(
    history: History,
    won: pd.DataFrame,
    known_us: int,
) -> pd.DataFrame:
    """lead_id, spell and paid: the last amount stated with a win of each spell."""
    rows = history.facts.wins(known_us)
    rows = rows.assign(paid=_to_units(history, rows["amount"]))
    stated = rows.dropna(subset=["paid"])
    spells = won[[*SPELL, "start_us", "next_us"]]
    stated = stated.merge(spells, on="lead_id")
    since = stated["available_us"] >= stated["start_us"]
    before = stated["available_us"] < stated["next_us"]

    in_order = stated[since & before].sort_values("available_us", kind="stable")
    last = in_order.drop_duplicates(SPELL, keep="last")
    return last[[*SPELL, "paid"]]


def compute_paid_share(wins: pd.DataFrame) -> float:
    """What wins brought as a share of the amounts asked for, of those that state both; else 1."""
    both = wins.dropna(subset=["paid", "asked"])
    asked = float(both["asked"].sum())
    paid = float(both["paid"].sum())
    return paid / asked if asked > 0 else 1.0


def fill_revenue(wins: pd.DataFrame) -> pd.Series[float]:
    """What each win (n,) brought; where it is unknown, as much as the median win."""
    revenue = wins["revenue"]
    return revenue.fillna(revenue.median())


def revenue_between(
    wins: pd.DataFrame,
    start_us: int,
    end_us: int,
) -> np.ndarray:
    """What each win known in [start_us, end_us) brought (n,)."""
    close_us = wins["close_us"]
    inside = close_us.between(start_us, end_us, inclusive="left")
    revenue = fill_revenue(wins)
    return revenue[inside].to_numpy(dtype=float)
