"""Spells of leads by hand: cases of facts that close, correct and re-open, and what is known at a moment."""

from collections.abc import Callable

import numpy as np
import pytest

from builders import EPOCH_US, Facts, day, make_settings
from history.spell_facts import SETTINGS, WITHIN, attach
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.spells import build_spells
from leadscore.times import DAY_US, FOREVER_US

JUST = 1 / DAY_US  # one microsecond, in days
Told = tuple[int, float, float | None, bool]  # spell, start, close or None while open, won


def read_spells(engine: DuckDBEngine, facts: Facts, *, known: float = 100) -> dict[str, list[Told]]:
    attach(engine, facts)
    told: dict[str, list[Told]] = {}
    for row in build_spells(
        engine, facts.settings.stages, correction_days=WITHIN, known_us=day(known)
    ).itertuples():
        close = None if row.close_us == FOREVER_US else (row.close_us - EPOCH_US) / DAY_US
        told.setdefault(row.lead_id, []).append(
            (row.spell, (row.start_us - EPOCH_US) / DAY_US, close, row.won)
        )
    return told


def lead() -> Facts:
    return Facts(SETTINGS).lead("a", 0)


CASES: dict[str, tuple[Callable[[], Facts], list[Told]]] = {
    "no close": (lead, [(1, 0, None, False)]),
    "outcome won": (lambda: lead().outcome("a", 5, "won"), [(1, 0, 5, True)]),
    "outcome lost": (lambda: lead().outcome("a", 5, "lost"), [(1, 0, 5, False)]),
    "closing stage won": (lambda: lead().stage("a", 5, "signed"), [(1, 0, 5, True)]),
    "closing stage lost": (lambda: lead().stage("a", 5, "rejected"), [(1, 0, 5, False)]),
    "open stages only": (
        lambda: lead().stage("a", 1, "new").stage("a", 2, "proposal"),
        [(1, 0, None, False)],
    ),
    "open stage, then closing stage": (
        lambda: lead().stage("a", 1, "new").stage("a", 5, "signed"),
        [(1, 0, 5, True)],
    ),
    "outcome and closing stage at once": (
        lambda: lead().stage("a", 5, "signed").outcome("a", 5, "won"),
        [(1, 0, 5, True)],
    ),
    "closing stage known before the outcome that happened first": (
        lambda: lead().outcome("a", 5, "won", known=9).stage("a", 6, "signed"),
        [(1, 0, 6, True)],
    ),
    "outcome known before the closing stage that happened first": (
        lambda: lead().stage("a", 5, "rejected", known=9).outcome("a", 6, "lost"),
        [(1, 0, 6, False)],
    ),
    "closing stage lost, outcome won soon after": (
        lambda: lead().stage("a", 5, "rejected").outcome("a", 6, "won"),
        [(1, 0, 5, True)],
    ),
    "won by a slip, lost soon after": (
        lambda: lead().stage("a", 5, "signed").stage("a", 5 + JUST, "rejected"),
        [(1, 0, 5, False)],
    ),
    "lost just in time to correct": (
        lambda: lead().outcome("a", 5, "won").stage("a", 5 + WITHIN, "rejected"),
        [(1, 0, 5, False)],
    ),
    "lost too late to correct": (
        lambda: lead().outcome("a", 5, "won").stage("a", 5 + WITHIN + JUST, "rejected"),
        [(1, 0, 5, True)],
    ),
    "a correction counts from when it is known": (
        lambda: lead().outcome("a", 5, "won").stage("a", 6, "rejected", known=5 + WITHIN + JUST),
        [(1, 0, 5, True)],
    ),
    "of two corrections the last": (
        lambda: lead().stage("a", 5, "signed").stage("a", 6, "rejected").outcome("a", 7, "won"),
        [(1, 0, 5, True)],
    ),
    "the days count from the first close, not from the last correction": (
        lambda: lead().stage("a", 5, "signed").stage("a", 7, "rejected").outcome("a", 9, "won"),
        [(1, 0, 5, False)],
    ),
    "won by a slip, re-opened before it is lost": (
        lambda: lead().stage("a", 5, "signed").stage("a", 6, "new").stage("a", 7, "rejected"),
        [(1, 0, 5, True), (2, 6, 7, False)],
    ),
    "re-opened, won by a slip, then lost": (
        lambda: (
            lead()
            .stage("a", 2, "rejected")
            .stage("a", 4, "new")
            .stage("a", 5, "signed")
            .outcome("a", 6, "lost")
        ),
        [(1, 0, 2, False), (2, 4, 5, False)],
    ),
    "a win of the earlier spell learned after the later one ended": (
        lambda: (
            lead()
            .stage("a", 2, "rejected")
            .stage("a", 4, "new")
            .stage("a", 5, "rejected")
            .outcome("a", 3, "won", known=6)
        ),
        [(1, 0, 2, False), (2, 4, 5, False)],
    ),
    "won and lost at the same microsecond": (
        lambda: lead().outcome("a", 5, "won").outcome("a", 5, "lost"),
        [(1, 0, 5, False)],
    ),
    "re-opened": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 8, "new"),
        [(1, 0, 5, False), (2, 8, None, False)],
    ),
    "re-opened and won": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 8, "proposal").outcome("a", 12, "won"),
        [(1, 0, 5, False), (2, 8, 12, True)],
    ),
    "won, re-opened and lost": (
        lambda: lead().stage("a", 5, "signed").stage("a", 8, "new").stage("a", 12, "rejected"),
        [(1, 0, 5, True), (2, 8, 12, False)],
    ),
    "re-opened twice": (
        lambda: (
            lead()
            .outcome("a", 5, "lost")
            .stage("a", 8, "new")
            .outcome("a", 9, "lost")
            .stage("a", 11, "qualified")
        ),
        [(1, 0, 5, False), (2, 8, 9, False), (3, 11, None, False)],
    ),
    "moves on after re-opening": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 8, "new").stage("a", 9, "qualified"),
        [(1, 0, 5, False), (2, 8, None, False)],
    ),
    "re-opening learned late": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 7, "new", known=12),
        [(1, 0, 5, False), (2, 12, None, False)],
    ),
    "open stage at the close itself": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 5, "new"),
        [(1, 0, 5, False)],
    ),
    "closing and open stage of one date, told apart by sequence": (
        lambda: lead().stage("a", 5, "rejected", seq=1).stage("a", 5, "qualified", seq=2),
        [(1, 0, 5, False), (2, 5, None, False)],
    ),
    "open stage and outcome of one date, whose sequences are of different tables": (
        lambda: lead().stage("a", 5, "proposal", seq=3).outcome("a", 5, "won"),
        [(1, 0, 5, True)],
    ),
    "open stage and outcome of one date, the outcome learned later": (
        lambda: lead().stage("a", 5, "proposal", seq=3).outcome("a", 5, "won", seq=1, known=9),
        [(1, 0, 9, True)],
    ),
    "open and closing stage of one date, told apart by sequence": (
        lambda: lead().stage("a", 5, "qualified", seq=1).stage("a", 5, "rejected", seq=2),
        [(1, 0, 5, False)],
    ),
    "open stage a microsecond after the close": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 5 + JUST, "new"),
        [(1, 0, 5, False), (2, 5 + JUST, None, False)],
    ),
    "close learned late": (lambda: lead().outcome("a", 5, "won", known=10), [(1, 0, 10, True)]),
    "close learned late and already re-opened": (
        lambda: lead().outcome("a", 5, "lost", known=10).stage("a", 8, "new"),
        [(1, 0, 10, False), (2, 10, None, False)],
    ),
    "close learned late, re-opened, another old close learned later": (
        lambda: (
            lead()
            .outcome("a", 5, "lost", known=10)
            .stage("a", 8, "new")
            .stage("a", 7, "rejected", known=11)
        ),
        [(1, 0, 10, False), (2, 10, None, False)],
    ),
    "stage entry before the close learned after it": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 4, "qualified", known=12),
        [(1, 0, 5, False)],
    ),
    "close of an earlier spell learned late": (
        lambda: (
            lead().outcome("a", 5, "lost").stage("a", 8, "new").stage("a", 6, "rejected", known=12)
        ),
        [(1, 0, 5, False), (2, 8, None, False)],
    ),
    "close of an earlier spell learned late, then the real one": (
        lambda: (
            lead()
            .outcome("a", 5, "lost")
            .stage("a", 8, "new")
            .stage("a", 6, "rejected", known=12)
            .outcome("a", 15, "won")
        ),
        [(1, 0, 5, False), (2, 8, 15, True)],
    ),
    "close at the moment of re-opening": (
        lambda: (
            lead().outcome("a", 5, "lost").stage("a", 8, "new").stage("a", 8, "rejected", known=9)
        ),
        [(1, 0, 5, False), (2, 8, 9, False)],
    ),
    "a second close while closed outdates a re-opening between": (
        lambda: (
            lead().outcome("a", 5, "lost").stage("a", 9, "rejected").stage("a", 7, "new", known=12)
        ),
        [(1, 0, 5, False)],
    ),
    "a second close while closed, then re-opened": (
        lambda: lead().outcome("a", 5, "lost").stage("a", 9, "rejected").stage("a", 10, "new"),
        [(1, 0, 5, False), (2, 10, None, False)],
    ),
    "an older close learned while closed does not undo the later one": (
        lambda: (
            lead()
            .outcome("a", 9, "lost")
            .stage("a", 5, "rejected", known=12)
            .stage("a", 7, "qualified", known=13)
        ),
        [(1, 0, 9, False)],
    ),
    "an older open stage learned does not undo the later one": (
        lambda: (
            lead()
            .stage("a", 8, "new")
            .stage("a", 4, "qualified", known=9)
            .outcome("a", 5, "lost", known=10)
        ),
        [(1, 0, 10, False), (2, 10, None, False)],
    ),
    "a later open stage known when an older close is learned": (
        lambda: (
            lead()
            .outcome("a", 5, "lost")
            .stage("a", 8, "new")
            .stage("a", 12, "qualified")
            .stage("a", 10, "rejected", known=14)
        ),
        [(1, 0, 5, False), (2, 8, 14, False), (3, 14, None, False)],
    ),
    "close, re-opening and close learned at once": (
        lambda: (
            lead()
            .outcome("a", 5, "lost", known=20)
            .stage("a", 8, "new", known=20)
            .outcome("a", 12, "won", known=20)
        ),
        [(1, 0, 20, False), (2, 20, 20, True)],
    ),
    "after the sale and in review: never re-opened": (
        lambda: (
            lead().stage("a", 5, "signed").stage("a", 8, "onboarding").stage("a", 9, "looked back")
        ),
        [(1, 0, 5, True)],
    ),
    "after the sale, then a new inquiry": (
        lambda: lead().stage("a", 5, "signed").stage("a", 8, "onboarding").stage("a", 9, "new"),
        [(1, 0, 5, True), (2, 9, None, False)],
    ),
    "lead learned late": (lambda: Facts(SETTINGS).lead("a", 0, known=3), [(1, 3, None, False)]),
}


@pytest.mark.parametrize(("build", "expected"), CASES.values(), ids=CASES)
def test_spells_of_a_lead_when_facts_are_given_then_are_those_worked_by_hand(
    engine: DuckDBEngine, build: Callable[[], Facts], expected: list[Told]
) -> None:
    assert read_spells(engine, build()) == {"a": [pytest.approx(spell) for spell in expected]}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (0, {}),
        (JUST, {"a": [(1, 0, None, False)]}),
        (10, {"a": [(1, 0, None, False)]}),
        (10 + JUST, {"a": [(1, 0, 10, False)]}),
        (14, {"a": [(1, 0, 10, False)]}),
        (14 + JUST, {"a": [(1, 0, 10, False), (2, 14, None, False)]}),
        (20, {"a": [(1, 0, 10, False), (2, 14, None, False)]}),
        (20 + JUST, {"a": [(1, 0, 10, False), (2, 14, 20, True)]}),
    ],
)
def test_spells_when_a_fact_is_known_at_k_or_a_microsecond_before_then_only_the_latter_counts(
    engine: DuckDBEngine, known: float, expected: dict[str, list[Told]]
) -> None:
    facts = (
        lead()
        .outcome("a", 5, "lost", known=10)
        .stage("a", 11, "new", known=14)
        .outcome("a", 20, "won")
    )
    assert read_spells(engine, facts, known=known) == expected


def test_spells_when_the_settings_declare_no_stages_then_outcomes_alone_close(
    engine: DuckDBEngine,
) -> None:
    plain = make_settings(stages={}, engine={"threads": 1})
    facts = (
        Facts(plain)
        .lead("a", 0)
        .lead("b", 1)
        .stage("a", 4, "signed")
        .outcome("a", 5, "won")
        .stage("a", 8, "new")
    )
    assert read_spells(engine, facts) == {"a": [(1, 0, 5, True)], "b": [(1, 1, None, False)]}


def test_spells_when_stage_names_hold_quotes_then_they_match_literally(
    engine: DuckDBEngine,
) -> None:
    quoted = make_settings(
        stages={"open": ["new"], "won": ["it's signed"], "lost": ["' OR '1'='1"]}
    )
    facts = (
        Facts(quoted).lead("a", 0).lead("b", 0).stage("a", 5, "it's signed").stage("b", 5, "new")
    )
    assert read_spells(engine, facts) == {"a": [(1, 0, 5, True)], "b": [(1, 0, None, False)]}


def test_spells_when_facts_speak_of_a_lead_that_is_not_there_then_it_has_none(
    engine: DuckDBEngine,
) -> None:
    facts = lead().outcome("ghost", 5, "lost").stage("ghost", 8, "new").outcome("other", 5, "won")
    assert read_spells(engine, facts) == {"a": [(1, 0, None, False)]}


def test_spells_when_there_are_many_leads_then_they_are_ordered_and_typed(
    engine: DuckDBEngine,
) -> None:
    facts = Facts(SETTINGS)
    for lead_id in ("b", "10", "a", "2", "00012"):
        facts.lead(lead_id, 0).outcome(lead_id, 5, "lost")
    for lead_id in ("10", "b"):
        facts.stage(lead_id, 8, "new")
    attach(engine, facts)
    spells = build_spells(engine, SETTINGS.stages, correction_days=WITHIN, known_us=day(100))
    found = list(zip(spells["lead_id"], spells["spell"], strict=True))
    assert found == [("00012", 1), ("10", 1), ("10", 2), ("2", 1), ("a", 1), ("b", 1), ("b", 2)]
    assert list(spells.columns) == [
        "lead_id",
        "spell",
        "start_us",
        "earliest_us",
        "close_us",
        "won",
    ]
    assert [spells[name].dtype for name in list(spells.columns)[1:]] == [np.int64] * 4 + [np.bool_]


@pytest.mark.parametrize("known_lead", [9, 10, 11, 20 - JUST])
def test_spells_when_a_lead_is_learned_after_its_own_close_and_reopening_then_none_begins_before_it_is_known(
    engine: DuckDBEngine, known_lead: float
) -> None:
    # Such as a lead without a creation date, which is known from just before known_until on.
    facts = (
        Facts(SETTINGS).lead("a", 0, known=known_lead).outcome("a", 3, "lost").stage("a", 5, "new")
    )
    spells = read_spells(engine, facts, known=20)["a"]
    assert min(start for _, start, _, _ in spells) == pytest.approx(known_lead)
    assert all(close is None or start <= close for _, start, close, _ in spells)
    assert spells[-1][2] is None
