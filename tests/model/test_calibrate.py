import json
import warnings
from functools import partial

import numpy as np
import pytest
from betacal import BetaCalibration
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from venn_abers import VennAbers

from leadscore.model.apply import calibrate
from leadscore.model.calibration.calibrate import KINDS, fit_calibrator

FITTED = [kind for kind in KINDS if kind != "none"]


def simulate(seed, n, *, slope=1.0, intercept=0.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(-0.5, 1.2, n)
    return (
        raw,
        (rng.random(n) < expit(slope * raw + intercept)).astype(float),
        rng.uniform(0.2, 4, n),
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-500, 500).map(lambda x: x / 100),
            st.booleans(),
            st.integers(1, 100).map(lambda x: x / 10),
        ),
        min_size=4,
        max_size=60,
    ),
    asked=st.lists(st.floats(-8, 8), min_size=2, max_size=50),
)
def test_calibrated_probability_when_raw_grows_then_never_falls(kind, rows, asked):
    raw, label, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    label[:2] = 0, 1  # both kinds are needed to fit anything
    calibrator = fit_calibrator(kind, raw, label, weight, leads=len(rows))
    grid = np.unique(np.round(np.concatenate([asked, raw, np.linspace(-8, 8, 201)]), 9))
    found = calibrate(calibrator, grid)
    assert (np.diff(found) >= 0).all()
    assert found[0] >= 1 / (2 * len(rows))
    assert found[-1] <= 1 - 1 / (2 * len(rows))


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("sigmoid", 1e-4), ("beta", 1e-4), ("isotonic", 1e-9), ("venn_abers", 1e-12)],
)
@pytest.mark.parametrize("seed", range(3))
def test_calibrator_when_a_weight_is_a_whole_number_then_equals_the_row_repeated(
    kind, tolerance, seed
):
    raw, label, _ = simulate(seed, 300, slope=0.7)
    times = np.random.default_rng(seed).integers(1, 6, 300)
    weighted = fit_calibrator(kind, raw, label, times.astype(float), leads=300)
    rows = np.repeat(np.arange(300), times)
    repeated = fit_calibrator(kind, raw[rows], label[rows], np.ones(len(rows)), leads=300)
    grid = np.linspace(-6, 6, 500)
    assert calibrate(weighted, grid) == pytest.approx(calibrate(repeated, grid), abs=tolerance)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "venn_abers"])
@pytest.mark.parametrize(
    ("leads", "low", "high"), [(1, 0.5, 0.5), (2, 0.25, 0.75), (50, 0.01, 0.99)]
)
def test_calibrated_probability_when_few_leads_were_seen_then_stays_within_what_they_can_show(
    kind, leads, low, high
):
    raw = np.linspace(-3, 3, 60)
    label = (raw > 0.2).astype(float)
    label[[10, 50]] = 1 - label[[10, 50]]
    found = calibrate(
        fit_calibrator(kind, raw, label, np.ones(60), leads=leads), np.array([-1e3, 0, 1e3])
    )
    assert found[0] == pytest.approx(low, abs=1e-15)
    assert found[-1] == pytest.approx(high, abs=1e-15)
    assert low <= found[1] <= high


@pytest.mark.parametrize("seed", range(3))
def test_isotonic_when_compared_with_scikit_learn_then_is_the_same_at_any_raw(seed):
    raw, label, weight = simulate(seed, 400)
    raw = np.round(raw, 1)  # with ties
    calibrator = fit_calibrator("isotonic", raw, label, weight, leads=10**6)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(raw, label, sample_weight=weight)
    grid = np.concatenate([raw, np.linspace(-9, 9, 777)])
    expected = np.clip(theirs.predict(grid), 1 / (2 * 10**6), 1 - 1 / (2 * 10**6))
    assert calibrate(calibrator, grid) == pytest.approx(expected, abs=1e-12)


def test_isotonic_when_worked_by_the_max_min_formula_then_is_the_same():
    # least squares under order: at i the largest over a <= i of the smallest over b >= i of the mean of a..b
    raw, label, weight = simulate(9, 40)
    order = np.argsort(raw)
    y, w = label[order], weight[order]
    expected = [
        max(
            min(np.average(y[a : b + 1], weights=w[a : b + 1]) for b in range(i, 40))
            for a in range(i + 1)
        )
        for i in range(40)
    ]
    calibrator = fit_calibrator("isotonic", raw, label, weight, leads=10**9)
    assert calibrate(calibrator, raw[order]) == pytest.approx(np.array(expected), abs=1e-8)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, -1.0), (1.6, 0.4), (1.0, 0.0)])
def test_sigmoid_when_the_distortion_is_known_then_finds_it(slope, intercept):
    raw, label, _ = simulate(1, 60_000, slope=slope, intercept=intercept)
    found = fit_calibrator("sigmoid", raw, label, np.ones(60_000), leads=60_000)
    assert found["slope"] == pytest.approx(slope, abs=0.05)
    assert found["intercept"] == pytest.approx(intercept, abs=0.05)


def test_sigmoid_when_fitted_then_leaves_no_bias_and_none_along_raw():
    # the score equations of a logistic fit without penalty
    raw, label, weight = simulate(2, 500, slope=0.6)
    found = calibrate(fit_calibrator("sigmoid", raw, label, weight, leads=10**6), raw)
    assert np.average(found - label, weights=weight) == pytest.approx(0, abs=1e-4)
    assert np.average((found - label) * raw, weights=weight) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("kind", ["sigmoid", "beta"])
def test_smooth_calibrator_when_raw_is_upside_down_then_only_the_base_rate_is_left(kind):
    raw, label, weight = simulate(3, 500, slope=-1.0)
    found = calibrate(fit_calibrator(kind, raw, label, weight, leads=500), np.linspace(-9, 9, 50))
    assert found == pytest.approx(np.average(label, weights=weight), abs=1e-12)


BETA_CASES = [  # seed, slope of the truth below raw 0 and above it; which of a, b stay
    (0, 0.7, 0.7, {"a", "b"}),
    (1, 1.8, 0.5, {"a", "b"}),
    (2, 1.0, -1.6, {"a"}),
    (3, -1.6, 1.0, {"b"}),
]


@pytest.mark.parametrize(("seed", "below", "above", "stays"), BETA_CASES)
def test_beta_when_compared_with_betacal_then_is_the_same_at_any_raw(
    monkeypatch, seed, below, above, stays
):
    exact = partial(LogisticRegression, tol=1e-9, max_iter=10_000)  # theirs stops some 1e-3 before
    monkeypatch.setattr("betacal.beta_calibration.LogisticRegression", exact)
    rng = np.random.default_rng(seed)
    raw, weight = rng.normal(-0.2, 1.5, 2000), rng.uniform(0.2, 4, 2000)
    label = (rng.random(2000) < expit(np.where(raw < 0, below, above) * raw - 0.3)).astype(float)
    calibrator = fit_calibrator("beta", raw, label, weight, leads=10**6)
    assert {name for name in "ab" if calibrator[name] > 0} == stays
    with (
        warnings.catch_warnings()
    ):  # theirs says of each fit that its way of asking for no penalty is old
        warnings.simplefilter("ignore")
        theirs = BetaCalibration(parameters="abm").fit(
            expit(raw)[:, None], label, sample_weight=weight
        )
        grid = np.linspace(-6, 6, 300)
        expected = theirs.predict(expit(grid))
    assert calibrate(calibrator, grid) == pytest.approx(expected, abs=2e-5)


def test_beta_when_fitted_then_leaves_no_bias_and_none_along_its_terms():
    # the score equations of a logistic fit without penalty
    raw, label, weight = simulate(2, 500, slope=0.6)
    gap = weight * (calibrate(fit_calibrator("beta", raw, label, weight, leads=10**6), raw) - label)
    for term in (np.ones(500), np.log(expit(raw)), np.log(expit(-raw))):
        assert (gap * term).sum() / weight.sum() == pytest.approx(0, abs=1e-5)


def test_beta_when_a_and_b_are_one_then_changes_nothing():
    grid = np.linspace(-40, 40, 99)
    found = calibrate(
        {"kind": "beta", "a": 1.0, "b": 1.0, "intercept": 0.0, "low": 0.0, "high": 1.0}, grid
    )
    assert found == pytest.approx(expit(grid), rel=1e-12)


@pytest.mark.parametrize(("n", "decimals"), [(2, 1), (30, 1), (300, 1), (300, 9)])
@pytest.mark.parametrize("seed", range(3))
def test_venn_abers_when_compared_with_the_package_then_is_the_same_at_and_between_points(
    seed, n, decimals
):
    raw, label, _ = simulate(seed, n, slope=0.7)
    raw = np.round(raw, decimals)
    label[:2] = 0, 1
    points = np.unique(raw)
    grid = np.concatenate([points, (points[:-1] + points[1:]) / 2, [-99, 99]])
    with warnings.catch_warnings():  # theirs takes the least of nothing at its last point
        warnings.simplefilter("ignore")
        theirs = VennAbers()
        theirs.fit(np.column_stack([expit(-raw), expit(raw)]), label)
        expected = theirs.predict_proba(np.column_stack([expit(-grid), expit(grid)]))[0][:, 1]
    found = calibrate(fit_calibrator("venn_abers", raw, label, np.ones(n), leads=10**9), grid)
    assert found == pytest.approx(expected, abs=1e-9)


def test_venn_abers_when_each_lead_joins_an_isotonic_fit_twice_then_is_the_same():
    # the definition, with weights: scikit-learn fits once with the lead as won, once as not
    raw, label, weight = simulate(7, 120, slope=0.6)
    raw = np.round(raw, 1)
    calibrator = fit_calibrator("venn_abers", raw, label, weight, leads=10**9)
    for asked in np.concatenate([np.unique(raw), np.unique(raw) + 0.03, [-9, 9]]):
        joined = [
            IsotonicRegression().fit(np.r_[raw, asked], np.r_[label, y], sample_weight=np.r_[weight, 1.0])
            .predict([asked])[0] for y in (0.0, 1.0)
        ]  # fmt: skip
        expected = joined[1] / (1 - joined[0] + joined[1])
        assert calibrate(calibrator, np.array([asked])) == pytest.approx([expected], abs=1e-8)


def test_isotonic_when_raw_is_upside_down_then_only_the_base_rate_is_left():
    raw, label, weight = (
        np.arange(6.0),
        np.array([1.0, 1, 1, 0, 0, 0]),
        np.array([1.0, 1, 2, 1, 1, 2]),
    )
    found = calibrate(
        fit_calibrator("isotonic", raw, label, weight, leads=100), np.linspace(-9, 9, 50)
    )
    assert found == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(("label", "bound"), [(0.0, 0.01), (1.0, 0.99)])
@pytest.mark.parametrize("kind", [kind for kind in FITTED if kind != "venn_abers"])
def test_calibrator_when_all_rows_ended_alike_then_is_at_the_bound_of_what_they_can_show(
    kind, label, bound
):
    raw, _, weight = simulate(4, 50)
    found = calibrate(
        fit_calibrator(kind, raw, np.full(50, label), weight, leads=50), np.linspace(-9, 9, 50)
    )
    assert found == pytest.approx(bound, abs=1e-12)


@pytest.mark.parametrize("kind", FITTED)
def test_calibrator_when_raw_is_all_one_value_then_is_the_base_rate(kind):
    label = np.array([1.0, 0, 0, 0])
    found = calibrate(
        fit_calibrator(kind, np.full(4, 0.3), label, np.ones(4), leads=100), np.array([0.3])
    )
    joined = (1 + 1) / (4 + 1) / (1 - 1 / 5 + 2 / 5)  # Venn-Abers: p1 = 2/5, p0 = 1/5
    assert found == pytest.approx(joined if kind == "venn_abers" else 0.25, abs=1e-4)


def test_none_when_applied_then_is_the_inverse_of_log_odds():
    calibrator = fit_calibrator("none", np.zeros(0), np.zeros(0), np.zeros(0), leads=10**6)
    grid = np.linspace(-10, 10, 99)
    assert calibrate(calibrator, grid) == pytest.approx(expit(grid), rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_calibrator_when_it_went_through_json_then_gives_the_same_bits(kind):
    raw, label, weight = simulate(5, 400)
    calibrator = fit_calibrator(kind, raw, label, weight, leads=377)
    again = json.loads(json.dumps(calibrator))
    assert again == calibrator
    grid = np.concatenate([raw, np.linspace(-9, 9, 777)])
    assert calibrate(again, grid).tobytes() == calibrate(calibrator, grid).tobytes()


def test_calibrator_when_its_kind_is_unknown_then_is_refused():
    with pytest.raises(ValueError, match="unknown calibrator 'platt'"):
        fit_calibrator("platt", np.zeros(2), np.array([0.0, 1.0]), np.ones(2), leads=2)
    with pytest.raises(ValueError, match="unknown calibrator 'platt'"):
        calibrate({"kind": "platt", "low": 0, "high": 1}, np.zeros(2))
