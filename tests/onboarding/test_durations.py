"""Which column says how long activities lasted, and in which unit."""

from __future__ import annotations

import pyarrow as pa
import pytest

from leadscore.onboarding.durations import find_duration
from leadscore.onboarding.profile import Column


@pytest.mark.parametrize(
    ("name", "values", "target"),
    [
        ("Call Duration (in seconds)", ["5", "300"], "duration_s"),
        ("duration_ms", ["5000", "300000"], "duration_ms"),
        ("Dauer (Minuten)", ["5", "30"], "duration_min"),
        ("seconds", ["5", "300"], "duration_s"),
        ("Dauer", ["00:15", "01:30"], "duration_s"),
        ("Duration", ["27 min", "1h 5m"], "duration_s"),
        ("Duration", ["5:30", "26:15", "39:39"], "duration_s"),  # ingest asks what they are
        ("duration", ["5", "300"], None),
    ],
)
def test_duration_when_name_or_values_say_the_unit_then_it_is_known(
    name: str, values: list[str], target: str | None
) -> None:
    other = Column("subject", pa.array(["Call back", "Intro"]))

    duration = find_duration([other, Column(name, pa.array(values))])

    assert duration is not None
    assert (duration.column.name, duration.target) == (name, target)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("minutes of the meeting", ["We met", "They left"]),
        ("amount", ["5", "300"]),
        ("duration", ["", ""]),
    ],
)
def test_duration_when_a_column_is_none_then_none(name: str, values: list[str]) -> None:
    assert find_duration([Column(name, pa.array(values))]) is None
