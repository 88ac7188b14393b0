"""The workbook as programs for spreadsheets read it: texts are texts, links lead where they should."""

import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from builders import make_settings
from leadscore.report.workbook import worklist as worklists
from leadscore.report.workbook.book import write_workbook
from leadscore.report.workbook.worklist import Worklist
from leadscore.results import Customer
from leadscore.scoring.score import SCORES

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
SHOW = {"company": "C", "contact": "P", "url": "https://crm.example.com/leads/{lead_id}"}
HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.test","x")',
    "+4 points",
    "-1 point",
    "@SUM(A1)",
    "https://evil.test",
    "<script>alert(1)</script>",
    "_x0041_",
    "\0\x1b[2J null",
    "\u202ecba",
    "👨\u200d👩\u200d👧",
    "z" * 10_000,
    "007",
)
NUMBERS = {"win_probability": 0.5, "score": 50.0, "expected_value": 1234.567, "change_points": 3.0}


def make_scores(rows: list[dict[str, Any]]) -> pa.Table:
    """A list with these columns; all others are empty or 0."""
    complete = []
    for row in rows:
        plain = dict.fromkeys(SCORES.names, "")
        plain |= {f.name: 0.0 for f in SCORES if pa.types.is_floating(f.type)}
        plain |= NUMBERS | {"as_of": AS_OF, "amount_estimated": False, "tier": "B"}
        complete.append(plain | row)
    return pa.Table.from_pylist(complete, schema=SCORES)


def routed(scores: pa.Table, reps: list[str | None]) -> pa.Table:
    reasons = ["" if rep else "all reps are full" for rep in reps]
    scores = scores.append_column("rep_id", pa.array(reps, pa.string()))
    return scores.append_column("route_reason", pa.array(reasons))


def write(
    folder: Path, scores: pa.Table, *, show=SHOW, shown=None, reps=None, customers=(), **settings
) -> Path:
    worklist = Worklist(
        scores=scores,
        as_of="2026-03-01T00:00:00Z",
        as_of_us=1_772_323_200_000_000,
        horizon_days=60,
        currency="EUR",
        settings=make_settings(show=show, **settings),
        shown=shown or {},
        reps=reps or {},
        customers=customers,
    )
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    path = folder / "list.xlsx"
    write_workbook(path, worklist, scratch=folder / "scratch")
    return path


def text_of(lead_id: str, text: str) -> dict[str, str | None]:
    return {"name": None, "company": text, "contact": text, "email": None, "phone": None}


def test_texts_when_hostile_then_are_texts_and_never_formulas_or_links(tmp_path):
    rows = [
        {"lead_id": str(n), "reason_up_1": text, "suggested_action": text, "bant": f"need: {text}"}
        for n, text in enumerate(HOSTILE)
    ]
    shown = {str(n): text_of(str(n), text) for n, text in enumerate(HOSTILE)}
    sheet = openpyxl.load_workbook(write(tmp_path, make_scores(rows), shown=shown))["All leads"]
    header = [cell.value for cell in sheet[1]]
    company = header.index("Company")
    for cells, text in zip(sheet.iter_rows(min_row=2), HOSTILE, strict=True):
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert [cell.column for cell in cells if cell.hyperlink] == [1]
        assert cells[company].data_type == "s"
        value = cells[company].value.replace("_x005F_", "_")  # as Excel does, and openpyxl does not
        assert "\u202e" not in value
        assert "\0" not in value
        assert len(value) <= 500
        if text[0] in "=+-@<_" or text == "007":
            assert value == text


def test_workbook_when_zipped_open_then_no_part_holds_a_formula_or_anothers_address(tmp_path):
    rows = [{"lead_id": str(n), "change": text} for n, text in enumerate(HOSTILE)]
    shown = {str(n): text_of(str(n), text) for n, text in enumerate(HOSTILE)}
    with zipfile.ZipFile(write(tmp_path, make_scores(rows), shown=shown)) as book:
        for name in book.namelist():
            content = book.read(name).decode()
            assert "<f>" not in content
            if name.endswith(".rels"):
                targets = re.findall(r'Target="(http[^"]+)"', content)
                assert all(
                    target.startswith("https://crm.example.com/leads/") for target in targets
                )


def test_lead_when_it_has_an_address_then_its_id_leads_there_quoted(tmp_path):
    path = write(tmp_path, make_scores([{"lead_id": "a/b?c"}]))
    cell = openpyxl.load_workbook(path)["All leads"]["A2"]
    assert cell.value == "a/b?c"
    assert cell.hyperlink.target == "https://crm.example.com/leads/a%2Fb%3Fc"


def test_workbook_when_nothing_is_shown_then_has_ids_and_no_links(tmp_path):
    sheet = openpyxl.load_workbook(write(tmp_path, make_scores([{"lead_id": "1"}]), show=None))[
        "All leads"
    ]
    assert [cell.value for cell in sheet[1]][:3] == ["Lead", "Tier", "Win"]
    assert sheet["A2"].hyperlink is None


def test_sheets_when_leads_are_routed_then_there_is_one_a_rep_in_the_order_of_the_list(tmp_path):
    scores = make_scores([{"lead_id": str(n)} for n in range(6)])
    reps = {"R1": {"name": "Zoë", "team": "North"}, "R2": {"name": "Ann", "team": "North"}}
    given = ["R2", "R1", None, "R2", "R3", "R1"]
    book = openpyxl.load_workbook(write(tmp_path, routed(scores, given), reps=reps))
    assert book.sheetnames == ["Summary", "Ann", "R3", "Zoë", "Not assigned"]
    assert [row[0].value for row in book["Ann"].iter_rows(min_row=2)] == ["0", "3"]
    assert [row[-1].value for row in book["Not assigned"].iter_rows(min_row=2)] == [
        "all reps are full"
    ]


def test_sheets_when_they_are_of_teams_then_each_lead_names_its_rep(tmp_path):
    scores = make_scores([{"lead_id": str(n)} for n in range(3)])
    reps = {"R1": {"name": "Zoë", "team": "North"}, "R2": {"name": "Ann", "team": None}}
    path = write(
        tmp_path, routed(scores, ["R1", "R2", "R1"]), show=SHOW | {"sheets": "team"}, reps=reps
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "No team", "North"]
    assert [row[-1].value for row in book["North"].iter_rows()] == ["Rep", "Zoë", "Zoë"]


def test_numbers_when_written_then_are_numbers_in_per_cent_and_money(tmp_path):
    unknown = {"amount": None, "expected_value": None}
    rows = [
        {"lead_id": "1", "amount": 2469.1},
        {"lead_id": "2", "win_probability": 0.004} | unknown,
    ]
    sheet = openpyxl.load_workbook(write(tmp_path, make_scores(rows)))["All leads"]
    header = [cell.value for cell in sheet[1]]
    win = sheet.cell(2, header.index("Win") + 1)
    value = sheet.cell(2, header.index("Value, EUR") + 1)
    assert (win.value, win.number_format) == (0.5, '[<0.005]"<1%";0%')
    assert (value.value, value.number_format) == (1235, "#,##0")
    assert sheet.cell(2, header.index("Amount, EUR") + 1).value == 2469
    assert sheet.cell(3, header.index("Value, EUR") + 1).value is None


def test_sheet_when_printed_then_is_a4_landscape_one_page_wide_with_its_header(tmp_path):
    sheet = openpyxl.load_workbook(write(tmp_path, make_scores([{"lead_id": "1"}])))["All leads"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref.startswith("A1:")


BANT = {
    "budget": {"field": "budget", "full_amount": 60_000},
    "need": {"field": "need", "levels": ["low", "medium", "high"]},
    "timeline": {"field": "due", "within_days": [30, 180]},
}
FIELDS = {"budget": {"type": "number"}, "need": {}, "due": {"type": "date"}}


@pytest.mark.parametrize(
    ("bant", "glance"),
    [
        ("", None),
        ("budget: 50,000; need: low; timeline: 2026-03-20", "B++ N- T++"),
        ("budget: 900.50; need: unknown; timeline: 2026-12-20", "B- N? T-"),
        ("need: high (not learned from yet); other: x", "N++ O+"),
    ],
)
def test_bant_when_glanced_at_then_letters_say_how_strong_answers_are(tmp_path, bant, glance):
    scores = make_scores([{"lead_id": "1", "bant": bant}])
    sheet = openpyxl.load_workbook(write(tmp_path, scores, bant=BANT, fields=FIELDS))["All leads"]
    place = [cell.value for cell in sheet[1]].index("BANT")
    assert (sheet.cell(2, place + 1).value or None) == glance


def test_workbook_when_written_twice_then_has_the_same_bytes(tmp_path):
    scores = routed(make_scores([{"lead_id": str(n)} for n in range(9)]), ["R1", "R2", None] * 3)
    first, second = (write(tmp_path / name, scores).read_bytes() for name in ("1", "2"))
    assert first == second
    assert not list((tmp_path / "1" / "scratch").iterdir())


def test_summary_when_written_then_its_totals_are_those_of_the_list(tmp_path):
    rows = [
        {"lead_id": str(n), "tier": tier, "change": "Up 3 points"} for n, tier in enumerate("AAB")
    ]
    sheet = openpyxl.load_workbook(write(tmp_path, make_scores(rows)))["Summary"]
    lines = {row[0].value: [cell.value for cell in row[1:4]] for row in sheet.iter_rows()}
    assert lines["Open leads"][0] == 3
    assert lines["Expected wins within 60 days"][0] == 1.5
    assert lines["More likely than last time"][0] == 3
    assert lines["A"] == [2, 1.0, pytest.approx(2469.134)]
    assert lines["What changed"][0] == "since the previous list, in percentage points"


def test_workbook_when_there_is_no_previous_list_then_says_so_and_has_no_column_of_changes(
    tmp_path,
):
    book = openpyxl.load_workbook(write(tmp_path, make_scores([{"lead_id": "1"}])))
    lines = {row[0].value: row[1].value for row in book["Summary"].iter_rows()}
    assert lines["Changes"] == "no previous list"
    assert "More likely than last time" not in lines
    assert "What changed" not in [cell.value for cell in book["All leads"][1]]


SOFFICE = shutil.which("soffice")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_workbook_when_libreoffice_opens_it_then_every_text_is_as_written(tmp_path):
    rows = [{"lead_id": str(n), "reason_up_1": text} for n, text in enumerate(HOSTILE)]
    shown = {str(n): text_of(str(n), text) for n, text in enumerate(HOSTILE)}
    path = write(tmp_path, make_scores(rows), shown=shown)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    options = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
    subprocess.run(
        [str(SOFFICE), profile, "--headless", "--convert-to", options, "--outdir", tmp_path, path],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (written,) = tmp_path.glob("*.csv")
    text = written.read_text(encoding="utf-8")
    for harmless in ("=1+1", "@SUM(A1)", "+4 points", "<script>alert(1)</script>", "007"):
        assert f"{harmless}," in text or f'"{harmless}"' in text
    assert "Err:" not in text
    assert "#NAME?" not in text


def test_customers_when_there_are_some_then_have_a_sheet_of_texts_and_numbers(tmp_path):
    known = {
        "wins": 2, "revenue": 1500.0, "last_won": "2026-01-05T00:00:00Z", "open_leads": 0,
        "quiet_days": 91.5, "is_due": True, "next_lead": 0.25,
    }  # fmt: skip
    plain = Customer(lead_id="=1+1", **known)
    unknown = {"revenue": None, "next_lead": None, "is_due": False, "open_leads": 3}
    other = Customer(lead_id="c2", **(known | unknown))
    shown = {"=1+1": text_of("=1+1", "@SUM(A1)")}
    scores = make_scores([{"lead_id": "a"}])
    path = write(tmp_path, scores, shown=shown, customers=[plain, other])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "All leads", "Customers"]
    rows = list(book["Customers"].iter_rows(values_only=True))
    assert rows[0][:3] == ("Last won lead", "Customer", "Due")
    assert rows[1] == ("=1+1", "@SUM(A1)", "yes", 91.5, 0.25, 2, 1500, "2026-01-05", 0)
    assert rows[2] == ("c2", "", "", 91.5, None, 2, None, "2026-01-05", 3)
    assert {cell.data_type for cell in book["Customers"][2]} == {"s", "n"}
    bare = openpyxl.load_workbook(write(tmp_path, scores))
    assert bare.sheetnames == ["Summary", "All leads"]


def test_sheet_when_its_leads_are_too_many_then_has_the_first_and_the_summary_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(worklists, "MOST_ROWS", 2)
    rows = [{"lead_id": lead_id} for lead_id in "abcde"]
    scores = routed(make_scores(rows), [None, "r1", None, None, "r1"])
    book = openpyxl.load_workbook(write(tmp_path, scores, reps={}, routing={"reps": "reps.csv"}))
    ids = {
        name: {cell.value for row in book[name].iter_rows() for cell in row}
        for name in book.sheetnames
    }
    assert {"a", "c"} <= ids["Not assigned"]
    assert "d" not in ids["Not assigned"]
    assert {"b", "e"} <= ids["r1"]
    note = "Not assigned: the first 2 of 3 leads; the others are only in the score files"
    assert note in ids["Summary"]
    assert not any(str(text).startswith("r1: ") for text in ids["Summary"])
