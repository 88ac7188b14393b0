"""AUC within blocks, against every pair looked at one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.evaluation.intervals import compute_metrics
from leadscore.evaluation.metrics import EvaluationSet, compute_auc
from leadscore.evaluation.ranking import Ranking
from leadscore.evaluation.summaries import summarise_rows

ROWS = st.lists(
    st.tuples(
        st.sampled_from([0.1, 0.2, 0.5, 0.9]),
        st.sampled_from([0.0, 1.0]),
        st.floats(0.1, 10),
        st.integers(0, 3),
    ),
    max_size=25,
)


def auc_of_pairs(p, y, w, block):
    above = pairs = 0.0
    for i in np.flatnonzero(y == 1):
        for j in np.flatnonzero((y == 0) & (block == block[i])):
            pairs += w[i] * w[j]
            above += w[i] * w[j] * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
    return above / pairs if pairs else float("nan")


@given(ROWS)
def test_auc_within_blocks_when_pairs_are_counted_one_by_one_then_is_the_same(rows):
    p, y, w, block = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0),) * 4
    )
    ranking = Ranking.of(p, block)
    assert ranking.auc(y, w) == pytest.approx(auc_of_pairs(p, y, w, block), abs=1e-12, nan_ok=True)
    both = [len(set(y[block == b])) == 2 for b in np.unique(block)]
    assert ranking.count_blocks(y, w) == (sum(both), len(both) - sum(both))


@given(ROWS, st.integers(0, 2**32 - 1))
def test_auc_within_blocks_when_a_resample_leaves_rows_out_then_is_that_of_the_others(rows, seed):
    p, y, w, block = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0),) * 4
    )
    count = np.random.default_rng(seed).integers(0, 3, len(rows))
    expected = auc_of_pairs(p, y, w * count, block)
    assert Ranking.of(p, block).auc(y, w * count) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def drifting(*, dates=8, leads=200):
    """Lists whose win rate rises from date to date, and a probability that knows only the date."""
    rng = np.random.default_rng(3)
    block = np.repeat(np.arange(dates), leads)
    rate = 0.1 + 0.8 * block / dates
    label = (rng.random(len(block)) < rate).astype(float)
    return EvaluationSet(rate, label, np.ones(len(block)), np.arange(len(block)).astype(str), block)


def test_auc_when_only_the_win_rate_drifts_then_ranks_nobody_and_the_pooled_one_stands_beside_it():
    rows = drifting()
    found = compute_metrics(rows, seed=0, draws=20)
    assert vars(found["auc"]) == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert found["pooled_auc"].value == compute_auc(rows.probability, rows.label, rows.weight)
    assert found["pooled_auc"].value > 0.7


def test_auc_when_all_rows_are_of_one_list_then_equals_the_pooled_one():
    rows = drifting()
    one = EvaluationSet(rows.probability, rows.label, rows.weight, rows.lead_id)
    assert one.auc() == pytest.approx(
        compute_auc(rows.probability, rows.label, rows.weight), abs=1e-12
    )


def test_auc_when_a_list_has_leads_of_one_outcome_then_it_is_left_out_and_counted():
    rows = drifting()
    lost = EvaluationSet(
        rows.probability,
        np.where(rows.block < 2, 0.0, rows.label),
        rows.weight,
        rows.lead_id,
        rows.block,
    )
    described = summarise_rows(lost)
    assert (described.auc_blocks, described.auc_blocks_left_out) == (6, 2)
    assert lost.auc() == lost.take(lost.block >= 2).auc()
    assert np.isnan(lost.take(lost.block < 2).auc())
