import zipfile
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from leadscore.errors import MissingColumnsError, UserError
from leadscore.ingest.readers.sources import SourceFile, detect_dialect, read_file
from leadscore.settings.source import Source

Sheet = Any


def workbook(path: Path, **sheets: Callable[[Sheet, dict[str, Any]], None]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        forms = {
            form: book.add_format({"num_format": form})
            for form in (
                "dd/mm/yyyy",
                "dd/mm/yyyy hh:mm:ss",
                "hh:mm",
                "00000",
                "0.00",
                "0",
                "0%",
                '0"%"',
                "[$€-407] #,##0",
                '#,##0 "€"',
                "[$$-409]#,##0",
                "[$-409]0",
                "#,##0 [$CHF]",
            )
        }
        for name, fill in sheets.items():
            fill(book.add_worksheet(name), forms)
    return path


def rows(path: Path, columns: list[str], **parts: Any) -> list[tuple]:
    file, source = SourceFile("deals", path, path.name), Source(path=path, **parts)
    assert detect_dialect(file, source) is None
    found = list(read_file(file, source, columns=columns, dialect=None))
    assert all(batch.malformed == [] for batch in found)
    return [
        (int(line), *row.values())
        for batch in found
        for line, row in zip(batch.lines, batch.columns.to_pylist(), strict=True)
    ]


def replace(path: Path, part: str, old: bytes, new: bytes) -> bytes:
    """Write other bytes into a part of a workbook; returns what it was."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data.replace(old, new) if name == part else data)
    return parts[part]


def refusal(path: Path, columns: list[str], **parts: Any) -> str:
    with pytest.raises(UserError) as told:
        rows(path, columns, **parts)
    assert path.name in str(told.value)
    return str(told.value)


def deals(sheet: Sheet, forms: dict[str, Any]) -> None:
    sheet.write_row(2, 1, ["id", "amount", "day", "at", "clock", "ok"])
    sheet.write_row(3, 1, ["00012", 12.0])
    sheet.write_datetime(3, 3, datetime.fromisoformat("2025-03-01"), forms["dd/mm/yyyy"])
    sheet.write_datetime(
        3, 4, datetime.fromisoformat("2025-03-01T13:59:59.123"), forms["dd/mm/yyyy hh:mm:ss"]
    )
    sheet.write_datetime(3, 5, time(13, 5), forms["hh:mm"])
    sheet.write_boolean(3, 6, True)
    sheet.write_number(5, 1, 1234567890123)
    sheet.write_number(5, 2, -0.0000125)
    sheet.write_datetime(5, 4, datetime.fromisoformat("2025-03-02"), forms["dd/mm/yyyy hh:mm:ss"])
    sheet.write_formula(5, 6, "=NA()", None, "#N/A")
    sheet.write_datetime(5, 3, datetime.fromisoformat("2025-03-01T10:00"), forms["dd/mm/yyyy"])
    sheet.write_row(6, 1, [" x\ny ", 1e21])


def test_workbook_when_cells_have_types_then_they_are_the_text_that_a_person_would_write(tmp_path):
    path = workbook(tmp_path / "x.xlsx", deals=deals)
    assert rows(path, ["id", "amount", "day", "at", "clock", "ok"]) == [
        (4, "00012", "12", "2025-03-01", "2025-03-01T13:59:59.123000", "13:05:00", "true"),
        (6, "1234567890123", "-0.0000125", "2025-03-01T10:00:00", "2025-03-02T00:00:00", "", ""),
        (7, "x\ny", "1E+21", "", "", "", ""),
    ]


def test_workbook_when_a_format_shows_zeros_then_they_are_read(tmp_path):
    def fill(sheet: Sheet, forms: dict[str, Any]) -> None:
        sheet.write_row(0, 0, ["id", "zip", "n", "m"])
        sheet.write_number(1, 0, 42, forms["00000"])
        sheet.write_number(1, 1, 1234567, forms["00000"])
        sheet.write_number(1, 2, -42, forms["00000"])
        sheet.write_number(1, 3, 42, forms["0.00"])
        sheet.write_number(2, 0, 7, forms["0"])
        sheet.write_number(2, 1, 4.5, forms["00000"])

    path = workbook(tmp_path / "x.xlsx", deals=fill)
    assert rows(path, ["id", "zip", "n", "m"]) == [
        (2, "00042", "1234567", "-42", "42"),
        (3, "7", "4.5", "", ""),
    ]


def doubts(path: Path, columns: list[str], **parts: Any) -> str:
    file, source = SourceFile("deals", path, path.name), Source(path=path, **parts)
    found = read_file(file, source, columns=columns, dialect=None)
    return " ".join(doubt for batch in found for doubt in batch.doubts)


@pytest.mark.parametrize(
    ("columns", "formulas"),
    [
        (["id", "amount"], "2 formulas in 'amount'"),
        (["amount", "fee"], "3 formulas in 'amount', 'fee'"),
        (["fee"], "1 formula in 'fee'"),
        (["id"], None),
    ],
)
def test_workbook_when_formulas_were_never_computed_then_their_columns_are_named(
    tmp_path, columns, formulas
):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Deals"
    sheet["D1"] = "=TODAY()"
    sheet.append(["id", "amount", "fee"])
    sheet.append([1, "=A3*2", "=A3"])
    sheet.append([2, '=IF(A4>1,"a","b")', 5])
    book.save(tmp_path / "x.xlsx")
    doubt = doubts(tmp_path / "x.xlsx", columns, header_row=2)
    assert (f"sheet 'Deals' has {formulas} that no program" in doubt) == (formulas is not None)
    assert bool(doubt) == (formulas is not None)


def test_workbook_when_all_its_cells_are_formulas_then_they_are_doubted_all_the_same(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["=1+1"])
    book.save(tmp_path / "x.xlsx")
    assert "has 1 formula in 'id'" in doubts(tmp_path / "x.xlsx", ["id"])


@pytest.mark.parametrize(
    ("values", "formulas"),
    [([0, 0], 2), ([0, ""], 2), ([0, 12], 0), ([3, 4], 0), (["x", "nothing"], 0)],
)
def test_workbook_when_all_formulas_of_a_column_are_0_then_none_was_computed(
    tmp_path, values, formulas
):
    def fill(sheet: Sheet, _: dict[str, Any]) -> None:
        sheet.write_row(0, 0, ["id", "amount"])
        for row, value in enumerate(values, 1):
            sheet.write_number(row, 0, row)
            sheet.write_formula(row, 1, "=A2*2", None, value)

    path = workbook(tmp_path / "x.xlsx", deals=fill)
    replace(path, "xl/worksheets/sheet1.xml", b"<v>nothing</v>", b"<v></v>")  # a formula's ""
    doubt = doubts(path, ["amount"])
    assert (f"has {formulas} formulas" in doubt) if formulas else doubt == ""


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ([(0.45, "0%"), (45, None)], "in two scales: 0.45 is shown as a percentage, 45 is not"),
        ([(0.45, "0%"), (0.3, None), (0, None), (1, "0")], None),
        ([(0.45, '0"%"'), (45, None)], None),
        ([(5, "[$€-407] #,##0"), (5, "[$$-409]#,##0")], "in '€', '$' by the formats"),
        ([(5, '#,##0 "€"'), (5, "#,##0 [$CHF]")], "in '€', 'CHF' by the formats"),
        ([(5, "[$€-407] #,##0"), (5, '#,##0 "€"'), (5, None), (5, "[$-409]0")], None),
    ],
)
def test_workbook_when_formats_make_numbers_of_a_column_differ_then_it_is_doubted(
    tmp_path, shown, words
):
    def fill(sheet: Sheet, forms: dict[str, Any]) -> None:
        sheet.write_row(0, 0, ["id", "amount"])
        for row, (number, form) in enumerate(shown, 1):
            sheet.write_number(row, 1, number, forms.get(form))

    path = workbook(tmp_path / "x.xlsx", Deals=fill)
    doubt = doubts(path, ["amount"])
    assert (words in doubt and "sheet 'Deals' shows" in doubt) if words else doubt == ""
    assert [value for _, value in rows(path, ["amount"])] == [str(number) for number, _ in shown]
    assert doubts(path, ["id"]) == ""


def test_workbook_when_there_is_no_header_then_columns_are_numbered(tmp_path):
    path = workbook(tmp_path / "x.xlsx", deals=lambda sheet, _: sheet.write_row(0, 0, ["x", 2]))
    assert rows(path, ["2", "1"], header=False) == [(1, "2", "x")]


def test_workbook_when_it_has_several_sheets_then_one_must_be_named(tmp_path):
    path = workbook(tmp_path / "x.xlsx", Deals=deals, Notes=lambda sheet, _: None)
    assert "has the sheets 'Deals', 'Notes'; set sheet to one of them" in refusal(path, ["id"])
    assert "has no sheet 'deals'; it has 'Deals', 'Notes'" in refusal(path, ["id"], sheet="deals")
    assert "has nothing in its sheet 'Notes'" in refusal(path, ["id"], sheet="Notes")
    assert [line for line, _ in rows(path, ["id"], sheet="Deals")] == [4, 6, 7]


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b'r="B2"', b'r="XFD1048576"'),
        ("xl/worksheets/sheet1.xml", b'ref="A1:B2"', b'ref="A1:XFD1048576"'),
        ("xl/sharedStrings.xml", b'uniqueCount="4"', b'uniqueCount="999999999999"'),
    ],
)
def test_workbook_when_it_claims_to_be_huge_then_only_what_is_there_is_read(
    tmp_path, part, old, new
):
    path = workbook(
        tmp_path / "x.xlsx",
        deals=lambda sheet, _: (sheet.write_row(0, 0, "ab"), sheet.write_row(1, 0, "c1")),
    )
    assert old in replace(path, part, old, new)
    assert rows(path, ["a"]) == [(2, "c")]


def test_workbook_when_a_column_is_missing_then_the_present_ones_are_named(tmp_path):
    with pytest.raises(MissingColumnsError, match="has no column 'ids'; it has"):
        rows(workbook(tmp_path / "x.xlsx", deals=deals), ["ids"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "ends in .xlsx but holds something else"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
        (b"PK\x03\x04" + bytes(600), "cannot be read as an Excel workbook"),
    ],
)
def test_workbook_when_it_is_none_then_it_is_refused_in_words(tmp_path, data, words):
    (tmp_path / "x.xlsx").write_bytes(data)
    assert words in refusal(tmp_path / "x.xlsx", ["id"])
