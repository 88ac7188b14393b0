"""What comes after the sale, as `Project.customers` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from leadscore.results.base import Interval, Result, check_table

if TYPE_CHECKING:
    import pandas as pd

CustomersTable = Literal["customers", "cross_sales"]


class Customer(Result):
    """An account or contact with at least one won lead.

    Attributes:
        lead_id: of its last win, by which people know it.
        wins: by now.
        revenue: of all its wins, as far as it is known.
        last_won: when the last one became known.
        open_leads: at as_of.
        quiet_days: since the last activity of a rep or of the customer, or the last close.
        is_due: whether it has no open lead and has been quiet for longer than the settings allow.
        next_lead: the probability of a next lead within the horizon; None with an open lead, and
            where too few customers were followed for so long.
    """

    lead_id: str
    wins: int
    revenue: float | None
    last_won: str
    open_leads: int
    quiet_days: float
    is_due: bool
    next_lead: float | None


class Repeat(Result):
    """How many customers come again, and how fast: Kaplan-Meier's estimates.

    Attributes:
        followed: customers, or times without an open lead, that it rests on.
        came: of these, how many came again by now.
        within: days -> the share that came again within them; its value is None where fewer than 30
            were followed for so long.
        median_days: within which half came again; None if not so many ever did.
    """

    followed: int
    came: int
    within: dict[str, Interval]
    median_days: float | None


class SettledReturns(Result):
    """The probabilities of one horizon ago, and what customers then did.

    Attributes:
        as_of: when they were computed.
        customers: that had a probability then.
        expected: how many of them were to have a next lead by now; the interval is that of a sum
            of chances.
        came: how many did.
    """

    as_of: str
    customers: int
    expected: Interval
    came: int


class Referrals(Result):
    """Leads of the last year that came by referral, beside all others: won within `within_days`."""

    leads: int
    of_leads: int
    within_days: float
    won: Interval
    others: Interval


class CrossSale(Result):
    """Purchases that followed one of a product: how many were of another one."""

    product: str
    next_product: str
    purchases: int
    share: Interval


class Customers(Result):
    """The customers as known at a moment, those due for a follow-up first.

    Attributes:
        key: `account` or `contact`, by which customers are known.
        without_key: won leads of which it is not known, and which are left out.
        repeat: the time from the first win to the second.
        returns: the time without an open lead, from the close of the last one to the next lead.
        horizon_days: of `next_lead`.
    """

    project: str
    as_of: str
    key: str
    currency: str | None
    without_key: int
    quiet_days: float
    horizon_days: float
    repeat: Repeat
    returns: Repeat
    settled: SettledReturns | None
    referrals: Referrals | None
    cross_sales: list[CrossSale]
    customers: list[Customer]

    def to_pandas(self, table: CustomersTable = "customers") -> pd.DataFrame:
        """A row a customer; or `cross_sales`, a row a pair of products."""
        import pandas as pd

        check_table(table, get_args(CustomersTable))
        if table == "customers":
            rows = [customer.to_dict() for customer in self.customers]
            return pd.DataFrame(rows, columns=list(Customer.model_fields))
        return pd.json_normalize([sale.to_dict() for sale in self.cross_sales])
