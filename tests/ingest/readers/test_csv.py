"""Rows of CSV files: delimiters, quotes, encodings, headers, and rows that are too short or too long."""

import gzip
from pathlib import Path

import pytest

from ingest.readers.read_files import batches, refusal, rows
from leadscore.ingest.readers import csv_text, text
from leadscore.ingest.readers import dialect as dialect_reader
from leadscore.ingest.readers.sources import (
    Batch,
    Dialect,
    Expected,
    SourceFile,
    detect_dialect,
    read_file,
)
from leadscore.settings.source import Source


def dialect(folder: Path, data: str | bytes, *, name: str = "x.csv", **parts) -> Dialect | None:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return detect_dialect(
        SourceFile("deals", folder / name, name), Source(path=Path(name), **parts)
    )


def malformed(found: list[Batch]) -> list[tuple[int, str]]:
    return [row for batch in found for row in batch.malformed]


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
        ("a,b\n  1 ,\t2\n", [(2, "1", "2")]),
        ('a,b\n" 1 ","\u00a02"\n', [(2, "1", "2")]),
        ('a,b\n5" pipe,x"y\n"3",4\n', [(2, '5" pipe', 'x"y'), (3, "3", "4")]),
        ("a,b\n1,2\r3,4\n5,6\r\n", [(2, "1", "2"), (3, "3", "4"), (4, "5", "6")]),
        ('a,b\n"x\n\ny",2\n\n3,4\n', [(2, "x\n\ny", "2"), (6, "3", "4")]),
        ("a,b\n1,2\n\ufeff3,4\n", [(2, "1", "2"), (3, "\ufeff3", "4")]),
        ("a,b\n1,it's\n", [(2, "1", "it's")]),
        ("a,,b,\n1,x,2,y\n", [(2, "1", "2")]),  # unnamed columns beside
        ("a,c,b,c\n1,x,2,y\n", [(2, "1", "2")]),  # a name that comes twice, but is not read
    ],
)
def test_csv_when_it_is_sound_then_each_row_has_its_text_and_the_line_it_begins_on(
    tmp_path, text, found
):
    read = batches(tmp_path, text, ["a", "b"])
    assert rows(read) == found
    assert malformed(read) == []


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "·"])
def test_csv_when_another_delimiter_is_set_then_it_parts_the_values(tmp_path, delimiter):
    text = "a,b\n1,2\n".replace(",", delimiter) + f'"x{delimiter}y"{delimiter}3,4\n'
    read = batches(tmp_path, text, ["a", "b"], delimiter=delimiter)
    assert rows(read) == [(2, "1", "2"), (3, f"x{delimiter}y", "3,4")]


def test_csv_when_rows_have_too_few_or_too_many_values_then_they_are_told_apart_with_their_lines(
    tmp_path,
):
    read = batches(tmp_path, 'a,b\n1,2\nonly\n"x\ny",2,3\n\n4,5\n1,2,\n', ["b"])
    assert rows(read) == [(2, "2"), (7, "5"), (8, "2")]
    assert malformed(read) == [
        (3, "1 values, the header has 2"),
        (4, "3 values, the header has 2"),
    ]
    assert [batch.surplus for batch in read] == [1]  # an empty value too many is no fault


@pytest.mark.parametrize("careful", [False, True])
def test_csv_when_rows_lack_values_at_their_end_then_only_those_that_may_be_missing_do(
    tmp_path, careful
):
    text = "a,b,c,d\n1,2,3,4\n5,6\n7\n8,9,\n1,2,3,4,,\n1,2,3,4,5\n" + (
        '1,"x"y,3,4\n' if careful else ""
    )
    (tmp_path / "x.csv").write_text(text)
    file = SourceFile("deals", tmp_path / "x.csv", "x.csv")
    source = Source(path=Path("x.csv"))
    expected = Expected(needed=frozenset({"b"}))
    read = list(
        read_file(
            file,
            source,
            columns=["d", "b"],
            dialect=detect_dialect(file, source),
            expected=expected,
        )
    )
    assert rows(read) == [(2, "4", "2"), (3, "", "6"), (5, "", "9"), (6, "4", "2")]
    assert sum(batch.short for batch in read) == 2
    assert sum(batch.surplus for batch in read) == 1
    bad = [(4, "1 values, the header has 4"), (7, "5 values, the header has 4")]
    assert malformed(read)[:2] == bad
    texts = [text for batch in read for text in batch.malformed_texts]
    assert texts[:2] == [[None, None], ["4", "2"]]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_csv_when_it_is_read_in_batches_then_rows_and_lines_are_the_same(
    tmp_path, monkeypatch, size
):
    text = 'a,b\n1,2\n"x\ny",4\nragged\n\n5,6\n7,8\n9\n'
    whole = batches(tmp_path, text, ["b", "a"])
    monkeypatch.setattr(csv_text, "BATCH_ROWS", size)
    monkeypatch.setattr(csv_text, "read_block", lambda *_, **__: None)
    parts = batches(tmp_path, text, ["b", "a"])
    assert (
        rows(parts)
        == rows(whole)
        == [(2, "2", "1"), (3, "4", "x\ny"), (7, "6", "5"), (8, "8", "7")]
    )
    assert malformed(parts) == malformed(whole)
    assert all(len(batch.lines) + len(batch.malformed) <= size for batch in parts)


def test_csv_when_there_is_only_a_header_then_no_rows_come(tmp_path):
    assert rows(batches(tmp_path, "a,b\n", ["a"])) == []


@pytest.mark.parametrize(
    ("text", "found", "bad"),
    [
        (
            'a,b\n1,2\n3,"never closed\n4,5\n6,7\n',
            [(2, "1", "2"), (4, "4", "5"), (5, "6", "7")],
            [3],
        ),
        ('a,b\n1,2\n"3"4,5\n6,7\n', [(2, "1", "2"), (4, "6", "7")], [3]),
        ('a,b\n"1","say "hi" to"\n"6","7"\n', [(3, "6", "7")], [2]),
        ('a,b\n"1","open\n"3","4"\n"5","6"\n', [(3, "3", "4"), (4, "5", "6")], [2]),
        ('a,b\n1,"open\n3,4\n5,"x"\n7,8\n', [(3, "3", "4"), (4, "5", "x"), (5, "7", "8")], [2]),
        ('a,b\n1,"x\ny"\n"2"2,3\n4,5\n', [(2, "1", "x\ny"), (5, "4", "5")], [4]),
    ],
)
def test_csv_when_a_quote_is_wrong_then_it_costs_that_row_and_no_other(tmp_path, text, found, bad):
    read = batches(tmp_path, text, ["a", "b"])
    assert rows(read) == found
    assert [line for line, _ in malformed(read)] == bad
    assert all("quote" in problem for _, problem in malformed(read))


PATHS = 'id,path\n"1","C:\\dir\\"\n"2","D:\\"\n'
ESCAPED = r"""a,b
1,"say \"hi\" to"
"2","ends with \""
3,"\", he said"
"""


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ESCAPED, [(2, "1", 'say "hi" to'), (3, "2", 'ends with "'), (4, "3", '", he said')]),
        (ESCAPED + '4,"C:\\dir\\\\"\n', [(5, "4", "C:\\dir\\\\")]),  # the last backslash is escaped
        (ESCAPED + "4,C:\\dir\\\n", [(5, "4", "C:\\dir\\")]),
        (ESCAPED + '4,5\\" pipe\n', [(5, "4", '5" pipe')]),
        (ESCAPED + '4,"\\"two\nlines\\""\n', [(5, "4", '"two\nlines"')]),
        (ESCAPED + '4,""\n', [(5, "4", "")]),
        (ESCAPED + '4,"=\\"007\\""\n', [(5, "4", "007")]),
        (ESCAPED.replace(",", ";"), [(2, "1", 'say "hi" to')]),
        (ESCAPED.replace(",", "\t"), [(2, "1", 'say "hi" to')]),
        ("title\n" + ESCAPED, [(3, "1", 'say "hi" to')]),
        ('"a","b"\n"1","\\"x\\"\n"\n', [(2, "1", '"x"')]),
        ("'a','b'\n'1','it\\'s'\n", [(2, "1", "it's")]),
    ],
)
def test_csv_when_backslashes_escape_quotes_then_they_are_quotes_within_values(
    tmp_path, monkeypatch, text, found, careful
):
    if careful:
        monkeypatch.setattr(csv_text, "read_block", lambda *_, **__: None)
    skip = {"header_row": 2} if text.startswith("title") else {}
    read = batches(tmp_path, text, ["a", "b"], **skip)
    assert set(found) <= set(rows(read))
    assert malformed(read) == []


def test_csv_when_a_file_is_large_then_escaped_quotes_are_read_all_the_same(tmp_path):
    n = 20_000  # rows: after the first ones Arrow looks for quotes by other code
    lines = [rf'"{row}","long values {"x" * (row % 8)}\"said\", x"' for row in range(n)]
    read = batches(tmp_path, "\n".join(["a,b", *lines, ""]), ["a", "b"])
    assert rows(read) == [
        (row + 2, str(row), f'long values {"x" * (row % 8)}"said", x') for row in range(n)
    ]
    assert malformed(read) == []


@pytest.mark.parametrize(
    ("text", "found", "bad"),
    [
        ('a,b\n"C:\\dir\\",1\n"D:\\","x"\n', [(2, "C:\\dir\\", "1"), (3, "D:\\", "x")], []),
        ('a,b\n"C:\\","say ""hi"""\n', [(2, "C:\\", 'say "hi"')], []),
        ('a,b\n1,5\\" pipe\n', [(2, "1", '5\\" pipe')], []),
        ('a,b\n1,"C:\\"\n2,"say "hi""\n3,4\n', [(2, "1", "C:\\"), (4, "3", "4")], [3]),
        ('a,b\n1,"say \\"hi\\""\n2,"C:\\"\n3,4\n', [(3, "2", "C:\\"), (4, "3", "4")], [2]),
    ],
)
def test_csv_when_a_backslash_may_be_the_end_of_a_path_then_quotes_are_doubled_as_ever(
    tmp_path, text, found, bad
):
    read = batches(tmp_path, text, ["a", "b"])
    assert rows(read) == found
    assert [line for line, _ in malformed(read)] == bad


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_csv_when_a_block_ends_between_a_backslash_and_its_quote_then_rows_are_the_same(
    tmp_path, monkeypatch, size
):
    expected = rows(batches(tmp_path, ESCAPED, ["a", "b"]))
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    monkeypatch.setattr(csv_text, "HEAD_BYTES", 8)
    assert rows(batches(tmp_path, ESCAPED, ["a", "b"])) == expected


@pytest.mark.parametrize("cut", range(len(PATHS), len(PATHS) + 24))
def test_csv_when_the_sample_ends_within_a_value_then_paths_are_still_paths(
    tmp_path, monkeypatch, cut
):
    monkeypatch.setattr(dialect_reader, "SAMPLE_BYTES", cut)
    assert not dialect(tmp_path, PATHS * 2).escapes_quotes
    monkeypatch.setattr(dialect_reader, "SAMPLE_BYTES", len(ESCAPED) * 3 - cut % 24)
    assert dialect(tmp_path, ESCAPED + ESCAPED[4:] * 5).escapes_quotes


@pytest.mark.parametrize("text", ['a,"b\n1,2\n3,4\n', '"a,b\n1,2\n'])
def test_csv_when_a_quote_in_the_header_never_closes_then_it_is_refused(tmp_path, text):
    told = refusal(tmp_path, text, ["a", "b"])
    assert "line 1 " in told
    assert "quote" in told


@pytest.mark.parametrize(
    ("data", "encoding", "first"),
    [
        (b"a,b\n1,2\n", "utf-8", "1"),
        ("a,b\nMüller,2\n".encode(), "utf-8", "Müller"),
        ("a,b\nMüller,2\n".encode("utf-8-sig"), "utf-8-sig", "Müller"),
        ("a,b\nMüller,2\n".encode("utf-16"), "utf-16", "Müller"),
        (b"\xfe\xff" + "a,b\nMüller,2\n".encode("utf-16-be"), "utf-16", "Müller"),
        ("a,b\nMüller,2\n".encode("utf-32"), "utf-32", "Müller"),
        ("a,b\nMüller,2\n".encode("cp1252"), "cp1252", "Müller"),
        (b"a,b\n1,2\n" * 3_000 + b"\xff,1\n", "cp1252", "1"),
        ("a,b\n€5,2\n".encode("cp1252"), "cp1252", "€5"),
        ("a,b\n失注,2\n受注、カタカナ,1\n".encode("cp932"), "cp932", "失注"),
        ("a,b\nСделки,2\nЗакрыто и не реализовано,1\n".encode("cp1251"), "cp1251", "Сделки"),  # noqa: RUF001
        ("a,b\nПеремога,2\nУкраїна,1\n".encode("cp1251"), "cp1251", "Перемога"),  # noqa: RUF001
        ("a,b\n赢单,2\n跟进中,1\n".encode("gb18030"), "gb18030", "赢单"),
        ("a,b\n수주,2\n실주,1\n협상중,1\n".encode("cp949"), "cp949", "수주"),
        ("a,b\n贏單,2\n輸單,1\n洽談中,1\n預計成交日期,1\n".encode("cp950"), "cp950", "贏單"),
        ("a,b\nΚερδισμένη,2\nΧαμένη,1\nΣε εξέλιξη,1\n".encode("cp1253"), "cp1253", "Κερδισμένη"),  # noqa: RUF001
        ("a,b\n20°C,2\nÄpfel,1\nÅrhus,1\n".encode("cp1252"), "cp1252", "20°C"),
        (
            "a,b\nDéçu à Liège,2\nStraße 9\xa0999\xa0€,1\n".encode("cp1252"),
            "cp1252",
            "Déçu à Liège",
        ),
        ("a,b\nChuť,2\nPříští léto,1\n".encode("cp1250"), "cp1250", "Chuť"),
    ],
)
def test_csv_when_it_has_an_encoding_then_it_is_detected(tmp_path, data, encoding, first):
    assert dialect(tmp_path, data).encoding == encoding
    assert rows(batches(tmp_path, data, ["a"]))[0] == (2, first)


@pytest.mark.parametrize(
    ("data", "stated", "words"),
    [
        (
            "Müller,Jäger,ö\n".encode() + b"\xff\n",
            {},
            "is not UTF-8 text (near line 2)",
        ),  # UTF-8, but damaged
        (b"a,b\n\xfc\x81,2\n", {}, "is not CP1252 text (near line 2)"),
        (b"a,b\n1,2\n\xff,2\n", {"encoding": "utf-8"}, "is not UTF-8 text (near line 3)"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], {}, "is not UTF-16 text"),
        (b"a,b\n1,2\n" * 2_000 + b"1,\0\n", {}, "NUL character in line 4001"),
        *[
            ("a,b\n1,2\n".encode(mark), {}, "UTF-16 text without a mark")
            for mark in ("utf-16-le", "utf-16-be")
        ],
    ],
)
def test_csv_when_bytes_are_not_of_its_encoding_then_the_line_is_said(
    tmp_path, data, stated, words
):
    assert words in refusal(tmp_path, data, ["b"], **stated)


def test_csv_when_an_encoding_is_stated_then_it_is_read_so(tmp_path):
    data = "a,b\nЖд,2\n"
    assert rows(batches(tmp_path, data.encode("cp1251"), ["a"], encoding="cp1251")) == [(2, "Жд")]
    assert rows(batches(tmp_path, data.encode("utf-16-le"), ["a"], encoding="utf-16-le")) == [
        (2, "Жд")
    ]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n1,5;3,5\n", ";"),
        ("a;b, net\n1;2,5\n", ";"),
        ("a\tb\n1,2,3\t4;5\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a,b\n"1;2;3","4;5;6"\n', ","),
        ('"a;b;c",b\n"1;2;3",2\n', ","),
        ("a;notes, long;c\n1;x;2\n3;y, z;4\n", ";"),
        ("a\n1\n", ","),
        ("a,b,c\n1|2,3,4\n5|6,7,8\n", ","),
    ],
)
def test_csv_when_values_are_parted_then_the_delimiter_is_detected(tmp_path, text, delimiter):
    assert dialect(tmp_path, text).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "quote", "first"),
    [
        ("a,b\n1,2\n", '"', "1"),
        ("'a','b'\n'x,y','it''s'\n", "'", "x,y"),
        ('a\tb\n5"\t2\n', '"', '5"'),
        (
            'a\tb\n"quoted" he said\t2\n',
            None,
            '"quoted" he said',
        ),  # plain characters in tab-separated text
        ('a\tb\n"x\ty"\t2\n', '"', "x\ty"),
    ],
)
def test_csv_when_values_are_quoted_then_it_is_detected(tmp_path, text, quote, first):
    assert dialect(tmp_path, text).quote == quote
    assert rows(batches(tmp_path, text, ["a", "b"]))[0][1] == first


def test_dialect_when_it_is_told_then_in_words(tmp_path):
    assert str(dialect(tmp_path, "a;b\n1;2\n")) == (
        "UTF-8, ';' between values, quoted with \", header in the first row"
    )
    assert str(dialect(tmp_path, "1\t2\n".encode("cp1252"), header=False)).endswith("no header")


def test_csv_when_there_is_no_header_then_columns_are_numbered(tmp_path):
    read = batches(tmp_path, "x,1\ny,2\nz\n", ["2", "1"], header=False)
    assert rows(read) == [(1, "1", "x"), (2, "2", "y")]
    assert malformed(read) == [(3, "1 values, the first row has 2")]


@pytest.mark.parametrize(
    "first", ["L0000016,2024-03-01 08:11:27Z,web", "3,1,x", "a@b.example,x,y", "2024-03-01,x,y"]
)
def test_csv_when_its_first_row_is_data_then_header_false_is_proposed_and_no_value_shown(
    tmp_path, first
):
    told = refusal(tmp_path, f"{first}\n{first}\n", ["lead_id"])
    assert "set header = false" in told
    assert not any(value in told for value in first.split(",") if len(value) > 1)


def test_csv_when_the_header_has_numbers_among_the_names_then_it_is_a_header(tmp_path):
    assert rows(batches(tmp_path, "id,2024,2025\n1,2,3\n", ["id", "2025"])) == [(2, "1", "3")]


def test_csv_when_it_is_wide_then_the_right_columns_are_read(tmp_path):
    names = [f"c{i}" for i in range(200)]
    data = ",".join(names) + "\n" + ",".join(str(i) for i in range(200)) + "\n"
    assert rows(batches(tmp_path, data, ["c199", "c0", "c77"])) == [(2, "199", "0", "77")]


def test_csv_when_a_value_is_very_long_then_it_is_read(tmp_path):
    long = "x" * 200_000
    data = f'a,b\n1,2\n3,{long}\n4,"{long}\n"\n5,6\n'
    assert [row[1] for row in rows(batches(tmp_path, data, ["a"]))] == ["1", "3", "4", "5"]


def test_csv_when_a_line_never_ends_then_it_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "LINE_LIMIT", 1_000)
    assert "from line 3 on" in refusal(tmp_path, "a,b\n1,2\n" + "x," * 2_000, ["a"])


@pytest.mark.parametrize("there", [",", ";", "\t", "|"])
@pytest.mark.parametrize("stated", [",", ";", "\t", "|"])
def test_csv_when_the_delimiter_is_another_one_then_the_right_one_is_proposed(
    tmp_path, there, stated
):
    text = there.join(["a", "b", "c"]) + "\n" + there.join(["1", "2", "3"]) + "\n"
    if there == stated:
        assert rows(batches(tmp_path, text, ["a", "b"], delimiter=stated)) == [(2, "1", "2")]
    else:
        assert f"set delimiter = {there!r}" in refusal(tmp_path, text, ["a", "b"], delimiter=stated)


def test_csv_when_a_header_differs_in_case_or_by_a_blank_then_it_is_missing_and_the_near_one_is_named(
    tmp_path,
):
    assert "did you mean 'Deal id' for 'deal id'" in refusal(
        tmp_path, "Deal id,b\n1,2\n", ["deal id"]
    )
    assert "did you mean ' a1' for 'a1'" in refusal(tmp_path, "b, a1\n1,2\n", ["a1"])


def test_csv_when_a_column_that_is_read_comes_twice_then_it_is_named(tmp_path):
    assert "more than one column 'a'" in refusal(tmp_path, "a,b,a\n1,2,3\n", ["a", "b"])


def test_csv_when_it_is_gzipped_then_rows_and_lines_are_those_of_the_plain_file(tmp_path):
    text = 'id,name\n1,Zürich\n2,"a\nb"\n3,c\n4\n'
    plain = batches(tmp_path, text, ["id", "name"])
    packed = batches(tmp_path, gzip.compress(text.encode()), ["id", "name"], name="x.csv.gz")
    assert rows(packed) == rows(plain) != []
    assert malformed(packed) == malformed(plain) != []


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_csv_when_its_gzip_is_cut_off_then_it_is_refused_in_words(tmp_path, cut):
    data = gzip.compress(
        ("id,name\n" + "".join(f"{i},{i * 7919 % 10007}\n" for i in range(20_000))).encode()
    )
    assert "is no whole gzip file" in refusal(
        tmp_path, data[: int(cut * len(data))], ["id"], name="x.csv.gz"
    )


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
