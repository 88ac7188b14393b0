"""What a lead is worth: its amount as known, or an estimate that is marked as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Amount, Count
from leadscore.features.matrix import build_matrix
from leadscore.history.split import History

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


def read_amounts(
    history: History,
    lead_id: np.ndarray,
    *,
    as_of_us: int,
) -> Amounts:
    """The amounts of leads that are open at a moment.

    An amount that has a history, or is known from creation, is the one known then. Any other is the
    one that `leads` shows, or that a later export showed since; it is not learned from. A missing
    one is estimated as the median of the wins known by then, else as that of the open leads.
    """
    currencies = history.facts.currencies(history.known_us(as_of_us))
    if len(currencies) > 1:
        names = ", ".join(currencies)
        return Amounts(
            amount=np.full(len(lead_id), np.nan),
            estimated=np.zeros(len(lead_id), dtype=bool),
            currency=None,
            warning=f"amounts are in {names}, so no expected value is given; see [money]",
        )
    known = _read_known(history, as_of_us=as_of_us)
    if not history.settings.lead_fields()["amount"].zero:
        known = known.where(known != 0)
    amount = known.reindex(lead_id).to_numpy(dtype=float)
    median = _estimate_missing(history, amount, as_of_us=as_of_us)
    estimated = ~np.isfinite(amount) & np.isfinite(median)
    return Amounts(
        amount=np.where(estimated, median, amount),
        estimated=estimated,
        currency=currencies[0] if currencies else None,
    )


def _read_known(history: History, *, as_of_us: int) -> pd.Series[float]:
    """The known amounts by lead_id, NaN where there is none."""
    settings = history.settings
    decimals = settings.lead_fields()["amount"].decimals
    dated = field_column("amount", settings)
    finish = field_finish(Amount("field_amount", decimals), "amount", settings)
    columns = dated or SEEN_SINCE
    features = [Feature("amount", columns, finish, "number", "amount")]
    if dated is None:
        changes = Feature("amount_changes", SEEN_SINCE, Count("n_amount"), "count", "amount")
        features.append(changes)
    matrix = build_matrix(history.snapshot(history.open_list(as_of_us)), features)
    amounts = matrix.columns["amount"]
    known = pd.Series(amounts, matrix.keys["lead_id"])
    if dated is not None:
        return known

    # without a history what was seen first stays in `leads`
    known_us = history.known_us(as_of_us)
    rows = history.facts.first_values(["amount"], known_us).to_pandas()
    stored = rows.set_index("lead_id")["amount"].astype(float)
    first = stored / 10**decimals
    has_changed = matrix.columns["amount_changes"] > 0
    return known.where(has_changed, first.reindex(known.index))


def _estimate_missing(
    history: History,
    amount: np.ndarray,
    *,
    as_of_us: int,
) -> float:
    """The median amount of wins known by then, else of the open leads; NaN if there is none."""
    decimals = history.settings.lead_fields()["amount"].decimals
    wins = history.facts.wins(history.known_us(as_of_us))
    won = wins["amount"].dropna()
    if not history.settings.lead_fields()["amount"].zero:
        won = won[won != 0]
    if len(won):
        return float(won.median() / 10**decimals)
    return float(pd.Series(amount).median())
