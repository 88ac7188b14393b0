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
from leadscore.model.contributions.evidence import (
    BINS,
    LEAST,
    USUAL,
    Similar,
    build_evidence,
    find_similar,
)

NUMBER = Feature("engagement_calls", {}, Learned(), "number", "calls")
COUNTRY = Feature("profile_country", {}, Text("country"), "category", "country")
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
    built = build_evidence(
        model, Matrix(rows[["lead_id", "as_of_us"]], columns), rows, FEATURES, within_days=60
    )
    return rows.assign(**columns), json.loads(json.dumps(built))


def rate_of(rows):
    return (rows["label"] * rows["weight"]).sum() / rows["weight"].sum()


def expected(rows, known, everybody):
    """What became of some rows, among those with a known value, and of all."""
    rows, known, everybody = (frame[frame["label"].notna()] for frame in (rows, known, everybody))
    if rows["lead_id"].nunique() < LEAST:
        return None
    return Similar(
        leads=rows["lead_id"].nunique(),
        rate=round(rate_of(rows), 4),
        share=round(rows["weight"].sum() / known["weight"].sum(), 4),
        usual=round(rate_of(everybody), 4),
        within_days=60,
    )


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
        told = find_similar(built, NUMBER, value)
        assert told == expected(rows[inside], rows, rows)
        assert told


def test_evidence_of_a_category_when_told_then_is_of_the_observed_leads_that_have_it(world):
    rows, built = world
    told = {value: find_similar(built, COUNTRY, value) for value in ("at", "de", "li", "se")}
    known = rows[rows["profile_country"].notna()]
    by_hand = {
        value: expected(rows[rows["profile_country"] == value], known, rows) for value in told
    }
    assert told["at"] is not None
    assert told == by_hand
    assert told["li"] is told["se"] is None  # too few, and none


def test_evidence_when_a_model_has_none_then_nothing_is_told():
    assert find_similar({}, NUMBER, 3.0) is None


def test_similar_leads_when_won_more_often_than_usual_then_they_speak_for_a_lead_only():
    often = Similar(leads=412, rate=0.31, share=0.1, usual=0.12, within_days=60)
    assert str(often) == "31% of 412 similar leads were won within 60 days; usual 12%"
    assert often.supports(1)
    assert not often.supports(-1)
    assert not often.is_common


def test_similar_leads_when_won_about_as_often_as_usual_then_they_support_neither():
    alike = Similar(leads=412, rate=0.135, share=0.1, usual=0.12)
    assert not alike.supports(1)
    assert not alike.supports(-1)


def test_similar_leads_when_a_model_of_before_does_not_say_what_is_usual_then_they_support_either():
    before = Similar(leads=412, rate=0.31, share=None, usual=None)
    assert str(before) == "31% of 412 similar leads were won"
    assert before.supports(1)
    assert before.supports(-1)
    assert not before.is_common


def test_evidence_when_a_real_model_was_trained_then_covers_its_features_and_never_tells_of_few():
    built = histories.trained().model.document["evidence"]
    assert set(built) == {USUAL} | {
        feature["name"] for feature in histories.trained().model.document["features"]
    }
    told = [
        rate
        for name, each in built.items()
        if name != USUAL
        for rate in (each.get("bins") or list(each.get("values", {}).values()))
    ]
    assert min(rate["leads"] for rate in told if rate) >= LEAST
    assert all(0 <= rate["rate"] <= 1 for rate in told if rate)
