"""Trees on few fields: what two fields tell only together is learned, from numbers, categories and both."""

import lightgbm
import numpy as np
import pandas as pd
import pytest

from histories import open_undated
from leadscore.evaluation.metrics import compute_auc
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.model.apply import sigmoid
from leadscore.model.scorers.boosted import LEAST_FEATURES, Boosting, TreeRows
from leadscore.model.train import fit_model
from leadscore.progress import silent


def feature(name, unit="number", **more):
    return Feature(name, {}, Learned(), unit, name, **more)


def expected_auc(raw, chance):
    """The AUC to expect if every lead is won with its true chance, without the luck of one draw."""
    label = np.repeat([1.0, 0.0], len(chance))
    return compute_auc(np.tile(raw, 2), label, np.concatenate([chance, 1 - chance]))


def fit_trees(numbers, label, *, boosting, seed=1):
    """The trees of numbers (n, p), as LightGBM reads them."""
    features = [feature(f"x{i}") for i in range(numbers.shape[1])]
    rows = TreeRows.of(numbers, label, np.ones(len(label)), features=features)
    text = rows.fit(boosting, seed=seed, threads=1)
    return lightgbm.Booster(model_str=text)


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("constant", [0, 30])
@pytest.mark.parametrize("noise", [0, 2, 5])
def test_trees_when_two_of_few_numbers_act_together_then_learn_it_whatever_share_was_proposed(
    noise, constant, share
):
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=(4_000, 2 + noise))
    chance = sigmoid(1.5 * np.sign(numbers[:, 0] * numbers[:, 1]) - 0.5)
    numbers = np.hstack([numbers, np.full((4_000, constant), np.nan)])
    label = (rng.random(4_000) < chance).astype(float)
    booster = fit_trees(
        numbers[:2_500], label[:2_500], boosting=Boosting(trees=100, feature_share=share)
    )
    raw = np.asarray(booster.predict(numbers[2_500:], raw_score=True))
    best = expected_auc(chance[2_500:], chance[2_500:])
    assert expected_auc(raw, chance[2_500:]) > best - 0.03


def test_trees_when_features_are_many_then_each_chooses_from_the_share_alone():
    rng = np.random.default_rng(4)
    numbers = rng.normal(size=(2_000, 40))
    label = (rng.random(2_000) < sigmoid(numbers.sum(axis=1))).astype(float)
    booster = fit_trees(
        numbers, label, boosting=Boosting(trees=60, leaves=31, l2=0.0, feature_share=0.3)
    )
    trees = booster.trees_to_dataframe().dropna(subset=["split_feature"])
    used = trees.groupby("tree_index")["split_feature"].nunique()
    assert LEAST_FEATURES < used.max() <= 12


# --- From leads on ---------------------------------------------------------------------------------------------------

REGIONS = np.array(["north", "south", "east", "west"])
PRODUCTS = np.array(["basic", "pro", "team", "max"])


def draw_leads(kind, n, seed=5):
    """Rows of two fields that act together, the fields' types, and each lead's chance."""
    rng = np.random.default_rng(seed)
    x, z = rng.integers(-100, 100, (2, n))
    region, product = rng.integers(0, 4, (2, n))
    number = {"type": "number", "decimals": 0}
    if kind == "numbers":
        leaning = 1.5 * np.sign((x + 0.5) * (z + 0.5)) - 0.5
        return {"x": x, "z": z}, {"x": number, "z": number}, sigmoid(leaning)
    if kind == "a slope that turns":
        leaning = 1.3 * x / 58 * np.array([1, -1, 1, -1])[region] - 0.7
        return {"region": REGIONS[region], "x": x}, {"region": {}, "x": number}, sigmoid(leaning)
    effects = np.random.default_rng(12).normal(0, 1.3, (4, 4))
    leaning = effects[region, product] - 0.5
    return (
        {"region": REGIONS[region], "product": PRODUCTS[product]},
        {"region": {}, "product": {}},
        sigmoid(leaning),
    )


def open_leads(kind, *, leads, time, model):
    """History of leads drawn as `draw_leads` does, and each lead's chance by its id."""
    columns, fields, chance = draw_leads(kind, leads)
    won = np.random.default_rng(6).random(leads) < chance
    ids = [f"l{i:05d}" for i in range(leads)]
    rows = pd.DataFrame({"id": ids, "place": 10 + np.arange(leads), **columns})
    rows = rows.assign(end=np.where(won, "won", "lost"))
    mapping = [
        {
            "source": "leads",
            "table": "leads",
            "columns": {"lead_id": "id", **{name: name for name in columns}},
        },
        {"source": "leads", "table": "outcomes", "columns": {"lead_id": "id", "outcome": "end"}},
    ]
    if time == "ordered":
        mapping[0]["columns"]["sequence"] = "place"
    known = {"known_from": "creation"}
    fields = {name: known | each for name, each in fields.items()}
    history = open_undated(rows, time=time, fields=fields, bant={}, mapping=mapping, model=model)
    return history, pd.Series(chance, index=ids)


def behind_truth(result, chance):
    """How far the AUC to expect of the model's log-odds of all its leads is behind that of their true chances."""
    matrix = result.training.matrix
    truth = chance.loc[matrix.keys["lead_id"]].to_numpy()
    return expected_auc(truth, truth) - expected_auc(result.model.log_odds(matrix.columns), truth)


TOGETHER = [
    pytest.param("numbers", "none", "auto", id="numbers", marks=pytest.mark.slow),
    pytest.param("numbers", "ordered", "auto", id="numbers, ordered", marks=pytest.mark.slow),
    pytest.param("numbers", "none", "boosted", id="numbers, trees only"),
    pytest.param(
        "a slope that turns", "none", "auto", id="a category and a number", marks=pytest.mark.slow
    ),
    pytest.param(
        "a slope that turns", "ordered", "auto", id="the same, ordered", marks=pytest.mark.slow
    ),
    pytest.param("a slope that turns", "none", "boosted", id="a category and a number, trees only"),
    pytest.param("categories", "none", "auto", id="two categories", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "time", "scorer"), TOGETHER)
def test_training_when_two_fields_tell_only_together_then_comes_near_the_truth(kind, time, scorer):
    model = {"trials": 1, "scorer": scorer}
    history, chance = open_leads(kind, leads=1_200, time=time, model=model)
    result = fit_model(history, known_us=history.version.known_until_us, progress=silent)
    assert result.no_signal is None
    assert behind_truth(result, chance) < 0.04
    judged = result.evaluated
    truth = chance.loc[judged.lead_id].to_numpy()
    assert expected_auc(truth, truth) - expected_auc(judged.probability, truth) < 0.08
