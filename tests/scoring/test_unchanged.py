"""Answers that make leads alike: rounding must not lift one above others that are just like it."""

import lightgbm
import numpy as np
import pandas as pd
import pytest

from builders import make_settings
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.scoring.effects import Standing, try_answers
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.tier import build_outlook

NAMES = ["age", "size", "visits", "bant_budget", "bant_budget_known", "bant_completeness"]

SETTINGS = make_settings(
    fields={"budget": {"type": "text"}},
    bant={"budget": {"field": "budget", "levels": ["no", "some", "all"]}},
    tiers={"by": "capacity", "capacity": 10, "margin": 0},
)


def make_model():
    """Many small trees, for which a budget that is not known is none."""
    rng = np.random.default_rng(0)
    known = rng.integers(0, 3, (2000, 3)).astype(float)
    budget = rng.choice([0.0, 1.0], 2000)
    rows = np.column_stack([known, budget])
    raw = known.sum(axis=1) + 2 * budget + rng.normal(size=2000)
    params = {
        "objective": "binary",
        "num_leaves": 4,
        "feature_fraction": 0.5,
        "num_threads": 1,
        "verbose": -1,
    }
    data = lightgbm.Dataset(rows, (raw > 4).astype(float), feature_name=NAMES[:4])
    text = lightgbm.train(params, data, 60).model_to_string()
    document = {
        "features": [{"name": name, "category": False} for name in NAMES[:4]],
        "encoder": [{"name": name, "kind": "number"} for name in NAMES[:4]],
        "scorer": {"kind": "boosted"},
        "calibrator": {"kind": "none", "low": 0.0, "high": 1.0},
        "reference": [0.1, 0.5, 0.9],
    }
    return WinModel(document, text)


def make_alike(n, *, values):
    """Leads (n,) that are alike and lack the budget, but for the last one, which has none of it."""
    columns = {
        name: np.full(n, value) for name, value in zip(NAMES, [*values, np.nan, 0, 0], strict=True)
    }
    columns["bant_budget"][-1] = 0.0
    keys = pd.DataFrame({"lead_id": [f"{i:03d}" for i in range(n)], "as_of_us": 0})
    return Matrix(keys, columns)


def make_standing(encoded):
    n = len(encoded.log_odds)
    nobody = np.zeros(n, dtype=bool)
    amount = np.full(n, np.nan)
    tier = np.repeat(np.array(["A", "B", "C", "D"], dtype=object), [10, 10, 20, n - 40])
    return Standing(
        tier,
        amount,
        build_outlook(encoded.model, encoded.log_odds, amount, shift=0.0),
        SETTINGS.tiers,
        np.full(n, "nurture", dtype=object),
        nobody,
        nobody,
        strengths={"budget": encoded.matrix.columns["bant_budget"]},
        stage=np.full(n, None),
    )


def test_answer_when_it_changes_nothing_then_no_lead_rises_above_others_like_it():
    model = make_model()
    at = np.arange(79)
    for values in np.ndindex(3, 3, 3):
        encoded = Encoded.of(model, make_alike(80, values=values))
        assert (encoded.log_odds == encoded.log_odds[0]).all()
        standing = make_standing(encoded)
        effect = try_answers(encoded.rows(at), standing, SETTINGS, letter="budget", at=at)
        assert not effect.higher.any()
        assert not effect.move.any()


def test_answer_when_it_makes_a_lead_like_others_then_it_ranks_among_them_as_they_are_listed():
    model = make_model()
    last = np.array([79])
    for values in np.ndindex(3, 3, 3):
        matrix = make_alike(80, values=values)
        matrix.columns["bant_budget"][:] = [1.0] * 79 + [np.nan]
        encoded = Encoded.of(model, matrix)
        standing = make_standing(encoded)
        effect = try_answers(encoded.rows(last), standing, SETTINGS, letter="budget", at=last)
        assert effect.best == pytest.approx(standing.outlook.probability[0], abs=0)
        assert not effect.higher.any()
