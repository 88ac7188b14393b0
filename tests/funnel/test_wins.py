"""Wins with what they brought, as known at a moment."""

import numpy as np
import pytest

from builders import Facts, day, make_settings
from leadscore.funnel.wins import compute_paid_share, read_wins, revenue_between

K = 100


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    facts = Facts(make_settings(fields={"amount": {"type": "number", "decimals": 2}}))
    facts.lead("paid", 0, amount=10_000).outcome("paid", 10, "won", amount=8_000)
    facts.lead("asked", 0, amount=20_000).stage("asked", 20, "signed")
    facts.lead("unknown", 0).outcome("unknown", 30, "won")
    facts.lead("lost", 0, amount=1).outcome("lost", 30, "lost")
    facts.lead("twice", 0, amount=5_000).outcome("twice", 40, "won", amount=6_000)
    facts.stage("twice", 50, "new").outcome("twice", 60, "won", amount=7_000)
    facts.lead("later", 0, amount=100).outcome("later", 70, "won", amount=900)
    return facts.history(tmp_path_factory.mktemp("wins"), known_until=K)


def test_wins_when_read_then_have_what_was_paid_else_what_was_asked(history):
    wins = read_wins(history, known_us=day(K)).set_index(["lead_id", "spell"])
    assert wins["revenue"].dropna().to_dict() == {
        ("paid", 1): 80.0,
        ("asked", 1): 200.0,
        ("twice", 1): 60.0,
        ("twice", 2): 70.0,
        ("later", 1): 9.0,
    }
    assert np.isnan(wins.loc[("unknown", 1), "revenue"])


def test_wins_when_read_of_the_past_then_know_none_of_what_came_later(history):
    wins = read_wins(history, known_us=day(45))
    assert wins["lead_id"].tolist() == ["paid", "asked", "unknown", "twice"]
    assert wins["revenue"].tolist()[-1] == 60.0


def test_paid_share_when_wins_state_both_then_is_of_their_sums(history):
    wins = read_wins(history, known_us=day(K))
    assert compute_paid_share(wins) == pytest.approx((80 + 60 + 70 + 9) / (100 + 50 + 50 + 1))
    assert compute_paid_share(wins[wins["lead_id"] == "asked"]) == 1.0


def test_revenue_when_of_a_time_then_begins_with_its_first_moment_and_fills_the_unknown(history):
    wins = read_wins(history, known_us=day(K))
    assert revenue_between(wins, day(10), day(30)).tolist() == [80.0, 200.0]
    assert revenue_between(wins, day(30), day(40)).tolist() == [70.0]


def test_wins_when_amounts_are_in_several_currencies_then_none_is_added_up(tmp_path):
    facts = Facts(make_settings(fields={"amount": {"type": "number"}}))
    facts.lead("a", 0, amount=7_000, currency="EUR").outcome("a", 10, "won")
    facts.lead("b", 0).outcome("b", 20, "won", amount=9_000, currency="USD")
    history = facts.history(tmp_path, known_until=K)
    assert read_wins(history, known_us=day(15))["revenue"].tolist() == [70.0]
    assert read_wins(history, known_us=day(K))["revenue"].isna().all()


@pytest.mark.parametrize(("zero", "revenue"), [(False, [70.0, 90.0]), (True, [0.0, 0.0])])
def test_wins_when_an_amount_is_0_then_it_is_missing_unless_the_settings_allow_it(
    tmp_path, zero, revenue
):
    facts = Facts(make_settings(fields={"amount": {"type": "number", "zero": zero}}))
    facts.lead("asked", 0, amount=7_000).outcome("asked", 10, "won", amount=0)
    facts.lead("again", 0, amount=0).outcome("again", 20, "won", amount=9_000)
    facts.outcome("again", 21, "won", amount=0)
    history = facts.history(tmp_path, known_until=K)
    assert read_wins(history, known_us=day(K))["revenue"].tolist() == revenue
