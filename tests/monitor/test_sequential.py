"""The sequential test: a fair game when probabilities are right, evidence when they are not."""

from itertools import product

import numpy as np
import pytest

from leadscore.model.apply import logit, sigmoid
from leadscore.monitor.sequential import ALARM_RATE, TOLERANCE, bet_on_calibration
from leadscore.times import DAY_US

WEEK_US = 7 * DAY_US


@pytest.mark.parametrize("off", [0.0, TOLERANCE, -TOLERANCE])
def test_wealth_when_win_rates_are_within_the_tolerance_then_expects_no_gain_at_any_date(off):
    """All outcomes of seven leads on three lists, each with its probability: the mean wealth is at most 1."""
    date = np.array([0, 0, 0, 5, 5, 9, 9]) * WEEK_US
    probability = np.array([0.1, 0.3, 0.6, 0.2, 0.5, 0.05, 0.4])
    true = sigmoid(logit(probability) + off)
    expected = np.zeros(3)
    for outcome in product([0.0, 1.0], repeat=len(date)):
        label = np.array(outcome)
        chance = np.prod(np.where(label == 1, true, 1 - true))
        expected += chance * bet_on_calibration(date, probability, label).wealth
    assert (expected <= 1 + 1e-12).all()
    assert (expected > 0.5).all()


def drawn(shift, *, since=0, weeks=60, seed=1):
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(weeks), 40)
    log_odds = rng.normal(-1.5, 1, len(week))
    true = sigmoid(log_odds + np.where(week >= since, shift, 0.0))
    label = (rng.random(len(week)) < true).astype(float)
    return week * WEEK_US, sigmoid(log_odds), label


@pytest.mark.parametrize("shift", [0.8, -0.8])
def test_alarm_when_win_rates_change_then_comes_after_the_change_and_dates_it(shift):
    evidence = bet_on_calibration(*drawn(shift, since=30))
    alarm = evidence.first_alarm()
    assert 30 * WEEK_US <= alarm <= 55 * WEEK_US
    assert abs(evidence.since - 30 * WEEK_US) <= 6 * WEEK_US


def test_alarm_when_nothing_changes_then_is_never_raised_by_most_models():
    alarms = [bet_on_calibration(*drawn(0.0, seed=seed)).first_alarm() for seed in range(40)]
    assert sum(alarm is not None for alarm in alarms) <= 40 * ALARM_RATE


def test_wealth_when_later_lists_settle_then_earlier_dates_keep_theirs():
    date, probability, label = drawn(0.5)
    early = date < 30 * WEEK_US
    then = bet_on_calibration(date[early], probability[early], label[early]).wealth
    now = bet_on_calibration(date, probability, label).wealth
    assert now[: len(then)] == pytest.approx(then)
