"""Intervals over resampled leads, the calibration error, and gains: as wide as theory says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from evaluation.rows import as_arrays, make_rows, simulate
from leadscore.evaluation.intervals import Estimate, compute_gain, compute_metrics
from leadscore.evaluation.metrics import (
    METRICS,
    EvaluationSet,
    compute_binned_error,
    compute_standard_error,
)
from leadscore.evaluation.resampled import draw_leads


def test_calibration_error_when_the_model_is_perfect_then_is_about_zero_though_the_raw_one_is_not():
    found = [compute_metrics(simulate(seed), seed=seed, draws=40) for seed in range(40)]
    raw = np.mean([each["calibration_error_raw"].value for each in found])
    error = np.array([each["calibration_error"].value for each in found])
    assert 0.035 < raw < 0.047
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(error))
    assert abs(error.mean()) < 0.004
    covering = np.mean(
        [each["calibration_error"].low <= 0 <= each["calibration_error"].high for each in found]
    )
    assert covering > 0.85


def test_calibration_error_when_probabilities_are_too_extreme_then_is_clearly_above_zero():
    for seed in range(5):
        rows = simulate(seed)
        odds = rows.probability / (1 - rows.probability)
        found = compute_metrics(
            replace(rows, probability=odds**3 / (1 + odds**3)), seed=seed, draws=100
        )
        assert found["calibration_error"].value > 0.05
        assert found["calibration_error"].low > 0


def test_calibration_error_when_parts_are_taken_apart_then_is_their_difference():
    found = compute_metrics(make_rows(6), seed=0, draws=20)
    rows = make_rows(6)
    raw = compute_binned_error(rows.probability, rows.label, rows.weight)
    assert found["calibration_error_raw"].value == pytest.approx(raw, abs=1e-12)
    parts = found["calibration_error_raw"].value - found["calibration_error_expected"].value
    assert found["calibration_error"].value == pytest.approx(parts, abs=1e-15)


def test_calibration_error_when_rows_share_their_lead_then_allows_for_their_shared_fate():
    # ten rows a lead, all of one fate: by chance alone the bins are off as if there were 70 rows, not 700
    rng = np.random.default_rng(0)
    errors, expected = [], []
    for seed in range(30):
        p = np.repeat(rng.beta(2, 4, 70), 10)
        fate = np.repeat(rng.random(70), 10)
        rows = EvaluationSet(
            p, (fate < p).astype(float), np.ones(700), np.repeat(np.arange(70), 10).astype(str)
        )
        found = compute_metrics(rows, seed=seed, draws=40)
        errors.append(found["calibration_error"].value)
        expected.append(found["calibration_error_expected"].value)
    assert np.mean(expected) > 0.1
    assert abs(np.mean(errors)) < 0.025


def test_intervals_when_each_row_is_repeated_ten_times_then_stay_as_wide():
    rows = make_rows(4, n=300, leads=300)
    repeated = rows.take(np.repeat(np.arange(300), 10))
    once, often = (compute_metrics(each, seed=1, draws=80) for each in (rows, repeated))
    for name in METRICS:
        assert vars(often[name]) == pytest.approx(vars(once[name]), abs=1e-9), name
    gain, gain_often = (
        compute_gain(each, np.full(len(each.label), 0.4), seed=1, draws=80)
        for each in (rows, repeated)
    )
    for name in gain:
        assert vars(gain_often[name]) == pytest.approx(vars(gain[name]), abs=1e-9), name
    errors = [
        compute_standard_error(each.label, each.weight, each.lead_id) for each in (rows, repeated)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=1e-9)


def test_interval_of_bias_when_rows_share_their_lead_then_covers_the_truth_95_times_in_100():
    rng = np.random.default_rng(3)
    covered = 0
    studies = 160
    for seed in range(studies):
        p = np.repeat(rng.beta(2, 4, 120), 4)
        y = (np.repeat(rng.random(120), 4) < p).astype(float)
        rows = EvaluationSet(
            p, y, rng.uniform(0.5, 2, 480), np.repeat(np.arange(120), 4).astype(str)
        )
        bias = compute_metrics(rows, seed=seed, draws=60)["bias"]
        covered += bias.low <= 0 <= bias.high
    # 60 draws cost some two points of coverage, 160 studies tell it to within four; resampling rows would give 0.67
    assert 0.88 <= covered / studies <= 0.985


def test_interval_of_auc_when_scores_are_normal_then_covers_the_true_area():
    rng = np.random.default_rng(4)
    truth = norm.cdf(1 / np.sqrt(2))  # scores of won leads are one standard deviation higher
    covered = 0
    studies = 80
    for seed in range(studies):
        y = (rng.random(200) < 0.3).astype(float)
        score = norm.cdf(rng.normal(y, 1))
        rows = EvaluationSet(
            np.repeat(score, 2),
            np.repeat(y, 2),
            np.ones(400),
            np.repeat(np.arange(200), 2).astype(str),
        )
        auc = compute_metrics(rows, seed=seed, draws=60)["auc"]
        covered += auc.low <= truth <= auc.high
    assert 0.87 <= covered / studies <= 0.99


@pytest.mark.parametrize("seed", range(3))
def test_standard_error_when_leads_are_resampled_by_hand_then_agrees(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 6, 200)
    lead = np.repeat(np.arange(200), n)
    value = np.repeat(rng.normal(size=200), n) + rng.normal(0, 0.3, len(lead))
    weight = rng.uniform(0.5, 3, len(lead))
    sums = np.bincount(lead, weights=weight * value), np.bincount(lead, weights=weight)
    chosen = rng.integers(0, 200, (4000, 200))
    means = sums[0][chosen].sum(axis=1) / sums[1][chosen].sum(axis=1)
    found = compute_standard_error(value, weight, np.char.add("lead ", lead.astype(str)))
    assert found == pytest.approx(means.std(), rel=0.06)


def test_standard_error_when_worked_by_hand_then_agrees():
    # leads a (0 and 2) and b (4), weights 1: mean 2, sums of deviations -2 and 2, over a weight of 3
    value, weight = as_arrays([0, 2, 4], [1, 1, 1])
    found = compute_standard_error(value, weight, np.array(["a", "a", "b"]))
    assert found == pytest.approx(np.sqrt(8) / 3, abs=1e-15)


def test_resampled_leads_when_a_lead_has_many_rows_then_they_come_up_together():
    lead_id = np.array(["b", "a", "b", "c", "d", "b", "a"])
    counts = np.stack(list(draw_leads(lead_id, seed=0, draws=2000)))
    assert counts.shape == (2000, 7)
    for rows in ([0, 2, 5], [1, 6]):
        assert (counts[:, rows] == counts[:, rows[:1]]).all()
    each = counts[:, [1, 0, 3, 4]]
    assert (each.sum(axis=1) == 4).all()
    assert each.mean(axis=0) == pytest.approx(np.ones(4), abs=0.08)
    assert each.var(axis=0) == pytest.approx(np.full(4, 4 * 0.25 * 0.75), abs=0.1)  # multinomial


def test_resampled_leads_when_the_seed_differs_then_differ_and_else_are_the_same():
    lead_id = np.arange(50).astype(str)
    first, again, other = (
        np.stack(list(draw_leads(lead_id, seed=seed, draws=5))) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_gain_when_worked_by_hand_then_agrees():
    p, y, w = as_arrays([0.8, 0.4], [1, 0], [1, 3])
    gain = compute_gain(
        EvaluationSet(p, y, w, np.array(["a", "b"])), np.full(2, 0.5), seed=0, draws=10
    )
    expected = np.log(2) + (np.log(0.8) + 3 * np.log(0.6)) / 4
    assert gain["log_loss_gain"].value == pytest.approx(expected, abs=1e-15)
    assert gain["brier_skill"].value == pytest.approx(1 - (0.04 + 3 * 0.16) / (4 * 0.25), abs=1e-15)


def test_gain_when_compared_with_itself_then_is_exactly_none():
    rows = make_rows(8)
    gain = compute_gain(rows, rows.probability, seed=0, draws=50)
    assert vars(gain["log_loss_gain"]) == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert vars(gain["brier_skill"]) == pytest.approx(
        {"value": 0.0, "low": 0.0, "high": 0.0}, abs=1e-15
    )


def test_gain_when_both_see_the_same_rows_then_is_paired():
    # both models are wrong about the same rows, so that the gain is known far better than either loss
    rows = make_rows(9)
    gain = compute_gain(rows, rows.probability * 0.95, seed=0, draws=100)["log_loss_gain"]
    loss = compute_metrics(rows, seed=0, draws=100)["log_loss"]
    assert gain.high - gain.low < (loss.high - loss.low) / 5


def test_metrics_when_asked_for_then_lie_within_their_intervals_and_equal_the_plain_functions():
    rows = make_rows(10)
    found = compute_metrics(rows, seed=0)
    assert set(found) == {
        "auc", *METRICS, "calibration_error", "calibration_error_raw", "calibration_error_expected",
    }  # fmt: skip
    for name, metric in METRICS.items():
        assert found[name].value == pytest.approx(
            metric(rows.probability, rows.label, rows.weight), abs=1e-12
        )
        assert found[name].low < found[name].value < found[name].high


def test_estimate_when_a_part_could_not_be_computed_then_is_null_in_json():
    interval = Estimate(0.5, float("nan"), float("inf")).interval()
    assert interval.to_dict() == {"value": 0.5, "low": None, "high": None}
