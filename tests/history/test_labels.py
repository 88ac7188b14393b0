from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from builders import Facts, day
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import TooLittleHistoryError
from leadscore.history.censoring import fit_censoring
from leadscore.history.closes import attach_plain_closes
from leadscore.history.labels import build_side
from leadscore.history.lists import build_open_list
from leadscore.history.side import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.spells import build_spells
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.target import Target
from leadscore.times import DAY_US, FOREVER_US

JUST = 1 / DAY_US  # one microsecond, in days
HORIZON = 30
WITHIN = 3  # days within which a close corrects
WIDE = Target(horizon_days=HORIZON, weight_cap=100)  # a cap that no weight below reaches
Build = Callable[[Facts], Facts]


def list_of(*asked: tuple[str, float]) -> pd.DataFrame:
    """Snapshots of first spells from (lead, as_of), in days."""
    rows = pd.DataFrame([(lead, 1, day(at), day(at)) for lead, at in asked], columns=KEYS)
    return rows.assign(grid_weight=1.0, young=False)


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


# --- Labels, worked by hand -----------------------------------------------------------------------------------------
# Beside lead "a" stand 29 open leads that were watched for 1, 2, ..., 29 days. Of 30 watched leads, one drops out each
# day, so if m of them dropped out before X, then G(X-) = (29/30)(28/29)...((30-m)/(31-m)) = (30-m)/30: the weight
# 30/(30-m) tells X to the day.

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


# Beside lead "a" stand 30 lost leads that were watched for 1, 2, ..., 30 days, and "a" alone is censored, at X. Those
# lost by then weigh 1. Of the r = 1 + (those lost later) leads at risk just then one drops out, so the later ones
# weigh 1 / (1 - 1/r) = r / (r - 1): where the weight changes tells X.

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


# --- Kaplan-Meier of the censoring time -----------------------------------------------------------------------------


def survival_by_hand(
    x: list[int], censored: list[bool], weight: list[Fraction], *, before: float
) -> Fraction:
    """The slow and obvious product over the times at which somebody dropped out."""
    left = Fraction(1)
    for t in sorted({xi for xi, ci in zip(x, censored, strict=True) if ci and xi < before}):
        rows = list(zip(x, censored, weight, strict=True))
        dropped = sum(w for xi, ci, w in rows if ci and xi == t)
        watched_on = sum(
            w for xi, ci, w in rows if xi > t
        )  # whose outcome came at t itself could not drop out then
        left *= 1 - Fraction(dropped) / (dropped + watched_on)
    return left


GRID_WEIGHTS = [Fraction(1), Fraction(7, 6), Fraction(2), Fraction(7, 2)]
watched_rows = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.sampled_from(GRID_WEIGHTS)),
    min_size=1,
    max_size=25,
)
quick = settings(derandomize=True, deadline=None, max_examples=100)


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


# --- Sides ----------------------------------------------------------------------------------------------------------

SideRow = tuple[int, int | None, bool, Fraction]  # as_of, close or None, won, grid weight; in days
side_rows = st.lists(
    st.tuples(
        st.integers(0, 19),
        st.one_of(st.none(), st.integers(0, 30)),
        st.booleans(),
        st.sampled_from(GRID_WEIGHTS),
    ),
    min_size=1,
    max_size=20,
)


def make_side(told: list[SideRow], *, known: float, target: Target) -> Side:
    """A side of one snapshot a spell; a close is counted in days from as_of and forgotten if not before K."""
    ids = [f"{i}" for i in range(len(told))]
    rows = list_of(*zip(ids, (as_of for as_of, *_ in told), strict=True))
    rows["grid_weight"] = [float(weight) for *_, weight in told]
    ends = [FOREVER_US if close is None else day(as_of + close) for as_of, close, _, _ in told]
    closed = [end < day(known) for end in ends]
    ends = [
        end if known_by_then else FOREVER_US
        for end, known_by_then in zip(ends, closed, strict=True)
    ]
    spells = pd.DataFrame(
        {
            "lead_id": ids,
            "spell": 1,
            "start_us": day(-1),
            "earliest_us": ends,
            "close_us": ends,
            "won": [
                won and known_by_then
                for (_, _, won, _), known_by_then in zip(told, closed, strict=True)
            ],
        }
    )
    return build_side("these", rows, spells.iloc[::-1], known_us=day(known), target=target)


@quick
@given(side_rows, st.sampled_from([1.0, 1.5, 3.0, 10.0]))
def test_side_when_rows_are_random_then_is_what_a_slow_loop_finds(
    told: list[SideRow], cap: float
) -> None:
    horizon, K = 7, 20
    side = make_side(told, known=K, target=Target(horizon_days=horizon, weight_cap=cap))
    label: list[float | None] = []
    x: list[int] = []
    for as_of, close, won, _ in told:
        closes = close if close is not None and as_of + close < K else None
        if closes is not None and closes < horizon:
            label.append(1.0 if won else 0.0)
            x.append(closes)
        elif as_of + horizon <= K:
            label.append(0.0)
            x.append(horizon)
        else:
            label.append(None)
            x.append(K - as_of)
    grid = [weight for *_, weight in told]
    censored = [each is None for each in label]
    inverse = [
        None if c else 1 / survival_by_hand(x, censored, grid, before=xi)
        for xi, c in zip(x, censored, strict=True)
    ]
    weight = [
        float(g * min(i, Fraction(cap))) if i is not None else 0.0
        for g, i in zip(grid, inverse, strict=True)
    ]
    assert [None if np.isnan(each) else each for each in side.rows["label"]] == label
    assert side.rows["weight"].tolist() == pytest.approx(weight, rel=1e-9)
    assert side.watched == pytest.approx(
        float(survival_by_hand(x, censored, grid, before=horizon)), rel=1e-9, abs=1e-12
    )
    seen = [i for i in inverse if i is not None]
    assert side.observed.sum() == len(seen)
    if all(
        abs(float(i) - cap) > 1e-9 for i in seen
    ):  # 1 / G at the cap itself is rounded either way
        assert side.capped_share == pytest.approx(sum(i > cap for i in seen) / max(len(seen), 1))
    known = [(y, w) for y, w in zip(label, weight, strict=True) if y is not None]
    if known:
        assert side.base_rate() == pytest.approx(
            sum(y * w for y, w in known) / sum(w for _, w in known), rel=1e-9
        )
    mature = [
        (y, float(g))
        for (as_of, *_), y, g in zip(told, label, grid, strict=True)
        if as_of + horizon <= K
    ]
    if mature:
        assert side.mature_rate() == pytest.approx(
            sum(y * g for y, g in mature) / sum(g for _, g in mature), rel=1e-9
        )
    else:
        assert np.isnan(side.mature_rate())


def test_mature_rate_when_a_horizon_ends_at_k_then_counts_it_but_none_that_ends_later() -> None:
    told: list[SideRow] = [
        (13, 2, True, Fraction(3)),
        (12, None, False, Fraction(1)),
        (14, 2, True, Fraction(7)),
    ]
    side = make_side(told, known=20, target=Target(horizon_days=7))
    assert (
        side.mature_rate() == 3 / 4
    )  # the last was won, but what did not last a horizon yet cannot be drawn fairly
    assert side.base_rate() == 10 / 11


def test_weights_when_above_the_cap_then_are_cut_there_before_the_grid_weight_multiplies() -> None:
    # Ten snapshots of grid weight 1: nine drop out on day 1, so G = 1/10 for the last, which was lost on day 2. Its
    # grid weight of 3 makes G = 3/12: 1/G = 4 is cut to 2.5, and the weight is 3 * 2.5.
    told: list[SideRow] = [(19, None, False, Fraction(1))] * 9 + [(10, 2, False, Fraction(3))]
    side = make_side(told, known=20, target=Target(horizon_days=7, weight_cap=2.5))
    assert side.rows["weight"].tolist() == pytest.approx([0.0] * 9 + [7.5])
    assert side.capped_share == 1.0
    assert side.watched == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("dropped", "enough"), [(0, True), (2, True), (3, True), (4, False), (40, False)]
)
def test_side_when_watched_less_than_one_over_the_cap_then_is_refused(
    dropped: int, enough: bool
) -> None:
    told: list[SideRow] = [(8, None, False, Fraction(1))] * dropped + [(0, 2, True, Fraction(1))]
    told += [(0, None, False, Fraction(1))]
    side = make_side(told, known=13, target=Target(horizon_days=7, weight_cap=2.5))
    # One was lost on day 2; of the others all but one drop out on day 5: G(7-) = 1 / (dropped + 1).
    assert side.watched == pytest.approx(1 / (dropped + 1))
    assert side.is_watched_enough() is (dropped < 2)
    roomy = make_side(told, known=13, target=Target(horizon_days=7, weight_cap=4))
    assert roomy.is_watched_enough() is enough


def test_side_when_follow_up_is_shorter_than_the_horizon_then_says_how_many_days_it_has(
    tmp_path: Path,
) -> None:
    facts = Facts()
    for i in range(10):
        facts.lead(f"{i}", 0.5)
    facts.outcome("0", 3, "won").outcome("1", 4, "lost")
    side = facts.history(tmp_path, known_until=90).earlier_side(day(13))
    assert side.follow_up_days() == 12  # the first snapshot is of day 1
    with pytest.raises(
        TooLittleHistoryError,
        match=r"history before 2024-01-14T00:00:00Z: only 12 days of follow-up",
    ) as told:
        side.check()
    assert "a horizon of 30 days" in str(told.value)
    assert "0.00 of the snapshots are watched to the horizon, 0.10 are needed" in str(told.value)


@pytest.mark.parametrize("known", [30, 31])
def test_side_when_the_first_snapshot_is_just_a_horizon_old_then_it_decides(
    known: int, tmp_path: Path
) -> None:
    history = Facts().lead("a", 0).history(tmp_path, known_until=90)
    side = history.side("first", from_us=day(0), to_us=day(2), known_us=day(known))
    assert side.rows["as_of_us"].tolist() == [day(1)]
    assert side.is_watched_enough() is (known == 31)


def test_side_when_there_is_no_snapshot_then_is_refused_with_no_days(tmp_path: Path) -> None:
    side = Facts().lead("a", 5).history(tmp_path, known_until=90).earlier_side(day(5))
    assert len(side.rows) == 0
    assert np.isnan(side.base_rate())
    assert np.isnan(side.mature_rate())
    with pytest.raises(TooLittleHistoryError, match="only 0 days of follow-up"):
        side.check()


@pytest.mark.parametrize(
    ("won", "lost", "enough"), [(3, 3, True), (2, 3, False), (3, 2, False), (0, 9, False)]
)
def test_side_when_it_has_too_few_of_either_outcome_then_is_refused(
    won: int, lost: int, enough: bool
) -> None:
    told: list[SideRow] = [(0, 2, True, Fraction(1))] * won + [(0, None, False, Fraction(1))] * lost
    told += [(15, None, False, Fraction(1))]  # censored: it counts for neither
    side = make_side(told, known=20, target=Target(horizon_days=7))
    assert side.has_outcomes(3) is enough
    side.check()
    assert side.count_leads() == (won, lost)
    if not enough:
        with pytest.raises(TooLittleHistoryError, match=f"{won} won and {lost} not won"):
            side.check(least=3)
    else:
        side.check(least=3)


# --- Snapshots that cannot be used, against a plain reading ---------------------------------------------------------

Close = tuple[int, int, bool]  # the earliest and the latest day, and whether it was won


def label_by_hand(close: int, won: bool, as_of: int, *, known: int) -> float | str | None:
    """1, 0, None if censored, or "closed" if the lead was not open then."""
    if close < as_of:
        return "closed"
    if close < known and close < as_of + HORIZON:
        return float(won)
    return 0.0 if as_of + HORIZON <= known else None


def unusable_by_hand(closes: list[Close], as_ofs: list[int], *, known: int) -> dict[str, int]:
    """By outcome: snapshots whose label is not the same for every day on which their lead may have closed."""
    counts = {"won": 0, "lost": 0}
    for (earliest, latest, won), as_of in zip(closes, as_ofs, strict=True):
        days = range(earliest, latest + 1)
        labels = {label_by_hand(day, won, as_of, known=known) for day in days}
        if latest < known and len(labels) > 1:
            counts["won" if won else "lost"] += 1
    return counts


intervals = st.tuples(st.integers(0, 70), st.integers(0, 50), st.booleans(), st.integers(0, 59))


@quick
@given(st.lists(intervals, min_size=1, max_size=12))
def test_unusable_when_closes_lie_between_two_days_then_are_those_whose_label_is_not_the_same_for_all_days(
    drawn,
):
    known = 60
    closes = [(earliest, earliest + width, won) for earliest, width, won, _ in drawn]
    as_ofs = [
        min(as_of, latest) for (_, latest, _), (_, _, _, as_of) in zip(closes, drawn, strict=True)
    ]
    names = [str(place) for place in range(len(drawn))]
    spells = pd.DataFrame(
        {
            "lead_id": names,
            "spell": 1,
            "start_us": day(0),
            "earliest_us": [day(earliest) for earliest, _, _ in closes],
            "close_us": [day(latest) for _, latest, _ in closes],
            "won": [won for _, _, won in closes],
        }
    )
    side = build_side(
        "these", list_of(*zip(names, as_ofs, strict=True)), spells, known_us=day(known), target=WIDE
    )
    expected = unusable_by_hand(closes, as_ofs, known=known)
    assert side.unusable == (expected if sum(expected.values()) else {})
    assert len(side.rows) == len(drawn) - sum(expected.values())


@pytest.mark.parametrize(
    ("heavy", "weight", "enough"),
    [
        pytest.param(0, 1.0, True, id="forty won of one weight"),
        pytest.param(5, 10.0, False, id="five of them stand for most"),
        pytest.param(20, 1.5, True, id="half of them a little heavier"),
    ],
)
def test_side_when_few_leads_carry_the_weight_then_cannot_evaluate(
    heavy: int, weight: float, enough: bool
) -> None:
    label = np.repeat([1.0, 0.0], [40, 100])
    of_row = np.where(np.arange(140) < heavy, weight, 1.0)
    rows = pd.DataFrame({"lead_id": [str(i) for i in range(140)], "label": label, "weight": of_row})
    side = Side("these", rows, known_us=0, watched=1.0, capped_share=0.0, target=None)
    assert min(side.count_leads()) >= 30
    assert side.can_evaluate(30) == enough
