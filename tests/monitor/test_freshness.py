"""How old the newest fact of each kind is, and when that is an alarm."""

import numpy as np
import pandas as pd
import pytest

from builders import day
from leadscore.monitor.freshness import describe_freshness, find_freshness_alarms
from leadscore.times import DAY_US

SPAN = 60  # days in which facts came
NOW = 100


def silences(*, facts=200, age=1.0, longest=3.0):
    last_us = day(NOW - age)
    return pd.DataFrame(
        {
            "source": ["activities"],
            "what": ["email"],
            "facts": [facts],
            "first_us": [last_us - SPAN * DAY_US],
            "last_us": [last_us],
            "longest_us": [round(longest * DAY_US)],
        }
    )


@pytest.mark.parametrize(("changes", "is_alarm"), [
    ({}, False),
    ({"age": 7}, True),
    ({"age": 7, "longest": 4}, False),  # a holiday was nearly as long
    ({"age": 7, "facts": 19}, False),  # too rare to tell
    ({"age": 7, "facts": 30}, False),  # one every other day: e^-3.4 by chance
    ({"age": 25, "facts": 30}, True),
])  # fmt: skip
def test_kind_when_silent_for_longer_than_ever_before_then_is_an_alarm(changes, is_alarm):
    described = describe_freshness(silences(**changes), known_us=day(NOW))
    alarms = find_freshness_alarms(described)
    assert [alarm.subject for alarm in alarms] == ["activities: email"] * is_alarm
    assert find_freshness_alarms(described, beside={"activities: email"}) == []


def test_alarm_when_raised_then_says_how_long_and_how_likely_that_is():
    described = describe_freshness(silences(age=7), known_us=day(NOW))
    (alarm,) = find_freshness_alarms(described)
    assert alarm.what == "nothing new for 7.0 days; the longest silence before was 3.0 days"
    assert alarm.sure == "less than one in a million by chance"  # e^(-199 / 60 * 7)
    assert alarm.since == "2024-04-03T00:00:00Z"


def test_kinds_when_described_then_the_stalest_is_first():
    rows = pd.concat([silences(age=2), silences(age=9), silences(age=4)])
    ages = [freshness.age_days for freshness in describe_freshness(rows, known_us=day(NOW))]
    assert ages == [9, 4, 2]


def test_alarm_when_facts_come_at_random_then_is_rarely_raised():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(2000):
        came = np.sort(rng.uniform(NOW - SPAN, NOW, 200))
        rows = pd.DataFrame(
            {
                "source": ["activities"],
                "what": ["email"],
                "facts": [len(came)],
                "first_us": [day(came[0])],
                "last_us": [day(came[-1])],
                "longest_us": [round(np.diff(came).max() * DAY_US)],
            }
        )
        alarms += len(find_freshness_alarms(describe_freshness(rows, known_us=day(NOW))))
    assert alarms <= 2
