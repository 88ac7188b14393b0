"""How much memory fits take beside the rows that they are given."""

import tracemalloc

import numpy as np

from leadscore.model.scorers.linear import Term
from leadscore.model.scorers.logistic import fit_terms


def test_regression_when_it_is_fitted_then_holds_little_more_than_a_matrix_of_its_columns():
    rows, columns = 10_000, 100
    rng = np.random.default_rng(1)
    encoded = rng.normal(size=(rows, columns))
    label = (rng.random(rows) < 0.3).astype(float)
    prior = [Term(f"column_{i}", log=False, missing=0.0) for i in range(columns)]
    tracemalloc.start()
    fit_terms(
        encoded,
        label,
        np.ones(rows),
        leads=rows,
        prior=prior,
        signs=[0] * columns,
        log_odds_spread=1.0,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    design = (1 + 2 * columns) * encoded[:, 0].nbytes  # intercept, values, what is unknown
    assert peak < 1.4 * design
