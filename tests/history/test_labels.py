"""Labels and weights of snapshots, worked by hand, and the survival of the censoring time."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from builders import Facts, day
from history.labelled import GRID_WEIGHTS, WIDE, list_of, quick, survival_by_hand
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.censoring import fit_censoring
from leadscore.history.closes import attach_plain_closes
from leadscore.history.labels import build_side
from leadscore.history.lists import build_open_list
from leadscore.history.spells import build_spells
from leadscore.ingest.mapping.entries import table_of
from leadscore.times import DAY_US

JUST = 1 / DAY_US  # one microsecond, in days
WITHIN = 3  # days within which a close corrects
Build = Callable[[Facts], Facts]


def settle(
    facts: Facts, engine: DuckDBEngine, *, as_of: float, known: float, beside: pd.DataFrame
) -> pd.DataFrame:
    """Lead "a", if it is listed at as_of, and what became of it, beside other snapshots, as the real code has it."""
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, facts.settings).schema()))
    attach_plain_closes(engine, facts.settings.stages)
    then, later = (
        build_spells(engine, facts.settings.stages, known_us=day(at), correction_days=WITHIN)
        for at in (as_of, known)
    )
    listed = build_open_list(then, as_of_us=day(as_of)).assign(grid_weight=1.0, young=False)
    asked = pd.concat([listed[listed["lead_id"] == "a"], beside], ignore_index=True)
    return build_side("these", asked, later, known_us=day(known), target=WIDE).rows.set_index(
        "lead_id"
    )


LABELLED: dict[str, tuple[Build, float, float, float, float]] = {
    # case: (facts, as_of, K, label, X in days)
    "won inside the horizon": (lambda f: f.outcome("a", 15, "won"), 10, 60, 1, 5),
    "won by a closing stage": (lambda f: f.stage("a", 15, "signed"), 10, 60, 1, 5),
    "won exactly at as_of": (lambda f: f.outcome("a", 10, "won"), 10, 60, 1, 0),
    "lost exactly at as_of": (lambda f: f.outcome("a", 10, "lost"), 10, 60, 0, 0),
    "won a microsecond before the horizon ends": (lambda f: f.outcome("a", 40 - JUST, "won"), 10, 60, 1, 30 - JUST),
    "won exactly at as_of + horizon": (lambda f: f.outcome("a", 40, "won"), 10, 60, 0, 30),
    "won after the horizon": (lambda f: f.outcome("a", 50, "won"), 10, 60, 0, 30),
    "lost inside the horizon": (lambda f: f.outcome("a", 15, "lost"), 10, 60, 0, 5),
    "lost by a closing stage": (lambda f: f.stage("a", 15, "rejected"), 10, 60, 0, 5),
    "lost after the horizon": (lambda f: f.outcome("a", 50, "lost"), 10, 60, 0, 30),
    "open to the end of the horizon": (lambda f: f, 10, 60, 0, 30),
    "open, with K exactly at the end of the horizon": (lambda f: f, 10, 40, 0, 30),
    "won before K, with K inside the horizon": (lambda f: f.outcome("a", 15, "won"), 10, 20, 1, 5),
    "lost before K, with K inside the horizon": (lambda f: f.outcome("a", 15, "lost"), 10, 20, 0, 5),
    "won a microsecond before K": (lambda f: f.outcome("a", 20 - JUST, "won"), 10, 20, 1, 10 - JUST),
    "lost, re-opened, won": (
        lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new").outcome("a", 20, "won"), 10, 60, 0, 5,
    ),
    "lost, re-opened, won, seen from the later spell": (
        lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new").outcome("a", 20, "won"), 19, 60, 1, 1,
    ),
    "won, re-opened, lost": (
        lambda f: f.outcome("a", 15, "won").stage("a", 18, "new").outcome("a", 20, "lost"), 10, 60, 1, 5,
    ),
    "date-only win on the last day of the horizon": (lambda f: f.outcome("a", 40 - JUST, "won"), 10, 60, 1, 30 - JUST),
    "date-only win on the day after the horizon": (lambda f: f.outcome("a", 41 - JUST, "won"), 10, 60, 0, 30),
    "date-only win on the day of as_of": (lambda f: f.outcome("a", 11 - JUST, "won"), 10, 60, 1, 1 - JUST),
    "win learned late, inside the horizon": (lambda f: f.outcome("a", 20, "won", known=25), 10, 60, 1, 15),
    "win learned after the horizon": (lambda f: f.outcome("a", 20, "won", known=45), 10, 60, 0, 30),
    "win not yet learned at as_of": (lambda f: f.outcome("a", 20, "won", known=45), 30, 60, 1, 15),
    "loss learned late": (lambda f: f.outcome("a", 20, "lost", known=25), 10, 60, 0, 15),
    "won and lost at the same microsecond": (
        lambda f: f.outcome("a", 15, "won").outcome("a", 15, "lost"), 10, 60, 0, 5,
    ),
    "lost first, put right by a win": (
        lambda f: f.stage("a", 15, "rejected").outcome("a", 17, "won"), 10, 60, 1, 5,
    ),
    "lost first, put right after K": (
        lambda f: f.stage("a", 15, "rejected").outcome("a", 17, "won"), 10, 17, 0, 5,
    ),
    "won by a slip, put right minutes later": (
        lambda f: f.stage("a", 15, "signed").stage("a", 15 + 1 / 360, "rejected"), 10, 60, 0, 5,
    ),
    "won by a slip, put right after the horizon ends": (
        lambda f: f.stage("a", 39, "signed").outcome("a", 41, "lost"), 10, 60, 0, 29,
    ),
    "lost in the horizon, put right by a win after it ends": (
        lambda f: f.stage("a", 39, "rejected").outcome("a", 41, "won"), 10, 60, 1, 29,
    ),
    "won, and lost too late to be a correction": (
        lambda f: f.outcome("a", 15, "won").stage("a", 18 + JUST, "rejected"), 10, 60, 1, 5,
    ),
    "won by a slip, re-opened before it is lost": (
        lambda f: f.stage("a", 15, "signed").stage("a", 16, "new").stage("a", 17, "rejected"), 10, 60, 1, 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LABELLED.values(), ids=LABELLED)
def test_label_and_weight_when_the_outcome_is_known_then_are_those_worked_by_hand(
    case: tuple[Build, float, float, float, float], engine: DuckDBEngine
) -> None:
    build, as_of, known, label, x = case
    facts = build(Facts().lead("a", 0))
    for days in range(1, 30):
        facts.lead(f"open {days}", -100)
    beside = list_of(*((f"open {days}", known - days) for days in range(1, 30)))
    rows = settle(facts, engine, as_of=as_of, known=known, beside=beside)
    dropped = sum(days < x for days in range(1, 30))
    assert rows.loc["a", "label"] == label
    assert rows.loc["a", "weight"] == pytest.approx(30 / (30 - dropped), rel=1e-12)
    assert rows.drop("a")["label"].isna().all()
    assert (rows.drop("a")["weight"] == 0).all()


CENSORED: dict[str, tuple[Build, float, float, float]] = {
    # case: (facts, as_of, K, X in days)
    "open at K": (lambda f: f, 10, 20, 10),
    "open at K, a microsecond before the horizon ends": (lambda f: f, 10, 40 - JUST, 30 - JUST),
    "open at K, soon after as_of": (lambda f: f, 10, 11, 1),
    "won exactly at K": (lambda f: f.outcome("a", 20, "won"), 10, 20, 10),
    "won after K": (lambda f: f.outcome("a", 25, "won"), 10, 20, 10),
    "lost after K": (lambda f: f.outcome("a", 25, "lost"), 10, 20, 10),
    "win that happened before K, learned after": (lambda f: f.outcome("a", 12, "won", known=30), 10, 20, 10),
    "win that happened before K, learned at K": (lambda f: f.outcome("a", 12, "won", known=20), 10, 20, 10),
    "re-opened and open at K": (lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new"), 19, 25, 6),
    "won after K in a later spell": (
        lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new").outcome("a", 30, "won"), 19, 25, 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "as_of", "known", "x"), CENSORED.values(), ids=CENSORED)
def test_weights_when_a_lead_is_open_at_k_then_those_watched_longer_speak_for_it(
    build: Build, as_of: float, known: float, x: float, engine: DuckDBEngine
) -> None:
    facts = build(Facts().lead("a", 0))
    for days in range(1, 31):
        facts.lead(f"lost {days}", -100).outcome(f"lost {days}", known - 31 + days, "lost")
    beside = list_of(*((f"lost {days}", known - 31) for days in range(1, 31)))
    rows = settle(facts, engine, as_of=as_of, known=known, beside=beside)
    at_risk = 1 + sum(days > x for days in range(1, 31))
    assert np.isnan(rows.loc["a", "label"])
    assert rows.loc["a", "weight"] == 0
    for days in range(1, 31):
        expected = at_risk / (at_risk - 1) if days > x else 1.0
        assert rows.loc[f"lost {days}", "weight"] == pytest.approx(expected, rel=1e-12), days
    assert rows["weight"].sum() == pytest.approx(
        31 if at_risk > 1 else 30
    )  # nobody's weight is lost


@pytest.mark.parametrize(
    ("build", "as_of", "expected"),
    [
        (lambda f: f.outcome("a", 9, "won"), 10, False),
        (lambda f: f.outcome("a", 10 - JUST, "won"), 10, False),
        (lambda f: f.outcome("a", 10, "won"), 10, True),
        (lambda f: f.outcome("a", 5, "won", known=45), 10, True),
        (lambda f: f.outcome("a", 5, "won", known=45), 45, True),
        (lambda f: f.outcome("a", 5, "won", known=45), 46, False),
        (lambda f: f.outcome("a", 10 - JUST, "won"), 9, True),
        (lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new"), 17, False),
        (lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new"), 18, False),
        (lambda f: f.outcome("a", 15, "lost").stage("a", 18, "new"), 19, True),
    ],
)
def test_list_when_a_lead_was_closed_before_as_of_then_has_no_snapshot_of_it(
    build: Build, as_of: float, expected: bool, tmp_path: Path
) -> None:
    history = build(Facts().lead("a", 0)).history(tmp_path, known_until=100)
    assert (len(history.open_list(day(as_of))) == 1) is expected
    trained = history.side("all", from_us=day(as_of), to_us=day(as_of) + 1, known_us=day(100))
    assert (len(trained.rows) == 1) is expected


watched_rows = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.sampled_from(GRID_WEIGHTS)),
    min_size=1,
    max_size=25,
)


def fit(rows: list[tuple[int, bool, Fraction]]) -> Callable[[float], float]:
    x, censored, weight = (list(part) for part in zip(*rows, strict=True))
    survival = fit_censoring(np.array(x), np.array(censored), np.array([float(w) for w in weight]))
    return lambda t: float(survival.before(t))


@quick
@given(watched_rows)
def test_survival_when_rows_tie_and_weigh_differently_then_is_the_slow_product(
    rows: list[tuple[int, bool, Fraction]],
) -> None:
    x, censored, weight = (list(part) for part in zip(*rows, strict=True))
    survival = fit(rows)
    for before in (0, 0.5, 1, 2, 3, 3.5, 5, 8, 9):
        expected = survival_by_hand(x, censored, weight, before=before)
        assert survival(before) == pytest.approx(float(expected), rel=1e-12, abs=1e-15)


@quick
@given(watched_rows)
def test_survival_when_weights_are_whole_then_is_that_of_repeated_rows(
    rows: list[tuple[int, bool, Fraction]],
) -> None:
    repeated = [
        (x, censored, Fraction(1)) for x, censored, weight in rows for _ in range(int(weight * 6))
    ]
    for before in range(10):
        assert fit(rows)(before) == pytest.approx(fit(repeated)(before), rel=1e-9, abs=1e-12)


@quick
@given(st.permutations(range(1, 13)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_survival_when_nothing_ties_and_all_weigh_the_same_then_is_the_textbook_product(
    x: list[int], censored: list[bool]
) -> None:
    order = sorted(range(12), key=lambda i: x[i])
    survival, expected = fit([(x[i], censored[i], Fraction(1)) for i in range(12)]), 1.0
    for place, i in enumerate(order):  # of n - place still watched, one drops out or has an outcome
        assert survival(x[i]) == pytest.approx(expected, rel=1e-12, abs=1e-15)
        if censored[i]:
            expected *= (12 - place - 1) / (12 - place)
    assert survival(13) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@quick
@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=25))
def test_survival_when_unweighted_then_is_that_of_scipy(rows: list[tuple[int, bool]]) -> None:
    dropped = [float(x) for x, censored in rows if censored]
    ended = [
        x - 0.25 for x, censored in rows if not censored
    ]  # an outcome comes before a drop-out at the same time
    found = ecdf(CensoredData(uncensored=dropped, right=ended)).sf
    survival = fit([(x, censored, Fraction(1)) for x, censored in rows])
    for before in range(10):
        assert survival(before) == pytest.approx(
            float(found.evaluate(before - 0.5)), rel=1e-9, abs=1e-12
        )


def test_survival_when_nobody_drops_out_then_stays_one() -> None:
    survival = fit([(3, False, Fraction(1)), (5, False, Fraction(2))])
    assert [survival(t) for t in (0, 3, 5, 100)] == [1.0] * 4


def test_survival_when_asked_at_a_drop_out_then_is_the_value_just_before_it() -> None:
    survival = fit(
        [
            (2, True, Fraction(1)),
            (4, False, Fraction(1)),
            (6, True, Fraction(1)),
            (9, False, Fraction(1)),
        ]
    )
    found = [survival(t) for t in (1, 2, 2.001, 4, 6, 6.001, 9)]
    assert found == pytest.approx([1, 1, 3 / 4, 3 / 4, 3 / 4, 3 / 8, 3 / 8])
