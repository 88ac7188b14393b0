from decimal import ROUND_HALF_EVEN, Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.errors import DecimalMarkError
from leadscore.ingest.mapping.durations import read_durations
from leadscore.ingest.mapping.numbers import detect_decimal, find_percent, read_money, read_numbers


def column(values: list) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("text", "decimals", "number"),
    [
        ("12", 2, 1200), ("12.5", 2, 1250), ("-12.34", 2, -1234), ("+7", 2, 700), ("0", 2, 0), ("-0", 2, 0),
        ("0.29", 2, 29), ("1.1", 2, 110), ("4.35", 2, 435), ("1e3", 2, 100_000), ("1.5E-1", 2, 15), ("007", 0, 7),
        ("0.005", 2, 0), ("0.015", 2, 2), ("0.025", 2, 2), ("0.0251", 2, 3), ("2.5", 0, 2), ("3.5", 0, 4),
        (".45", 2, 45), ("-.5", 2, -50), ("+.5", 2, 50), (".015", 2, 2), (".5e1", 2, 500), ("12.", 2, 1200),
        ("12,", 2, 1200), ("-12.", 2, -1200), ("1,234.", 2, 123_400), ("(.5)", 2, -50), (".5-", 2, -50),
        (".1234567", 2, 12), ("\uff11\uff0e\uff15", 2, 150), ("\uff0d\uff15", 2, -500),
        ("-2.5", 0, -2), ("0.125", 2, 12), ("0.375", 2, 38), ("1.015", 2, 102), ("0.575", 2, 58), ("0.285", 2, 28),
        ("123.456789", 9, 123_456_789_000), ("70368744177664.01", 2, 7_036_874_417_766_401),
        ("9007199254740991", 0, 2**53 - 1), ("-9007199254740991", 0, 1 - 2**53),
    ],
)  # fmt: skip
def test_number_when_it_is_written_in_decimals_then_it_is_read_in_minor_units(
    text, decimals, number
):
    values, ok = read_numbers(column([text]), decimals=decimals, decimal=".")
    assert (values[0], ok[0]) == (number, True)


@pytest.mark.parametrize(
    "text",
    ["", "junk", "1,5", "1.000,00", "1,000,00",
     "1,2,3", "1234,567", "0,123", "1 0000", "1,000 000", "5..", ".", "-.", ".5.", ".,5", ",5", "1,5.", "5\u00b2", "\u2460", "$5", "5 EUR",
     "-5-", "(-5)", "(5", "5)", "- 5", "1.2.3", "0x10", "1_000", "nan", "inf",
     "-inf", "--5", "1e", "1e999", "1e99", "9007199254740992", "99999999999999999999999", "NA", "True",
     "\u0663"],  # a digit, but of another script
)  # fmt: skip
@pytest.mark.parametrize("decimals", [0, 2])
def test_number_when_text_is_none_or_too_large_to_be_exact_then_it_is_marked(text, decimals):
    values, ok = read_numbers(column([text, "1"]), decimals=decimals, decimal=".")
    assert ok.tolist() == [False, True]
    assert values[1] == 10**decimals


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.integers(-(2**53), 2**53) | st.integers(-(10**9), 10**9),
    st.sampled_from([0, 2, 6, 9]),
    st.sampled_from(["", "0", "4", "49", "4999999", "5", "50", "5000001", "51", "9"]),
)
def test_number_when_it_is_within_the_limit_then_it_is_what_decimal_arithmetic_gives(
    minor, decimals, more
):
    shown = f"{Decimal(minor).scaleb(-decimals):f}"
    text = shown + ("." if more and not decimals else "") + more
    exact = Decimal(text).scaleb(decimals).quantize(Decimal(1), ROUND_HALF_EVEN)
    values, ok = read_numbers(column([text]), decimals=decimals, decimal=".")
    assert ok[0] == (abs(exact) < 2**53)
    assert values[0] == (int(exact) if ok[0] else 0)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,234.50", ".", 123_450), ("1,234,567", ".", 123_456_700),
        ("1.234,50", ",", 123_450), ("1.234", ",", 123_400),
        ("1.234", ".", 123), ("1,234", ",", 123), ("1,5", ",", 150), ("0,123", ",", 12),
        ("1 234 567,5", ",", 123_456_750),
        ("1\u00a0234,50", ",", 123_450), ("1\u202f234", ",", 123_400), ("1'234.50", ".", 123_450),
        ("1\u2019234\u2019567", ".", 123_456_700), ("5-", ".", -500), ("5,5-", ",", -550), ("(5)", ".", -500),
        ("(1,234.50)", ".", -123_450), ("\u22125", ".", -500), ("-1.234,50", ",", -123_450), ("1,5e3", ",", 150_000),
        (",45", ",", 45), ("-,5", ",", -50), ("12,", ",", 1200), ("12.", ",", 1200), ("1.234,", ",", 123_400),
        ("\uff11\uff12\uff13\uff0c\uff14\uff15\uff16", ".", 12_345_600), ("\uff11\u3000\uff12\uff13\uff14", ".", 123_400),
    ],
)  # fmt: skip
def test_number_when_it_is_written_by_people_then_marks_and_signs_are_read(text, decimal, number):
    values, ok = read_numbers(column([text]), decimals=2, decimal=decimal)
    assert (values[0], ok[0]) == (number, True)


@pytest.mark.parametrize("text", ["1.5", "1,234.50", "1,234", "1.2345"])
def test_number_when_the_mark_is_the_other_one_then_only_what_can_be_thousands_is_read(text):
    _, ok = read_numbers(column([text]), decimals=2, decimal=",")
    assert ok[0] == (text == "1,234")


@pytest.mark.parametrize(
    ("text", "decimal", "read"),
    [
        ("\u20ac1.234,50", ",", (123_450, "EUR")),
        ("1\u00a0234,50 EUR", ",", (123_450, "EUR")),
        ("1 234,50\u20ac", ",", (123_450, "EUR")),
        ("$ 99", ".", (9_900, "$")),
        ("US$1,234", ".", (123_400, "USD")),
        ("$5 USD", ".", (500, "USD")),
        ("USD 5", ".", (500, "USD")),
        ("USD5.50", ".", (550, "USD")),
        ("\u00a399.99", ".", (9_999, "GBP")),
        ("\u00a51,000", ".", (100_000, "\u00a5")),
        ("CHF 1'234.50", ".", (123_450, "CHF")),
        ("Fr. 5.-", ".", (500, "CHF")),
        ("fr. 5", ".", (500, "CHF")),
        ("5 kr", ".", (500, "kr")),
        ("Rs. 5", ".", (500, "Rs")),
        ("kr 5 NOK", ".", (500, "NOK")),
        ("kr 5 EUR", ".", None),
        ("$5 kr", ".", None),
        ("-\u20ac5", ".", (-500, "EUR")),
        ("\u20ac-5", ".", (-500, "EUR")),
        ("(\u20ac5)", ".", (-500, "EUR")),
        ("(5 EUR)", ".", (-500, "EUR")),
        ("5 \u20ac-", ".", (-500, "EUR")),
        ("5", ".", (500, "")),
        ("-5.5", ".", (-550, "")),
        ("\u20ac5 USD", ".", None),
        ("EUR", ".", None),
        ("5 EUR EUR", ".", None),
        ("5 eur", ".", None),
        ("5 EURO", ".", None),
        ("$.99", ".", (99, "$")),
        ("-$.5", ".", (-50, "$")),
        (".5 EUR", ".", (50, "EUR")),
        (",99 \u20ac", ",", (99, "EUR")),
        ("\uffe5\uff11,\uff10\uff10\uff10", ".", (100_000, "\u00a5")),
        ("\uff04\uff15\uff10", ".", (5_000, "$")),
        ("\uff35\uff33\uff24 5", ".", (500, "USD")),
        ("\uffe6\uff15\uff10\uff10", ".", (50_000, "KRW")),
        ("3,000\uc6d0", ".", (300_000, "KRW")),
        ("3,000\u5186", ".", (300_000, "JPY")),
        ("3,000\u5143", ".", (300_000, "\u5143")),  # of China, Taiwan and others
        ("CN\u00a55", ".", (500, "CNY")),
        ("", ".", None),
        ("5 %", ".", None),
        ("\u20ac" + " " * 100_000 + "5", ".", None),
    ],
)
def test_money_when_a_currency_stands_beside_then_it_is_told(text, decimal, read):
    values, ok, currency = read_money(column([text, "1"]), decimals=2, decimal=decimal)
    assert ok.tolist() == [read is not None, True]
    assert (values[0], currency[0].as_py()) == (read or (0, ""))


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.5", "2"], "."),
        (["1,5", "2"], ","),
        (["1,5", "1.234"], ","),
        (["1.5", "1,234"], "."),
        (["1.234,50"], ","),
        (["1,234.50"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["0.123"], "."),
        (["0,123"], ","),
        (["1234.567"], "."),
        (["\u20ac1.234,50", "12 EUR"], ","),
        (["12.000", "0.500"], "."),
        (["12.000", "1500.250"], "."),
        (["12.000", "12.5"], "."),
        (["12.000", "1,5"], ","),
        (["12.000", "1.234.567"], ","),
        (["12.000", "0.000"], "."),
        (["12.000", ".450"], "."),
        (["12.000", ",450"], ","),
        (["1,5", "12.", "7,"], ","),
        (["12.", "7,"], None),
        (["1,234."], "."),
        (["\uff11\uff0e\uff15"], "."),
        (["12.0001"], "."),
        (["12", "1 234", "", "junk", "1,2,3"], None),
        ([], None),
    ],
)
def test_decimal_when_values_decide_it_then_it_is_detected(texts, mark):
    assert detect_decimal({"amount": column(texts)}) == mark


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1.5", "2,5"], "'1.5' has a decimal point, but '2,5' a decimal comma"),
        (["12", "1,234"], "'1,234' may have"),
        (["1.234", "5,678"], "'1.234' may have"),
        (["12.000", "950", "20.000"], "'12.000' may have a decimal point or thousands"),
        (["-12.000 EUR", "950"], "'-12.000 EUR' may have a decimal point or thousands"),
        (["1,234 EUR"], "'1,234 EUR' may have"),
        ([".5", ",5"], "'.5' has a decimal point, but ',5' a decimal comma"),
    ],
)
def test_decimal_when_values_do_not_decide_it_then_the_setting_is_asked_for(texts, words):
    with pytest.raises(DecimalMarkError, match=r'set decimal = "." or ","') as told:
        detect_decimal({"size": column(["12"]), "amount": column(texts)})
    assert words.replace("' ", "' in column 'amount' ") in str(told.value)


def test_decimal_when_two_columns_contradict_each_other_then_both_are_named():
    with pytest.raises(DecimalMarkError) as refused:
        detect_decimal(
            {"price": column(["1.5"]), "size": column(["2,5"])}, typed={"weight": column(["3"])}
        )
    words = (
        "'1.5' in column 'price' has a decimal point, but '2,5' in column 'size' a decimal comma"
    )
    assert str(refused.value).startswith(words)
    with pytest.raises(DecimalMarkError, match=r"'3\.25' in column 'weight' has a decimal point"):
        detect_decimal({"size": column(["2,5"])}, typed={"weight": column(["3.25"])})


@pytest.mark.parametrize(
    ("texts", "typed", "mark"),
    [
        (["12.000"], ["1.125"], "."),
        ([], ["1.125", "2"], "."),
        ([], ["2"], None),
        (["1,5"], ["2"], ","),
    ],
)
def test_decimal_when_the_file_stores_numbers_then_these_have_points(texts, typed, mark):
    assert detect_decimal({"size": column(texts)}, typed={"amount": column(typed)}) == mark


@pytest.mark.parametrize(
    ("text", "decimal", "number", "currency"),
    [
        ("18,35,100.00", ".", 1_835_100, ""),
        ("\u20b912,34,56,789", ".", 123_456_789, "INR"),
        ("Rs. 1,22,340/-", ".", 122_340, "Rs"),
        ("1.234,-", ",", 1234, ""),
        ("EUR 1.234.500,--", ",", 1_234_500, "EUR"),
        ("1'234.\u2013 CHF", ".", 1234, "CHF"),
        ("1,234-", ".", -1234, ""),
        ("1,2,345", ".", None, ""),
        ("12,34,56", ".", None, ""),
        ("12,34,567", ",", None, ""),  # with a decimal comma they mean nothing
        ("1.2k", ".", 1200, ""),
        ("\u20ac1,2k", ",", 1200, "EUR"),
        ("USD 3M", ".", 3_000_000, "USD"),
        ("(3 MM)", ".", -3_000_000, ""),
        ("2 Cr", ".", 20_000_000, ""),
        ("\u20b91.5 lakh", ".", 150_000, "INR"),
        ("5 Mio. \u20ac", ",", 5_000_000, "EUR"),
        ("5 CR", ".", None, ""),  # in accounts, a credit
        ("3 m", ".", None, ""),
        ("1 200 K\u010d", ",", 1200, "CZK"),
        (".5M", ".", 500_000, ""),
        ("1,5 mln z\u0142", ",", 1_500_000, "PLN"),
        ("5 tys. z\u0142", ",", 5_000, "PLN"),
        ("2 mld", ".", 2_000_000_000, ""),
        ("5 \u0442\u044b\u0441. \u0440\u0443\u0431.", ",", 5_000, "RUB"),
        ("$1.5 Million", ".", 1_500_000, "$"),
        ("5 Lakhs", ".", 500_000, ""),
        ("3 lacs", ".", 300_000, ""),
        ("Rp 5.000", ",", 5_000, "IDR"),
        ("RMB 5", ".", 5, "CNY"),
        ("RM5", ".", 5, "MYR"),
        ("S/. 5", ".", 5, "PEN"),
        ("5 TL", ".", 5, "TRY"),
        ("5 dr", ".", None, ""),
        ("\u25b21,000", ".", None, ""),  # less than nothing in Japan, a rise elsewhere
        ("1.2\u4e07", ".", 12_000, ""),
        ("\uff13\uff10\uff10\uff10\u4e07\u5186", ".", 30_000_000, "JPY"),
        ("120\u767e\u4e07\u5186", ".", 120_000_000, "JPY"),
        ("1,200\u5343\u5186", ".", 1_200_000, "JPY"),
        ("\uffe51.5\u5104", ".", 150_000_000, "\u00a5"),
        ("2\u4ebf\u5143", ".", 200_000_000, "\u5143"),
        ("1,5\u4e07", ",", 15_000, ""),
        ("5\ucc9c\uc6d0", ".", 5_000, "KRW"),
        ("5\ucc9c\ub9cc\uc6d0", ".", 50_000_000, "KRW"),
        ("\u20a93\uc5b5", ".", 300_000_000, "KRW"),
        ("3\ub9cc \uc6d0", ".", 30_000, "KRW"),
        ("\u4e07", ".", None, ""),
        ("1\u5146", ".", None, ""),  # a million of millions, or one, as in China
    ],
)
def test_money_when_it_is_grouped_or_abbreviated_then_only_clear_forms_are_read(
    text, decimal, number, currency
):
    values, ok, marked = read_money(column([text]), decimals=0, decimal=decimal)
    assert (values[0] if ok[0] else None, marked[0].as_py()) == (number, currency)


@pytest.mark.parametrize("read", [read_money, read_numbers])
def test_money_when_others_are_debits_then_cr_is_a_credit_and_no_crores(read):
    texts = ["5,000.00 Dr", "2 Cr", "3 Cr.", "7"]
    values, ok, *_ = read(column(texts), decimals=0, decimal=".")
    assert (values.tolist(), ok.tolist()) == ([0, 0, 0, 7], [False, False, False, True])


@pytest.mark.parametrize(
    ("text", "shares", "number"),
    [
        ("45%", False, 4500),
        ("45%", True, 45),
        ("0.5 %", False, 50),
        ("0.45", True, 45),
        (".45", True, 45),
        ("\uff14\uff15\uff05", True, 45),
        (".5%", False, 50),
        ("%", True, 0),
    ],
)
def test_number_when_it_has_a_per_cent_sign_then_it_counts_per_hundred_or_as_a_share(
    text, shares, number
):
    values, ok = read_numbers(column([text]), decimals=2, decimal=".", shares=shares)
    assert (values[0], ok[0]) == (number, text != "%")
    has_sign = text.endswith(("%", "\uff05"))
    assert find_percent(column([text, "", "7"])).tolist() == [has_sign, False, False]


@pytest.mark.parametrize(
    ("texts", "mark"), [(["1.2k", "3"], "."), (["12,34,567"], "."), (["4,5%"], ","), (["7%"], None)]
)
def test_decimal_mark_when_numbers_are_abbreviated_then_they_show_it_too(texts, mark):
    assert detect_decimal({"x": column(texts)}) == mark


def test_decimal_mark_when_a_single_point_may_part_thousands_then_it_is_asked_for():
    with pytest.raises(DecimalMarkError, match=r"'12\.000' in column 'x'"):
        detect_decimal({"x": column(["12.000", "950"])})


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("90", "duration_s", 90),
        ("1620000", "duration_ms", 1620),
        ("1.5", "duration_min", 90),
        ("00:27", "duration_s", 1620),
        ("00:27", "duration_ms", 1620),
        ("0:27:30", "duration_s", 1650),
        ("75:30", "duration_s", None),  # minutes and seconds?
        ("75:30 min", "duration_s", 4530),
        ("75:30:00", "duration_s", 271_800),
        ("0:75:30", "duration_s", None),
        ("1:05 h", "duration_s", 3900),
        ("26:15 Std.", "duration_s", 94_500),
        ("1h 5m", "duration_s", 3900),
        ("27 min", "duration_s", 1620),
        ("PT1H5M", "duration_s", 3900),
        ("P1DT1H", "duration_s", 90_000),
        ("PT90S", "duration_ms", 90),  # of a column that Parquet types as durations
        ("PT0.500000S", "duration_min", 0),
        ("-PT90S", "duration_s", None),
        ("1.5 hours", "duration_s", 5400),
        ("1,5 Std.", "duration_s", 5400),
        ("1.250 h", "duration_s", 4500),
        (".5 h", "duration_s", 1800),
        ("1\u6642\u959330\u5206", "duration_s", 5400),
        ("5\u5206\u949f 10\u79d2", "duration_s", 310),
        ("1\uc2dc\uac04 5\ubd84", "duration_s", 3900),
        ("\uff12\uff17 min", "duration_s", 1620),
        ("1,250 h", "duration_s", None),  # one and a quarter, or a thousand and more?
        ("5 Min. 10 Sek.", "duration_s", 310),
        ("2d 3h", "duration_s", 183_600),
        ("0 days 00:05:30", "duration_s", 330),
        ("1 day, 1:05:30", "duration_s", 90_330),
        ("h", "duration_s", None),
        ("", "duration_s", None),
        ("soon", "duration_s", None),
        ("9999999999999999999 min", "duration_s", None),  # longer than 64 bits can say
        ("9" * 5000 + " min", "duration_s", None),
        ("PT" + "9" * 30 + "S", "duration_s", None),
    ],
)
def test_duration_when_it_says_its_units_then_they_count_before_those_of_the_column(
    text, unit, seconds
):
    values, ok = read_durations(column([text]), unit=unit, decimal=".")
    assert (values[0] if ok[0] else None) == seconds
