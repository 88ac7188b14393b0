"""What a lead is worth: its amount as known, or an estimate that is marked as one, times its chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.engine.protocol import identifier
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Amount
from leadscore.features.matrix import build_matrix
from leadscore.history.split import History

LEAST = 30  # won leads of a segment: of fewer the median of all counts


@dataclass(frozen=True)
class Amounts:
    """Amount (n,), NaN where nothing can be said; which are estimated (n,); the currency, None if not told."""

    amount: np.ndarray
    estimated: np.ndarray
    currency: str | None
    warning: str | None = None


def read_amounts(history: History, lead_id: np.ndarray, *, as_of_us: int) -> Amounts:
    """The amount of each lead open at a moment, in units of the currency.

    Where it has a history it is the one known then, else the one that `leads` holds: it is not learned from. A
    missing one is estimated as the median of the leads won by then, of the same `model.segment` where 30 were; without
    one, of the open leads.
    """
    settings, nothing = history.settings, np.full(len(lead_id), np.nan)
    none = np.zeros(len(lead_id), dtype=bool)
    currencies = history.engine.query("SELECT DISTINCT currency FROM leads WHERE currency IS NOT NULL")
    told = sorted(currencies["currency"].to_pylist())
    if len(told) > 1:
        why = f"amounts are in {', '.join(told)}, so no expected value is told; see [money]"
        return Amounts(nothing, none, None, why)
    field = settings.lead_fields()["amount"]
    columns = field_column("amount", settings)
    segment = f", MAX({identifier(settings.model.segment)}) AS segment" if settings.model.segment else ""
    query = f"SELECT lead_id, MAX(amount) AS amount{segment} FROM leads GROUP BY lead_id"
    leads = history.engine.query(query).to_pandas().set_index("lead_id")
    present = leads["amount"].to_numpy(dtype=float) / 10**field.decimals
    leads = leads.assign(amount=present)
    amount = leads["amount"].reindex(lead_id).to_numpy(dtype=float)
    if columns is not None:
        finish = field_finish(Amount("field_amount", field.decimals), "amount", settings)
        feature = Feature("amount", columns, finish, "number", "", "", "amount")
        matrix = build_matrix(history.snapshot(history.open_list(as_of_us)), [feature])
        known = dict(zip(matrix.keys["lead_id"], matrix.columns["amount"], strict=True))
        then = np.array([known[lead] for lead in lead_id], dtype=float)
        amount = np.where(np.isfinite(then), then, amount)
    spells = history.spells(as_of_us)
    won = leads.reindex(spells.loc[spells["won"].astype(bool) & (spells["close_us"] < as_of_us), "lead_id"].unique())
    median = won["amount"].median() if won["amount"].notna().any() else pd.Series(amount).median()
    estimate = np.full(len(lead_id), median, dtype=float)
    if segment:
        groups = won.groupby("segment")["amount"].agg(["median", "count"])
        groups = groups.loc[groups["count"] >= LEAST, "median"]
        own = leads["segment"].reindex(lead_id).map(groups).to_numpy(dtype=float)
        estimate = np.where(np.isfinite(own), own, estimate)
    estimated = ~np.isfinite(amount) & np.isfinite(estimate)
    return Amounts(np.where(estimated, estimate, amount), estimated, told[0] if told else None)
