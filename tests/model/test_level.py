"""The level of what is promised where few leads are won, or few are lost: that of the leads, not of the settings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import open_undated
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.model.apply import contribute_all, sigmoid
from leadscore.model.scorers.logistic import fit_logistic
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.settings.scorecard import Scorecard


def feature(name, unit="number", **more):
    return Feature(name, {}, Learned(), unit, name, **more)


NUMBERS = [feature(f"x{i}") for i in range(4)]
ANSWERS = [feature("bant_need", "share", direction=1), feature("size")]

WORLDS = [
    pytest.param(3_000, 0.005, 0.2, id="15 won of 3,000"),
    pytest.param(2_000, 0.02, 0.2, id="40 won of 2,000"),
    pytest.param(600, 0.94, 0.2, id="few lost"),
    pytest.param(800, 0.03, 0.9, id="few won where many were expected"),
    pytest.param(60, 0.5, 0.01, id="few leads, few wins expected"),
]


def draw(n, rate, *, columns, seed=1, slope=0.8):
    """Columns (n, columns), whose first has a slope, and labels, `rate` of which are 1."""
    rng = np.random.default_rng(seed)
    encoded = rng.normal(size=(n, columns))
    leaning = slope * encoded[:, 0] + rng.logistic(size=n)
    return encoded, (leaning > np.quantile(leaning, 1 - rate)).astype(float)


@pytest.mark.parametrize(("n", "rate", "expected"), WORLDS)
@pytest.mark.parametrize("leads_of_rows", [1, 3])
def test_probabilities_when_one_outcome_is_rare_then_have_the_mean_of_the_leads(
    n, rate, expected, leads_of_rows
):
    encoded, label = draw(n, rate, columns=len(NUMBERS))
    scorecard = Scorecard(base_rate=expected)
    scorer = fit_logistic(
        encoded.T,
        label,
        np.ones(n),
        leads=n // leads_of_rows,
        features=NUMBERS,
        scorecard=scorecard,
    )
    probability = sigmoid(predict(scorer, encoded))
    rarer = min(label.mean(), 1 - label.mean())
    # the scorecard's base rate counts as one lead
    assert abs(probability.mean() - label.mean()) < max(0.2 * rarer, 1.5 * leads_of_rows / n)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 99),
    rate=st.sampled_from([0.01, 0.1, 0.5, 0.95]),
    expected=st.sampled_from([0.001, 0.2, 0.999]),
    n=st.sampled_from([200, 1000]),
)
def test_mean_when_the_scorecard_expects_anything_then_differs_by_at_most_one_lead(
    seed, rate, expected, n
):
    encoded, label = draw(n, rate, columns=2, seed=seed)
    encoded[:, 0] = np.clip(np.round(encoded[:, 0] + 1) / 2, 0, 1)
    scorecard = Scorecard(base_rate=expected)
    scorer = fit_logistic(
        encoded.T, label, np.ones(n), leads=n, features=ANSWERS, scorecard=scorecard
    )
    assert abs(sigmoid(predict(scorer, encoded)).sum() - label.sum()) < 1 + 1e-3


def predict(scorer, encoded):
    return scorer["base"] + contribute_all(scorer["terms"], encoded, {}).sum(axis=1)


def sparse_leads(*, leads, won, seed):
    """Leads of whom `won` are won, the more likely the higher their level and size."""
    rng = np.random.default_rng(seed)
    level, size = rng.integers(0, 3, leads), rng.integers(1, 200, leads)
    leaning = 0.7 * (level - 1.0) + 0.01 * size + rng.logistic(size=leads)
    end = np.where(leaning >= np.sort(leaning)[-won], "won", "lost")
    words = np.array(["low", "mid", "high"])[level]
    ids = [f"l{i:05d}" for i in range(leads)]
    columns = {"id": ids, "place": 10 + np.arange(leads), "color": "red", "size": size}
    return pd.DataFrame(columns | {"level": words, "end": end})


RARE = [
    pytest.param("none", 1_000, 25, id="few won"),
    pytest.param("ordered", 1_000, 25, id="few won, ordered", marks=pytest.mark.slow),
    pytest.param("none", 600, 560, id="few lost", marks=pytest.mark.slow),
    pytest.param("ordered", 600, 560, id="few lost, ordered", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("time", "leads", "won"), RARE)
def test_trained_level_when_one_outcome_is_rare_then_is_that_of_the_leads(time, leads, won):
    history = open_undated(sparse_leads(leads=leads, won=won, seed=2), time=time)
    result = fit_model(history, known_us=history.version.known_until_us, progress=silent)
    rare = min(won, leads - won) / leads
    judged = result.evaluated
    promised, came = (
        np.average(x, weights=judged.weight) for x in (judged.probability, judged.label)
    )
    assert abs(promised - came) < 0.5 * rare
    columns = result.training.matrix.columns
    probability = result.model.probability(result.model.log_odds(columns))
    assert abs(probability.mean() - won / leads) < 0.2 * rare
