"""Metrics against scikit-learn, slow loops and numbers worked by hand."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from evaluation.rows import as_arrays, make_rows, slow_bins
from leadscore.evaluation.intervals import compute_gain, compute_metrics
from leadscore.evaluation.metrics import (
    METRICS,
    compute_auc,
    compute_average_precision,
    compute_bias,
    compute_binned_error,
    compute_brier,
    compute_capture,
    compute_lift,
    compute_log_loss,
    row_log_loss,
)


def ones(values):
    return np.ones(len(values))


CASES = [
    pytest.param(seed, levels, id=f"{seed}-{levels}")
    for seed in range(4)
    for levels in (None, 4, 1)
]


@pytest.mark.parametrize(("seed", "levels"), CASES)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(compute_auc, roc_auc_score, id="auc"),
        pytest.param(compute_average_precision, average_precision_score, id="average precision"),
        pytest.param(compute_log_loss, log_loss, id="log loss"),
        pytest.param(compute_brier, brier_score_loss, id="brier"),
    ],
)
def test_metric_when_rows_have_weights_and_ties_then_equals_scikit_learn(
    ours, theirs, seed, levels
):
    rows = make_rows(seed, levels=levels)
    expected = theirs(rows.label, rows.probability, sample_weight=rows.weight)
    assert ours(rows.probability, rows.label, rows.weight) == pytest.approx(
        expected, rel=0, abs=1e-12
    )


@pytest.mark.parametrize("levels", [None, 5])
def test_auc_when_rows_weigh_alike_then_equals_the_rank_sum_statistic(levels):
    rows = make_rows(11, levels=levels)
    won, lost = rows.probability[rows.label == 1], rows.probability[rows.label == 0]
    expected = mannwhitneyu(won, lost).statistic / (len(won) * len(lost))
    assert compute_auc(rows.probability, rows.label, ones(rows.label)) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_auc_when_only_one_kind_is_there_then_is_not_a_number(label):
    p = np.array([0.1, 0.5])
    assert np.isnan(compute_auc(p, np.full(2, label), ones(p)))


def test_shares_of_wins_when_nothing_was_won_then_are_not_numbers():
    p, y = as_arrays([0.1, 0.5], [0, 0])
    assert all(
        np.isnan(metric(p, y, ones(p)))
        for metric in (compute_average_precision, compute_capture, compute_lift)
    )


def test_row_log_loss_when_the_impossible_happened_then_is_finite_and_large():
    loss = row_log_loss(*as_arrays([0, 1, 0, 1], [1, 0, 0, 1]))
    assert loss[:2] == pytest.approx(-np.log(1e-15), rel=1e-3)
    assert loss[2:] == pytest.approx(0, abs=1e-14)


def test_bias_when_probabilities_are_too_high_then_is_positive():
    p, y, w = as_arrays([0.5, 0.9, 0.2], [0, 1, 0], [1, 2, 1])
    assert compute_bias(p, y, w) == pytest.approx((0.5 - 0.2 + 0.2) / 4, abs=1e-15)


CAPTURES = [
    # twenty rows of weight 1: the first two count
    pytest.param(
        [9, 8] + [1] * 18, [1, 0, 1, 1] + [0] * 16, [1] * 20, 1 / 3, id="one of three wins on top"
    ),
    pytest.param(
        [9, 9, 9, 9] + [1] * 16,
        [1, 1, 1, 0, 1] + [0] * 15,
        [1] * 20,
        3 / 8,
        id="a tie of four at the cut",
    ),
    pytest.param(
        [9, 8, 8, 8] + [1] * 16,
        [1, 1, 0, 0, 1, 1] + [0] * 14,
        [1] * 20,
        1 / 3,
        id="one above, three tied",
    ),
    pytest.param([5] * 20, [1] * 7 + [0] * 13, [1] * 20, 0.1, id="all tied is a draw at random"),
    # weight 20 in all: the first 2 of the first row's 5 count
    pytest.param(
        [9, 8, 7, 6], [1, 1, 0, 0], [5, 5, 5, 5], 0.2, id="the cut goes through a heavy row"
    ),
    pytest.param([9, 8, 7], [1, 1, 1], [1, 9, 10], 0.1, id="all won"),
    pytest.param(
        [9, 8, 7, 6, 5], [0, 1, 1, 0, 0], [1, 2, 2, 5, 10], 1 / 4, id="second row half within"
    ),
]


@pytest.mark.parametrize(("p", "y", "w", "expected"), CAPTURES)
def test_capture_and_lift_when_worked_by_hand_then_agree(p, y, w, expected):
    p, y, w = as_arrays(p, y, w)
    p = p / 10
    assert compute_capture(p, y, w) == pytest.approx(expected, abs=1e-12)
    assert compute_lift(p, y, w) == pytest.approx(10 * expected, abs=1e-12)


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("name", METRICS)
def test_metric_when_a_weight_is_a_whole_number_then_equals_the_row_repeated(name, levels):
    rows = make_rows(3, levels=levels)
    times = np.random.default_rng(5).integers(1, 5, len(rows.label))
    repeated = rows.take(np.repeat(np.arange(len(times)), times))
    weighted = METRICS[name](rows.probability, rows.label, times.astype(float))
    assert weighted == pytest.approx(
        METRICS[name](repeated.probability, repeated.label, ones(repeated.label)), abs=1e-12
    )


@pytest.mark.parametrize("n", [400, 403, 10, 7])
def test_binned_error_when_done_by_a_slow_loop_then_is_the_same(n):
    rows = make_rows(1, n=n)
    gaps = [
        abs(sum(rows.weight[i] * (rows.probability[i] - rows.label[i]) for i in bin_))
        for bin_ in slow_bins(rows)
    ]
    found = compute_binned_error(rows.probability, rows.label, rows.weight)
    assert found == pytest.approx(sum(gaps) / rows.weight.sum(), abs=1e-12)


def test_binned_error_when_worked_by_hand_then_agrees():
    # ten bins of two rows: 0.3 and 0.5 with one win between them, nine bins of 0.8 and 0.8 that won
    p, y = as_arrays([0.3, 0.5] + [0.8] * 18, [0, 1] + [1] * 18)
    assert compute_binned_error(p, y, ones(p)) == pytest.approx((0.2 + 9 * 0.4) / 20, abs=1e-12)


@pytest.mark.parametrize("levels", [pytest.param(None, id="distinct"), pytest.param(5, id="tied")])
def test_everything_when_rows_come_in_another_order_then_is_the_same(levels):
    # a stepwise calibrator gives many rows one probability
    rows = make_rows(12, levels=levels)
    other = rows.take(np.random.default_rng(1).permutation(len(rows.label)))
    ours, theirs = (compute_metrics(each, seed=0, draws=30) for each in (rows, other))
    for name in METRICS:
        assert vars(theirs[name]) == pytest.approx(vars(ours[name]), abs=1e-12), name
    base = np.full(len(rows.label), 0.4)
    ours, theirs = (compute_gain(each, base, seed=0, draws=30) for each in (rows, other))
    for name in ours:
        assert vars(theirs[name]) == pytest.approx(vars(ours[name]), abs=1e-12), name
