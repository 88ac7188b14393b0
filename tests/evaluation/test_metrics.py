from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, mannwhitneyu, norm
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from leadscore.evaluation.intervals import Estimate, compute_gain, compute_metrics
from leadscore.evaluation.metrics import (
    METRICS,
    EvaluationSet,
    compute_auc,
    compute_average_precision,
    compute_bias,
    compute_binned_error,
    compute_brier,
    compute_capture,
    compute_lift,
    compute_log_loss,
    compute_standard_error,
    row_log_loss,
)
from leadscore.evaluation.reliability import compute_reliability
from leadscore.evaluation.resampled import draw_leads


def reliability_table(rows, **how):
    return pd.DataFrame([dict(bin_) for bin_ in compute_reliability(rows, **how)])


def make_rows(seed, *, n=400, leads=150, levels=None):
    rng = np.random.default_rng(seed)
    p = (
        rng.uniform(0.02, 0.98, n)
        if levels is None
        else rng.integers(1, levels + 1, n) / (levels + 1)
    )
    y = (rng.random(n) < p).astype(float)
    return EvaluationSet(
        p, y, rng.uniform(0.2, 5, n), np.array([f"lead {i}" for i in rng.integers(0, leads, n)])
    )


def ones(values):
    return np.ones(len(values))


def as_arrays(*lists):
    return tuple(np.array(values, dtype=float) for values in lists)


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


def slow_bins(rows):
    """Ten bins: the k-th holds the rows whose rank r has k n / 10 <= r < (k + 1) n / 10."""
    n = len(rows.label)
    ranked = sorted(range(n), key=lambda i: rows.probability[i])
    return [
        [i for r, i in enumerate(ranked) if 10 * r >= k * n and 10 * r < (k + 1) * n]
        for k in range(10)
    ]


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


@pytest.mark.parametrize("n", [400, 403, 7])
def test_reliability_when_done_by_a_slow_loop_then_is_the_same(n):
    rows = make_rows(2, n=n)
    table = reliability_table(rows)
    filled = [bin_ for bin_ in slow_bins(rows) if bin_]
    assert len(table) == len(filled)
    for found, bin_ in zip(table.itertuples(), filled, strict=True):
        weight = sum(rows.weight[i] for i in bin_)
        assert (found.n, found.leads) == (len(bin_), len({rows.lead_id[i] for i in bin_}))
        assert found.weight == pytest.approx(weight)
        mean = sum(rows.weight[i] * rows.probability[i] for i in bin_) / weight
        assert found.mean_probability == pytest.approx(mean, abs=1e-12)
        rate = sum(rows.weight[i] * rows.label[i] for i in bin_) / weight
        assert found.win_rate == pytest.approx(rate, abs=1e-12)


def test_reliability_when_leads_are_independent_then_its_intervals_are_as_wide_as_theory_says():
    table = reliability_table(simulate(1, n=4000), seed=3)
    theory = 2 * 1.96 * np.sqrt(table["win_rate"] * (1 - table["win_rate"]) / table["n"])
    assert (table["high"] - table["low"]).to_numpy() == pytest.approx(theory.to_numpy(), rel=0.2)
    assert ((table["low"] < table["win_rate"]) & (table["win_rate"] < table["high"])).all()


def test_reliability_when_every_row_comes_four_times_then_its_intervals_do_not_shrink():
    rows = simulate(2, n=800)
    again = rows.take(np.repeat(np.arange(800), 4))
    once, four = (reliability_table(each, seed=5) for each in (rows, again))
    assert four[["low", "high"]].to_numpy() == pytest.approx(
        once[["low", "high"]].to_numpy(), abs=1e-12
    )


def test_reliability_when_a_bin_has_outcomes_of_one_kind_then_its_interval_is_the_exact_bound():
    p = np.repeat([0.1, 0.9], 50)
    rows = EvaluationSet(p, (p > 0.5).astype(float), np.ones(100), np.arange(100).astype(str))
    table = reliability_table(rows, seed=0)
    exact = [binomtest(round(rate * 10), 10).proportion_ci() for rate in table["win_rate"]]
    assert table[["low", "high"]].to_numpy() == pytest.approx(
        np.array([[e.low, e.high] for e in exact]), abs=1e-12
    )


def test_reliability_when_computed_again_then_depends_on_the_seed_alone():
    first, second, other = (reliability_table(simulate(3), seed=seed) for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first[["low", "high"]].equals(other[["low", "high"]])


def simulate(seed, *, n=700):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 4, n)
    return EvaluationSet(p, (rng.random(n) < p).astype(float), np.ones(n), np.arange(n).astype(str))


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


@pytest.mark.parametrize("levels", [pytest.param(None, id="distinct"), pytest.param(5, id="tied")])
def test_bins_when_rows_come_in_another_order_then_are_the_same(levels):
    rows = make_rows(12, levels=levels)
    other = rows.take(np.random.default_rng(1).permutation(len(rows.label)))
    tables = [reliability_table(each).to_numpy() for each in (rows, other)]
    assert tables[1] == pytest.approx(tables[0], abs=1e-9)
    errors = [compute_metrics(each, seed=0, draws=30) for each in (rows, other)]
    for name in ("calibration_error_raw", "calibration_error_expected"):
        assert errors[1][name].value == pytest.approx(errors[0][name].value, abs=1e-12)
    assert vars(errors[1]["calibration_error"]) == pytest.approx(
        vars(errors[0]["calibration_error"]), abs=1e-12
    )


@pytest.mark.parametrize(
    "levels", [pytest.param(None, id="distinct"), pytest.param(3, id="tied"), 1]
)
def test_bins_when_outcomes_change_then_hold_the_same_rows(levels):
    # were rows of one probability sorted by outcome, a model that gives all leads the base rate would look awful
    rows = make_rows(13, levels=levels)
    other = EvaluationSet(rows.probability, 1 - rows.label, rows.weight, rows.lead_id)
    ours, theirs = (
        reliability_table(each)[["n", "leads", "weight", "mean_probability"]].to_numpy()
        for each in (rows, other)
    )
    assert theirs == pytest.approx(ours, abs=1e-9)


def test_bins_when_all_leads_get_the_base_rate_then_each_holds_about_that_rate():
    rng = np.random.default_rng(14)
    rows = EvaluationSet(
        np.full(2000, 0.3),
        (rng.random(2000) < 0.3).astype(float),
        np.ones(2000),
        np.arange(2000).astype(str),
    )
    assert reliability_table(rows)["win_rate"].between(0.15, 0.45).all()
    found = compute_metrics(rows, seed=0, draws=40)
    assert found["calibration_error_raw"].value < 0.05
    assert found["calibration_error_expected"].value < 0.05


def test_estimate_when_a_part_could_not_be_computed_then_is_null_in_json():
    interval = Estimate(0.5, float("nan"), float("inf")).interval()
    assert interval.to_dict() == {"value": 0.5, "low": None, "high": None}
