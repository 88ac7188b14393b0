"""Text from outside in cells and in names of sheets."""

import pytest

from leadscore.report.workbook.text import LONGEST_CELL, cell_text, name_sheets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("", ""),
        ("=1+1", "=1+1"),
        ("a\0b\x07c\x1b[31m", "abc[31m"),
        ("two\nlines\tand\rtabs", "two\nlines and tabs"),
        ("abc\u202edcba\u202c", "abcdcba"),
        ("\u2066x\u2069\u200e", "x"),
        ("a\u2028b", "a b"),
        ("👍🏽 👨\u200d👩\u200d👧 ❤️", "👍🏽 👨\u200d👩\u200d👧 ❤️"),
        ("\ud800x\uffff", "\ufffdx\ufffd"),
        ("x" * 10_000, "x" * (LONGEST_CELL - 1) + "…"),
        ("x" * LONGEST_CELL, "x" * LONGEST_CELL),
    ],
)
def test_text_when_it_comes_from_outside_then_a_cell_shows_it_without_tricks(text, shown):
    assert cell_text(text) == shown


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["Ann", "ANN", "ann"], ["Ann", "ANN (2)", "ann (3)"]),
        (["[a]:*?/\\b"], ["a      b"]),
        (["'quoted'", "", "\u202e"], ["quoted", "Sheet", "Sheet (2)"]),
        (["History"], ["History (2)"]),
        (["x" * 40, "x" * 41], ["x" * 31, "x" * 27 + " (2)"]),
        (["😀" * 20], ["😀" * 15]),
    ],
)
def test_sheets_when_named_after_people_then_names_are_legal_and_different(wanted, names):
    assert name_sheets(wanted) == names
