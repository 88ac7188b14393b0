"""Right deliveries of the sample company, week after week: how often an alarm is raised for nothing."""

from pathlib import Path

import numpy as np
import pytest

from deliveries import cut, read_sample, settings_of, write_delivery
from leadscore import project as jobs
from leadscore.errors import AlarmError
from leadscore.times import parse_moment

WEEKS = 50
LAST = np.datetime64("2026-03-01")


def deliver_weekly(folder: Path, *, leads: int, seed: int, weeks: int) -> dict[str, str]:
    """Ingest the exports of successive weeks, the last at the sample's end; returns what was raised, by day."""
    settings = settings_of(folder, leads=leads, seed=seed)
    raised = {}
    for week in range(weeks, -1, -1):
        day = LAST - np.timedelta64(7 * week, "D")
        write_delivery(cut(read_sample(leads=leads, seed=seed), day), settings.input_folder)
        moment = parse_moment(str(day), zone="UTC")
        try:
            seen = jobs.ingest(settings, known_until_us=moment).alarms
        except AlarmError as e:
            seen = [str(e)]
            jobs.ingest(settings, known_until_us=moment, accept=e.names)
        if seen:
            raised[str(day)] = "; ".join(seen)
    return raised


@pytest.mark.slow
def test_deliveries_when_fifty_weeks_are_right_then_at_most_one_raises_an_alarm(tmp_path):
    assert len(deliver_weekly(tmp_path, leads=1500, seed=2, weeks=WEEKS)) <= 1


@pytest.mark.slow
def test_deliveries_when_three_weeks_are_right_then_none_raises_an_alarm(tmp_path):
    assert deliver_weekly(tmp_path, leads=1500, seed=3, weeks=3) == {}
