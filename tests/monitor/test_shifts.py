"""Features beside those of training: figures by hand, and when they are alarms."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from leadscore.evaluation.stability import compare_shares, compute_psi
from leadscore.features.feature import Feature
from leadscore.features.finish import Text
from leadscore.features.matrix import Matrix
from leadscore.model.bins import build_bins
from leadscore.monitor.alarms import (
    find_delay_alarm,
    find_feature_alarms,
    find_score_alarm,
    find_volume_alarms,
)
from leadscore.monitor.shifts import compare_features

LEADS = 1000
SIZE = Feature("profile_size", {}, Text("x"), "number", "size")
CHANNEL = Feature("profile_channel", {}, Text("x"), "category", "channel")
REP = Feature("profile_owner", {}, Text("x"), "category", "owner", names_people=True)


def columns(*, leads=LEADS, seed=1, scale=1.0, missing=0.1, channels=("web", "fair")):
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(leads) < missing, np.nan, scale * rng.uniform(1, 100, leads))
    channel = rng.choice(np.array([*channels, None], dtype=object), leads)
    return {"profile_size": size, "profile_channel": channel, "profile_owner": channel}


@pytest.fixture(scope="module")
def bins():
    rows = pd.DataFrame({
        "lead_id": [f"{number}" for number in range(LEADS)], "as_of_us": 1, "grid_weight": 1.0,
    })  # fmt: skip
    seen = columns()
    seen["profile_channel"][:5] = "a rare name"
    matrix = Matrix(rows[["lead_id", "as_of_us"]], seen)
    return build_bins(matrix, rows, [SIZE, CHANNEL, REP])


def test_bins_when_built_then_shares_add_up_and_nobody_is_named(bins):
    assert bins["leads"] == pytest.approx(LEADS)
    assert set(bins["features"]) == {"profile_size", "profile_channel"}
    size, channel = bins["features"]["profile_size"], bins["features"]["profile_channel"]
    assert sum(size["shares"]) + size["missing"] == pytest.approx(1)
    assert np.allclose(np.array(size["shares"]) / sum(size["shares"]), 0.1, atol=0.005)
    assert set(channel["values"]) == {"web", "fair"}
    assert channel["other"] == pytest.approx(0.005)
    assert sum(channel["values"].values()) + channel["other"] + channel["missing"] == pytest.approx(
        1
    )


def test_psi_when_computed_then_is_the_sum_by_hand_and_nearly_chi_squared():
    psi, _ = compute_psi(np.array([0.5, 0.5]), np.array([0.25, 0.75]), before=100, now=100)
    assert psi == pytest.approx(-0.25 * np.log(0.5) + 0.25 * np.log(1.5))
    counts = np.array([520, 480])
    _, p_value = compute_psi(np.array([0.5, 0.5]), counts / 1000, before=1e9, now=1000)
    assert p_value == pytest.approx(chisquare(counts).pvalue, rel=0.02)


def test_shares_when_compared_then_the_test_of_two_proportions_decides():
    assert compare_shares(0.5, 0.5, n_before=100, n_now=100) == 1
    assert compare_shares(0.0, 0.0, n_before=100, n_now=100) == 1
    assert compare_shares(0.1, 0.2, n_before=100, n_now=100) == pytest.approx(0.0477, abs=0.001)


@pytest.mark.parametrize(("changes", "kinds"), [
    ({}, []),
    ({"leads": 300, "seed": 5}, []),
    ({"missing": 0.3}, ["missing"]),
    ({"scale": 1000}, ["range"]),  # another unit
    ({"scale": 0.7}, ["values"]),
    ({"channels": ("web", "fair", "tiktok")}, ["new values"]),
    ({"channels": ("web",)}, ["missing"]),  # half of the values left are none
    ({"leads": 12, "missing": 0.3}, []),  # too few leads to tell
])  # fmt: skip
def test_alarms_when_a_feature_changes_then_say_what(bins, changes, kinds):
    now = columns(seed=2) if not changes else columns(**({"seed": 2} | changes))
    leads = len(now["profile_size"])
    drifts = compare_features(
        bins, now, [SIZE, CHANNEL, REP], {"profile_size": 0.4, "profile_channel": 0.3}
    )
    alarms = find_feature_alarms(drifts, leads_before=bins["leads"], leads=leads)
    assert [alarm.kind for alarm in alarms] == kinds
    assert all("by chance" in alarm.sure and alarm.do and alarm.what for alarm in alarms)


def test_alarms_when_hardly_any_score_rests_on_the_feature_then_there_is_none(bins):
    now = columns(missing=0.5)
    drifts = compare_features(bins, now, [SIZE], {"profile_size": 0.005})
    assert drifts[0].missing > 0.4
    assert find_feature_alarms(drifts, leads_before=bins["leads"], leads=LEADS) == []
    unknown = compare_features(bins, now, [SIZE], {})
    assert [a.kind for a in find_feature_alarms(unknown, leads_before=1000, leads=LEADS)] == [
        "missing"
    ]


def test_range_when_a_feature_counts_days_then_longer_ones_are_no_alarm(bins):
    days = replace(SIZE, unit="days")
    (drift,) = compare_features(bins, columns(scale=3), [days], {})
    assert drift.outside is None


def test_score_alarm_when_scores_move_then_names_the_index():
    assert find_score_alarm(0.1, 1e-9) == []
    assert find_score_alarm(0.5, 0.5) == []
    (alarm,) = find_score_alarm(0.5, 1e-9)
    assert "PSI 0.50" in alarm.what


def weeks(facts, *, what="email"):
    rows = [
        {
            "source": "activities",
            "what": what,
            "weeks_ago": ago,
            "facts": n,
            "last_us": 10**15 - ago,
        }
        for ago, n in enumerate(facts)
        if n
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("facts", "is_alarm"), [
    ((0, 50, 60, 55), True),  # a source that stopped
    ((5, 50, 60, 55), True),
    ((40, 50, 60, 55), False),
    ((300, 50, 60, 55), True),
    ((0, 2, 3, 2), False),  # rare facts
    ((0, 50, 0, 55), False),  # comes and goes
])  # fmt: skip
def test_volume_when_the_last_week_is_unusual_then_is_an_alarm(facts, is_alarm):
    alarms = find_volume_alarms(weeks(facts), weeks=4)
    assert [alarm.subject for alarm in alarms] == ["activities: email"] * is_alarm


@pytest.mark.parametrize(("late", "late_before", "is_alarm"), [
    (10, 1, True),
    (2, 1, False),  # of 20 a week
    (1, 10, False),  # closes come sooner than before
    (0, 0, False),
])  # fmt: skip
def test_delay_when_closes_are_shown_late_then_is_an_alarm(late, late_before, is_alarm):
    rows = [
        {"weeks_ago": ago, "closes": 20, "late": late if ago < 4 else late_before}
        for ago in range(16)
    ]
    alarms = find_delay_alarm(pd.DataFrame(rows))
    assert [alarm.kind for alarm in alarms] == ["delay"] * is_alarm


def test_delay_when_few_leads_closed_then_is_no_alarm():
    rows = [{"weeks_ago": ago, "closes": 5, "late": 5 * (ago < 4)} for ago in range(16)]
    assert find_delay_alarm(pd.DataFrame(rows)) == []
