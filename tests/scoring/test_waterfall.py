"""A probability in parts: they add up to it, in the order and the words of `explain`."""

import numpy as np
import pytest

import histories
from leadscore.model.apply import add_shift
from leadscore.scoring.explanation import explain_lead
from leadscore.scoring.waterfall import (
    LARGEST,
    build_waterfalls,
    spread_points,
)

SHIFT = 0.4


@pytest.fixture(scope="module", params=[0.0, SHIFT])
def built(request):
    """The running intercept, the open leads and their waterfalls."""
    world = histories.trained()
    as_of_us = world.history.version.known_until_us
    rows = world.history.open_list(as_of_us)
    waterfalls = build_waterfalls(
        world.history, world.model, rows, as_of_us=as_of_us, shift=request.param
    )
    return world, request.param, waterfalls


def test_waterfall_when_summed_then_is_the_published_probability(built):
    world, shift, waterfalls = built
    matrix = histories.open_matrix()
    log_odds = world.model.log_odds(matrix.columns)
    expected = world.model.probability(log_odds, shift)
    assert len(waterfalls) == len(expected) > 100
    for lead_id, probability in zip(matrix.keys["lead_id"], expected, strict=True):
        waterfall = waterfalls[lead_id]
        assert waterfall.total == pytest.approx(100 * probability, abs=1e-6)
        levels = waterfall.start + np.cumsum([part.points for part in waterfall.parts])
        assert (levels >= 0).all()
        assert (levels <= 100).all()


def test_waterfall_when_compared_with_the_explanation_then_has_the_largest_groups_of_both_sides(
    built,
):
    world, shift, waterfalls = built
    as_of_us = world.history.version.known_until_us
    for lead_id in list(waterfalls)[:10]:
        told = explain_lead(
            world.history, world.model, lead_id=lead_id, as_of_us=as_of_us, shift=shift
        )
        waterfall = waterfalls[lead_id]
        groups = [told["groups"][place] for place in _list_shown(told["groups"])]
        assert [part.words for part in waterfall.parts] == [group["summary"] for group in groups]
        points = [group["points"] for group in groups]
        assert [part.points for part in waterfall.parts] == pytest.approx(points, abs=1e-9)
        assert all(group["points"] * group["value"] >= 0 for group in groups)
        assert waterfall.start == pytest.approx(100 * told["start_probability"])
        assert waterfall.recent == pytest.approx(told["shift_points"])
        assert waterfall.total == pytest.approx(100 * told["win_probability"], abs=1e-6)


def _list_shown(groups):
    """Places of the four strongest groups of each side, and of those that follow, eight in all."""
    moving = [place for place, group in enumerate(groups) if group["value"]]
    sides = {True: 0, False: 0}
    first = []
    for place in moving:
        side = groups[place]["value"] > 0
        sides[side] += 1
        if sides[side] <= 4:
            first.append(place)
    rest = [place for place in moving if place not in first]
    return sorted((first + rest)[:LARGEST])


SPLITS = [
    ([1.0, -0.5], 0.2, 0.4),
    ([3.0, -3.0], 0.2, 0.2),  # a step of the calibrator
    ([2.0, 0.1], 0.3, 0.3),
    ([0.1, 0.0], 0.1, 0.9),
]


@pytest.mark.parametrize(("totals", "start", "end"), SPLITS)
@pytest.mark.parametrize("shift", [0.0, SHIFT])
def test_points_when_the_calibrator_bends_then_still_add_up(totals, start, end, shift):
    points = spread_points(np.array(totals), start, end, shift=shift)
    expected = add_shift(np.array([end]), shift)[0]
    assert 100 * start + sum(points) == pytest.approx(100 * expected)


def test_points_when_nothing_is_known_then_nothing_moves():
    assert spread_points(np.zeros(3), 0.2, 0.2, shift=0.0) == [0.0, 0.0, 0.0, 0.0]
