"""Leads of which some features change: the trees that read these and the others give what all trees give."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.changed_features import expect_changes
from leadscore.model.fit import fit_scorer

NUMBERS = [f"number_{i}" for i in range(4)]
NAMES = ["country", *NUMBERS, "unread"]
FEATURES = (
    Feature("country", {}, Text("country"), "category", "country"),
    *(Feature(name, {}, Learned(), "number", name) for name in NAMES[1:]),
)
KINDS = ["logistic", "boosted", "average"]


def make_columns(n: int, *, seed: int) -> dict[str, np.ndarray]:
    """Leads (n,), some values of which are not known."""
    rng = np.random.default_rng(seed)
    countries = np.array(["at", "de", "fr", None], dtype=object)
    columns = {"country": rng.choice(countries, n)}
    for name in NUMBERS:
        values = rng.normal(size=n)
        columns[name] = np.where(rng.random(n) < 0.2, np.nan, values)
    columns["unread"] = np.zeros(n)
    return columns


@cache
def fit(kind: str) -> WinModel:
    """A model of leads that are won by their numbers and countries."""
    columns = make_columns(1500, seed=0)
    keys = pd.DataFrame({"lead_id": [f"{i:06d}" for i in range(1500)], "as_of_us": 0})
    raw = sum(np.nan_to_num(columns[name]) for name in NUMBERS) + (columns["country"] == "at")
    drawn = np.random.default_rng(1).random(1500)
    label = (drawn < 1 / (1 + np.exp(-raw))).astype(float)
    rows = keys.assign(label=label, weight=1.0)
    return fit_scorer(Matrix(keys, columns), rows, kind=kind, features=FEATURES, seed=0, threads=1)


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(KINDS), names=st.sets(st.sampled_from(NAMES)), seed=st.integers(2, 1000)
)
def test_log_odds_when_any_features_change_then_are_those_of_all_trees(kind, names, seed):
    model = fit(kind)
    columns = make_columns(20, seed=seed)
    others = make_columns(20, seed=seed + 1)
    for_trees = model.encode_for_trees(columns)

    expecting = expect_changes(model, columns, for_trees, sorted(names))
    changed = {name: (others if name in names else columns)[name] for name in NAMES}
    expecting.encode_again(for_trees, changed, sorted(names))

    np.testing.assert_array_equal(for_trees, model.encode_for_trees(changed))
    np.testing.assert_allclose(
        expecting.log_odds(changed, for_trees), model.log_odds(changed), rtol=0, atol=1e-12
    )


def test_log_odds_when_no_tree_reads_what_changes_then_no_tree_predicts_again():
    model = fit("boosted")
    columns = make_columns(20, seed=2)
    for_trees = model.encode_for_trees(columns)
    expecting = expect_changes(model, columns, for_trees, ["unread"])
    assert expecting.booster.changed.booster is None


def test_trees_when_some_columns_change_then_only_those_that_read_them_predict_again():
    model = fit("boosted")
    columns = make_columns(20, seed=2)
    for_trees = model.encode_for_trees(columns)
    changed = expect_changes(model, columns, for_trees, ["number_0"]).booster.changed.booster
    read = [tree["tree_structure"] for tree in changed.dump_model()["tree_info"]]
    at = model.find_read(["number_0"])[0]
    assert all(at in list_columns(tree) for tree in read)

    every = [tree["tree_structure"] for tree in model.booster.dump_model()["tree_info"]]
    assert len(read) == sum(at in list_columns(tree) for tree in every) < len(every)


def list_columns(node: dict) -> set[int]:
    """The columns that the nodes of a tree read."""
    if "split_feature" not in node:
        return set()
    below = list_columns(node["left_child"]) | list_columns(node["right_child"])
    return {node["split_feature"]} | below


def test_terms_when_some_columns_change_then_only_theirs_are_added_again():
    model = fit("average")
    columns = make_columns(20, seed=2)
    linear = expect_changes(
        model, columns, model.encode_for_trees(columns), ["number_0", "country"]
    ).linear
    assert sorted(term["name"] for term in linear.terms) == ["country", "number_0"]


def test_probabilities_when_asked_of_some_trees_then_is_refused():
    model = fit("boosted")
    columns = make_columns(20, seed=2)
    for_trees = model.encode_for_trees(columns)
    with pytest.raises(ValueError, match="no probability"):
        expect_changes(model, columns, for_trees, ["number_0"]).booster.predict(
            for_trees, raw_score=False
        )
