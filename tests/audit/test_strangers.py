"""What is caught in files such as strangers bring, and how often an innocent field is called a leak."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from audit.strangers import MAKERS
from audit.worlds import open_file
from leadscore.audit.verdict import audit_fields


def judge(history):
    return {
        each.field: each.verdict
        for each in audit_fields(history, known_us=history.version.known_until_us)
    }


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MAKERS)
def test_file_of_a_stranger_when_audited_then_leaks_are_caught_and_innocents_left_in_peace(
    name, seed
):
    stranger = MAKERS[name](np.random.default_rng(seed))
    found = judge(stranger.history)
    assert {field for field, verdict in found.items() if verdict == "leak"} == stranger.leaks
    assert stranger.suspects <= {field for field, verdict in found.items() if verdict == "suspect"}


@pytest.mark.parametrize("name", MAKERS)
def test_file_of_a_stranger_when_small_then_no_innocent_is_called_a_leak(name):
    for seed in range(5):
        stranger = MAKERS[name](np.random.default_rng(seed), 300)
        assert {
            field for field, verdict in judge(stranger.history).items() if verdict == "leak"
        } <= stranger.leaks


def innocents(rng, won):
    """Fields of many shapes whose AUC lies from 0.5 to 0.78, so strong as sound ones are."""
    n = len(won)
    z = [rng.normal(size=n) + sqrt(2) * norm.ppf(rng.uniform(0.5, 0.78)) * won for _ in range(8)]
    return pd.DataFrame(
        {
            "normal": z[0],
            "skewed": np.exp(z[1] * 1.5).round(1),
            "levels": pd.cut(z[2], [-99, -1, 0, 0.7, 1.5, 99], labels=list("abcde")).astype(object),
            "flag": np.where(z[3] > rng.uniform(-1, 1.5), "Yes", "No"),
            "often_none": np.maximum(z[4], 0).round(2) * 100,
            "many": np.array([f"c{i}" for i in rng.zipf(1.5, n) % 500], dtype=object),
            "sometimes": np.where(
                rng.random(n) < 1 / (1 + np.exp(-z[6])), rng.choice(["x", "y"], n), None
            ),
            "count": np.where(rng.random(n) < 0.3, np.nan, rng.poisson(np.exp(z[7] * 0.5))),
        }
    )


@pytest.mark.cases(1)
@pytest.mark.parametrize("dated", [True, False])
def test_innocent_fields_when_audited_in_many_files_then_none_is_called_a_leak(dated):
    wrong, judged = [], 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.choice([60, 150, 400, 1500, 3000]))
        created = np.sort(rng.uniform(0, 300, n)) if dated else np.zeros(n)
        odds = rng.uniform(-2, 0.5) + rng.uniform(-2, 2) * (created / 300 - 0.5)
        won = rng.random(n) < 1 / (1 + np.exp(-odds))
        closes = created + rng.gamma(1.5, np.where(won, 30, 20), n) if dated else np.ones(n)
        history = open_file(
            innocents(rng, won), won, created=created, closes=closes, until=300 if dated else 2
        )
        found = judge(history)
        judged += len(found)
        wrong += [(seed, n, field) for field, verdict in found.items() if verdict == "leak"]
    assert judged >= 160
    assert wrong == []


@pytest.mark.cases(1)
@pytest.mark.parametrize(("n", "least"), [(150, 0.75), (600, 1.0), (3000, 1.0)])
def test_leaks_of_an_outcome_when_audited_in_many_files_then_are_caught(n, least):
    caught = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        won = rng.random(n) < rng.uniform(0.2, 0.6)
        noisy = np.where(rng.random(n) < 0.03, ~won, won)
        frame = pd.DataFrame(
            {"result": np.where(noisy, "good", "bad"), "share": noisy * 100 + rng.integers(0, 9, n),
             "why": np.where(noisy, None, rng.choice(["price", "time"], n))}
        )  # fmt: skip
        found = judge(open_file(frame, won, created=np.zeros(n), closes=np.ones(n), until=2))
        caught += [verdict == "leak" for verdict in found.values()]
    assert np.mean(caught) >= least
