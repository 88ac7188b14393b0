"""Conditions that cut the facts of two deliveries into slices, and into equal ones and others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_settings
from histories import scratch
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import AlarmError
from leadscore.ingest.alarms import deliveries
from leadscore.ingest.alarms.deliveries import PRIMES, SLICE_ROWS, Deliveries
from leadscore.ingest.mapping.entries import table_of
from leadscore.ingest.staged import Staged
from leadscore.times import DAY_US, HOUR_US, SECOND_US, parse_moment

ENGINE = DuckDBEngine(make_settings().engine)


def slices_of(now_rows: int) -> list[str]:
    """The slices of activities, of which this delivery has so many rows, and the one before none."""
    project = make_settings()
    engine = DuckDBEngine(project.engine)
    for side, rows in (("before", 0), ("now", now_rows)):
        moments = engine.query(f"SELECT range AS event_us FROM range({rows})")
        engine.add_rows(f"raw_{side}_activities", moments)
    staged = Staged(engine, [], project, Path(scratch()))
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


FACTS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.sampled_from(["call", "mail", None])),
    max_size=6,
)
ACTIVITIES = table_of("activities", make_settings()).schema()


@settings(deadline=None)
@given(before=FACTS, now=FACTS, before_us=st.integers(0, 4))
def test_parts_when_any_deliveries_are_given_then_each_fact_is_in_one_and_equal_ones_are_in_both(
    before: list[tuple], now: list[tuple], before_us: int
) -> None:
    for name, facts in (("before", before), ("now", now)):
        ENGINE.add_rows(f"raw_{name}_activities", make_activities(facts))
    ENGINE.add_rows("before_activities", make_activities(before))
    ENGINE.add_rows("activities_now", make_activities(now))
    staged = Staged(ENGINE, [], make_settings(), Path(scratch()))
    pair = Deliveries(staged, ("activities",), frozenset(), before_us, 9)
    parts = pair.parts("activities")

    [equal] = parts.equal
    assert select("before", equal) == select("now", equal)
    for name, facts in (("before", before), ("now", now)):
        assert select(name, equal) + select(name, parts.unequal[0]) == Counter(facts)
    past = [
        {fact: n for fact, n in Counter(facts).items() if fact[1] < before_us}
        for facts in (before, now)
    ]
    unshared = {
        fact[0] for fact in set(past[0]) | set(past[1]) if past[0].get(fact) != past[1].get(fact)
    }
    leads = ENGINE.query("SELECT lead_id FROM unequal_activities")["lead_id"].to_pylist()
    assert set(leads) == unshared


def make_activities(facts: list[tuple]) -> pa.Table:
    """Activities of leads, at moments, of kinds."""
    rows = [{"lead_id": lead, "event_us": us, "kind": kind} for lead, us, kind in facts]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([each.with_nullable(True) for each in ACTIVITIES])
    )


def select(side: str, part: str) -> Counter:
    """The facts of a delivery in a part."""
    rows = ENGINE.query(f"SELECT lead_id, event_us, kind FROM raw_{side}_activities WHERE {part}")
    return Counter(tuple(row.values()) for row in rows.to_pylist())


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


@pytest.mark.parametrize("leads", [40, 12])
def test_delivery_when_compared_in_slices_then_the_alarms_count_the_same(
    leads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, the facts of leads whose past is the same are counted in one delivery; in slices, all are compared."""
    project = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
        mapping=[LEADS, CALLS],
        kinds={"email": "e-mails", "meeting": "meetings"},
    )
    write_leads(tmp_path)
    calls = make_calls()
    write_calls(tmp_path, calls)
    jobs.ingest(project, known_until_us=parse_moment("2024-05-01", zone="UTC"))
    other = spoil(calls, leads=leads)
    stay = [line for number, line in enumerate(other) if number < 300 or number % 40 >= leads]
    write_calls(tmp_path, [*stay, *other[200 : 200 + leads]])

    raised = []
    for rows in (SLICE_ROWS, 50):
        monkeypatch.setattr(deliveries, "SLICE_ROWS", rows)
        with pytest.raises(AlarmError) as error:
            jobs.ingest(project, known_until_us=parse_moment("2024-05-08", zone="UTC"))
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


def spoil(calls: list[str], *, leads: int) -> list[str]:
    """The calls with most e-mails of the first leads made meetings, and a third of their lengths a thousand times as long."""
    spoilt = []
    for number, line in enumerate(calls):
        if number % 40 >= leads:
            spoilt.append(line)
            continue
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
