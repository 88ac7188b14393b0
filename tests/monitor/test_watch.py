"""The test of calibration over the lists of several models: it goes on, and starts again once an alarm is answered."""

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day, make_settings
from leadscore.model.apply import sigmoid
from leadscore.monitor.calibration import find_last_alarm, run_calibration_test
from leadscore.monitor.settle import NEVER_US
from leadscore.times import DAY_US

HORIZON = 30
WEEKS = 80
DRIFT = 20  # weeks
A_WEEK = 60  # leads
KNOWN = day(7 * WEEKS + HORIZON)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    facts = Facts(make_settings())
    facts.lead("a", 1)
    return facts.history(tmp_path_factory.mktemp("store"), known_until=7 * WEEKS + HORIZON)


def lists_of(version_of_week, *, is_off, seed=1):
    """A settled list a week; the odds of a win are a third of what is predicted in weeks that are off."""
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(WEEKS), A_WEEK)
    log_odds = rng.normal(-0.5, 1.0, len(week))
    wrong = np.array([is_off(number) for number in week])
    is_won = rng.random(len(week)) < sigmoid(log_odds - 1.1 * wrong)
    as_of_us = np.array([day(7 * number) for number in week])
    after_us = (HORIZON * DAY_US * rng.random(len(week))).astype("int64")
    return pd.DataFrame(
        {
            "lead_id": np.arange(len(week)).astype(str),
            "as_of_us": as_of_us,
            "end_us": as_of_us + HORIZON * DAY_US,
            "won_us": np.where(is_won, as_of_us + after_us, NEVER_US),
            "followed_us": as_of_us + HORIZON * DAY_US,
            "model_version": [version_of_week(number) for number in week],
            "probability": sigmoid(log_odds),
            "state": "settled",
        }
    )


def run_test(history, rows, trained):
    return run_calibration_test(history, rows, trained, known_us=KNOWN)


def test_alarm_when_the_model_is_replaced_every_week_then_is_raised_all_the_same(history):
    rows = lists_of(lambda week: f"m{week}", is_off=lambda week: week >= DRIFT)
    # none of them was trained on what raised it
    test = run_test(history, rows, {f"m{week}": day(0) for week in range(WEEKS)})
    assert test.raised is not None
    assert day(7 * DRIFT) < parse(test.raised) < day(7 * (DRIFT + 10))
    assert test.wins < test.expected_wins / 1.5


def test_alarm_when_a_later_model_has_seen_it_then_is_over_and_the_next_one_can_come(history):
    seen = DRIFT + 20  # weeks; by then it has been raised

    def version_of(week):
        return "old" if week < seen else "new"

    trained = {"old": day(0), "new": day(7 * seen)}
    cured = lists_of(version_of, is_off=lambda week: DRIFT <= week < seen)
    test = run_test(history, cured, trained)
    assert test.raised is None
    assert test.leads == A_WEEK * (WEEKS - seen)
    answered_us = find_last_alarm(cured, trained, known_us=KNOWN)
    assert day(7 * DRIFT) < answered_us <= day(7 * seen)
    still_off = lists_of(version_of, is_off=lambda week: week >= DRIFT)
    again = run_test(history, still_off, trained)
    assert parse(again.raised) > day(7 * seen)
    assert find_last_alarm(still_off, trained, known_us=KNOWN) == parse(again.raised)


def test_alarm_when_the_new_model_was_trained_too_early_then_stays(history):
    rows = lists_of(
        lambda week: "old" if week < DRIFT + 2 else "new", is_off=lambda week: week >= DRIFT
    )
    test = run_test(history, rows, {"old": day(0), "new": day(7 * (DRIFT + 2))})
    assert parse(test.raised) < day(7 * (DRIFT + 15))


def parse(text):
    from leadscore.times import parse_moment

    return parse_moment(text, zone="UTC")


def test_alarm_when_there_was_none_then_there_is_no_last_one(history):
    sound = lists_of(lambda week: "only", is_off=lambda week: False)
    assert find_last_alarm(sound, {"only": day(0)}, known_us=KNOWN) is None
    assert find_last_alarm(sound.head(0), {}, known_us=KNOWN) is None
