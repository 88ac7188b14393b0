"""Scorers fitted on rows made by hand: directions, censored rows, weights, and rows that no model saw."""

import numpy as np
import pandas as pd
import pytest

import histories
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.fit import cross_validate, fit_scorer
from leadscore.model.held_out import predict_pool


def feature(name, unit="number", direction=0):
    return Feature(name, {}, Learned(), unit, name, direction=direction)


def made_rows(seed, *, n=900, slope=1.0):
    rng = np.random.default_rng(seed)
    x, noise = rng.uniform(0, 1, n), rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-slope * 4 * (x - 0.5)))).astype(float)
    rows = pd.DataFrame(
        {
            "lead_id": [f"{i:04d}" for i in range(n)],
            "as_of_us": np.arange(n),
            "label": label,
            "weight": np.ones(n),
        }
    )
    return Matrix(rows[["lead_id", "as_of_us"]], {"x": x, "noise": noise}), rows


@pytest.mark.parametrize(("direction", "slope"), [(1, -1.0), (-1, 1.0), (1, 1.0), (-1, -1.0)])
def test_scorer_when_history_contradicts_a_declared_direction_then_keeps_the_direction(
    direction, slope
):
    matrix, rows = made_rows(0, slope=slope)
    features = [feature("x", direction=direction), feature("noise")]
    model = fit_scorer(matrix, rows, features=features, seed=0, threads=1)
    x = np.repeat(np.linspace(0, 1, 101), 9)
    raw = model.log_odds({"x": x, "noise": np.tile(np.linspace(-2, 2, 9), 101)}).reshape(101, 9)
    assert (direction * np.diff(raw, axis=0) >= 0).all()
    assert (np.ptp(raw, axis=0) > 0.5).all() == (direction == slope)


def test_scorer_when_there_are_many_rows_then_does_not_depend_on_the_number_of_threads():
    # so many that threads share the rows of one sum
    matrix, rows = made_rows(6, n=12_000)
    rng = np.random.default_rng(7)
    rows["weight"] = rng.uniform(0.5, 3, len(rows))
    matrix = Matrix(
        matrix.keys, matrix.columns | {f"more_{i}": rng.normal(size=len(rows)) for i in range(8)}
    )
    features = [feature(name) for name in matrix.columns]
    one, two = (
        fit_scorer(matrix, rows, features=features, seed=0, threads=threads) for threads in (1, 2)
    )
    assert one.booster_text == two.booster_text


def test_scorer_when_rows_are_censored_then_leaves_them_out():
    matrix, rows = made_rows(1)
    gone = np.arange(900) % 3 == 0
    kept = fit_scorer(
        matrix, rows[~gone], features=[feature("x"), feature("noise")], seed=0, threads=1
    )
    rows.loc[gone, "label"] = np.nan
    rows.loc[gone, "weight"] = 0.0
    model = fit_scorer(matrix, rows, features=[feature("x"), feature("noise")], seed=0, threads=1)
    assert model.booster_text == kept.booster_text


def test_scorer_when_rows_weigh_more_then_follows_them():
    matrix, rows = made_rows(2, slope=0.0)
    features = [feature("x"), feature("noise")]
    rate = {}
    for heavy in (0.0, 1.0):
        weighted = rows.assign(weight=np.where(rows["label"] == heavy, 5.0, 1.0))
        model = fit_scorer(matrix, weighted, features=features, seed=0, threads=1)
        rate[heavy] = float(model.probability(model.log_odds(matrix.columns)).mean())
    assert rate[0.0] == pytest.approx(1 / 6, abs=0.04)
    assert rate[1.0] == pytest.approx(5 / 6, abs=0.04)


def test_cross_validation_when_predicting_a_lead_then_uses_a_model_that_never_saw_it():
    matrix, rows = made_rows(4)
    rows["lead_id"] = [f"{i // 3:03d}" for i in range(900)]
    matrix = Matrix(rows[["lead_id", "as_of_us"]], matrix.columns)
    target = histories.sales_settings(histories.scratch()).target
    side = Side("made", rows, known_us=0, watched=1.0, capped_share=0.0, target=target)
    trained_on = []

    def fit_spied(part):
        trained_on.append(set(part["lead_id"]))
        return fit_scorer(
            matrix, part, features=[feature("x"), feature("noise")], seed=0, threads=1
        )

    raw, _ = cross_validate(matrix, side, fit_spied)
    assert len(trained_on) == 5
    assert all(sum(lead not in seen for seen in trained_on) == 1 for lead in set(rows["lead_id"]))
    for seen in trained_on:
        out = ~rows["lead_id"].isin(seen)
        model = fit_scorer(
            matrix, rows[~out], features=[feature("x"), feature("noise")], seed=0, threads=1
        )
        assert model.log_odds(matrix.take(rows[out]).columns).tobytes() == raw[out].tobytes()


def test_out_of_time_prediction_when_made_then_is_by_the_latest_model_of_the_past():
    matrix, rows = made_rows(5, n=60)
    rows["as_of_us"] = np.arange(60)
    matrix = Matrix(rows[["lead_id", "as_of_us"]], matrix.columns)
    target = histories.sales_settings(histories.scratch()).target
    side = Side("made", rows, known_us=60, watched=1.0, capped_share=0.0, target=target)

    class Model:
        def __init__(self, value):
            self.value = value

        def log_odds(self, columns):
            return np.full(len(columns["x"]), self.value)

    raw = predict_pool(matrix, side, [0, 20, 45], [Model(1.0), Model(2.0), Model(3.0)])
    assert raw.tolist() == [1.0] * 20 + [2.0] * 25 + [3.0] * 15
