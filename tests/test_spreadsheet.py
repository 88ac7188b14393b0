import csv
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_settings
from leadscore import project as jobs
from leadscore.printable import printable
from leadscore.project.opened import open_store
from leadscore.spreadsheet import write_csv_for_people

RUN = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def written(path, **columns):
    """The rows of the CSV file that is made of columns."""
    write_csv_for_people(path, pa.table(columns))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+49 30 123", "'+49 30 123"),
        ("-2+3", "'-2+3"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("a\x1b[31m\u202eb\x7f", "a\ufffd[31m\ufffdb\ufffd"),
        ("two\nlines", "two\nlines"),
        ("-12", "-12"),
        ("-1,234.50", "-1,234.50"),
        ("12", "12"),
        ("a=b", "a=b"),
        ("'quoted", "'quoted"),
    ],
)
def test_cell_when_a_spreadsheet_would_run_it_then_begins_with_an_apostrophe(tmp_path, text, cell):
    assert written(tmp_path / "a.csv", x=pa.array(["x", text])) == [["x"], [cell]]


def test_numbers_when_they_are_negative_then_stay_numbers(tmp_path):
    rows = written(
        tmp_path / "a.csv", n=pa.array([-1, 2]), x=pa.array([-1.5, None]), t=pa.array(["=1", "-1"])
    )
    assert rows == [["-1", "-1.5", "'=1"], ["2", "", "-1"]]


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_text_when_written_then_is_never_run_and_reads_as_it_was_but_for_what_cannot_be_seen(
    tmp_path_factory, text
):
    [[cell]] = written(tmp_path_factory.getbasetemp() / "law.csv", x=pa.array([text]))
    shown = printable(text, keep="\t\r\n")
    assert cell in {shown, f"'{shown}"}
    assert not cell.startswith(RUN) or re.fullmatch(r"-[0-9]+([.,][0-9]+)*", cell)


LEADS = """id,created,mail
=1+1,2024-01-01,a@example.com
@x,2024-01-02,a@example.com
-5,2024-01-03,
+bad,=cmd|' /C calc'!A0,
"""


def test_files_for_people_when_ids_and_values_are_formulas_then_neutralise_them_and_the_store_holds_them(
    tmp_path,
):
    (tmp_path / "leads.csv").write_text(LEADS)
    columns = {"lead_id": "id", "event_at": "created", "email": "mail"}
    mapping = [{"source": "leads", "table": "leads", "columns": columns}]
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-02-01",
        mapping=mapping,
    )
    jobs.ingest(settings)
    jobs.write_rejects(settings, tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["lead_id"], row["value"]) == ("'+bad", "'=cmd|' /C calc'!A0")
    with (settings.project_folder() / "duplicates.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert {row["lead_id"], row["like_lead_id"]} == {"'=1+1", "'@x"}
    with open_store(settings) as history:
        found = history.engine.query("SELECT lead_id FROM leads ORDER BY lead_id").to_pydict()
    assert found == {"lead_id": ["-5", "=1+1", "@x"]}
