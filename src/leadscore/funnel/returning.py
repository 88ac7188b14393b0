"""When customers come again: estimates that take those who have not yet for unfinished."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.funnel.competing import (
    HOURS,
    LEAST_IN_SIGHT,
    UNKNOWN,
    Ends,
    Shares,
    count_ends,
    estimate_shares,
    in_days,
    quantile_hours,
    share_within,
)
from leadscore.history.absences import seen_until
from leadscore.history.visits import HOUR_US
from leadscore.results.customers import Repeat
from leadscore.times import FOREVER_US

CAME = "came"
WITHIN_DAYS = (90, 180, 365)


def list_customer_spells(spells: pd.DataFrame, customer: pd.Series[str]) -> pd.DataFrame:
    """The spells of customers, from those known at a moment.

    Columns beside those of `spells`: customer; end_us, the close or when a lead was last seen;
    first_won_us, of the customer. Ordered by customer and start.

    Args:
        spells: as `list_endings` returns them.
        customer: account or contact by lead_id; leads without one are left out.
    """
    close_us = spells["close_us"].to_numpy()
    end_us = np.minimum(close_us, seen_until(spells))
    customers = spells["lead_id"].map(customer)
    known = spells.assign(customer=customers, end_us=end_us)
    known = known.dropna(subset="customer")
    won = known[known["ending"] == "won"]
    first_won_us = won.groupby("customer")["close_us"].min()
    of_customers = known[known["customer"].isin(first_won_us.index)]
    since_us = of_customers["customer"].map(first_won_us).astype("int64")  # else text if empty
    with_first = of_customers.assign(first_won_us=since_us)
    return with_first.sort_values(["customer", "start_us", "lead_id"], ignore_index=True)


def list_waits(of_customers: pd.DataFrame, *, known_us: int) -> pd.DataFrame:
    """The times without an open lead: from a close, after the first win, to the next lead.

    Columns: customer; from_us; wins by then; came, whether a lead came by now; hours, until it came
    or until now.

    Args:
        of_customers: as `list_customer_spells` returns them.
        known_us: the moment by which they are known.
    """
    by_customer = of_customers.groupby("customer")
    covered_us = by_customer["end_us"].cummax()
    next_us = by_customer["start_us"].shift(-1, fill_value=FOREVER_US)
    is_won = of_customers["ending"] == "won"
    wins = is_won.groupby(of_customers["customer"]).cumsum()

    is_closed = covered_us < known_us
    is_customer = covered_us >= of_customers["first_won_us"]
    is_free = next_us > covered_us
    begins = is_closed & is_customer & is_free
    until_us = np.minimum(next_us, known_us)
    waits = of_customers[["customer"]].assign(
        from_us=covered_us,
        wins=wins,
        came=next_us < known_us,
        hours=(until_us - covered_us) // HOUR_US,
    )
    return waits[begins].reset_index(drop=True)


def list_second_wins(of_customers: pd.DataFrame, *, known_us: int) -> pd.DataFrame:
    """Of each customer, the hours from the first win to the second, or until now; and whether it came."""
    won = of_customers[of_customers["ending"] == "won"]
    in_order = won.sort_values(["customer", "close_us", "lead_id"])
    by_customer = in_order.groupby("customer")["close_us"]
    second_us = by_customer.shift(-1, fill_value=FOREVER_US)
    until_us = np.minimum(second_us, known_us)
    waited_us = until_us - in_order["close_us"]
    waited = in_order.assign(
        came=second_us < known_us,
        hours=waited_us // HOUR_US,
    )
    is_first = by_customer.cumcount() == 0
    return waited.loc[is_first, ["customer", "came", "hours"]]


def count_waits(waits: pd.DataFrame) -> Ends:
    """Waits as counts over time."""
    ways = np.where(waits["came"], CAME, "open")
    return count_ends(waits["hours"].to_numpy(), ways, names=(CAME,))


def describe_repeat(waits: pd.DataFrame) -> Repeat:
    """The shares that came again within some days."""
    ends = count_waits(waits)
    shares = estimate_shares(ends)
    last = ends.last_with_enough() or 0.0
    within = {}
    for days in WITHIN_DAYS:
        hours = days * HOURS
        is_known = hours <= last
        within[str(days)] = share_within(shares, CAME, hours) if is_known else UNKNOWN
    return Repeat(
        followed=len(waits),
        came=int(waits["came"].sum()),
        within=within,
        median_days=in_days(quantile_hours(shares, 0.5)),
    )


@dataclass(frozen=True)
class Returning:
    """How soon customers without an open lead have a next one, by whether they were won again.

    Attributes:
        once: of customers with one win.
        more: of those with more; both are of all where either rests on too few.
    """

    once: Ends
    more: Ends

    def probability(self, wins: np.ndarray, hours: np.ndarray, *, within: float) -> np.ndarray:
        """The probability (n,) of a next lead within so many hours, after waiting for some (n,).

        It is 1 - S(t + h) / S(t), with Kaplan-Meier's S; NaN where fewer than 30 were followed so
        long.
        """
        return np.where(
            wins > 1,
            _come_within(self.more, hours, within),
            _come_within(self.once, hours, within),
        )


def _come_within(ends: Ends, hours: np.ndarray, within: float) -> np.ndarray:
    last = ends.last_with_enough()
    if last is None:
        return np.full(len(hours), np.nan)
    until = hours + within
    shares = estimate_shares(ends)
    now = _staying_after(shares, hours)
    then = _staying_after(shares, until)
    is_known = (until <= last) & (now > 0)
    divisor = np.where(is_known, now, 1.0)
    return np.where(is_known, 1 - then / divisor, np.nan)


def _staying_after(shares: Shares, hours: np.ndarray) -> np.ndarray:
    """The share (n,) still there after so many hours (n,)."""
    staying = np.concatenate([[1.0], shares.staying])
    passed = np.searchsorted(shares.hours, hours, side="right")
    return np.asarray(staying[passed])


def fit_returning(waits: pd.DataFrame) -> Returning:
    """How soon customers come again, from past waits."""
    has_more = waits["wins"] > 1
    parts = (waits[~has_more], waits[has_more])
    if any(part["came"].sum() < LEAST_IN_SIGHT for part in parts):
        parts = (waits, waits)
    once, more = (count_waits(part) for part in parts)
    return Returning(once, more)
