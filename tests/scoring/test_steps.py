"""A change of a probability: its steps, and the parts of each step by feature."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.phrases import both
from leadscore.model.apply import WinModel, sigmoid
from leadscore.scoring.change_words import NOTHING, WITHOUT_FEATURES, Moments, _split_steps
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.steps import (
    STEEPEST,
    apportion,
    compute_steps,
    log_odds_of,
    slope_between,
)


def make_model(slope, intercept):
    """A model of which only the calibrator is asked."""
    calibrator = {
        "kind": "sigmoid",
        "slope": slope,
        "intercept": intercept,
        "low": 1e-6,
        "high": 1 - 1e-6,
    }
    return WinModel({"calibrator": calibrator, "scorer": {"kind": "logistic"}})


numbers = st.floats(-8, 8)


@settings(max_examples=200, deadline=None)
@given(
    before=st.floats(0.001, 0.999), earlier=st.tuples(numbers, numbers, numbers), log_odds=numbers,
    slopes=st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)), intercepts=st.tuples(numbers, numbers),
)  # fmt: skip
def test_steps_when_computed_then_add_up_to_the_whole_change(
    before, earlier, log_odds, slopes, intercepts
):
    old, new = (
        make_model(slope, intercept) for slope, intercept in zip(slopes, intercepts, strict=True)
    )
    steps = compute_steps(
        old, new, np.array([before]), [np.array([x]) for x in earlier], np.array([log_odds])
    )
    after = new.probability(np.array([log_odds]))
    whole = log_odds_of(after) - log_odds_of(np.array([before]))
    np.testing.assert_allclose(sum(steps.values()), whole, atol=1e-9)
    slope = slope_between(np.array([before]), after)
    np.testing.assert_allclose(slope * whole, after - before, atol=1e-6)
    assert (slope >= 0).all()


def test_steps_when_only_one_thing_changes_then_only_that_is_told():
    model, other = make_model(1.0, 0.0), make_model(1.0, 0.5)
    at = np.array([0.3])
    before = sigmoid(at)
    for earlier, now, new, step in (
        ([at, at + 1, at + 1], at + 1, model, "time"),
        ([at, at, at + 1], at + 1, model, "facts"),
        (
            [at + 0.2, at + 0.2, at + 0.2],
            at + 0.2,
            model,
            "facts",
        ),  # a corrected past is a new fact
        ([at, at, at], at + 1, model, "scorer"),
        ([at, at, at], at, other, "calibrator"),
    ):
        steps = compute_steps(model, new, before, earlier, now)
        assert [name for name, value in steps.items() if abs(value[0]) > 1e-9] == [step]


@pytest.mark.parametrize(
    ("whole", "added", "parts"),
    [
        # proportion 12 / 0.6 = 20, the slope itself
        pytest.param(-12, [-0.75, 0.15], [-15, 3], id="in proportion"),
        # 15 points for 0.005 of log-odds would be +3015 and -3000: kept at 2 x 20, the rest 14.8 by size
        pytest.param(15, [1.005, -1.0], [47.6185, -32.6185], id="a jump: at most twice the slope"),
        # against what the features added: kept at 0, all 9 by size
        pytest.param(9, [-1.0, 0.5], [6, 3], id="the other direction: not below 0"),
        pytest.param(6, [0.5, -0.5], [13, -7], id="nothing in all: the slope"),
    ],
)
def test_parts_when_features_cancel_out_or_the_calibrator_jumps_then_stay_of_a_possible_size(
    whole, added, parts
):
    apportioned = apportion(whole, np.array(added), slope=20)
    np.testing.assert_allclose(apportioned, parts, atol=1e-4)


@settings(max_examples=200, deadline=None)
@given(
    whole=st.floats(-99, 99),
    added=st.lists(numbers, min_size=1, max_size=9),
    slope=st.floats(0.01, 25),
)
def test_shares_when_anything_is_apportioned_then_add_up_and_stay_bounded(whole, added, slope):
    added = np.array(added)
    assume(np.abs(added).sum() >= NOTHING)
    shares = apportion(whole, added, slope=slope)
    assert shares.sum() == pytest.approx(whole, abs=1e-6)
    most = STEEPEST * slope * np.abs(added).sum()
    assert np.abs(shares).sum() <= abs(whole) + 2 * most + 1e-6


@given(
    arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(-3, 3)),
    st.floats(-20, 20),
    st.floats(0.1, 25),
)
def test_parts_when_many_changes_are_apportioned_at_once_then_are_those_of_each(
    added, whole, slope
):
    added[:, 0] += 4  # not all 0
    wholes = whole * np.arange(len(added))
    slopes = np.full(len(added), slope)
    at_once = apportion(wholes, added, slope=slopes)
    for row, alone in enumerate(at_once):
        np.testing.assert_array_equal(alone, apportion(wholes[row], added[row], slope=slope))


def test_parts_when_a_feature_moves_in_two_steps_then_are_one_part_that_adds_them_up():
    calls = Feature("calls", {}, Learned(), "count", "calls", both("calls", "{value} calls"))

    values = np.array([[3.0]])
    now = Contributions([calls], {"calls": values[0]}, values, np.array([[1.0]]))
    moments = Moments(then=np.array([[0.5]]), later=np.array([[0.2]]), now=now)
    points = dict.fromkeys(WITHOUT_FEATURES, np.zeros(1)) | {
        "time": np.array([-3.0]),
        "facts": np.array([8.0]),
    }
    [parts] = _split_steps(moments, points, slope=np.array([10.0]))
    said = [(part.words, round(part.points, 9)) for part in parts if part.points]
    assert said == [("3 calls", 5.0)]
