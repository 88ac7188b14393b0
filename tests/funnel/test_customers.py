"""Customers who come again, beside brute force and a simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.funnel.customers import describe_cross_sales, predict_returns, settle_returns
from leadscore.funnel.returning import (
    describe_repeat,
    fit_returning,
    list_customer_spells,
    list_second_wins,
    list_waits,
)
from leadscore.funnel.spells import list_endings
from leadscore.history.customers import customer_key
from leadscore.project.after_sale import describe_history_customers
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, FOREVER_US

KNOWN = 100
LEADS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, KNOWN - 1),
        st.one_of(st.none(), st.integers(1, 40)),
        st.booleans(),
    ),
    max_size=12,
)


def make_spells(
    leads: list[tuple[str, float, float | None, bool]], *, known: float = KNOWN
) -> pd.DataFrame:
    """Leads as (customer, start, days until the close, won), as known at a day."""
    rows = []
    for place, (_, start, lasted, won) in enumerate(leads):
        close_us = FOREVER_US if lasted is None else day(start + lasted)
        is_closed = close_us < day(known)
        rows.append(
            {
                "lead_id": f"{place:05}",
                "spell": 1,
                "start_us": day(start),
                "close_us": close_us if is_closed else FOREVER_US,
                "won": won and is_closed,
            }
        )
    types = {"lead_id": str, "spell": int, "start_us": int, "close_us": int, "won": bool}
    spells = pd.DataFrame(rows, columns=list(types)).astype(types)
    is_known = spells["start_us"] < day(known)
    return list_endings(spells[is_known], known_us=day(known))


def of_customers(
    leads: list[tuple[str, float, float | None, bool]], *, known: float = KNOWN
) -> pd.DataFrame:
    customer = pd.Series({f"{place:05}": name for place, (name, *_) in enumerate(leads)})
    return list_customer_spells(make_spells(leads, known=known), customer)


@given(LEADS)
def test_waits_when_leads_overlap_then_are_the_days_without_an_open_lead_after_a_win(leads):
    """Walked through day by day, for each customer."""
    waits = list_waits(of_customers(leads), known_us=day(KNOWN))
    walked = set()
    for name in "abc":
        own = [(start, lasted, won) for who, start, lasted, won in leads if who == name]
        began: int | None = None
        for now in range(KNOWN + 1):
            closes = [start + lasted for start, lasted, _ in own if lasted is not None]
            won_by = [
                start + lasted
                for start, lasted, won in own
                if lasted and won and start + lasted < KNOWN
            ]
            is_open = any(
                start <= now and (lasted is None or now < start + lasted)
                for start, lasted, _ in own
            )
            is_customer = any(moment <= now for moment in won_by)
            if began is not None and (is_open or now == KNOWN):
                walked.add((name, began, now, is_open and now < KNOWN))
                began = None
            if is_customer and not is_open and began is None and now in closes and now < KNOWN:
                began = now
    listed = {
        (row.customer, (row.from_us - day(0)) // DAY_US, row.hours // 24, row.came)
        for row in waits.itertuples()
    }
    assert listed == {(name, start, end - start, came) for name, start, end, came in walked}


def test_second_purchase_when_beside_scipy_then_is_the_kaplan_meier_estimate():
    rng = np.random.default_rng(2)
    leads = []
    for place in range(300):
        first = float(rng.uniform(0, 110))
        leads.append((f"c{place}", first, 1.0, True))
        again = first + 1 + float(rng.exponential(300))
        leads.append((f"c{place}", again, 1.0, True))
    repeat = describe_repeat(list_second_wins(of_customers(leads, known=500), known_us=day(500)))

    first_won = np.array([start + 1 for _, start, *_ in leads[::2]])
    second_won = np.array([start + 1 for _, start, *_ in leads[1::2]])
    is_customer = first_won < 500
    waited = np.minimum(second_won, 500)[is_customer] - first_won[is_customer]
    came = (second_won < 500)[is_customer]
    hours = np.floor(waited * 24)
    censored = stats.CensoredData(uncensored=hours[came], right=hours[~came])
    oracle = stats.ecdf(censored).cdf
    assert (repeat.followed, repeat.came) == (is_customer.sum(), came.sum())
    for days in (90, 180, 365):
        share = repeat.within[str(days)].value
        assert share == pytest.approx(float(oracle.evaluate(days * 24)), abs=1e-9)


def draw_customers(rng: np.random.Generator, n: int) -> list[tuple[str, float, float, bool]]:
    """Customers who come again after 60 days in the mean, half of them never; until day 600."""
    leads = []
    for place in range(n):
        at = float(rng.uniform(0, 500))
        leads.append((f"c{place}", at, 1.0, True))
        while rng.uniform() < 0.5:
            at += 1 + float(rng.exponential(60))
            leads.append((f"c{place}", at, 1.0, bool(rng.uniform() < 0.5)))
    return leads


def test_next_lead_when_the_truth_is_known_then_probabilities_are_true_at_every_wait():
    rng = np.random.default_rng(8)
    leads = draw_customers(rng, 4000)
    known = of_customers(leads, known=500)
    waits = list_waits(known, known_us=day(500))
    chances = predict_returns(waits, fit_returning(waits), horizon_days=30)

    waiting = waits[~waits["came"]].set_index("customer")
    days = waiting["hours"] / 24
    still = 0.5 * np.exp(-days / 60)  # of those who will come, and have not yet
    truth = still / (0.5 + still) * -np.expm1(-30 / 60)
    is_known = chances.notna()
    assert is_known.mean() > 0.8
    assert (chances - truth)[is_known].abs().mean() < 0.03

    later = of_customers(leads, known=530)
    settled = settle_returns(chances, later, then_us=day(500), known_us=day(530))
    assert settled.expected.low < settled.came < settled.expected.high
    assert settled.customers == is_known.sum()


def test_cross_sales_when_counted_then_are_wilson_shares_of_what_followed():
    leads = [(f"c{place}", 2 * at, 1.0, True) for place in range(20) for at in range(2)]
    known = of_customers(leads)
    products = {f"{2 * place:05}": "basic" for place in range(20)}
    products |= {f"{2 * place + 1:05}": "pro" if place < 5 else "basic" for place in range(20)}
    (sale,) = describe_cross_sales(known, pd.Series(products))
    assert (sale.product, sale.next_product, sale.purchases) == ("basic", "pro", 5)
    oracle = stats.binomtest(5, 20).proportion_ci(method="wilson")
    assert (sale.share.low, sale.share.high) == pytest.approx(tuple(oracle), abs=1e-4)


def settings_with_accounts(**customers: object) -> Settings:
    plain = make_settings().model_dump(exclude_unset=True, by_alias=True)
    columns = {"lead_id": "id", "event_at": "created", "account": "company", "channel": "channel"}
    activities = {"lead_id": "id", "event_at": "at", "kind": "kind", "actor": "actor"}
    outcomes = {"lead_id": "id", "event_at": "at", "outcome": "outcome"}
    return make_settings(
        fields={"channel": {"known_from": "creation"}},
        memory={"account": "creation"},
        customers=customers,
        mapping=[
            {"source": "leads", "table": "leads", "columns": columns},
            plain["mapping"][1],
            {"source": "leads", "table": "activities", "columns": activities},
            {"source": "leads", "table": "outcomes", "columns": outcomes},
        ],
    )


def test_customers_when_asked_for_then_the_quiet_ones_come_first_and_later_facts_change_nothing(
    tmp_path,
):
    facts = Facts(settings_with_accounts(referrals={"channel": ["Referral"]}))
    facts.lead("a1", 0, account="a", channel="Referral").outcome("a1", 10, "won")
    facts.lead("a2", 30, account="a", channel="web").outcome("a2", 40, "lost")
    facts.lead("b1", 0, account="b", channel="web").outcome("b1", 20, "won")
    facts.lead("b2", 150, account="b", channel="web")
    facts.lead("c1", 0, account="c", channel="web").outcome("c1", 20, "won")
    facts.activity("c1", 190, "email", actor="lead")
    facts.lead("d1", 0, channel="web").outcome("d1", 5, "won")
    facts.lead("e1", 0, account="e", channel="web").outcome("e1", 50, "lost")
    before = describe_history_customers(
        facts.history(tmp_path / "before", known_until=200), known_us=day(200)
    )
    facts.outcome("b2", 210, "won").lead("c2", 205, account="c", channel="web")
    facts.outcome("e1", 220, "won").activity("a1", 201, "email")
    after = describe_history_customers(
        facts.history(tmp_path / "after", known_until=300), known_us=day(200)
    )
    assert before == after

    rows = {row.lead_id: row for row in before.customers}
    assert list(rows) == ["a1", "b1", "c1"]
    assert [row.is_due for row in rows.values()] == [True, False, False]
    assert [row.quiet_days for row in rows.values()] == [160, 180, 10]
    assert [row.open_leads for row in rows.values()] == [0, 1, 0]
    assert (before.without_key, before.referrals.leads, before.referrals.of_leads) == (1, 1, 7)


def test_customers_when_no_key_is_mapped_then_says_what_to_map():
    with pytest.raises(UserError, match='account = "company"'):
        customer_key(make_settings())


def test_settings_when_customers_name_no_field_then_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'channel'"):
        settings_with_accounts(referrals={"chanel": ["Referral"]})


def test_customers_when_nothing_is_won_yet_then_there_are_none(tmp_path):
    facts = Facts(settings_with_accounts()).lead("a1", 0, account="a", channel="web")
    customers = describe_history_customers(
        facts.history(tmp_path, known_until=200), known_us=day(200)
    )
    assert customers.customers == []
    assert customers.to_pandas().empty
    assert (customers.repeat.followed, customers.settled) == (0, None)
