"""How much memory fits and predictions take beside the rows that they are given."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.model import predict
from leadscore.model.fit import fit_scorer
from leadscore.model.predict import predict_log_odds
from leadscore.model.scorers import design
from leadscore.model.scorers.linear import Term
from leadscore.model.scorers.linear_choice import Linear
from leadscore.model.scorers.logistic import fit_terms

ROWS, COLUMNS = 10_000, 100
NAMES = [f"column_{i}" for i in range(COLUMNS)]
FEATURES = [Feature(name, {}, Learned(), "number", name) for name in NAMES]
BYTES = 8 * ROWS * COLUMNS  # of all features


@dataclass
class Traced:
    """The most memory that Python and NumPy held within a block, beside what was there before."""

    peak: int = 0


@contextmanager
def traced() -> Iterator[Traced]:
    measured = Traced()
    tracemalloc.start()
    yield measured
    measured.peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(COLUMNS, ROWS))
    rows = pd.DataFrame(
        {
            "lead_id": [f"{i:05d}" for i in range(ROWS)],
            "as_of_us": np.arange(ROWS),
            "label": (rng.random(ROWS) < 0.3).astype(float),
            "weight": np.ones(ROWS),
        }
    )
    return Matrix(rows[["lead_id", "as_of_us"]], dict(zip(NAMES, values, strict=True))), rows


def fit(made, kind):
    matrix, rows = made
    return fit_scorer(
        matrix, rows, kind=kind, features=FEATURES, linear=Linear(), seed=0, threads=1
    )


@pytest.mark.parametrize(
    ("many_rows", "columns_each"),
    [
        pytest.param(ROWS, 2, id="its values and what is unknown"),
        pytest.param(ROWS - 1, 1, id="of many rows no column where nothing is unknown"),
    ],
)
def test_regression_when_it_is_fitted_then_holds_little_more_than_a_matrix_of_its_columns(
    monkeypatch, many_rows, columns_each
):
    monkeypatch.setattr(design, "MANY_ROWS", many_rows)
    rng = np.random.default_rng(1)
    encoded = rng.normal(size=(ROWS, COLUMNS))
    label = (rng.random(ROWS) < 0.3).astype(float)
    prior = [Term(name, log=False, missing=0.0) for name in NAMES]
    with traced() as measured:
        fit_terms(
            encoded,
            label,
            np.ones(ROWS),
            leads=ROWS,
            prior=prior,
            signs=[0] * COLUMNS,
            log_odds_spread=1.0,
        )
    columns = 1 + columns_each * COLUMNS  # the first is the intercept's
    assert measured.peak < 1.4 * columns * encoded[:, 0].nbytes


def test_trees_when_they_are_fitted_then_hold_the_features_of_their_rows_once(made):
    with traced() as measured:
        fit(made, "boosted")
    assert measured.peak < 1.8 * BYTES  # rows are compared with the first, some at a time


def test_average_when_it_is_fitted_then_holds_no_encoded_rows_beside_the_design(made):
    with traced() as measured:
        fit(made, "average")
    design = 2 * BYTES
    assert measured.peak < 1.4 * design


def test_log_odds_when_rows_are_predicted_in_parts_then_are_the_same_with_less_memory(
    made, monkeypatch
):
    matrix, _ = made
    model = fit(made, "average")
    at_once = model.log_odds(matrix.columns)
    monkeypatch.setattr(predict, "AT_ONCE", 999)
    with traced() as measured:
        in_parts = predict_log_odds(model, matrix)
    assert in_parts.tobytes() == at_once.tobytes()
    assert measured.peak < BYTES / 2
