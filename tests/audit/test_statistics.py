import numpy as np
import pytest
from scipy.stats import binomtest, rankdata, spearmanr

from leadscore.audit.statistics import (
    compute_auc_within,
    compute_bounds,
    compute_rank_correlation,
    compute_ranks,
    fit_out_of_fold,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (417, 1000)])
def test_bounds_of_a_share_are_those_of_wilson(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert np.array(compute_bounds(np.array(hits / n), np.array(n))) == pytest.approx(
        expected, abs=1e-4
    )


def test_bounds_when_there_is_nothing_to_go_by_then_say_nothing():
    assert [float(x) for x in compute_bounds(np.array(0.5), np.array(0))] == [0, 1]


def test_auc_within_when_compared_with_counting_pairs_of_each_block_then_is_equal():
    rng = np.random.default_rng(4)
    block, score, label = (
        rng.integers(0, 3, 90),
        rng.integers(0, 6, 90).astype(float),
        rng.integers(0, 2, 90) * 1.0,
    )
    above = pairs = 0.0
    for i in np.flatnonzero(label == 1):
        for j in np.flatnonzero((label == 0) & (block == block[i])):
            pairs += 1
            above += (score[i] > score[j]) + (score[i] == score[j]) / 2
    auc, low, high = compute_auc_within(score, label, block)
    assert auc == pytest.approx(above / pairs)
    assert low < auc < high


@pytest.mark.parametrize(("leads", "low"), [(20, 10 / 13.8416), (200, 100 / 103.8416)])
def test_auc_when_perfect_then_is_as_sure_as_a_share_of_the_fewer_outcomes(leads, low):
    label = np.arange(leads) % 2 * 1.0
    assert compute_auc_within(label, label, np.zeros(leads, dtype=int)) == pytest.approx(
        (1, low, 1)
    )


def test_auc_when_only_one_outcome_is_there_then_is_unknown():
    assert np.isnan(compute_auc_within(np.arange(5.0), np.ones(5), np.zeros(5, dtype=int))).all()


def test_auc_bounds_when_files_are_drawn_again_and_again_then_hold_the_truth():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(300):
        label = (rng.random(150) < 0.3) * 1.0
        _, low, high = compute_auc_within(
            rng.normal(size=150) + 1.19 * label, label, np.zeros(150, dtype=int)
        )
        held.append(low <= 0.8 <= high)  # 1.19 = sqrt(2) * z of 0.8
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("cells", [np.arange(4000), np.arange(4000) // 2], ids=["unique", "pairs"])
def test_out_of_fold_when_a_field_is_noise_with_many_values_then_tells_nothing(cells):
    label = (np.random.default_rng(1).random(4000) < 0.4) * 1.0
    block = np.zeros(4000, dtype=int)
    auc, _, _ = compute_auc_within(fit_out_of_fold(cells, label, block), label, block)
    assert auc == pytest.approx(0.5, abs=0.03)


def test_rank_correlation_is_that_of_spearman_and_its_near_end_is_nearer_to_zero():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 20, 80).astype(float)
    y = x + rng.normal(0, 10, 80)
    found, near = compute_rank_correlation(x, y)
    assert found == pytest.approx(spearmanr(x, y).statistic)
    assert 0 < near < found
    assert compute_rank_correlation(x, -y) == pytest.approx((-found, near))
    assert compute_rank_correlation(x, np.ones(80)) == (0, 0)


def test_ranks_when_values_tie_then_share_theirs():
    values = np.array([3.0, 1.0, 3.0, 2.0])
    assert compute_ranks(values) + 0.5 == pytest.approx(rankdata(values))
