"""Files of a source: which they are, what they must have, and what is said of those that cannot be read."""

import gzip
import io
import os
import re
import tempfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.readers.read_files import batches, read, refusal, rows
from leadscore.errors import MissingColumnsError, UserError
from leadscore.ingest.readers import parquet
from leadscore.ingest.readers.sources import (
    find_files,
)
from leadscore.settings.source import Source


def parquet_file(**columns: pa.Array) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.csv", b""),
        ("x.csv", b" \n\r\n\t\n"),
        ("x.csv", b"\xef\xbb\xbf"),  # what Excel saves of an empty sheet
        ("x.csv", b"\xef\xbb\xbf\r\n"),
        ("x.parquet", b""),
    ],
)
def test_source_when_it_is_empty_then_it_is_said(tmp_path, name, data):
    assert "empty" in refusal(tmp_path, data, ["a"], name=name)


@pytest.mark.parametrize(
    "parts",
    [
        *({"delimiter": mark} for mark in ('"', "'", "\n", "\r", "")),
        {"encoding": "utf-9"},
        {"encoding": "hex"},
    ],
)
def test_source_when_a_setting_can_be_none_then_it_is_refused(parts):
    with pytest.raises(ValueError, match=next(iter(parts))):
        Source(path=Path("x.csv"), **parts)


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b"deal_id,created,amount\n1,2,3\n"),
                       ("x.parquet", parquet_file(deal_id=pa.array([1]), created=pa.array([1]), amount=pa.array([1])))]
)  # fmt: skip
def test_source_when_a_column_is_missing_then_it_the_present_ones_and_the_nearest_are_named(
    tmp_path, name, data
):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MissingColumnsError) as told:
        read(tmp_path, Source(path=Path(name)), ["created", "deal_idd", "zip"])
    assert told.value.missing == ("deal_idd", "zip")
    for words in (
        "'deal_idd', 'zip'",
        "it has 'deal_id', 'created', 'amount'",
        "did you mean 'deal_id' for 'deal_idd'?",
    ):
        assert words in str(told.value)


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.csv", parquet_file(a=pa.array([1])), "ends in .csv but holds Parquet"),
        ("x.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "ends in .csv but holds gzip"),
        ("x.csv", zipped(), "Excel"),
        ("x.csv", b"%PDF-1.7\n", "PDF"),
        ("x.parquet", b"a,b\n1,2\n", "ends in .parquet but holds"),
        ("x.parquet", gzip.compress(b"x", mtime=0), "ends in .parquet but holds gzip"),
        ("x.parquet", zipped(), "Excel"),
        ("x.xls", zipped(), "must end in '.csv', '.tsv', "),
        ("x", b"a,b\n1,2\n", "must end in '.csv', '.tsv', "),
    ],
)
def test_source_when_it_is_not_what_its_ending_says_then_words_say_what_it_is(
    tmp_path, name, data, words
):
    assert words in refusal(tmp_path, data, ["a"], name=name)


@pytest.mark.parametrize("cut", [8, 60, -4, -40])
def test_parquet_when_it_is_cut_off_then_it_is_refused_in_words(tmp_path, cut):
    data = parquet_file(a=pa.array(range(1000)))
    assert "Parquet" in refusal(tmp_path, data[:cut], ["a"], name="x.parquet")


def test_parquet_when_its_pages_are_damaged_then_it_is_refused_in_words(tmp_path):
    data = bytearray(parquet_file(a=pa.array(range(1000))))
    data[4:400] = b"\xff" * 396
    assert "Parquet" in refusal(tmp_path, bytes(data), ["a"], name="x.parquet")


def test_parquet_when_a_name_is_not_utf8_then_it_is_refused_in_words(tmp_path):
    data = parquet_file(amount=pa.array([1])).replace(b"amount", b"\xffmount")
    assert "Parquet" in refusal(tmp_path, data, ["a"], name="x.parquet")
    (file,) = find_files("deals", Source(path=Path("x.parquet")), folder=tmp_path)
    with pytest.raises(UserError, match="Parquet"):
        parquet.read_parquet_names(file)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "folder.csv", "none/*.csv"])
def test_source_when_there_is_no_such_file_then_it_and_the_remedy_are_named(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match="--data") as told:
        find_files("deals", Source(path=Path(name)), folder=tmp_path)
    assert str(tmp_path / name) in str(told.value)


@pytest.fixture
def locked_folder(tmp_path):
    """A folder of two exports, one of them in a folder that may not be read, looked at by somebody without rights."""
    for name in ("a/leads.csv", "b/leads.csv"):
        path = tmp_path / "exports" / name
        path.parent.mkdir(parents=True)
        path.write_text("id\n1\n")
    for folder in (tmp_path, *tmp_path.parents):  # pytest keeps them to the owner
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith(
            tempfile.gettempdir() + "/"
        ):
            folder.chmod(0o755)
    user = os.geteuid()
    (tmp_path / "exports" / "b").chmod(0)
    if user == 0:
        os.seteuid(65534)  # rights do not bind root
    yield tmp_path / "exports"
    os.seteuid(user)
    (tmp_path / "exports" / "b").chmod(0o755)


@pytest.mark.parametrize("path", [".", "**/*.csv"])
def test_source_when_a_folder_in_it_may_not_be_read_then_is_not_taken_for_empty(
    locked_folder, path
):
    with pytest.raises(UserError, match=re.escape(str(locked_folder / "b"))):
        find_files("deals", Source(path=Path(path)), folder=locked_folder)


def test_parquet_when_it_is_read_then_rows_are_numbered_and_typed_values_become_text(
    tmp_path, monkeypatch
):
    data = parquet_file(
        a=pa.array([2**62 + 1, None, 12]), b=pa.array(["x ", None, ""]), c=pa.array([1, 2, 3])
    )
    monkeypatch.setattr(parquet, "BATCH_ROWS", 2)
    read = batches(tmp_path, data, ["b", "a"], name="x.parquet")
    assert [batch.lines.tolist() for batch in read] == [[1, 2], [3]]
    assert rows(read) == [(1, "x", str(2**62 + 1)), (2, "", ""), (3, "", "12")]
    assert [batch.columns.column_names for batch in read] == [["b", "a"], ["b", "a"]]


def test_parquet_when_a_column_has_no_text_then_it_and_its_type_are_named(tmp_path):
    data = parquet_file(a=pa.array([[1, 2]]), b=pa.array([b"\xff"]))
    assert "column 'a' of list" in refusal(tmp_path, data, ["a"], name="x.parquet")
    assert "column 'b' of binary" in refusal(tmp_path, data, ["b"], name="x.parquet")


def test_parquet_when_folders_name_a_partition_then_it_is_a_column(tmp_path):
    for folder in ("year=2025/team=A%2FB", "year=2026/team=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / "events" / folder).mkdir(parents=True)
        (tmp_path / "events" / folder / "part-0.parquet").write_bytes(
            parquet_file(a=pa.array([1, 2]))
        )
    (tmp_path / "events" / "_SUCCESS").touch()
    (tmp_path / "events" / "_notes.parquet").touch()
    found = read(tmp_path, Source(path=Path("events")), ["year", "a", "team"])
    assert rows(found) == [
        (1, "2025", "1", "A/B"),
        (2, "2025", "2", "A/B"),
        (1, "2026", "1", ""),
        (2, "2026", "2", ""),
    ]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("b.csv", ["b.csv"]),
        (".", ["b.csv", "sub/a.csv.gz", "sub/c.TSV"]),
        ("sub", ["sub/a.csv.gz", "sub/c.TSV"]),
        ("*.csv", ["b.csv"]),
        ("**/*.csv*", ["b.csv", "sub/a.csv.gz"]),
        ("sub/[ab]*", ["sub/a.csv.gz"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_files_when_a_source_is_a_file_a_folder_or_a_pattern_then_they_come_by_name(
    tmp_path, path, names, absolute
):
    for name in ("b.csv", "sub/c.TSV", "sub/a.csv.gz", "notes.txt", ".hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    path = tmp_path / path if absolute else Path(path)
    found = find_files("deals", Source(path=path), folder=tmp_path)
    assert [file.name for file in found] == names
    assert [file.path for file in found] == [tmp_path / name for name in names]


def test_files_when_one_of_several_lacks_a_column_then_that_one_is_named(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("b;a\n3;4\n")
    assert rows(read(tmp_path, Source(path=Path("*.csv")), ["a", "b"])) == [
        (2, "1", "2"),
        (2, "4", "3"),
    ]
    (tmp_path / "3.csv").write_text("a,c\n5,6\n")
    with pytest.raises(MissingColumnsError, match=r"3\.csv has no column 'b'"):
        read(tmp_path, Source(path=Path("*.csv")), ["a", "b"])
