"""Conditions that cut the facts of two deliveries into slices."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_settings
from histories import scratch
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.ingest.alarms.deliveries import PRIMES, SLICE_ROWS, Deliveries
from leadscore.ingest.staged import Staged
from leadscore.times import DAY_US, HOUR_US, SECOND_US


def slices_of(now_rows: int) -> list[str]:
    """The slices of activities, of which this delivery has so many rows, and the one before none."""
    settings = make_settings()
    engine = DuckDBEngine(settings.engine)
    for side, rows in (("before", 0), ("now", now_rows)):
        moments = engine.query(f"SELECT range AS event_us FROM range({rows})")
        engine.add_rows(f"raw_{side}_activities", moments)
    staged = Staged(engine, [], settings, Path(scratch()))
    return Deliveries(staged, ("activities",), frozenset(), 0, 1).slices("activities")


def test_slices_when_facts_are_few_then_there_is_one() -> None:
    assert slices_of(1000) == ["1 = 1"]


def test_slices_when_facts_are_many_then_there_are_enough() -> None:
    assert len(slices_of(3 * SLICE_ROWS)) == PRIMES[0]


@given(event_us=st.integers(-(2**62), 2**62), prime=st.sampled_from(PRIMES))
def test_slice_when_any_moment_is_given_then_just_one_has_it(event_us: int, prime: int) -> None:
    conditions = [f"ABS({event_us}) % {prime} = {number}" for number in range(prime)]
    row = ENGINE.query("SELECT " + ", ".join(conditions)).to_pylist()[0]

    assert sum(row.values()) == 1


@pytest.mark.parametrize("unit_us", [SECOND_US, HOUR_US // 2, HOUR_US, DAY_US])
@pytest.mark.parametrize("prime", PRIMES)
def test_slices_when_moments_are_whole_units_then_all_have_their_share(
    unit_us: int, prime: int
) -> None:
    remainders = {unit_us * number % prime for number in range(prime)}

    assert len(remainders) == prime


ENGINE = DuckDBEngine(make_settings().engine)
