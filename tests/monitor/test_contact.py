"""What an extra contact adds, by those that were drawn by lot."""

import numpy as np
import pandas as pd
import pytest

from leadscore.monitor.contact import PRECISE, estimate_extra_contact

ROUTED = ("A", "B", "C")


def settled(*, explored, others, won_explored, won_others, tier="D"):
    """Leads on one list, explored ones first; so many of either are won."""
    n = explored + others
    drawn = np.arange(n) < explored
    place = np.where(drawn, np.arange(n), np.arange(n) - explored)
    won = place < np.where(drawn, won_explored, won_others)
    return pd.DataFrame(
        {
            "lead_id": np.arange(n).astype(str),
            "as_of_us": 1,
            "tier": tier,
            "state": "settled",
            "label": won.astype(float),
            "weight": 1.0,
            "exploration_probability": np.where(drawn, 0.1, np.nan),
        }
    )


def test_effect_when_few_are_explored_then_is_not_known_yet_and_says_how_many_more():
    rows = settled(explored=40, others=400, won_explored=8, won_others=20)
    contact = estimate_extra_contact(rows, routed=ROUTED)
    assert contact.effect.value == pytest.approx(0.2 - 0.05)
    assert not contact.known
    # Agresti and Caffo by hand: 9 of 42 and 21 of 402
    half = 1.96 * np.sqrt(9 / 42 * 33 / 42 / 42 + 21 / 402 * 381 / 402 / 402)
    assert contact.effect.high - contact.effect.value == pytest.approx(half)
    scale = (40 + contact.more) / 40
    assert half / np.sqrt(scale) == pytest.approx(PRECISE, rel=0.01)


def test_effect_when_many_are_explored_then_is_known():
    rows = settled(explored=900, others=9000, won_explored=90, won_others=450)
    contact = estimate_extra_contact(rows, routed=ROUTED)
    assert contact.known
    assert contact.more == 0
    assert contact.effect.low > 0


def test_effect_when_nothing_is_won_then_the_interval_is_not_a_point():
    rows = settled(explored=20, others=200, won_explored=0, won_others=0)
    contact = estimate_extra_contact(rows, routed=ROUTED)
    assert contact.effect.low < 0 < contact.effect.high


@pytest.mark.parametrize(
    "rows",
    [
        settled(explored=0, others=50, won_explored=0, won_others=5),
        settled(explored=20, others=50, won_explored=5, won_others=5, tier="A"),
        settled(explored=20, others=50, won_explored=5, won_others=5).assign(state="waiting"),
    ],
)
def test_effect_when_nobody_was_drawn_and_settled_then_is_none(rows):
    assert estimate_extra_contact(rows, routed=ROUTED) is None


def test_effect_when_a_lead_is_on_many_lists_then_it_counts_at_its_first(tmp_path):
    rows = settled(explored=40, others=400, won_explored=8, won_others=20)
    later = rows.assign(as_of_us=2, exploration_probability=0.1)
    both = pd.concat([later, rows], ignore_index=True)
    assert estimate_extra_contact(both, routed=ROUTED) == estimate_extra_contact(
        rows, routed=ROUTED
    )
