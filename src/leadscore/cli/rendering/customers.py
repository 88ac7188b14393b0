"""After the sale: who is due, how many come again, referrals and other products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of
from leadscore.report.funnel.sentences import write_percent
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import (
        CrossSale,
        Customer,
        Customers,
        Interval,
        Referrals,
        Repeat,
        SettledReturns,
    )

MOST = 20
UNKNOWN = "-"


def draw_customers(customers: Customers, *, companies: Mapping[str, str]) -> None:
    """The first customers of the worklist, and what is known of all."""
    _draw_worklist(customers, companies)
    _say(
        "Quiet days: since the last contact or close. Next lead: how likely the customer's next lead "
        f"is within {customers.horizon_days:g} days; none is given while a lead is open."
    )
    due = sum(customer.is_due for customer in customers.customers)
    _say(
        f"{counted(len(customers.customers), 'customer')} by {customers.key}; {due:,} due for a "
        f"follow-up: no open lead, and no contact for more than {customers.quiet_days:g} days."
    )
    revenues = [customer.revenue for customer in customers.customers]
    if revenues and set(revenues) == {None}:
        _say("What they have brought is not known: it takes amounts in one currency.")
    if customers.without_key:
        leads = counted(customers.without_key, "won lead")
        _say(f"{leads} without {customers.key} left out.")
    _say(f"Second purchase after the first: {_write_repeat(customers.repeat, 'customer')}.")
    _say(f"Next lead after the last one closed: {_write_repeat(customers.returns, 'time')}.")
    if customers.settled:
        _say(_write_settled(customers.settled))
    if customers.referrals:
        _say(_write_referrals(customers.referrals))
    for sale in customers.cross_sales[:MOST]:
        _say(_write_sale(sale))


def _say(sentence: str) -> None:
    out.print(escaped(sentence), highlight=False)


def _draw_worklist(customers: Customers, companies: Mapping[str, str]) -> None:
    money = escaped(f"{customers.currency or ''} won".strip())
    again = f"next lead in {customers.horizon_days:g} d"
    title = f"Customers as of {short(customers.as_of)}, those due for a follow-up first"
    table = table_of(
        title, "last won lead", "company", "wins", money, "quiet days", "open", again, text=2
    )
    for customer in customers.customers[:MOST]:
        company = companies.get(customer.lead_id, UNKNOWN)
        table.add_row(*_write_customer(customer, company))
    out.print(table)


def _write_customer(customer: Customer, company: str) -> list[str]:
    revenue = UNKNOWN if customer.revenue is None else f"{customer.revenue:,.0f}"
    chance = UNKNOWN if customer.next_lead is None else f"{100 * customer.next_lead:.0f}%"
    return [
        escaped(customer.lead_id),
        escaped(company),
        f"{customer.wins:,}",
        revenue,
        f"{customer.quiet_days:,.0f}",
        f"{customer.open_leads:,}",
        chance,
    ]


def _write_repeat(repeat: Repeat, unit: str) -> str:
    shares = [
        f"{write_percent(share)} within {days} days"
        for days, share in repeat.within.items()
        if share.value is not None
    ]
    followed = counted(repeat.followed, unit)
    if not shares:
        return f"too few were followed for long enough ({repeat.came:,} of {followed} so far)"
    return f"{', '.join(shares)} ({repeat.came:,} of {followed} so far)"


def _write_settled(settled: SettledReturns) -> str:
    expected = settled.expected
    return (
        f"As of {short(settled.as_of)}, {expected.value:.0f} ({expected.low:.0f}-"
        f"{expected.high:.0f}) of {counted(settled.customers, 'customer')} were expected to have "
        f"another lead by now; {settled.came:,} did."
    )


def _write_sale(sale: CrossSale) -> str:
    purchases = counted(sale.purchases, "purchase")
    return f"After {sale.product}, {sale.next_product}: {_write_range(sale.share)}, {purchases}."


def _write_range(share: Interval) -> str:
    """A share of few, whose interval is far from symmetric, with both its ends."""
    if share.value is None or share.low is None or share.high is None:
        return UNKNOWN
    return f"{100 * share.value:.0f}% ({100 * share.low:.0f}-{100 * share.high:.0f})"


def _write_referrals(referrals: Referrals) -> str:
    if not referrals.leads:
        return (
            f"Referred: 0 of {counted(referrals.of_leads, 'lead')} of the last year; if that is "
            "wrong, compare the values in customers.referrals with those of the export."
        )
    begin = f"Referred: {referrals.leads:,} of {referrals.of_leads:,} leads of the last year"
    if referrals.won.value is None or referrals.others.value is None:
        return f"{begin}; too few leads to compare."
    return (
        f"{begin}; {write_percent(referrals.won)} won within {referrals.within_days:g} days, of the "
        f"others {write_percent(referrals.others)}."
    )
