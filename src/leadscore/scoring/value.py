"""What a lead is worth: its amount as known, or an estimate that is marked as one, times its chance."""

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
    """Amount (n,), NaN where nothing can be said; which are estimated (n,); the currency, None if not told."""

    amount: np.ndarray
    estimated: np.ndarray
    currency: str | None
    warning: str | None = None


def read_amounts(history: History, lead_id: np.ndarray, *, as_of_us: int) -> Amounts:
    """The amount of each lead open at a moment, in units of the currency.

    Where it has a history, or is known from creation, it is the one known then, else the one that `leads` shows, or a
    later export showed since: it is not learned from. A missing one is estimated as the median that wins brought until
    then, else that of open leads.
    """
    settings, nothing = history.settings, np.full(len(lead_id), np.nan)
    known_us = history.known_us(as_of_us)
    none = np.zeros(len(lead_id), dtype=bool)
    told = history.facts.currencies(known_us)
    if len(told) > 1:
        why = f"amounts are in {', '.join(told)}, so no expected value is told; see [money]"
        return Amounts(nothing, none, None, why)
    field = settings.lead_fields()["amount"]
    columns = field_column("amount", settings)
    finish = field_finish(Amount("field_amount", field.decimals), "amount", settings)
    features = [Feature("amount", columns or SEEN_SINCE, finish, "number", "", "", "amount")]
    if columns is None:
        features.append(
            Feature("amount_changes", SEEN_SINCE, Count("n_amount"), "count", "", "", "amount")
        )
    matrix = build_matrix(history.snapshot(history.open_list(as_of_us)), features)
    known = pd.Series(matrix.columns["amount"], matrix.keys["lead_id"])
    if columns is None:  # what was seen first stays in `leads`
        shown = history.facts.first_values(["amount"], known_us).to_pandas()
        first = shown.set_index("lead_id")["amount"].astype(float) / 10**field.decimals
        known = known.where(matrix.columns["amount_changes"] > 0, first.reindex(known.index))
    amount = known.reindex(lead_id).to_numpy(dtype=float)
    won = history.facts.wins(known_us)["amount"].dropna()
    median = won.median() / 10**field.decimals if len(won) else pd.Series(amount).median()
    estimated = ~np.isfinite(amount) & np.isfinite(float(median))
    return Amounts(np.where(estimated, median, amount), estimated, told[0] if told else None)
