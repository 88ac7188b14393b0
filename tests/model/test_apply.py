import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import histories
from leadscore.model import apply
from leadscore.model.apply import WinModel, calibrate, sigmoid

STEPS = {"kind": "isotonic", "raw": [-2.0, -1.0, 0.5, 3.0], "probability": [0.0, 0.25, 0.25, 1.0]}


@pytest.fixture(scope="module")
def model():
    return histories.trained().model


@pytest.fixture(scope="module")
def columns():
    return histories.open_matrix().columns


@pytest.fixture(scope="module")
def calibrators(model):
    bounds = {"low": 0.001, "high": 0.999}
    knots = np.linspace(-4, 2, 7)
    return {
        "trained": model.document["calibrator"],
        "none": {"kind": "none", **bounds},
        "sigmoid": {"kind": "sigmoid", "slope": 0.83, "intercept": -0.21, **bounds},
        "isotonic": {
            "kind": "isotonic", "raw": knots.tolist(), "probability": expit(0.7 * knots).tolist(), **bounds,
        },
        "beta": {"kind": "beta", "a": 0.7, "b": 1.3, "intercept": -0.2, **bounds},
        "venn_abers": {"kind": "venn_abers", "raw": knots.tolist(), "probability": np.linspace(0, 1, 15).tolist(),
                       **bounds},
    }  # fmt: skip


def predict(model, columns):
    raw = model.log_odds(columns)
    return [model.encode(columns), raw, model.probability(raw), model.contributions(columns)]


def as_bytes(arrays):
    return [array.tobytes() for array in arrays]


def test_apply_when_read_as_a_file_then_imports_nothing_of_ours_and_mlflow_only_where_it_is_served():
    found, tree = set(), ast.parse(Path(apply.__file__).read_text(encoding="utf-8"))
    *rest, served = tree.body
    assert ast.unparse(served.test) == "__name__.startswith('code_model_')"
    for node in (node for each in rest for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(f"{'.' * node.level}{node.module}")
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__")
    assert found == {
        "collections.abc",
        "hashlib",
        "json",
        "lightgbm",
        "numpy",
        "pathlib",
        "typing",
    }


def test_row_when_predicted_alone_then_equals_the_batch_bit_for_bit(model, columns):
    batch = predict(model, columns)
    n = len(batch[0])
    assert n > 100
    for row in range(n):
        alone = predict(model, histories.take_columns(columns, slice(row, row + 1)))
        assert as_bytes(alone) == as_bytes(part[row : row + 1] for part in batch), row


@settings(derandomize=True, deadline=None, max_examples=25)
@given(data=st.data())
def test_rows_when_predicted_in_any_order_and_number_then_keep_their_bits(model, columns, data):
    batch = predict(model, columns)
    rows = np.array(data.draw(st.lists(st.integers(0, len(batch[0]) - 1), min_size=1, max_size=70)))
    found = predict(model, histories.take_columns(columns, rows))
    assert as_bytes(found) == as_bytes(np.ascontiguousarray(part[rows]) for part in batch)


@pytest.mark.parametrize("kind", ["trained", "none", "sigmoid", "beta", "isotonic", "venn_abers"])
def test_probability_when_calibrated_row_by_row_then_equals_the_batch_bit_for_bit(
    calibrators, kind
):
    raw = np.random.default_rng(0).normal(-0.5, 1.5, 333)
    batch = calibrate(calibrators[kind], raw)
    alone = [calibrate(calibrators[kind], raw[row : row + 1]) for row in range(len(raw))]
    assert np.concatenate(alone).tobytes() == batch.tobytes()
    order = np.random.default_rng(1).permutation(len(raw))
    assert calibrate(calibrators[kind], raw[order]).tobytes() == batch[order].tobytes()


def test_contributions_when_added_to_their_base_then_are_raw_for_every_open_lead(model, columns):
    contributions, raw = model.contributions(columns), model.log_odds(columns)
    assert contributions.shape == (len(raw), len(model.document["features"]) + 1)
    assert contributions.sum(axis=1) == pytest.approx(raw, rel=0, abs=1e-9)
    assert np.ptp(contributions[:, -1]) == 0
    assert (np.ptp(contributions[:, :-1], axis=0) > 0).sum() > 5


def test_raw_when_trees_are_walked_by_hand_then_is_the_sum_of_their_leaves(model, columns):
    trees = model.booster.dump_model()["tree_info"]

    def leaf(node, row):
        while "leaf_value" not in node:
            value = row[node["split_feature"]]
            if node["decision_type"] == "==":  # a category's codes, those that go left joined by ||
                goes_left = not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
            else:
                assert node["decision_type"] == "<="
                goes_left = node["default_left"] if np.isnan(value) else value <= node["threshold"]
            node = node["left_child" if goes_left else "right_child"]
        return node["leaf_value"]

    encoded, raw = model.encode_for_trees(columns), model.log_odds(columns)
    for row in range(0, len(raw), 40):
        by_hand = sum(leaf(tree["tree_structure"], encoded[row]) for tree in trees)
        assert raw[row] == pytest.approx(by_hand, abs=1e-9)


def test_encoded_matrix_when_made_then_has_a_column_a_feature_in_the_scorers_order(model, columns):
    names = [feature["name"] for feature in model.document["features"]]
    assert [entry["name"] for entry in model.document["encoder"]] == names
    levels = [f"{entry['name']}_level" for entry in model.levels]
    assert model.booster.feature_name() == names + levels
    encoded = model.encode(columns)
    assert encoded.dtype == np.float64
    np.testing.assert_array_equal(encoded[:, names.index("bant_budget")], columns["bant_budget"])


def test_model_when_it_went_through_its_texts_then_predicts_the_same_bits(model, columns):
    again = WinModel(json.loads(json.dumps(model.document)), model.booster_text)
    assert as_bytes(predict(again, columns)) == as_bytes(predict(model, columns))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(-99.0, 0.01, id="below all knots, then the lower bound"),
        pytest.param(-1.5, 0.125, id="between two"),
        pytest.param(-1.0, 0.25, id="at a knot"),
        pytest.param(0.0, 0.25, id="on a flat step"),
        pytest.param(1.75, 0.625, id="on a slope"),
        pytest.param(99.0, 0.99, id="above all knots, then the upper bound"),
    ],
)
def test_isotonic_when_worked_by_hand_then_agrees(raw, expected):
    found = calibrate(STEPS | {"low": 0.01, "high": 0.99}, np.array([raw]))
    assert found == pytest.approx([expected], abs=1e-15)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(-9.0, 0.1, id="below all knots"),
        pytest.param(-1.0, 0.2, id="at the first"),
        pytest.param(0.0, 0.3, id="between two"),
        pytest.param(2.0, 0.4, id="at the last"),
        pytest.param(9.0, 0.9, id="above all knots"),
    ],
)
def test_venn_abers_when_worked_by_hand_then_agrees(raw, expected):
    steps = {
        "kind": "venn_abers",
        "raw": [-1.0, 2.0],
        "probability": [0.1, 0.2, 0.3, 0.4, 0.9],
        "low": 0,
        "high": 1,
    }
    assert calibrate(steps, np.array([raw])) == pytest.approx([expected], abs=1e-15)


def test_sigmoid_when_far_out_then_neither_overflows_nor_loses_its_tail():
    x = np.array([-1e4, -700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        found = sigmoid(x)
    assert found == pytest.approx(expit(x), rel=1e-14)
    assert found[4] == 0.5


def test_log_odds_when_some_features_are_encoded_anew_then_are_those_of_all_columns(model, columns):
    category = model.levels[0]["name"]
    answer = {
        "bant_budget": np.ones_like(columns["bant_budget"]),
        category: np.roll(columns[category], 1),
    }
    answered = dict(columns) | answer
    for_trees = model.encode_for_trees(columns)
    model.encode_again(for_trees, answered, list(answer))
    assert for_trees.tobytes() == model.encode_for_trees(answered).tobytes()
    assert model.log_odds(answered, for_trees).tobytes() == model.log_odds(answered).tobytes()
    assert not np.array_equal(model.log_odds(answered), model.log_odds(columns))
