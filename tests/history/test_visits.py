"""Visits to stages, as known at a moment."""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.history.spells import build_spells
from leadscore.history.visits import count_visits
from leadscore.ingest.mapping.entries import table_of

STAGES = {"open": ["new", "qualified", "proposal"], "won": ["signed"], "lost": ["rejected"]}
SETTINGS = make_settings(engine={"threads": 1}, stages=STAGES)
Visit = tuple[str, str, float]  # stage, exit, days


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(SETTINGS.engine)
    yield opened
    opened.close()


def lead() -> Facts:
    return Facts(SETTINGS).lead("a", 0)


def read_visits(
    engine: DuckDBEngine, facts: Facts, *, known: float = 100, since: float = 0
) -> list[Visit]:
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, SETTINGS).schema()))
    attach_plain_closes(engine, SETTINGS.stages)
    spells = build_spells(engine, SETTINGS.stages, known_us=day(known), correction_days=0.5)
    counted = count_visits(
        engine, SETTINGS.stages, spells, known_us=day(known), since_us=day(since)
    )
    return [
        (row.stage, row.exit, row.hours / 24)
        for row in counted.itertuples()
        for _ in range(row.visits)
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
