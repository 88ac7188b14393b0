"""What became of leads with about the same value, against the same worked out with pandas."""

import json

import numpy as np
import pandas as pd
import pytest

import histories
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.contributions.evidence import BINS, LEAST, build_evidence, describe_evidence

NUMBER = Feature("engagement_calls", {}, Learned(), "number", "", "", "calls")
COUNTRY = Feature("profile_country", {}, Text("country"), "category", "", "", "country")
FEATURES = (NUMBER, COUNTRY)


@pytest.fixture(scope="module")
def world():
    """Three snapshots each of 400 leads; every fifth number is missing, every tenth label censored."""
    rng = np.random.default_rng(5)
    n = 1200
    rows = pd.DataFrame({
        "lead_id": np.repeat([f"{i:03d}" for i in range(400)], 3), "as_of_us": np.tile([0, 1, 2], 400),
        "label": np.where(rng.random(n) < 0.1, np.nan, rng.random(n) < 0.3), "weight": rng.uniform(0.5, 3, n),
    })  # fmt: skip
    columns = {
        "engagement_calls": np.where(rng.random(n) < 0.2, np.nan, rng.poisson(3, n)),
        "profile_country": rng.choice(
            np.array(["at", "de", "li", None], dtype=object), n, p=[0.4, 0.4, 0.02, 0.18]
        ),
    }
    encoder = [{"name": "engagement_calls", "kind": "number"},
               {"name": "profile_country", "kind": "rate", "rates": {}, "missing": 0.0, "other": 0.0}]  # fmt: skip
    model = WinModel({"encoder": encoder, "scorer": {"kind": "logistic"}})
    built = build_evidence(model, Matrix(rows[["lead_id", "as_of_us"]], columns), rows, FEATURES)
    return rows.assign(**columns), json.loads(json.dumps(built))


def expected(rows):
    rows = rows[rows["label"].notna()]
    if rows["lead_id"].nunique() < LEAST:
        return ""
    rate = (rows["label"] * rows["weight"]).sum() / rows["weight"].sum()
    return f"of {rows['lead_id'].nunique():,} such leads {100 * rate:.0f} % were won"


def test_evidence_of_a_number_when_told_then_is_of_the_observed_leads_in_its_bin(world):
    rows, built = world
    known = rows[rows["label"].notna() & rows["engagement_calls"].notna()]
    edges = known["engagement_calls"].quantile(np.arange(1, BINS) / BINS).unique()
    bins = np.searchsorted(edges, rows["engagement_calls"], side="right")
    values = rows["engagement_calls"].dropna().unique()
    assert len(values) > len(edges)
    for value in values:
        inside = rows["engagement_calls"].notna() & (
            bins == np.searchsorted(edges, value, side="right")
        )
        told = describe_evidence(built, NUMBER, value)
        assert told == expected(rows[inside])
        assert told


def test_evidence_of_a_category_when_told_then_is_of_the_observed_leads_that_have_it(world):
    rows, built = world
    told = {value: describe_evidence(built, COUNTRY, value) for value in ("at", "de", "li", "se")}
    assert told["at"].startswith("of ")
    assert told == {value: expected(rows[rows["profile_country"] == value]) for value in told}
    assert told["li"] == told["se"] == ""  # too few, and none


def test_evidence_when_a_model_has_none_then_nothing_is_told():
    assert describe_evidence({}, NUMBER, 3.0) == ""


def test_evidence_when_a_real_model_was_trained_then_covers_its_features_and_never_tells_of_few():
    built = histories.trained().model.document["evidence"]
    assert set(built) == {
        feature["name"] for feature in histories.trained().model.document["features"]
    }
    told = [
        rate
        for each in built.values()
        for rate in (each.get("bins") or list(each.get("values", {}).values()))
    ]
    assert min(rate["leads"] for rate in told if rate) >= LEAST
    assert all(0 <= rate["rate"] <= 1 for rate in told if rate)
