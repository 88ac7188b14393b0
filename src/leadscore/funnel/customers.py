"""The customers as a worklist: who is due for a follow-up, and who will probably come again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadscore.funnel.competing import HOURS, Z, wilson_interval
from leadscore.funnel.returning import Returning
from leadscore.results.base import Interval
from leadscore.results.customers import CrossSale, Customer, SettledReturns
from leadscore.times import DAY_US, format_us


def describe_customers(
    of_customers: pd.DataFrame,
    waits: pd.DataFrame,
    returning: Returning,
    *,
    contacted: pd.Series[int],
    known_us: int,
    horizon_days: float,
    quiet_days: float,
) -> list[Customer]:
    """A row a customer: those due first, then by the probability of a next lead.

    Args:
        of_customers: as `list_customer_spells` returns them, with what each win brought (revenue).
        waits: as `list_waits` returns them.
        returning: how soon customers come again.
        contacted: when rep or lead last did anything, by lead_id.
        known_us: the moment by which all is known.
        horizon_days: in which a next lead counts.
        quiet_days: after which a customer without an open lead is due.
    """
    customers = _sum_up(of_customers, contacted, known_us=known_us)
    chances = predict_returns(waits, returning, horizon_days=horizon_days)
    is_waiting = customers["open_leads"] == 0
    is_due = is_waiting & (customers["quiet_days"] > quiet_days)
    listed = customers.assign(next_lead=chances, is_due=is_due)
    in_order = listed.sort_values(
        ["is_due", "next_lead", "revenue", "lead_id"],
        ascending=[False, False, False, True],
    )
    return [_describe(row) for row in in_order.to_dict("records")]


def _sum_up(
    of_customers: pd.DataFrame,
    contacted: pd.Series[int],
    *,
    known_us: int,
) -> pd.DataFrame:
    """By customer: the lead of the last win, wins, revenue, last_won_us, open_leads, quiet_days."""
    customer = of_customers["customer"]
    won = of_customers[of_customers["ending"] == "won"]
    of_wins = won.sort_values(["close_us", "lead_id"]).groupby("customer")

    is_open = of_customers["end_us"] >= known_us
    closed_us = of_customers["end_us"].mask(is_open)
    touched_us = of_customers["lead_id"].map(contacted)
    last_us = pd.concat([closed_us, touched_us], axis=1).max(axis=1)
    latest_us = last_us.groupby(customer).max()
    return pd.DataFrame(
        {
            "lead_id": of_wins["lead_id"].last(),
            "wins": of_wins.size(),
            "revenue": of_wins["revenue"].sum(min_count=1),
            "last_won_us": of_wins["close_us"].last(),
            "open_leads": is_open.groupby(customer).sum(),
            "quiet_days": (known_us - latest_us) / DAY_US,
        },
        index=pd.Index(sorted(customer.unique()), name="customer"),
    )


def predict_returns(
    waits: pd.DataFrame,
    returning: Returning,
    *,
    horizon_days: float,
) -> pd.Series[float]:
    """The probability of a next lead within the horizon, by customer, of those who wait for one."""
    waiting = waits[~waits["came"]]
    chances = returning.probability(
        waiting["wins"].to_numpy(),
        waiting["hours"].to_numpy(),
        within=horizon_days * HOURS,
    )
    return pd.Series(chances, index=pd.Index(waiting["customer"]), dtype=float)


def _describe(row: Mapping[Hashable, Any]) -> Customer:
    return Customer(
        lead_id=row["lead_id"],
        wins=row["wins"],
        revenue=_known(row["revenue"]),
        last_won=format_us(int(row["last_won_us"])),
        open_leads=row["open_leads"],
        quiet_days=row["quiet_days"],
        is_due=row["is_due"],
        next_lead=_known(row["next_lead"]),
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def settle_returns(
    predicted: pd.Series[float],
    of_customers: pd.DataFrame,
    *,
    then_us: int,
    known_us: int,
) -> SettledReturns | None:
    """The probabilities made then beside what actually happened by now; None if there were none.

    Args:
        predicted: as `predict_returns` gave them at `then_us`.
        of_customers: as `list_customer_spells` returns them now.
        then_us: the moment then.
        known_us: one horizon later.
    """
    chances = predicted.dropna()
    if chances.empty:
        return None
    starts_us = of_customers["start_us"]
    is_since = starts_us.between(then_us, known_us, inclusive="left")
    came = set(of_customers.loc[is_since, "customer"])
    expected = float(chances.sum())
    variance = chances * (1 - chances)
    spread = float(np.sqrt(variance.sum()))
    return SettledReturns(
        as_of=format_us(then_us),
        customers=len(chances),
        expected=Interval(
            value=expected,
            low=max(expected - Z * spread, 0.0),
            high=expected + Z * spread,
        ),
        came=int(chances.index.isin(came).sum()),
    )


def describe_cross_sales(of_customers: pd.DataFrame, products: pd.Series[str]) -> list[CrossSale]:
    """Which product was bought after which, the most frequent pairs of different ones first.

    Args:
        of_customers: as `list_customer_spells` returns them.
        products: by lead_id.
    """
    won = of_customers[of_customers["ending"] == "won"]
    bought = won.assign(product=won["lead_id"].map(products)).dropna(subset="product")
    in_order = bought.sort_values(["customer", "close_us", "lead_id"])
    next_product = in_order.groupby("customer")["product"].shift(-1)
    pairs = in_order.assign(next_product=next_product).dropna(subset="next_product")
    totals = pairs["product"].value_counts()
    is_other = pairs["product"] != pairs["next_product"]
    by_pair = pairs[is_other].groupby(["product", "next_product"], as_index=False)
    counts = by_pair.agg(purchases=("lead_id", "size"))
    sales = []
    for row in counts.to_dict("records"):
        product = row["product"]
        purchases = row["purchases"]
        sale = CrossSale(
            product=product,
            next_product=row["next_product"],
            purchases=purchases,
            share=wilson_interval(purchases, int(totals[product])),
        )
        sales.append(sale)
    return sorted(sales, key=lambda sale: (-sale.purchases, sale.product, sale.next_product))
