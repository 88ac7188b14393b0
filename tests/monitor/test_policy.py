"""When training is due, and when a champion gives way to the one before."""

import numpy as np
import pytest

from builders import day
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.apply import sigmoid
from leadscore.monitor.policy import (
    SinceTraining,
    asks_again,
    decide_rollback,
    is_retraining_due,
    may_cure,
)
from leadscore.results.drift import Alarm
from leadscore.settings.model import ModelSettings
from leadscore.settings.retraining import RetrainingSettings

WEEKLY = RetrainingSettings()
CASES = {
    "nothing was trained": (None, {}, True, "no model yet"),
    "the data are the same": (SinceTraining(0, 0, ["values of x"]), {}, False, "no newer data"),
    "a week is over": (SinceTraining(7, 3), {}, True, "7.0 days of data"),
    "a week is not over": (SinceTraining(6.9, 3), {}, False, "6.9 days of data"),
    "there is no schedule": (SinceTraining(400, 3), {"every_days": None}, False, "400.0 days"),
    "an alarm is new": (SinceTraining(1, 0, ["values of x"]), {}, True, "alarm: values of x"),
    "alarms do not count": (SinceTraining(1, 0, ["values of x"]), {"on_alarm": False}, False, ""),
    "enough leads closed": (SinceTraining(1, 50), {"new_outcomes": 50}, True, "50 leads closed"),
    "one too few closed": (SinceTraining(1, 49), {"new_outcomes": 50}, False, "49 leads closed"),
}


@pytest.mark.parametrize("case", CASES)
def test_training_when_the_policy_asks_for_it_then_is_due_with_the_reason(case):
    since, changes, due, why = CASES[case]
    decided = is_retraining_due(since, RetrainingSettings(**changes))
    assert decided.due is due
    assert why in decided.why


def settled(*, n=3000, seed=1, champion=0.0, previous=0.0, wins=0.2):
    """Leads whose true log-odds both models shift by so much: the champion's lists, and the other's probabilities."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(np.log(wins / (1 - wins)), 1.0, n)
    label = (rng.random(n) < sigmoid(log_odds)).astype(float)
    lists = EvaluationSet(
        probability=sigmoid(log_odds + champion),
        label=label,
        weight=np.ones(n),
        lead_id=np.arange(n).astype(str),
        block=np.zeros(n, dtype=np.int64),
    )
    return lists, sigmoid(log_odds + previous)


def decide(lists, previous):
    return decide_rollback(lists, previous, ModelSettings(), seed=1)


def test_champion_when_it_breaks_the_limits_and_the_one_before_is_better_then_gives_way():
    decision = decide(*settled(champion=1.5))
    assert decision.rolled_back
    assert decision.broken
    assert decision.gain.low > 0
    assert "clearly better" in decision.why


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"champion": 0.0, "previous": -3.0}, "keep the limits"),
        ({"champion": 0.2}, "keep the limits"),
        ({"champion": 1.5, "previous": 1.5}, "is not clearly better"),
        ({"champion": 1.5, "previous": 3.0}, "is not clearly better"),
        ({"champion": 1.5, "n": 60}, "fewer than 30"),
    ],
)
def test_champion_when_any_of_it_is_unclear_then_stays(world, why):
    decision = decide(*settled(**world))
    assert not decision.rolled_back
    assert why in decision.why


def test_champion_when_there_is_none_before_it_then_stays_and_says_what_is_broken():
    lists, _ = settled(champion=1.5)
    decision = decide(lists, None)
    assert not decision.rolled_back
    assert decision.broken
    assert "no champion before it" in decision.why


@pytest.mark.parametrize(("kind", "share", "cured"), [
    ("calibration", 1.0, True),
    ("values", 0.3, True),
    ("values", None, True),
    ("values", 0.02, False),  # too little of the score rests on it
    ("missing", 0.5, False),  # whoever exports it has to mend it
    ("volume", None, False),
])  # fmt: skip
def test_alarm_when_newer_data_may_cure_it_and_it_matters_then_asks_for_a_training(
    kind, share, cured
):
    alarm = Alarm(kind=kind, subject="x", what="", since=None, sure="", share=share, do="")
    assert may_cure(alarm) == cured


@pytest.mark.parametrize(("shown", "trained", "known", "asks"), [
    (10, 5, 12, True),  # the training could not have seen it
    (10, 10, 20, False),  # it has just been answered
    (10, 10, 37.9, False),
    (10, 10, 38, True),  # but it stands, and there are four weeks more of data
])  # fmt: skip
def test_alarm_when_a_training_did_not_end_it_then_asks_again_after_four_weeks(
    shown, trained, known, asks
):
    assert asks_again(day(shown), trained_us=day(trained), known_us=day(known)) == asks
