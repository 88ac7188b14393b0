"""Visits to stages, as known at a moment."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from engines.sqlite import SQLiteEngine
from history.visits_oracle import list_irregular, list_visits
from leadscore.engine import Engine
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.absences import add_seen
from leadscore.history.closes import attach_plain_closes
from leadscore.history.irregular import count_irregular
from leadscore.history.spells import build_spells
from leadscore.history.visits import Span, count_visits
from leadscore.ingest.mapping.entries import table_of

STAGES = {
    "open": ["new", "qualified", "proposal"],
    "won": ["signed"],
    "lost": ["rejected"],
    "after_sale": ["onboarding"],
    "review": ["looked back"],
}
SETTINGS = make_settings(engine={"threads": 1}, stages=STAGES)
Visit = tuple[str, str, float]  # stage, exit, days


def attach(engine: Engine, facts: Facts, *, known: float) -> pd.DataFrame:
    """Makes the facts readable, and gives the spells as known by then."""
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, SETTINGS).schema()))
    attach_plain_closes(engine, SETTINGS.stages)
    return build_spells(engine, SETTINGS.stages, known_us=day(known), correction_days=0.5)


def lead() -> Facts:
    return Facts(SETTINGS).lead("a", 0)


def read_visits(
    engine: DuckDBEngine, facts: Facts, *, known: float = 100, since: float = 0
) -> list[Visit]:
    spells = attach(engine, facts, known=known)
    counted = count_visits(engine, SETTINGS.stages, spells, Span(day(since), day(known)))
    return [
        (row.stage, row.exit, row.hours / 24)
        for row in counted.itertuples()
        for _ in range(row.visits)
        if row.period == "now"
    ]


CASES: dict[str, tuple[Callable[[], Facts], list[Visit]]] = {
    "nothing": (lead, []),
    "still there": (lambda: lead().stage("a", 5, "new"), [("new", "open", 95)]),
    "moves on": (
        lambda: lead().stage("a", 5, "new").stage("a", 8, "qualified"),
        [("new", "forward", 3), ("qualified", "open", 92)],
    ),
    "skips a stage": (
        lambda: lead().stage("a", 5, "new").stage("a", 8, "proposal"),
        [("new", "forward", 3), ("proposal", "open", 92)],
    ),
    "enters midway": (lambda: lead().stage("a", 5, "proposal"), [("proposal", "open", 95)]),
    "moves back": (
        lambda: lead().stage("a", 5, "qualified").stage("a", 8, "new"),
        [("new", "open", 92), ("qualified", "back", 3)],
    ),
    "is won": (
        lambda: lead().stage("a", 5, "proposal").stage("a", 9, "signed"),
        [("proposal", "won", 4)],
    ),
    "is lost by its outcome": (
        lambda: lead().stage("a", 5, "proposal").outcome("a", 9, "lost"),
        [("proposal", "lost", 4)],
    ),
    "the same stage again continues": (
        lambda: lead().stage("a", 5, "new").stage("a", 7, "new").stage("a", 9, "qualified"),
        [("new", "forward", 4), ("qualified", "open", 91)],
    ),
    "several at one moment: the last counts": (
        lambda: lead().stage("a", 5, "new", seq=0).stage("a", 5, "proposal", seq=1),
        [("proposal", "open", 95)],
    ),
    "re-opened: a spell of its own": (
        lambda: (
            lead()
            .stage("a", 5, "proposal")
            .outcome("a", 9, "lost")
            .stage("a", 20, "new")
            .outcome("a", 25, "won")
        ),
        [("new", "won", 5), ("proposal", "lost", 4)],
    ),
    "what comes after the sale begins no visit and re-opens nothing": (
        lambda: (
            lead()
            .stage("a", 5, "proposal")
            .stage("a", 9, "signed")
            .stage("a", 12, "onboarding")
            .stage("a", 15, "looked back")
        ),
        [("proposal", "won", 4)],
    ),
    "several before the lead was known: the last that happened counts": (
        lambda: (
            Facts(SETTINGS)
            .lead("a", 7)
            .stage("a", 3, "proposal", seq=9)
            .stage("a", 5, "qualified", seq=1)
        ),
        [("qualified", "open", 93)],
    ),
    "known too late": (
        lambda: lead().stage("a", 5, "new").stage("a", 8, "qualified", known=200),
        [("new", "open", 95)],
    ),
}


@pytest.mark.parametrize(("build", "visits"), CASES.values(), ids=CASES)
def test_visits_when_counted_then_each_ends_as_known(
    engine: DuckDBEngine, build: Callable[[], Facts], visits: list[Visit]
) -> None:
    assert sorted(read_visits(engine, build())) == visits


def test_visits_when_they_began_before_the_period_then_are_left_out(engine: DuckDBEngine) -> None:
    facts = lead().stage("a", 5, "new").stage("a", 8, "qualified")
    assert read_visits(engine, facts, since=6) == [("qualified", "open", 92)]


@pytest.mark.parametrize("known", [6, 8, 12])
def test_visits_when_facts_known_later_are_others_then_are_the_same(
    engine: DuckDBEngine, known: float
) -> None:
    facts = lead().stage("a", 2, "new").stage("a", 5, "qualified")
    before = read_visits(engine, facts, known=known)
    later = facts.stage("a", known, "proposal").outcome("a", 3, "lost", known=known)
    later = later.lead("b", known).stage("b", known + 1, "new")
    assert read_visits(engine, later, known=known) == before
    assert read_visits(engine, later, known=known + 2) != before


def test_visits_when_a_lead_is_absent_then_it_was_last_seen_in_the_last_export_that_had_it(
    engine: DuckDBEngine,
) -> None:
    spells = attach(engine, lead().stage("a", 5, "new").stage("a", 50, "proposal"), known=100)
    absent = {"lead_id": "a", "seq": 0, "present": 0}
    presence = pd.DataFrame([absent | {"available_us": day(60), "seen_until_us": day(40)}])
    seen = add_seen(spells, presence, known_us=day(100))
    counted = count_visits(engine, SETTINGS.stages, seen, Span(day(0), day(100)))
    assert counted[["stage", "exit", "hours"]].to_numpy().tolist() == [["new", "open", 35 * 24]]


IRREGULAR: dict[str, tuple[Callable[[], Facts], dict[str, int]]] = {
    "nothing is irregular": (lambda: lead().stage("a", 5, "new").stage("a", 9, "proposal"), {}),
    "no stage": (lead, {"without_stage": 1}),
    "several at one moment": (
        lambda: lead().stage("a", 5, "new", seq=0).stage("a", 5, "proposal", seq=1),
        {"at_one_moment": 1},
    ),
    "the same stage again": (
        lambda: lead().stage("a", 5, "new").stage("a", 7, "new"),
        {"repeated": 1},
    ),
    "an open stage at the very close, in between": (
        lambda: lead().stage("a", 5, "new").outcome("a", 9, "lost").stage("a", 9, "proposal"),
        {"while_closed": 1},
    ),
    "a stage that is not declared": (
        lambda: lead().stage("a", 5, "new").stage("a", 7, "renamed"),
        {"not_declared": 1},
    ),
    "after the sale": (
        lambda: lead().stage("a", 5, "new").outcome("a", 6, "won").stage("a", 7, "onboarding"),
        {},
    ),
    "before the period": (lambda: lead().stage("a", 2, "new").stage("a", 3, "new"), {}),
}


@pytest.mark.parametrize(("build", "counts"), IRREGULAR.values(), ids=IRREGULAR)
def test_irregular_histories_when_counted_then_each_kind_has_its_count(
    engine: DuckDBEngine, build: Callable[[], Facts], counts: dict[str, int]
) -> None:
    since = 4 if counts != {"without_stage": 1} else 0
    spells = attach(engine, build(), known=100)
    span = Span(day(since), day(100))
    visits = count_visits(engine, SETTINGS.stages, spells, span)
    began = int(visits.loc[visits["period"] == "now", "visits"].sum())
    counted = count_irregular(engine, SETTINGS.stages, spells, span, visits=began)
    assert {name: n for name, n in counted.items() if n} == counts


ENTRY = st.tuples(
    st.integers(0, 12),  # the day
    st.sampled_from(["new", "qualified", "proposal", "signed", "rejected", "onboarding", "other"]),
    st.integers(0, 2),  # seq
    st.integers(0, 4),  # days until it is known
)


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    facts = Facts(SETTINGS)
    for lead_id in ("a", "b"):
        facts.lead(lead_id, draw(st.integers(0, 4)))
        entries = draw(st.lists(ENTRY, max_size=8, unique_by=lambda entry: entry[:3]))
        for at, stage, seq, late in entries:
            facts.stage(lead_id, at, stage, seq=seq, known=at + late)
    return facts


def as_counter(counted: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    columns = ["period", "stage", "exit", "next_stage", "is_first", "hours"]
    keys = counted[columns].itertuples(index=False, name=None)
    return Counter(dict(zip(keys, counted["visits"], strict=True)))


@settings(max_examples=30, deadline=None)
@given(facts=histories(), known=st.integers(6, 14), days=st.integers(1, 6))
def test_visits_when_histories_are_random_then_are_those_of_a_plain_loop_on_every_engine(
    engine: DuckDBEngine, facts: Facts, known: int, days: int
) -> None:
    span = Span(day(known - days), day(known))
    for opened in (engine, SQLiteEngine()):
        spells = attach(opened, facts, known=known)
        visits = list_visits(facts, spells, SETTINGS.stages, span)
        assert as_counter(count_visits(opened, SETTINGS.stages, spells, span)) == Counter(visits)
        began = sum(visit[0] == "now" for visit in visits)
        counts = count_irregular(opened, SETTINGS.stages, spells, span, visits=began)
        assert counts == list_irregular(facts, spells, SETTINGS.stages, span)
