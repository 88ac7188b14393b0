"""Contributions of many leads: those from tables of paths must be LightGBM's, which answers where they are not."""

import contextlib

import numpy as np
import pandas as pd
import pytest

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.contributions import shapley
from leadscore.model.contributions.paths import explain_rows
from leadscore.model.contributions.shapley import LEAST_CHECKED, TOLERANCE, compute_contributions
from leadscore.model.fit import fit_scorer

FEATURES = (
    Feature("stage_current", {}, Text("stage"), "category", "stage"),
    *(
        Feature(f"engagement_{i}", {}, Learned(), "number", f"group_{i}", direction=i == 0)
        for i in range(8)
    ),
)


def make_matrix(n, *, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"stage_current": rng.choice(np.array(["new", "offer", None], dtype=object), n)}
    for i in range(8):
        values = rng.normal(size=n)
        values[rng.random(n) < 0.2] = np.nan
        columns[f"engagement_{i}"] = values
    keys = pd.DataFrame({"lead_id": [f"{i:06d}" for i in range(n)], "as_of_us": 0})
    return Matrix(keys, columns)


MANY = shapley.FEW + 200
ODD = 135  # in each of the two chunks


@pytest.fixture(scope="module")
def model():
    matrix = make_matrix(3000)
    raw = (
        np.nan_to_num(matrix.columns["engagement_0"])
        + np.nan_to_num(matrix.columns["engagement_1"]) ** 2
    )
    label = (np.random.default_rng(1).random(3000) < 1 / (1 + np.exp(1 - raw))).astype(float)
    rows = matrix.keys.assign(label=label, weight=1.0)
    return fit_scorer(matrix, rows, kind="boosted", features=FEATURES, seed=0, threads=1)


def test_contributions_when_there_are_many_then_are_those_of_lightgbm_and_add_up(model):
    many = make_matrix(6000, seed=2).columns
    found = compute_contributions(model, many)
    np.testing.assert_allclose(found, model.contributions(many), atol=TOLERANCE)
    np.testing.assert_allclose(found.sum(axis=1), model.log_odds(many), atol=TOLERANCE)
    fast = shapley._explain_many(model, model.encode(many))
    assert fast is not None  # the fast way was taken, not the way back
    few = {name: values[:50] for name, values in many.items()}
    np.testing.assert_allclose(
        compute_contributions(model, few).sum(axis=1), model.log_odds(few), atol=1e-9
    )


def test_contributions_when_trees_split_by_levels_then_there_is_one_a_feature_and_they_add_up():
    feature = Feature("profile_country", {}, Text("country"), "category", "country")
    rng = np.random.default_rng(4)
    matrix, many = make_matrix(2000), make_matrix(MANY, seed=2).columns
    turn = rng.integers(0, 4, 2000)
    matrix.columns["profile_country"] = np.array(["at", "de", "fr", None], dtype=object)[turn]
    many["profile_country"] = np.array(["at", "de", "fr", "unheard of", None], dtype=object)[
        np.arange(MANY) % 5
    ]
    raw = np.nan_to_num(matrix.columns["engagement_1"]) * np.array([2, -2, 2, -2])[turn]
    label = (rng.random(2000) < 1 / (1 + np.exp(-raw))).astype(float)
    rows = matrix.keys.assign(label=label, weight=1.0)
    model = fit_scorer(
        matrix, rows, kind="average", features=(*FEATURES, feature), seed=0, threads=1
    )
    assert [entry["levels"] for entry in model.levels] == [["at", "de", "fr"]]
    found = compute_contributions(model, many)
    assert found.shape == (MANY, len(FEATURES) + 2)
    np.testing.assert_allclose(found.sum(axis=1), model.log_odds(many), atol=1e-9)
    assert np.ptp(found[:, len(FEATURES)]) > 0.1


def explain_a_little_otherwise(trees, encoded):
    return explain_rows(trees, encoded) + 2 * TOLERANCE


def explain_one_otherwise(trees, encoded):
    """Wrong of a row that the sample need not contain."""
    added = explain_rows(trees, encoded).copy()
    added[ODD] += 0.1
    return added


@pytest.mark.parametrize("explain", [explain_a_little_otherwise, explain_one_otherwise])
def test_contributions_when_the_fast_way_is_wrong_then_lightgbm_answers(
    model, monkeypatch, explain
):
    monkeypatch.setattr(shapley, "explain_rows", explain)
    many = make_matrix(MANY, seed=3).columns
    assert ODD not in np.random.default_rng(MANY).choice(MANY, LEAST_CHECKED, replace=False)
    is_seen = explain is explain_a_little_otherwise
    spoken = pytest.warns(match="LightGBM explains, slower")
    with spoken if is_seen else contextlib.nullcontext():
        found = compute_contributions(model, many)
    exact = model.contributions(many)
    np.testing.assert_array_equal(found[ODD], exact[ODD])
    np.testing.assert_allclose(found, exact, atol=TOLERANCE)


def test_contributions_when_a_path_has_too_many_features_then_lightgbm_answers(model, monkeypatch):
    monkeypatch.setattr("leadscore.model.contributions.paths.MOST_FEATURES", 0)
    monkeypatch.setattr(shapley, "_read_trees_of", shapley._read_trees_of.__wrapped__)
    many = make_matrix(MANY, seed=3).columns
    np.testing.assert_array_equal(compute_contributions(model, many), model.contributions(many))
