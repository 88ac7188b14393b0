"""The reliability table: its bins, and their intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from evaluation.rows import make_rows, simulate, slow_bins
from leadscore.evaluation.intervals import compute_metrics
from leadscore.evaluation.metrics import (
    EvaluationSet,
)
from leadscore.evaluation.reliability import compute_reliability


def reliability_table(rows, **how):
    return pd.DataFrame([dict(bin_) for bin_ in compute_reliability(rows, **how)])


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
