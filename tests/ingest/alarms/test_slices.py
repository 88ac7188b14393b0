"""Conditions that cut the facts of two deliveries into slices."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_settings
from histories import scratch
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import AlarmError
from leadscore.ingest.alarms import deliveries
from leadscore.ingest.alarms.deliveries import PRIMES, SLICE_ROWS, Deliveries
from leadscore.ingest.staged import Staged
from leadscore.times import DAY_US, HOUR_US, SECOND_US, parse_moment


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


LEADS = {
    "source": "leads",
    "table": "leads",
    "columns": {"lead_id": "id", "event_at": "created"},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at", "kind": "kind", "duration_s": "s"},
}


def test_delivery_when_compared_in_slices_then_the_alarms_count_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
        mapping=[LEADS, CALLS],
        kinds={"email": "e-mails", "meeting": "meetings"},
    )
    write_leads(tmp_path)
    calls = make_calls()
    write_calls(tmp_path, calls)
    jobs.ingest(settings, known_until_us=parse_moment("2024-05-01", zone="UTC"))
    other = spoil(calls)
    write_calls(tmp_path, [*other[:300], *other[200:240]])

    raised = []
    for rows in (SLICE_ROWS, 150):
        monkeypatch.setattr(deliveries, "SLICE_ROWS", rows)
        with pytest.raises(AlarmError) as error:
            jobs.ingest(settings, known_until_us=parse_moment("2024-05-08", zone="UTC"))
        raised.append(str(error.value).partition(". It is quarantined")[0])

    assert raised[0] == raised[1]
    assert all(alarm in raised[0] for alarm in ("facts_vanished", "scale", "rewritten"))


def write_leads(folder: Path) -> None:
    lines = [f"L{number},2024-01-{1 + number % 28:02}" for number in range(40)]
    (folder / "leads.csv").write_text("\n".join(["id,created", *lines]))


def make_calls() -> list[str]:
    """400 e-mails and meetings of 40 leads, each of another length."""
    calls = []
    for number in range(400):
        month = 2 + number // 160
        day = 1 + number // 6 % 27
        kind = ("email", "meeting")[number % 2]
        moment = f"2024-{month:02}-{day:02} 08:{number % 60:02}"
        calls.append(f"L{number % 40},{moment},{kind},{60 + number}")
    return calls


def spoil(calls: list[str]) -> list[str]:
    """The calls with most e-mails made meetings, and a third of the lengths a thousand times as long."""
    spoilt = []
    for number, line in enumerate(calls):
        renamed = line.replace("email", "meeting") if number % 8 else line
        spoilt.append(renamed + "000" * (number % 3 == 0))
    return spoilt


def write_calls(folder: Path, rows: list[str]) -> None:
    (folder / "calls.csv").write_text("\n".join(["id,at,kind,s", *rows]))


@pytest.mark.parametrize("unit_us", [SECOND_US, HOUR_US // 2, HOUR_US, DAY_US])
@pytest.mark.parametrize("prime", PRIMES)
def test_slices_when_moments_are_whole_units_then_all_have_their_share(
    unit_us: int, prime: int
) -> None:
    remainders = {unit_us * number % prime for number in range(prime)}

    assert len(remainders) == prime


ENGINE = DuckDBEngine(make_settings().engine)
