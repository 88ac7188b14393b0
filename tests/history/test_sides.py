"""Sides of a split: random ones against a slow loop, which are refused, and snapshots that cannot be used."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Facts, day
from history.labelled import GRID_WEIGHTS, HORIZON, WIDE, list_of, quick, survival_by_hand
from leadscore.errors import TooLittleHistoryError
from leadscore.history.labels import build_side
from leadscore.history.side import Side
from leadscore.settings.target import Target
from leadscore.times import FOREVER_US

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
    side = make_side(told, known=K, target=Target(horizon_days=SHORT, weight_cap=cap))
    by_hand = [follow_by_hand(row) for row in told]
    label = [y for y, _ in by_hand]
    x = [followed for _, followed in by_hand]
    grid = [weight for *_, weight in told]
    censored = [y is None for y in label]
    inverse = [
        None if c else 1 / survival_by_hand(x, censored, grid, before=xi)
        for xi, c in zip(x, censored, strict=True)
    ]
    weight = [
        float(g * min(i, Fraction(cap))) if i is not None else 0.0
        for g, i in zip(grid, inverse, strict=True)
    ]
    assert [None if np.isnan(y) else y for y in side.rows["label"]] == label
    assert side.rows["weight"].tolist() == pytest.approx(weight, rel=1e-9)
    watched = survival_by_hand(x, censored, grid, before=SHORT)
    assert side.watched == pytest.approx(float(watched), rel=1e-9, abs=1e-12)

    weights = [i for i in inverse if i is not None]
    assert side.observed.sum() == len(weights)
    is_at_cap = any(abs(float(i) - cap) <= 1e-9 for i in weights)  # rounded either way
    if not is_at_cap:
        capped = sum(i > cap for i in weights)
        assert side.capped_share == pytest.approx(capped / max(len(weights), 1))

    is_mature = [as_of + SHORT <= K for as_of, *_ in told]
    mature = [float(g) if is_over else 0.0 for g, is_over in zip(grid, is_mature, strict=True)]
    assert side.base_rate() == pytest.approx(mean_by_hand(label, weight), rel=1e-9, nan_ok=True)
    assert side.mature_rate() == pytest.approx(mean_by_hand(label, mature), rel=1e-9, nan_ok=True)


SHORT, K = 7, 20  # the horizon of random sides, and when they are known


def follow_by_hand(row: SideRow) -> tuple[float | None, int]:
    """The label of a row, None where it is censored, and for how many days it was followed."""
    as_of, close, won, _ = row
    is_known = close is not None and as_of + close < K
    if is_known and close < SHORT:
        return (1.0 if won else 0.0), close
    if as_of + SHORT <= K:
        return 0.0, SHORT
    return None, K - as_of


def mean_by_hand(label: list[float | None], weight: list[float]) -> float:
    """The weighted mean of the labels that are known, NaN without weight."""
    known = [(y, w) for y, w in zip(label, weight, strict=True) if y is not None]
    total = sum(w for _, w in known)
    return sum(y * w for y, w in known) / total if total else float("nan")


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
