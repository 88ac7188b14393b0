"""The sequential test: a fair game when probabilities are right, evidence when they are not."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from leadscore.model.apply import logit, sigmoid
from leadscore.monitor.sequential import ALARM_RATE, TOLERANCE, bet_on_calibration
from leadscore.monitor.settle import NEVER_US, SETTLED, UNDATED, WITHOUT_LEAD
from leadscore.monitor.windows import LEAST_WINS, Pace, Windows, choose_windows
from leadscore.times import DAY_US

WEEK_US = 7 * DAY_US
HORIZON_US = 4 * WEEK_US


def windows_of(start_us, probability, won_us):
    start_us = np.asarray(start_us)
    end_us = start_us + HORIZON_US
    return Windows(start_us, end_us, np.asarray(probability), np.asarray(won_us), end_us)


def steady_pace():
    """Wins that came, long ago, one after each quarter of the horizon: none sooner."""
    parts = np.repeat([0.25, 0.5, 0.75, 0.99], LEAST_WINS)
    start_us = np.full(len(parts), -10 * HORIZON_US)
    won_us = start_us + (parts * HORIZON_US).astype("int64")
    return Pace(windows_of(start_us, np.full(len(parts), 0.5), won_us))


UNKNOWN = Pace(windows_of([0], [0.5], [NEVER_US]))


@pytest.mark.parametrize("off", [0.0, TOLERANCE, -TOLERANCE])
@pytest.mark.parametrize("pace", [steady_pace(), UNKNOWN])
def test_wealth_when_win_rates_are_within_the_tolerance_then_expects_no_gain_at_any_look(off, pace):
    """All ways in which four leads are won, each after a quarter of the horizon or another, or not at all."""
    start_us = np.array([0, 0, WEEK_US, 5 * WEEK_US])
    probability = np.array([0.1, 0.6, 0.2, 0.5])
    true = sigmoid(logit(probability) + off)
    looks = WEEK_US * np.arange(1, 12)
    expected = np.zeros(len(looks))
    for quarter in product([1, 2, 3, 4, None], repeat=len(start_us)):
        is_won = np.array([at is not None for at in quarter])
        after_us = np.array([(at or 0) * WEEK_US for at in quarter])
        won_us = np.where(is_won, start_us + after_us - 1, NEVER_US)
        chance = np.prod(np.where(is_won, true / 4, 1 - true))
        windows = windows_of(start_us, probability, won_us)
        expected += chance * bet_on_calibration(windows, pace, looks).wealth
    assert (expected <= 1 + 1e-12).all()
    assert (expected > 0.5).all()


def drawn(shift, *, since=0, weeks=60, seed=1):
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(weeks), 40)
    log_odds = rng.normal(-1.5, 1, len(week))
    true = sigmoid(log_odds + np.where(week >= since, shift, 0.0))
    after_us = (HORIZON_US * rng.random(len(week))).astype("int64")
    won_us = np.where(rng.random(len(week)) < true, week * WEEK_US + after_us, NEVER_US)
    return windows_of(week * WEEK_US, sigmoid(log_odds), won_us)


def bet(windows, *, weeks=60):
    return bet_on_calibration(windows, Pace(windows), WEEK_US * np.arange(1, weeks + 1))


@pytest.mark.parametrize("shift", [0.8, -0.8])
def test_alarm_when_win_rates_change_then_comes_after_the_change_and_dates_it(shift):
    evidence = bet(drawn(shift, since=30))
    alarm = evidence.first_alarm()
    assert 30 * WEEK_US <= alarm <= 50 * WEEK_US
    assert abs(evidence.since - 30 * WEEK_US) <= 6 * WEEK_US


@pytest.mark.parametrize("shift", [1.5, -1.5])
def test_alarm_when_the_pace_of_wins_is_known_then_comes_before_the_horizons_are_over(shift):
    windows = drawn(shift, since=30)
    looks = WEEK_US * np.arange(1, 61)
    if_over = bet_on_calibration(windows, UNKNOWN, looks).first_alarm()
    assert 30 * WEEK_US < bet(windows).first_alarm() < if_over


def test_alarm_when_nothing_changes_then_is_never_raised_by_most_models():
    alarms = [bet(drawn(0.0, seed=seed)).first_alarm() for seed in range(40)]
    assert sum(alarm is not None for alarm in alarms) <= 40 * ALARM_RATE


def test_wealth_when_more_becomes_known_then_earlier_looks_keep_theirs():
    windows = drawn(0.5)
    early = windows.take(windows.start_us < 30 * WEEK_US)
    assert bet(windows).wealth[:30] == pytest.approx(bet(early, weeks=30).wealth)


def test_windows_when_a_lead_is_on_many_lists_then_do_not_overlap():
    lists = [
        ("a", 0),
        ("a", 1),
        ("a", 4),
        ("b", 3),
        ("a", 9),
        ("b", 4),
        ("gone", 0),
        ("undated", 2),
    ]
    rows = pd.DataFrame(lists, columns=["lead_id", "week"])
    states = {"gone": WITHOUT_LEAD, "undated": UNDATED}
    as_of_us = rows["week"] * WEEK_US
    settled = rows.assign(
        state=rows["lead_id"].map(states).fillna(SETTLED),
        as_of_us=as_of_us,
        end_us=as_of_us + HORIZON_US,
        probability=0.5,
        won_us=NEVER_US,
        followed_us=as_of_us + HORIZON_US,
    )
    assert choose_windows(settled).start_us.tolist() == [0, 3 * WEEK_US, 4 * WEEK_US, 9 * WEEK_US]


def test_pace_when_few_wins_are_known_then_is_none_and_later_their_shares():
    rng = np.random.default_rng(2)
    parts = rng.random(LEAST_WINS)
    start_us = WEEK_US * np.arange(LEAST_WINS)
    won_us = start_us + (parts * HORIZON_US).astype("int64")
    pace = Pace(windows_of(start_us, np.full(LEAST_WINS, 0.5), won_us))
    last_us = int(start_us[-1] + HORIZON_US)
    asked = np.array([0.0, 0.3, 1.0])
    assert pace.shares(asked, last_us - 1) is None
    expected = [(parts <= part).mean() for part in asked]
    assert pace.shares(asked, last_us) == pytest.approx(expected)
