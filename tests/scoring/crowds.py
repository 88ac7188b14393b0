"""Made-up leads with their outlooks and a model, for tests of what is decided about them."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.fit import fit_scorer
from leadscore.scoring.tier import Outlook

NAN = float("nan")
tiers = st.sampled_from(["A", "B", "C", "D", None])


def outlook(value, log_odds=None):
    """Leads that are told apart by what they are worth, and by log_odds."""
    value = np.array(value, dtype=float)
    return Outlook(
        value * 0,
        value * 0,
        value,
        value * 0 if log_odds is None else np.array(log_odds, dtype=float),
    )


BUDGET = Feature("bant_budget", {}, Learned(), "share", "bant_budget", direction=1)
KNOWN = Feature("bant_budget_known", {}, Learned(), "flag", "bant_budget")
COMPLETE = Feature("bant_completeness", {}, Learned(), "count", "bant_completeness")
STAGE = Feature("stage_current", {}, Text("stage"), "category", "stage_place")
ASKED = (BUDGET, KNOWN, COMPLETE, STAGE)


def make_crowd(n=400, seed=0):
    """Leads of whom six in ten answered about their budget, and a model that learned from them."""
    rng = np.random.default_rng(seed)
    strength = np.where(rng.random(n) < 0.4, np.nan, rng.choice([0.0, 0.5, 1.0], n))
    keys = pd.DataFrame({"lead_id": [f"{i:04d}" for i in range(n)], "as_of_us": 0})
    columns = {
        "bant_budget": strength, "bant_budget_known": (~np.isnan(strength)).astype(float),
        "bant_completeness": (~np.isnan(strength)).astype(float),
        "stage_current": rng.choice(np.array(["new", "proposal"], dtype=object), n),
    }  # fmt: skip
    label = (rng.random(n) < 0.15 + 0.5 * np.nan_to_num(strength)).astype(float)
    matrix = Matrix(keys, columns)
    model = fit_scorer(
        matrix,
        keys.assign(label=label, weight=1.0),
        kind="logistic",
        features=ASKED,
        seed=0,
        threads=1,
    )
    p = model.probability(model.log_odds(columns))
    model.document["reference"] = np.quantile(p, np.linspace(0.0005, 0.9995, 1000)).tolist()
    return model, matrix
