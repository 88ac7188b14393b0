"""Leaks that hide in company: fields that are sound alone and too good together, and honest ones that only add up."""

from __future__ import annotations

import re
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from audit.worlds import open_file
from leadscore.audit.verdict import FieldVerdict, audit

N = 6000
HONEST = {
    "region": 0.66, "market": 0.64, "supplies": 0.62, "requested": 0.66, "client_size": 0.65, "revenue_band": 0.63,
    "competitor": 0.62, "client_age": 0.6, "origin": 0.66, "employees": 0.6,
}  # fmt: skip
CYCLE = {
    "ratio_validated_to_total_days": 0.74, "ratio_identified_to_total_days": 0.7, "total_days_to_qualified": 0.68,
    "total_days_to_closing": 0.66, "elapsed_days_in_stage": 0.64, "ratio_qualified_to_total_days": 0.66,
    "stage_changes": 0.62,
}  # fmt: skip
LATE = {
    "tags": 0.68, "lead_quality": 0.7, "activity_score": 0.6, "profile_score": 0.62, "lead_profile": 0.66,
    "last_notable_activity": 0.67,
}  # fmt: skip
COMPANIES = {f"company_{what}": 0.64 for what in ("size", "age", "revenue", "growth")}
AMOUNTS = {f"{what}_days": 0.62 for what in ("payment", "delivery", "trial")}
ANSWERS = {"budget": 0.68, "authority": 0.66, "need": 0.68, "timeline": 0.66}


def noisy(rng: np.random.Generator, won: np.ndarray, auc: float) -> np.ndarray:
    """A number whose AUC is `auc`: normal, and further to the right for the won leads."""
    return rng.normal(size=len(won)) + sqrt(2) * norm.ppf(auc) * won


def fields_of(rng: np.random.Generator, won: np.ndarray, aucs: dict[str, float]) -> pd.DataFrame:
    """Independent fields of such AUCs; every third is text."""
    columns = {}
    for at, (name, auc) in enumerate(aucs.items()):
        z = noisy(rng, won, auc)
        levels = pd.cut(z, [-99, -1, -0.3, 0.4, 1.1, 99], labels=list("abcde")).astype(object)
        columns[name] = levels if at % 3 == 2 else z.round(2)
    return pd.DataFrame(columns)


def make(seed: int, *kinds: dict[str, float], n: int = N) -> tuple[pd.DataFrame, np.ndarray]:
    """Fields of several kinds, and which leads are won."""
    rng = np.random.default_rng(seed)
    won = rng.random(n) < 0.35
    return pd.concat([fields_of(rng, won, kind) for kind in kinds], axis=1), won


def judge(frame: pd.DataFrame, won: np.ndarray) -> dict[str, FieldVerdict]:
    n = len(frame)
    history = open_file(frame, won, created=np.zeros(n), closes=np.ones(n), until=2)
    return {
        each.field: each for each in audit(history, known_us=history.version.known_until_us).fields
    }


def gain_of(found: dict[str, FieldVerdict], field: str) -> dict[str, Any]:
    [check] = [check for check in found[field].checks if check.check == "gain_together"]
    return dict(check.numbers)


@pytest.mark.cases(1)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fields_when_none_is_too_good_alone_but_all_are_together_then_every_one_is_suspect(seed):
    found = judge(*make(seed, HONEST, CYCLE))
    assert max(found[name].auc.value for name in CYCLE) == pytest.approx(0.74, abs=0.02)
    assert {name for name, each in found.items() if each.verdict == "suspect"} == set(CYCLE)
    assert {name for name, each in found.items() if each.verdict == "leak"} == set()
    numbers = gain_of(found, "ratio_validated_to_total_days")
    assert numbers["without"] == pytest.approx(0.84, abs=0.03)
    assert numbers["with"] == pytest.approx(0.94, abs=0.02)
    assert re.match(
        "[67] fields share the unit days|7 fields", found["elapsed_days_in_stage"].evidence
    )


@pytest.mark.cases(4)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "kinds", [(HONEST,), (HONEST, COMPANIES, AMOUNTS), (HONEST, ANSWERS), (ANSWERS, COMPANIES)]
)
@pytest.mark.parametrize("n", [400, N])
def test_fields_when_many_are_moderately_good_and_honest_then_none_is_suspect(kinds, n, seed):
    found = judge(*make(seed, *kinds, n=n))
    assert {name: each.evidence for name, each in found.items() if each.verdict != "ok"} == {}


def test_field_when_it_says_nothing_then_its_auc_is_half_whatever_its_kind():
    rng = np.random.default_rng(5)
    won = rng.random(N) < 0.35
    frame = pd.DataFrame({
        "levels": rng.choice(list("abc"), N), "many": [f"c{i}" for i in rng.integers(0, 2000, N)],
        "number": rng.normal(size=N).round(3), "flag": rng.choice(["x", "y"], N, p=[0.02, 0.98]),
    })  # fmt: skip
    found = judge(frame, won)
    assert {name: each.auc.value for name, each in found.items()} == pytest.approx(
        dict.fromkeys(frame, 0.5), abs=0.02
    )


def test_days_in_stages_when_they_add_up_to_the_time_to_the_close_then_are_suspect():
    rng = np.random.default_rng(7)
    created = np.sort(rng.uniform(0, 300, N))
    won = rng.random(N) < 0.35
    days = 4 + rng.gamma(1.5, 20, N)
    shares = rng.dirichlet([2, 2, 2], N)
    frame = pd.DataFrame({f"days_{stage}": days * shares[:, at] for at, stage in enumerate("abc")})
    frame = frame.assign(region=noisy(rng, won, 0.6), size=noisy(rng, won, 0.6))
    history = open_file(frame, won, created=created, closes=created + days, until=500)
    found = {
        each.field: each for each in audit(history, known_us=history.version.known_until_us).fields
    }
    assert {name for name in frame if "duration_together" in {check.check for check in found[name].checks}} == {
        "days_a", "days_b", "days_c"
    }  # fmt: skip
    assert found["region"].verdict == "ok"


@pytest.mark.parametrize("word", ["Select", "unknown", "unbekannt", "0", "-1"])
def test_placeholder_when_one_outcome_has_it_then_is_suspect_and_an_even_one_is_not(word):
    rng = np.random.default_rng(11)
    won = rng.random(N) < 0.35
    share = np.where(won, 0.1, 0.75)

    def column(share):
        words = np.array([f"kind {i}" for i in rng.integers(1, 9, N)], dtype=object)
        return np.where(rng.random(N) < share, word, words)

    frame = pd.DataFrame({"chosen": column(share), "even": column(0.4), "plain": column(0)})
    found = judge(frame, won)
    checks = {name: {check.check for check in each.checks} for name, each in found.items()}
    assert "placeholder_by_outcome" in checks["chosen"]
    assert "placeholder_by_outcome" not in checks["even"] | checks["plain"]
    assert found["plain"].verdict == "ok"


def test_number_when_its_zero_depends_on_the_outcome_then_is_suspect():
    rng = np.random.default_rng(12)
    won = rng.random(N) < 0.35
    values = rng.integers(1, 50, N)
    frame = pd.DataFrame({
        "filled_late": np.where(rng.random(N) < np.where(won, 0.1, 0.75), 0, values),
        "honest": np.where(rng.random(N) < np.where(won, 0.3, 0.5), 0, values),
    })  # fmt: skip
    found = judge(frame, won)
    assert "placeholder_by_outcome" in {check.check for check in found["filled_late"].checks}
    assert found["honest"].verdict == "ok"
