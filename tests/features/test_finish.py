from __future__ import annotations

import math

import numpy as np
import pytest

from builders import day
from leadscore.features.finish import (
    Amount,
    Count,
    DaysSince,
    DaysUntil,
    FullAmount,
    Known,
    Learned,
    Levels,
    Pace,
    Share,
    Text,
    Titles,
    Total,
    Trend,
    WithinDays,
    read_integers,
)

NAN = math.nan
NOW = day(100)
DAY = 86_400_000_000


def _finished(finish, *columns, as_of_us=None):
    """What a finish makes of columns called a, b, ...; as of day 100 unless told."""
    named = dict(zip("abcd", columns, strict=False))
    n = len(columns[0]) if columns else 2
    return finish(named, np.full(n, NOW) if as_of_us is None else as_of_us)


def _numbers(*values):
    return np.array(values, dtype=np.float64)


def _texts(*values):
    return np.array(values, dtype=object)


def _assert_same(found, expected):
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


def test_count_of_a_lead_without_rows_is_none():
    _assert_same(_finished(Count("a"), _numbers(0, 3, NAN)), [0, 3, 0])


def test_days_since_and_until_are_opposite_and_unknown_without_a_moment():
    moments = _numbers(NOW - DAY // 2, NOW, NOW + 7 * DAY, NAN)
    _assert_same(_finished(DaysSince("a"), moments), [0.5, 0, -7, NAN])
    _assert_same(_finished(DaysUntil("a"), moments), [-0.5, 0, 7, NAN])


def test_days_are_counted_from_each_rows_own_as_of():
    as_of_us = np.array([day(10), day(20)])
    _assert_same(_finished(DaysSince("a"), _numbers(day(9), day(9)), as_of_us=as_of_us), [1, 11])
    _assert_same(_finished(DaysUntil("a"), _numbers(day(21), day(21)), as_of_us=as_of_us), [11, 1])
    within = WithinDays("a", 1, 11)
    _assert_same(_finished(within, _numbers(day(21), day(21)), as_of_us=as_of_us), [0, 1])


def test_days_keep_the_microsecond():
    _assert_same(_finished(DaysSince("a"), _numbers(NOW - 1)), [1 / DAY])


@pytest.mark.parametrize(
    ("week", "before", "trend"),
    [(0, 0, 0), (3, 0, 3), (0, 30, -7), (7, 30, 0), (2, 15, -1.5), (NAN, NAN, 0)],
)
def test_trend_is_a_week_less_seven_thirtieths_of_30_days(week, before, trend):
    _assert_same(_finished(Trend("a", "b"), _numbers(week), _numbers(before)), [trend])


@pytest.mark.parametrize(
    ("count", "weeks", "pace"),
    [(6, 3, 2), (3, 0.5, 3), (3, 1, 3), (0, 5, 0), (NAN, 5, 0), (1, 4, 0.25)],
)
def test_pace_is_a_week_and_the_first_week_is_a_whole_one(count, weeks, pace):
    _assert_same(
        _finished(Pace("a", "b"), _numbers(count), _numbers(NOW - 7 * weeks * DAY)), [pace]
    )


@pytest.mark.parametrize(
    ("part", "rest", "share"),
    [(0, 0, NAN), (NAN, NAN, NAN), (1, 0, 1), (0, 1, 0), (1, 3, 0.25), (1, 2, 1 / 3), (5, NAN, 1)],
)
def test_share_is_unknown_where_there_is_nothing_to_share(part, rest, share):
    _assert_same(_finished(Share("a", "b"), _numbers(part), _numbers(rest)), [share])


@pytest.mark.parametrize(
    ("decimals", "stored", "amount"),
    [
        (0, 15, 15),
        (2, 1999, 19.99),
        (2, -5, -0.05),
        (9, 1, 1e-9),
        (3, 2**53 - 1, 9007199254740.991),
        (2, NAN, NAN),
    ],
)
def test_amount_is_the_number_as_it_was_written(decimals, stored, amount):
    _assert_same(_finished(Amount("a", decimals), _numbers(stored)), [amount])


def test_integers_are_read_alike_from_numbers_and_from_the_text_of_changes():
    written = _texts("0", "-5", str(2**53 - 1), None)
    _assert_same(read_integers(written), [0, -5, 2**53 - 1, NAN])
    _assert_same(read_integers(_numbers(0, -5, NAN)), [0, -5, NAN])
    for finish in (
        Amount("a", 2),
        DaysSince("a"),
        DaysUntil("a"),
        FullAmount("a", 2, 10.0),
        WithinDays("a", 0, 9),
    ):
        moments = [NOW - DAY, NOW + 3 * DAY, 125]
        as_text = _finished(finish, _texts(*map(str, moments), None))
        _assert_same(as_text, _finished(finish, _numbers(*moments, NAN)))


def test_text_is_passed_on_with_none_for_unknown():
    assert _finished(Text("a"), _texts("it's", "", None)).tolist() == ["it's", "", None]


def test_a_learned_feature_has_no_value_of_its_own():
    _assert_same(_finished(Learned()), [NAN, NAN])


@pytest.mark.parametrize(
    ("levels", "strengths"),
    [
        (("no", "yes"), [0, 1]),
        (("c", "b", "a"), [0, 0.5, 1]),
        (("1", "2", "3", "4", "5"), [0, 0.25, 0.5, 0.75, 1]),
    ],
)
def test_levels_are_evenly_spaced_from_the_first_to_the_last(levels, strengths):
    _assert_same(_finished(Levels("a", levels), _texts(*levels)), strengths)


@pytest.mark.parametrize("answer", [None, "", "Yes", "yes ", "maybe", "0"])
def test_a_level_that_is_not_listed_is_unknown(answer):
    _assert_same(_finished(Levels("a", ("no", "yes")), _texts(answer, "no")), [NAN, 0])


@pytest.mark.parametrize(
    ("title", "strength"),
    [
        ("CEO", 1.0),
        ("ceo", 1.0),
        ("CEO of sales", 0.4),  # the pattern without a star is the whole title
        ("Head of Sales", 0.8),  # before "*sales*"
        ("head of", NAN),
        ("Sales", 0.4),
        ("presales engineer", 0.4),
        ("GESCHÄFTSFÜHRERIN", 0.9),
        ("geschäftsführer", 0.9),
        ("Intern", 0.0),
        ("Owner [EU]", 0.7),  # only the star is a pattern
        ("Owner E", NAN),
        ("Why?", 0.6),
        ("Whyx", NAN),
        ("two\nlines of sales", 0.4),
        ("", NAN),
        (None, NAN),
    ],
)
def test_a_title_has_the_strength_of_the_first_pattern_it_matches(title, strength):
    patterns = (
        ("CEO", 1.0), ("head of *", 0.8), ("*Sales*", 0.4), ("Geschäftsführer*", 0.9), ("intern", 0.0), ("ceo*", 0.1),
        ("owner [eu]", 0.7), ("why?", 0.6),
    )  # fmt: skip
    _assert_same(_finished(Titles("a", patterns), _texts(title)), [strength])


@pytest.mark.parametrize(
    ("stored", "strength"),
    [(0, 0), (-100, 0), (250, 0.25), (999, 0.999), (1000, 1), (1001, 1), (10**15, 1), (NAN, NAN)],
)
def test_an_amount_is_its_share_of_the_full_one_but_never_beyond(stored, strength):
    _assert_same(_finished(FullAmount("a", 2, 10.0), _numbers(stored)), [strength])


@pytest.mark.parametrize(
    ("ahead_us", "strength"),
    [
        (-30 * DAY, 0),
        (-1, 0),  # it has passed
        (0, 1),
        (30 * DAY, 1),
        (45 * DAY, 0.75),
        (75 * DAY, 0.25),
        (90 * DAY, 0),
        (400 * DAY, 0),
        (NAN, NAN),
    ],
)
def test_a_date_has_full_strength_when_near_less_further_off_and_none_once_passed(
    ahead_us, strength
):
    _assert_same(_finished(WithinDays("a", 30, 90), _numbers(NOW + ahead_us)), [strength])


def test_known_is_a_flag_of_whether_there_is_a_value():
    _assert_same(
        _finished(Known(Levels("a", ("no", "yes"))), _texts("no", "yes", "perhaps", None)),
        [1, 1, 0, 0],
    )
    _assert_same(_finished(Known(FullAmount("a", 0, 5)), _numbers(0, 9, NAN)), [1, 1, 0])


def test_total_adds_its_parts():
    parts = (Known(Amount("a")), Known(Amount("b")), Known(Amount("c")))
    columns = (_numbers(1, 0, NAN), _numbers(2, NAN, NAN), _numbers(0, 5, NAN))
    _assert_same(_finished(Total(parts), *columns), [3, 2, 0])
