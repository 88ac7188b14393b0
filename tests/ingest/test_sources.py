import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadscore.config import Source
from leadscore.errors import MissingColumnsError, SourceMissingError, UserError
from leadscore.ingest import sources
from leadscore.ingest.sources import Batch, read_source


def batches(folder: Path, data: str | bytes, columns: list[str], *, name: str = "x.csv", **parts: str) -> list[Batch]:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_source("deals", Source(path=Path(name), **parts), folder=folder, columns=columns))


def rows(found: list[Batch]) -> list[tuple]:
    """(line, values...) of all rows."""
    return [
        (int(line), *values)
        for batch in found
        for line, values in zip(batch.lines, batch.frame.itertuples(index=False, name=None), strict=True)
    ]


def malformed(found: list[Batch]) -> list[tuple[int, str]]:
    return [row for batch in found for row in batch.malformed]


def refusal(folder: Path, data: str | bytes, columns: list[str], *, name: str = "x.csv", **parts: str) -> str:
    with pytest.raises(UserError) as told:
        batches(folder, data, columns, name=name, **parts)
    assert "'deals'" in str(told.value)
    assert name in str(told.value)
    return str(told.value)


def parquet(**columns: pa.Array) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n1,2\n3,4\n", [(2, "1", "2"), (3, "3", "4")]),
        ("a,b\n1,2\n3,4", [(2, "1", "2"), (3, "3", "4")]),  # no end of the last line
        ("a,b\r\n1,2\r\n3,4\r\n", [(2, "1", "2"), (3, "3", "4")]),
        ("a,b\r1,2\r3,4\r", [(2, "1", "2"), (3, "3", "4")]),
        ("\ufeffa,b\n1,2\n", [(2, "1", "2")]),  # Excel's "CSV UTF-8"
        ('\ufeff"a","b"\n1,2\n', [(2, "1", "2")]),
        ('a,b\n"1","x ""y"" z"\n', [(2, "1", 'x "y" z')]),
        ('a,b\n1,"two\nlines"\n3,4\n', [(2, "1", "two\nlines"), (4, "3", "4")]),
        ('a,b\r\n1,"two\r\nlines"\r\n3,4\r\n', [(2, "1", "two\r\nlines"), (4, "3", "4")]),
        ('"a\nb",b,a\n9,2,1\n3,4,3\n', [(3, "1", "2"), (4, "3", "4")]),  # a header of two lines
        ("a,b\n\n1,2\n\n\n3,4\n\n", [(3, "1", "2"), (6, "3", "4")]),
        ("a,b\n1,\n,\n", [(2, "1", ""), (3, "", "")]),
        ("b,c,a\n2,9,1\n", [(2, "1", "2")]),
        ("a,b\nNA,null\nnan,None\n", [(2, "NA", "null"), (3, "nan", "None")]),
        ("a,b\n00012,1e3\n", [(2, "00012", "1e3")]),
        ("a,b\nMüller,株式会社\n", [(2, "Müller", "株式会社")]),
        ("a,b\n1,it's\n", [(2, "1", "it's")]),
        ("a,,b,\n1,x,2,y\n", [(2, "1", "2")]),  # unnamed columns beside
        ("a,c,b,c\n1,x,2,y\n", [(2, "1", "2")]),  # a name that comes twice, but is not read
    ],
)
def test_csv_when_it_is_sound_then_each_row_has_its_text_and_the_line_it_begins_on(tmp_path, text, found):
    read = batches(tmp_path, text, ["a", "b"])
    assert rows(read) == found
    assert malformed(read) == []


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "·"])
def test_csv_when_another_delimiter_is_set_then_it_parts_the_values(tmp_path, delimiter):
    text = "a,b\n1,2\n".replace(",", delimiter) + f'"x{delimiter}y"{delimiter}3,4\n'
    read = batches(tmp_path, text, ["a", "b"], delimiter=delimiter)
    assert rows(read) == [(2, "1", "2"), (3, f"x{delimiter}y", "3,4")]


def test_csv_when_rows_have_too_few_or_too_many_values_then_they_are_told_apart_with_their_lines(tmp_path):
    read = batches(tmp_path, 'a,b\n1,2\nonly\n"x\ny",2,3\n\n4,5\n1,2,\n', ["b"])
    assert rows(read) == [(2, "2"), (7, "5")]
    told = malformed(read)
    assert [line for line, _ in told] == [3, 4, 8]
    assert [[int(word) for word in text.replace(",", " ").split() if word.isdigit()] for _, text in told] == [
        [1, 2], [3, 2], [3, 2],
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_csv_when_it_is_read_in_batches_then_rows_and_lines_are_the_same(tmp_path, monkeypatch, size):
    text = 'a,b\n1,2\n"x\ny",4\nragged\n\n5,6\n7,8\n9\n'
    whole = batches(tmp_path, text, ["b", "a"])
    monkeypatch.setattr(sources, "BATCH_ROWS", size)
    parts = batches(tmp_path, text, ["b", "a"])
    assert rows(parts) == rows(whole) == [(2, "2", "1"), (3, "4", "x\ny"), (7, "6", "5"), (8, "8", "7")]
    assert malformed(parts) == malformed(whole)
    assert all(len(batch.frame) + len(batch.malformed) <= size for batch in parts)


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


def test_csv_when_there_is_only_a_header_then_no_rows_come(tmp_path):
    assert rows(batches(tmp_path, "a,b\n", ["a"])) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,2\n3,"never closed\n4,5\n6,7\n', 3),
        ('a,b\n1,2\n"3"4,5\n', 3),  # text after a closed quote
        ('a,"b\n1,2\n3,4\n', 1),  # in the header
        ('"a,b\n1,2\n', 1),
    ],
)
def test_csv_when_a_quote_never_closes_then_the_line_where_it_opened_is_told(tmp_path, text, line):
    told = refusal(tmp_path, text, ["a", "b"])
    assert f"line {line} " in told
    assert "quote" in told


@pytest.mark.parametrize(
    "data", ["a,b\nM\xfcller,2\n".encode("latin-1"), b"a,b\n1,2\n" * 3_000 + b"\xff,1\n", b"\xe4,b\n1,2\n"]
)
def test_csv_when_it_is_not_utf8_then_it_is_said(tmp_path, data):
    assert "UTF-8" in refusal(tmp_path, data, ["b"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_csv_when_it_is_utf16_then_it_is_said(tmp_path, encoding):
    assert "UTF-16" in refusal(tmp_path, "a,b\n1,2\n".encode(encoding), ["a"])


@pytest.mark.parametrize("there", [",", ";", "\t", "|"])
@pytest.mark.parametrize("stated", [",", ";", "\t", "|"])
def test_csv_when_the_delimiter_is_another_one_then_the_right_one_is_proposed(tmp_path, there, stated):
    text = there.join(["a", "b", "c"]) + "\n" + there.join(["1", "2", "3"]) + "\n"
    if there == stated:
        assert rows(batches(tmp_path, text, ["a", "b"], delimiter=stated)) == [(2, "1", "2")]
    else:
        assert f"set delimiter = {there!r}" in refusal(tmp_path, text, ["a", "b"], delimiter=stated)


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", " "])
def test_csv_when_the_delimiter_can_be_none_then_it_is_refused_in_words(tmp_path, delimiter):
    refusal(tmp_path, "a,b\n1,2\n", ["a", "b"], delimiter=delimiter)


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b"deal_id,created,amount\n1,2,3\n"),
                       ("x.parquet", parquet(deal_id=pa.array([1]), created=pa.array([1]), amount=pa.array([1])))]
)  # fmt: skip
def test_source_when_a_column_is_missing_then_it_the_present_ones_and_the_nearest_are_named(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MissingColumnsError) as told:
        list(read_source("deals", Source(path=Path(name)), folder=tmp_path, columns=["created", "deal_idd", "zip"]))
    assert told.value.missing == ("deal_idd", "zip")
    for words in (
        "'deal_idd', 'zip'",
        "it has 'deal_id', 'created', 'amount'",
        "did you mean 'deal_id' for 'deal_idd'?",
    ):
        assert words in str(told.value)


def test_csv_when_a_header_differs_in_case_or_by_a_blank_then_it_is_missing_and_the_near_one_is_named(tmp_path):
    assert "did you mean 'Deal id' for 'deal id'" in refusal(tmp_path, "Deal id,b\n1,2\n", ["deal id"])
    assert "did you mean ' a1' for 'a1'" in refusal(tmp_path, "b, a1\n1,2\n", ["a1"])


def test_csv_when_a_column_that_is_read_comes_twice_then_it_is_named(tmp_path):
    assert "more than one column 'a'" in refusal(tmp_path, "a,b,a\n1,2,3\n", ["a", "b"])


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.csv", parquet(a=pa.array([1])), "ends in .csv but holds Parquet"),
        ("x.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "ends in .csv but holds gzip"),
        ("x.csv", zipped(), "Excel"),
        ("x.csv", b"%PDF-1.7\n", "PDF"),
        ("x.parquet", b"a,b\n1,2\n", "ends in .parquet but holds"),
        ("x.parquet", gzip.compress(b"x", mtime=0), "ends in .parquet but holds gzip"),
        ("x.parquet", zipped(), "Excel"),
        ("x.xlsx", zipped(), "must end in .csv, .csv.gz or .parquet"),
        ("x", b"a,b\n1,2\n", "must end in .csv, .csv.gz or .parquet"),
        ("x.txt", b"a,b\n1,2\n", "must end in .csv, .csv.gz or .parquet"),
    ],
)
def test_source_when_it_is_not_what_its_ending_says_then_words_say_what_it_is(tmp_path, name, data, words):
    assert words in refusal(tmp_path, data, ["a"], name=name)


@pytest.mark.parametrize("cut", [8, 60, -4, -40])
def test_parquet_when_it_is_cut_off_then_it_is_refused_in_words(tmp_path, cut):
    data = parquet(a=pa.array(range(1000)))
    assert "Parquet" in refusal(tmp_path, data[:cut], ["a"], name="x.parquet")


def test_parquet_when_its_pages_are_damaged_then_it_is_refused_in_words(tmp_path):
    data = bytearray(parquet(a=pa.array(range(1000))))
    data[4:400] = b"\xff" * 396
    assert "Parquet" in refusal(tmp_path, bytes(data), ["a"], name="x.parquet")


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "folder.csv"])
def test_source_when_there_is_no_such_file_then_it_and_the_remedy_are_named(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SourceMissingError, match="--data") as told:
        read_source("deals", Source(path=Path(name)), folder=tmp_path, columns=["a"])
    assert str(tmp_path / name) in str(told.value)


def test_parquet_when_it_is_read_then_rows_are_numbered_and_types_survive(tmp_path, monkeypatch):
    data = parquet(a=pa.array([2**62 + 1, None, 12]), b=pa.array(["x", None, ""]), c=pa.array([1, 2, 3]))
    monkeypatch.setattr(sources, "BATCH_ROWS", 2)
    read = batches(tmp_path, data, ["b", "a"], name="x.parquet")
    assert [batch.lines.tolist() for batch in read] == [[1, 2], [3]]
    values = [
        value for batch in read for value in batch.frame["a"].astype(object).where(batch.frame["a"].notna(), None)
    ]
    assert values == [2**62 + 1, None, 12]  # a null beside integers makes no floats of them
    assert [list(batch.frame) for batch in read] == [["b", "a"], ["b", "a"]]


def test_csv_when_it_is_gzipped_then_rows_and_lines_are_those_of_the_plain_file(tmp_path):
    text = 'id,name\n1,Zürich\n2,"a\nb"\n3,c\n4\n'
    plain = batches(tmp_path, text, ["id", "name"])
    packed = batches(tmp_path, gzip.compress(text.encode()), ["id", "name"], name="x.csv.gz")
    assert rows(packed) == rows(plain) != []
    assert malformed(packed) == malformed(plain) != []


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_csv_when_its_gzip_is_cut_off_then_it_is_refused_in_words(tmp_path, cut):
    data = gzip.compress(("id,name\n" + "".join(f"{i},{i * 7919 % 10007}\n" for i in range(20_000))).encode())
    assert "is no whole gzip file" in refusal(tmp_path, data[: int(cut * len(data))], ["id"], name="x.csv.gz")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"id\n1\n", "is no whole gzip file"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(b"PAR1...", mtime=0), "holds Parquet"),
    ],
)
def test_csv_when_its_gzip_holds_something_else_then_it_is_refused_in_words(tmp_path, data, words):
    assert words in refusal(tmp_path, data, ["id"], name="x.csv.gz")
