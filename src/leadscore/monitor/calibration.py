"""The test of calibration over all published lists, from model to model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.history.split import History
from leadscore.monitor.sequential import ALARM_RATE, Evidence, bet_on_calibration
from leadscore.monitor.windows import Pace, Windows, choose_windows
from leadscore.results.drift import CalibrationTest


@dataclass(frozen=True)
class _Course:
    """How the test went.

    Attributes:
        answered: when alarms were raised that a training has answered since, rising.
        windows: that count since; None where no lead can be followed.
        evidence: that these give.
        pace: of all wins.
    """

    answered: tuple[int, ...]
    windows: Windows | None
    evidence: Evidence | None
    pace: Pace


def run_calibration_test(
    history: History,
    published: pd.DataFrame,
    trained_us: Mapping[str, int],
    *,
    known_us: int,
) -> CalibrationTest | None:
    """The sequential test on all lists so far; None without a lead that can be followed.

    It goes on from model to model, since one that is replaced every week has too few outcomes to
    say anything. Once an alarm is answered by a training, only lists of models count that have
    seen what raised it; so the alarm ends, and the next one can come.

    Args:
        history: where the leads are.
        published: all lists, as `settle` gave them.
        trained_us: up to when each model version knew the facts.
        known_us: the moment of the look.
    """
    course = _follow(published, trained_us, known_us=known_us)
    if course.windows is None or course.evidence is None:
        return None
    return _describe_test(history, course.windows, course.pace, course.evidence)


def find_last_alarm(
    published: pd.DataFrame,
    trained_us: Mapping[str, int],
    *,
    known_us: int,
) -> int | None:
    """When the test was last an alarm, answered since or not, in UTC microseconds; None if never."""
    course = _follow(published, trained_us, known_us=known_us)
    raised_us = None
    if course.evidence is not None:
        raised_us = course.evidence.first_alarm()
    if raised_us is None:
        return max(course.answered, default=None)
    return raised_us


def _follow(published: pd.DataFrame, trained_us: Mapping[str, int], *, known_us: int) -> _Course:
    """Run the test, and begin again with every alarm that a training has answered."""
    trained = published["model_version"].map(trained_us).fillna(0)
    latest_us = 0
    if len(published):
        latest_us = int(trained.iloc[published["as_of_us"].argmax()])
    pace = Pace(choose_windows(published))
    counted = published
    answered: list[int] = []
    while True:
        windows = choose_windows(counted)
        if not len(windows.start_us):
            return _Course(tuple(answered), None, None, pace)
        dates = counted["as_of_us"].unique().tolist()
        evidence = bet_on_calibration(windows, pace, sorted({*dates, known_us}))
        raised_us = evidence.first_alarm()
        if raised_us is None or latest_us < raised_us:
            return _Course(tuple(answered), windows, evidence, pace)
        answered.append(raised_us)
        counted = published[trained >= raised_us]


def _describe_test(
    history: History,
    windows: Windows,
    pace: Pace,
    evidence: Evidence,
) -> CalibrationTest:
    """The test in figures, with the wins that were due since the win rates differ most."""
    look_us = int(evidence.looks[-1])
    since = windows.take(windows.start_us >= evidence.since)
    share = pace.shares(since.elapsed(look_us), look_us)
    if share is None:
        since = since.take(since.end_us <= look_us)
        share = np.ones(len(since.end_us))
    raised_us = evidence.first_alarm()
    return CalibrationTest(
        leads=len(windows.start_us),
        evidence=float(evidence.wealth[-1]),
        highest=float(evidence.wealth.max()),
        limit=1 / ALARM_RATE,
        raised=None if raised_us is None else history.name(raised_us),
        since=None if raised_us is None else history.name(evidence.since),
        expected_wins=float(since.probability @ share),
        wins=int((since.won_us < look_us).sum()),
    )
