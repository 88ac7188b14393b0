"""The top of lists, against every way to break ties."""

from itertools import permutations

import numpy as np
import pytest

from leadscore.evaluation.top import share_in_top


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.5, 1.0])
@pytest.mark.parametrize(
    "order", [(3, 2, 1, 0, 0), (1, 1, 1, 1, 1), (2, 2, 1, 1, 1), (0, 1, 1, 2, 2)]
)
def test_share_in_top_when_ties_come_in_random_order_then_is_the_mean_over_all_orders(order, share):
    values = np.array(order, dtype=float)
    places = share * len(order)
    total = np.zeros(len(order))
    ways = list(permutations(range(len(order))))
    for way in ways:
        tie_break = np.array(way)
        falling = np.lexsort((tie_break, -values))
        for place, row in enumerate(falling):
            total[row] += np.clip(places - place, 0, 1)
    inside = share_in_top(values, np.zeros(len(order)), share=share)
    assert inside == pytest.approx(total / len(ways))


def test_share_in_top_when_there_are_several_lists_then_each_has_its_own_top():
    order, lists = np.array([9.0, 8, 1, 0]), np.array([1, 1, 2, 2])
    assert share_in_top(order, lists, share=0.5).tolist() == [1, 0, 1, 0]
