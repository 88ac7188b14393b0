"""Yardsticks: naive Bayes by hand and against scikit-learn's, and tables whose differences are paired."""

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import CategoricalNB

from histories import (
    open_stored,
    open_undated,
    sales_facts,
    sales_settings,
    undated_leads,
    write_store,
)
from leadscore.evaluation.metrics import METRICS
from leadscore.evaluation.resampled import draw_leads
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.basis import REPEATS
from leadscore.model.encode import fold_of_group
from leadscore.model.training import open_training
from leadscore.progress import silent
from leadscore.settings.scorecard import Scorecard
from leadscore.validation.baselines import predict_baselines
from leadscore.validation.comparison import OURS, compare_models, compute_table
from leadscore.validation.naive_bayes import predict_naive_bayes

STAGE = Feature("stage_current", {}, Text("stage"), "category", "stage")
COUNTRY = Feature("profile_country", {}, Text("country"), "category", "country")
SIZE = Feature("profile_size", {}, Learned(), "number", "size")
EMAILS = Feature("engagement_emails", {}, Learned(), "count", "emails")
MODELS = {
    "base_rate",
    "stage_only",
    "scorecard",
    "logistic",
    "lightgbm",
    "hist_gradient_boosting",
    "naive_bayes",
}


def matrix_of(**columns):
    n = len(next(iter(columns.values())))
    keys = pd.DataFrame({"lead_id": [f"{i:04d}" for i in range(n)], "as_of_us": range(n)})
    return Matrix(keys, {name: np.array(values, dtype=object) for name, values in columns.items()})


def test_naive_bayes_when_counted_by_hand_then_is_that():
    seen = matrix_of(stage_current=["new", "new", "offer", "offer"], engagement_emails=[1, 2, 3, 4])
    asked = matrix_of(
        stage_current=["new", "offer", None, "never seen"], engagement_emails=[9, 9, 9, 9]
    )
    label, weight = np.array([0.0, 0.0, 1.0, 0.0]), np.ones(4)
    found = predict_naive_bayes(seen, label, weight, asked, [STAGE, EMAILS])
    # (won + 1) / (lost + 1) = 2/4; of the won 1/3 in new and 2/3 in offer, of the lost 3/5 and 2/5
    odds = np.array([2 / 4 * (1 / 3) / (3 / 5), 2 / 4 * (2 / 3) / (2 / 5), 2 / 4, 2 / 4])
    np.testing.assert_allclose(found, odds / (1 + odds))


def test_naive_bayes_when_nothing_is_missing_then_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(0, 3, 500), rng.integers(0, 4, 500)])
    label = (rng.random(500) < 0.2 + 0.15 * codes[:, 0]).astype(float)
    texts = codes.astype(str)
    matrix = matrix_of(stage_current=texts[:, 0], profile_country=texts[:, 1])
    found = predict_naive_bayes(matrix, label, np.ones(500), matrix, [STAGE, COUNTRY])
    prior = (label.sum() + 1) / 502
    oracle = CategoricalNB(alpha=1, class_prior=[1 - prior, prior]).fit(codes, label)
    np.testing.assert_allclose(found, oracle.predict_proba(codes)[:, 1], atol=1e-12)


def test_naive_bayes_when_a_number_is_unknown_then_it_says_nothing():
    rng = np.random.default_rng(1)
    size = rng.normal(size=400)
    label = (size + rng.normal(size=400) > 0).astype(float)
    keys = pd.DataFrame({"lead_id": range(400), "as_of_us": range(400)})
    asked = Matrix(keys.iloc[:3], {"profile_size": np.array([-3.0, 3.0, np.nan])})
    low, high, unknown = predict_naive_bayes(
        Matrix(keys, {"profile_size": size}), label, np.ones(400), asked, [SIZE]
    )  # fmt: skip
    assert low < unknown < high
    assert unknown == pytest.approx((label.sum() + 1) / 402)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    settings = sales_settings(
        tmp_path_factory.mktemp("compare"), model={"scorer": "logistic", "trials": 1}
    )
    write_store(sales_facts(settings, leads=400, days=110, seed=3, signal=1.8), known_until=110)
    history = open_stored(settings)
    return compare_models(history, known_us=history.version.known_until_us)


def test_models_when_compared_then_all_predict_the_rows_that_judge_ours(compared):
    assert set(compared.predictions) == {OURS, *MODELS}
    for name, probability in compared.predictions.items():
        assert probability.shape == compared.evaluated.label.shape
        assert np.isfinite(probability).all(), name
        assert ((probability >= 0) & (probability <= 1)).all(), name
    table = compared.table(seed=5)
    ours = compared.result.evaluation.overall
    assert table[OURS].log_loss.value == ours.log_loss.value
    assert (table[OURS].leads, table[OURS].difference) == (ours.leads, {})


def test_differences_when_computed_then_are_those_of_a_slow_loop_over_the_same_resamples(compared):
    judged, seed = compared.evaluated, 5
    counts = list(draw_leads(judged.lead_id, seed=seed, draws=300))
    table = compared.table(seed=seed)
    for name in ("naive_bayes", "lightgbm"):
        theirs, ours = compared.predictions[name], judged.probability
        for key in ("pooled_auc", "brier", "log_loss"):
            metric, told = METRICS[key], table[name].difference[key]
            weights = [judged.weight * count for count in counts]
            spread = [
                metric(theirs, judged.label, w) - metric(ours, judged.label, w) for w in weights
            ]
            value = metric(theirs, judged.label, judged.weight) - metric(
                ours, judged.label, judged.weight
            )
            np.testing.assert_allclose(
                [told.value, told.low, told.high],
                [value, *np.percentile(spread, [2.5, 97.5])],
                atol=1e-12,
            )


def test_differences_when_a_model_is_ours_then_are_none_at_all(compared):
    judged = compared.evaluated
    same = {
        OURS: judged.probability,
        "copy": judged.probability,
        "base_rate": np.full(len(judged.label), 0.3),
    }
    table = compute_table(judged, same, seed=1)
    for told in table["copy"].difference.values():
        assert told.value == 0
        assert told.low in {0, None}


@pytest.fixture(scope="module")
def without_order():
    """200 leads, 40 of them twice: what is learned from, and the comparison."""
    rows = undated_leads(leads=200, seed=2)
    rows = pd.concat(
        [rows, rows.head(40).assign(id=[f"again{i}" for i in range(40)])], ignore_index=True
    )
    history = open_undated(
        rows, time="none", model={"scorer": "logistic", "trials": 1, "identical_rows": "together"}
    )
    until = history.version.known_until_us
    training = open_training(history, known_us=until, progress=silent, leave_out=set())
    return training, compare_models(history, known_us=until)


@pytest.mark.slow
def test_models_when_leads_have_no_order_then_each_is_predicted_in_the_folds_that_ours_was(
    without_order,
):
    training, compared = without_order
    label, weight = (training.side.rows[name].to_numpy() for name in ("label", "weight"))
    groups = training.matrix.take(training.side.rows).groups()
    expected = []
    for repeat in range(REPEATS):
        fold = fold_of_group(groups, seed=(training.history.settings.seed, repeat))
        expected += [np.average(label[fold != k], weights=weight[fold != k]) for k in fold]
    np.testing.assert_allclose(compared.predictions["base_rate"], expected)
    np.testing.assert_array_equal(compared.evaluated.label, np.tile(label, REPEATS))
    np.testing.assert_array_equal(compared.evaluated.units, np.tile(groups, REPEATS))


@pytest.mark.slow
def test_models_when_leads_have_no_order_then_equal_ones_are_predicted_equally(without_order):
    training, compared = without_order
    repeat = np.repeat(np.arange(REPEATS), len(training.side.rows))
    for name in compared.predictions:
        told = pd.Series(compared.predictions[name]).groupby([compared.evaluated.units, repeat])
        assert (told.nunique() == 1).all(), name


def test_peers_when_a_category_has_its_own_meaning_then_all_three_see_it_and_unseen_levels_do_no_harm():
    rng = np.random.default_rng(2)
    country = rng.choice(np.array(["at", "ch", "de", "fr"], dtype=object), 2000)
    chance = pd.Series(country).map({"at": 0.8, "ch": 0.1, "de": 0.7, "fr": 0.2}).to_numpy()
    label = (rng.random(2000) < chance).astype(float)
    seen = matrix_of(profile_country=country)
    asked = matrix_of(profile_country=["at", "ch", "de", "fr", None, "new"])
    snapshots = seen.keys.assign(label=label, weight=1.0)
    side = Side("all", snapshots, known_us=2000, watched=1.0, capped_share=0.0, target=None)
    rows = asked.keys.assign(lead_id="asked " + asked.keys["lead_id"])
    keys = pd.concat([seen.keys, rows], ignore_index=True)
    both = Matrix(
        keys, {"profile_country": np.concatenate([country, asked.columns["profile_country"]])}
    )
    found = predict_baselines(both, side, rows, [COUNTRY], scorecard=Scorecard())
    for name in ("logistic", "lightgbm", "hist_gradient_boosting"):
        np.testing.assert_allclose(found[name][:4], [0.8, 0.1, 0.7, 0.2], atol=0.1)
        assert ((found[name][4:] > 0.05) & (found[name][4:] < 0.95)).all()
