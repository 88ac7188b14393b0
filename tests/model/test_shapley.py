"""Contributions of many leads: woodelf's must be LightGBM's, and LightGBM answers where they are not."""

import contextlib
import sys

import numpy as np
import pandas as pd
import pytest

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.contributions import shapley
from leadscore.model.contributions.shapley import CHECKED, TOLERANCE, compute_contributions
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


MANY = shapley.FEW + CHECKED
ODD = 1235  # of each of the two chunks


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
    fast = shapley._explain_many(model.booster, model.encode(many))
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


class Wrong:
    """Explains a little otherwise."""

    def __init__(self, booster):
        self.booster = booster

    def shap_values(self, frame, verbose):
        return self.booster.predict(frame.to_numpy(), pred_contrib=True)[:, :-1] + 2 * TOLERANCE


class WrongOfOne(Wrong):
    """Explains one row of a chunk otherwise, which the sample need not contain."""

    def shap_values(self, frame, verbose):
        found = self.booster.predict(frame.to_numpy(), pred_contrib=True)[:, :-1]
        found[ODD] += 0.1
        return found


class Broken(Wrong):
    def shap_values(self, frame, verbose):
        raise ValueError("no such tree")


@pytest.mark.parametrize("explainer", [Wrong, WrongOfOne, Broken])
def test_contributions_when_the_fast_way_is_wrong_or_fails_then_lightgbm_answers(
    model, monkeypatch, explainer
):
    monkeypatch.setattr(
        sys.modules.get("woodelf") or __import__("woodelf"), "WoodelfExplainer", explainer
    )
    many = make_matrix(MANY, seed=3).columns
    sample = np.random.default_rng(MANY).choice(MANY, CHECKED, replace=False)
    assert not {ODD, MANY // 2 + ODD} & set(sample.tolist())
    spoken = (
        contextlib.nullcontext()
        if explainer is WrongOfOne
        else pytest.warns(match="LightGBM explains, slower")
    )
    with spoken:
        found = compute_contributions(model, many)
    np.testing.assert_array_equal(found, model.contributions(many))
