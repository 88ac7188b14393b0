"""What comes after the sale: customers, when they come again, and who is due for a follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from leadscore.errors import UserError
from leadscore.funnel.customers import (
    describe_cross_sales,
    describe_customers,
    predict_returns,
    settle_returns,
)
from leadscore.funnel.returning import (
    Returning,
    describe_repeat,
    fit_returning,
    list_customer_spells,
    list_second_wins,
    list_waits,
)
from leadscore.funnel.spells import list_endings, share_of_leads
from leadscore.funnel.wins import read_wins
from leadscore.history.customers import customer_key, read_texts
from leadscore.history.split import History
from leadscore.project.horizon import USUAL_HORIZON, with_horizon_of_champion
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.pipeline import YEAR
from leadscore.results.base import Interval
from leadscore.results.customers import CrossSale, Customer, Customers, Referrals
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.times import DAY_US, format_us

SHOWN_DIGITS = {"quiet_days": 1, "next_lead": 4}  # in the file for people


def describe_project_customers(settings: Settings, *, as_of_us: int | None = None) -> Customers:
    """The customers as known at a moment: won leads by account or contact.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.

    Raises:
        UserError: nothing is dated, or neither account nor contact is mapped.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: without dates nobody knows who comes again when")
    customer_key(settings)  # or stop before the store is opened
    with open_store(with_horizon_of_champion(settings)) as history:
        moment = history.known_us(checked_as_of(history, as_of_us))
        return describe_history_customers(history, known_us=moment)


@dataclass(frozen=True)
class KnownCustomers:
    """What is known of customers at a moment."""

    history: History
    key: str
    known_us: int

    @cached_property
    def spells(self) -> pd.DataFrame:
        """All spells with how they ended."""
        return list_endings(self.history.spells(self.known_us), known_us=self.known_us)

    @cached_property
    def customer(self) -> pd.Series[str]:
        """Account or contact by lead_id."""
        return read_texts(self.history, self.key, known_us=self.known_us)

    @cached_property
    def of_customers(self) -> pd.DataFrame:
        """The spells of customers, with what each win brought."""
        wins = read_wins(self.history, known_us=self.known_us)
        listed = list_customer_spells(self.spells, self.customer)
        keys = ["lead_id", "spell"]
        return listed.merge(wins[[*keys, "revenue"]], on=keys, how="left")

    @cached_property
    def waits(self) -> pd.DataFrame:
        """The times in which customers had no open lead."""
        return list_waits(self.of_customers, known_us=self.known_us)

    @cached_property
    def returning(self) -> Returning:
        """How soon they come again."""
        return fit_returning(self.waits)


def describe_history_customers(history: History, *, known_us: int) -> Customers:
    """The customers of an opened history (see `describe_project_customers`)."""
    key = customer_key(history.settings)
    settings = history.settings
    horizon_days = settings.target.horizon_days or USUAL_HORIZON
    then_us = known_us - round(horizon_days * DAY_US)
    now = KnownCustomers(history, key, known_us)
    then = KnownCustomers(history, key, then_us)
    predicted = predict_returns(then.waits, then.returning, horizon_days=horizon_days)
    won = now.spells[now.spells["ending"] == "won"]
    has_key = won["lead_id"].map(now.customer).notna()
    currencies = history.facts.currencies(known_us)
    is_one_currency = len(currencies) == 1
    return Customers(
        project=settings.project,
        as_of=format_us(known_us),
        key=key,
        currency=currencies[0] if is_one_currency else None,
        without_key=int((~has_key).sum()),
        quiet_days=settings.customers.quiet_days,
        horizon_days=horizon_days,
        repeat=describe_repeat(list_second_wins(now.of_customers, known_us=known_us)),
        returns=describe_repeat(now.waits),
        settled=settle_returns(predicted, now.of_customers, then_us=then_us, known_us=known_us),
        referrals=_describe_referrals(now, within_days=horizon_days),
        cross_sales=_describe_cross_sales(now),
        customers=describe_customers(
            now.of_customers,
            now.waits,
            now.returning,
            contacted=history.facts.last_active(known_us, actors=("lead", "rep")),
            known_us=known_us,
            horizon_days=horizon_days,
            quiet_days=settings.customers.quiet_days,
        ),
    )


def _describe_referrals(now: KnownCustomers, *, within_days: float) -> Referrals | None:
    """Leads of the last year that came by referral, beside the others; None if nothing says so."""
    named = now.history.settings.customers.referrals
    if not named:
        return None
    since_us = now.known_us - YEAR * DAY_US
    begun = now.spells[(now.spells["spell"] == 1) & (now.spells["start_us"] >= since_us)]
    referred: set[str] = set()
    for field, values in named.items():
        known = read_texts(now.history, field, known_us=now.known_us)
        referred |= set(known.index[known.isin(values)])
    is_referred = begun["lead_id"].isin(referred)
    parts = (begun[is_referred], begun[~is_referred])
    won, others = (
        Interval(value=None)
        if part.empty
        else share_of_leads(part, "won", within_days, known_us=now.known_us)
        for part in parts
    )
    return Referrals(
        leads=int(is_referred.sum()),
        of_leads=len(begun),
        within_days=within_days,
        won=won,
        others=others,
    )


def _describe_cross_sales(now: KnownCustomers) -> list[CrossSale]:
    product = now.history.settings.customers.product
    if product is None:
        return []
    products = read_texts(now.history, product, known_us=now.known_us)
    return describe_cross_sales(now.of_customers, products)


def write_customers(customers: Customers, companies: Mapping[str, str], path: Path) -> None:
    """Write the worklist of customers, with the names of companies, to a CSV file.

    Args:
        customers: as `describe_project_customers` returns them.
        companies: by lead_id.
        path: the file.

    Raises:
        UnavailableError: the file cannot be written.
    """
    rows = [_round(customer) for customer in customers.customers]
    columns: dict[str, list[Any]] = {
        name: [row[name] for row in rows] for name in Customer.model_fields
    }
    columns["company"] = [companies.get(lead_id) for lead_id in columns["lead_id"]]
    write_csv_for_people(path, pa.table(columns))


def _round(customer: Customer) -> dict[str, Any]:
    """A customer as a row, with as many digits as people read."""
    row = customer.to_dict()
    for name, digits in SHOWN_DIGITS.items():
        if row[name] is not None:
            row[name] = round(row[name], digits)
    return row
