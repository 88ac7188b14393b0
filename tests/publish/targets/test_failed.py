"""A CRM's file of failed rows, read back: every row counts, and a file that cannot be read is refused."""

import pytest

from leadscore.errors import UserError
from leadscore.publish.targets.failed import read_failures
from leadscore.publish.targets.layout import build_layout
from leadscore.settings.targets import TargetSettings

LAYOUT = build_layout(
    "crm", TargetSettings(kind="salesforce"), preset=None, available={"lead_id", "tier"}
)
HEAD = "sf__Id,sf__Error,Leadscore_Id__c\n"


def read(folder, text):
    path = folder / "failed.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_failures(path, LAYOUT)


def test_rows_when_some_have_no_key_then_are_counted_and_named_by_line(tmp_path):
    failures = read(tmp_path, HEAD + ",X:a,1\n,X:a,\n,X:a\n,Y:b,2\n")
    assert failures.rows == 4
    assert failures.without_key == (3, 4)
    assert set(failures.keys) == {"1", "2"}
    groups = failures.grouped()
    assert [len(rows) for rows in groups.values()] == [3, 1]


def test_rows_when_a_key_is_there_twice_then_both_count(tmp_path):
    failures = read(tmp_path, HEAD + ",X:a,1\n,Y:b,1\n")
    assert failures.rows == 2
    assert len(failures.grouped()) == 2
    assert failures.keys == ("1",)


@pytest.mark.parametrize(("text", "problem"), [
    (HEAD.encode() + ",X:ü,1\n".encode("latin-1"), "line 2 is not UTF-8"),
    (HEAD + ',"X:a,1\n,Y:b,2\n', "quote"),
    (HEAD + ',"X"a,1\n', "line 2"),
    ("sf__Error,Leadscore_Id__c,Leadscore_Id__c\nX,1,2\n", "has the column 'Leadscore_Id__c' twice"),
    ("sf__Error,Leadscore_Id__c\nX,1,2\n", "line 2 has 3 values"),
    ("", "no column"),
    (b"\x00" * 9, "no column"),
])  # fmt: skip
def test_file_when_it_cannot_be_read_then_is_refused_with_the_reason(tmp_path, text, problem):
    with pytest.raises(UserError, match=problem):
        read(tmp_path, text)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_file_when_reasons_have_line_breaks_then_every_row_is_read(tmp_path, end):
    text = HEAD.replace("\n", end) + f',"X:a{end}b",1{end},Y:b,2{end}{end}'
    failures = read(tmp_path, "\ufeff" + text)
    assert failures.rows == 2
    assert failures.keys == ("1", "2")
