"""What a lead is worth: its amount as known, or an estimate that is marked as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Amount, Count
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.split import History
from leadscore.settings.settings import Settings

KNOWN, CHANGES = "amount_known", "amount_changes"  # features of lists alone
SEEN_SINCE = {
    "changes": {
        "field_amount": "MAX(CASE WHEN field = 'amount' AND recency = 1 THEN value END)",
        "n_amount": "COUNT(CASE WHEN field = 'amount' THEN 1 END)",
    }
}


@dataclass(frozen=True)
class Amounts:
    """The amounts of leads (n,).

    Attributes:
        amount: (n,) in units of the currency, NaN where nothing is known.
        estimated: (n,) whether it is an estimate.
        currency: None if it is not known.
        warning: why there are no amounts, if they cannot be compared.
    """

    amount: np.ndarray
    estimated: np.ndarray
    currency: str | None
    warning: str | None = None

    @property
    def has_any(self) -> bool:
        """Whether any lead has an amount."""
        return bool(np.isfinite(self.amount).any())


@dataclass(frozen=True)
class Market:
    """What amounts are compared with.

    Attributes:
        currencies: in which leads have amounts.
        median_win: the median amount of wins, NaN where none has an amount.
    """

    currencies: frozenset[str]
    median_win: float


def read_amounts(
    history: History,
    lead_id: np.ndarray,
    *,
    as_of_us: int,
) -> Amounts:
    """The amounts of leads that are open at a moment (see `take_amounts`), completed."""
    features = build_amount(history.settings)
    snapshot = history.snapshot(history.open_list(as_of_us))
    matrix = build_matrix(snapshot, features)
    known = take_amounts(history, matrix, as_of_us=as_of_us)
    of_leads = pd.Series(known, matrix.keys["lead_id"]).reindex(lead_id)
    market = read_market(history, as_of_us=as_of_us)
    return complete_amounts(of_leads.to_numpy(dtype=float), market)


def read_market(history: History, *, as_of_us: int) -> Market:
    """The currencies, and what wins were worth, by what was known at a moment."""
    amount = history.settings.lead_fields()["amount"]
    known_us = history.known_us(as_of_us)
    currencies = frozenset(history.facts.currencies(known_us))
    won = history.facts.wins(known_us)["amount"].dropna()
    if not amount.zero:
        won = won[won != 0]
    median = float(won.median() / 10**amount.decimals) if len(won) else np.nan
    return Market(currencies, median)


def build_amount(settings: Settings) -> list[Feature]:
    """What `take_amounts` reads from a matrix: the amount and, if it is undated, its changes."""
    decimals = settings.lead_fields()["amount"].decimals
    dated = field_column("amount", settings)
    finish = field_finish(Amount("field_amount", decimals), "amount", settings)
    features = [Feature(KNOWN, dated or SEEN_SINCE, finish, "number", "amount")]
    if dated is None:
        features.append(Feature(CHANGES, SEEN_SINCE, Count("n_amount"), "count", "amount"))
    return features


def take_amounts(history: History, matrix: Matrix, *, as_of_us: int) -> np.ndarray:
    """The amounts (n,) of the leads of a matrix with `build_amount`, NaN where none is known.

    An amount that has a history, or is known from creation, is the one known then. Any other is the
    one that `leads` shows, or that a later export showed since; it is not learned from.
    """
    field = history.settings.lead_fields()["amount"]
    amounts = matrix.columns[KNOWN]
    if CHANGES in matrix.columns:  # without a history what was seen first stays in `leads`
        known_us = history.known_us(as_of_us)
        rows = history.facts.first_values(["amount"], known_us).to_pandas()
        minor_units = rows.set_index("lead_id")["amount"].astype(float)
        first = (minor_units / 10**field.decimals).reindex(matrix.keys["lead_id"])
        has_changed = matrix.columns[CHANGES] > 0
        amounts = np.where(has_changed, amounts, first.to_numpy())
    return amounts if field.zero else np.where(amounts == 0, np.nan, amounts)


def complete_amounts(known: np.ndarray, market: Market) -> Amounts:
    """Known amounts (n,) with estimates in place of those that are missing.

    A missing one is estimated as the median of the wins, else as that of the known ones. Amounts in
    several currencies cannot be compared, so there are none.
    """
    currencies = sorted(market.currencies)
    if len(currencies) > 1:
        names = ", ".join(currencies)
        return Amounts(
            amount=np.full(len(known), np.nan),
            estimated=np.zeros(len(known), dtype=bool),
            currency=None,
            warning=f"amounts are in {names}, so no expected value is given; see [money]",
        )
    median = market.median_win
    if np.isnan(median):
        median = float(pd.Series(known).median())
    estimated = ~np.isfinite(known) & np.isfinite(median)
    return Amounts(
        amount=np.where(estimated, median, known),
        estimated=estimated,
        currency=currencies[0] if currencies else None,
    )
