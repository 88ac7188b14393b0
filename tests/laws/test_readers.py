"""Whatever a file holds, a reader gives every row of it, or says in words why not."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leadscore.errors import UserError
from leadscore.ingest.mapping.date_questions import count_date_orders, find_ambiguous_dates
from leadscore.ingest.mapping.moments import read_moments
from leadscore.ingest.mapping.numbers import detect_decimal, find_percent, read_money, read_numbers
from leadscore.ingest.readers import csv_text, text
from leadscore.ingest.readers.batch import Dialect, SourceFile
from leadscore.ingest.readers.sources import detect_dialect, find_files, read_file
from leadscore.settings.source import Source


def bounded(examples: int) -> settings:
    unhealthy = [HealthCheck.function_scoped_fixture]  # all examples write over the same files
    return settings(
        derandomize=True, deadline=None, max_examples=examples, suppress_health_check=unhealthy
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows cross the borders of blocks, as they do in large files."""
    monkeypatch.setattr(text, "BLOCK_BYTES", 32)
    monkeypatch.setattr(csv_text, "HEAD_BYTES", 24)


@contextmanager
def only_careful() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "read_block", lambda *_, **__: None)
        yield


def told(
    path: Path, columns: list[str], **parts
) -> tuple[list[tuple], list[tuple[int, str]]] | str:
    """The rows and the malformed rows of a file, or the error in words."""
    source = Source(path=path, **parts)
    rows, malformed = [], []
    try:
        for file in find_files("deals", source, folder=path.parent):
            for batch in read_file(
                file, source, columns=columns, dialect=detect_dialect(file, source)
            ):
                assert len(batch.lines) == batch.columns.num_rows
                assert batch.columns.column_names == columns
                assert all(not column.null_count for column in batch.columns.columns)
                batch.columns.validate(full=True)
                rows += zip(
                    batch.lines.tolist(),
                    *(column.to_pylist() for column in batch.columns),
                    strict=True,
                )
                malformed += batch.malformed
    except UserError as e:
        return str(e)
    return rows, malformed


ODD = st.lists(
    st.sampled_from([",", '"', '""',
                     "\n", "\r\n", "\r", "a", "ü", " ", "\u00a0", ";", "\ufeff", "bc", ",x\n", '"d",', "\0"]),
    max_size=40,
).map("".join)  # fmt: skip
SOUND = st.lists(
    st.sampled_from([",", "\n", "\r\n",
                     '"a"', '"b,\n\n""c"', "d", '""', "\n\n", '"",', "\u00fc", "x,y\n", '"1","2"\n']),
    max_size=60,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("width", [1, 2, 3])
@bounded(250)
@given(body=ODD | SOUND, header=st.booleans())
@example(body='"x\n\ny",2\n1,2,3\n\n"u"\n', header=True)
@example(body="1,2\r", header=True)
def test_csv_when_it_is_read_quickly_then_rows_lines_and_refusals_are_those_of_the_csv_module(
    tmp_path, width, body, header
):
    names = [f"c{i}" for i in range(width)]
    (tmp_path / "x.csv").write_text(f"{','.join(names)}\n{body}", encoding="utf-8", newline="")
    columns = names if header else ["1"]
    parts = {"delimiter": ",", "encoding": "utf-8", "header": header}
    quick = told(tmp_path / "x.csv", columns, **parts)
    with only_careful():
        assert told(tmp_path / "x.csv", columns, **parts) == quick


def test_csv_when_it_is_sound_then_only_its_unfinished_end_is_read_by_the_csv_module(
    tmp_path, monkeypatch
):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + '"1","x\ny"\n\n2,\n' * 50, encoding="utf-8")
    expected = told(path, ["a", "b"])

    def refuse(blocks, line, shape):
        assert b"".join(blocks) == b""
        yield from ()

    monkeypatch.setattr(csv_text, "_read_carefully", refuse)
    assert told(path, ["a", "b"]) == expected
    assert len(expected[0]) == 100


CELL = st.text(
    st.sampled_from("ab \u00fc,;\t|'\"\n1.")
    | st.characters(codec="cp1252", exclude_characters="\0\r"),
    max_size=6,
)

UNESCAPED = CELL.filter(lambda text: "\\" not in text)  # not all programs double it


@bounded(300)
@given(
    cells=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_csv_when_the_csv_module_wrote_it_then_every_row_is_accounted_for(
    tmp_path, cells, delimiter, end, encoding
):
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "name", "amount"], *cells])
    (tmp_path / "x.csv").write_bytes(target.getvalue().encode(encoding))
    rows, malformed = told(tmp_path / "x.csv", ["amount", "id"], encoding=encoding)
    whole = [row for row in cells if len(row) == 3 or (len(row) > 3 and not any(row[3:]))]
    expected = [(trimmed(row[2]), trimmed(row[0])) for row in whole]
    assert [row[1:] for row in rows] == expected
    assert len(malformed) == len(cells) - len(whole)


@bounded(150)
@given(
    cells=st.lists(st.lists(UNESCAPED, min_size=3, max_size=3), max_size=12),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_csv_when_quotes_are_escaped_by_a_backslash_then_every_value_is_read_back(
    tmp_path, cells, quoting
):
    target = io.StringIO(newline="")
    writer = csv.writer(target, quoting=quoting, escapechar="\\", doublequote=False)
    shown = ["1", 'say "hi", he said', "2"]
    writer.writerows([["id", "name", "amount"], shown, *cells])
    (tmp_path / "x.csv").write_bytes(target.getvalue().encode())
    parts = {"encoding": "utf-8", "delimiter": ","}
    rows, malformed = told(tmp_path / "x.csv", ["id", "name", "amount"], **parts)
    assert [row[1:] for row in rows] == [tuple(map(trimmed, row)) for row in [shown, *cells]]
    assert not malformed


def trimmed(text: str) -> str:
    return pc.utf8_trim_whitespace(pa.scalar(text, pa.string())).as_py()


@cache
def samples() -> dict[str, bytes]:
    """Small sound files of each kind."""
    rows = [
        ["id", "at", "amount"],
        *([f"{i:05}", f"2025-03-{i % 28 + 1:02}", f"{i}.5"] for i in range(40)),
    ]
    plain = "\n".join(";".join(f'"{cell}"' for cell in row) for row in rows).encode()
    parquet = io.BytesIO()
    columns = list(zip(*rows[1:], strict=True))
    pq.write_table(
        pa.table(
            {"id": columns[0], "at": columns[1], "amount": pa.array(columns[2]).cast(pa.float64())}
        ),
        parquet,
    )
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("Deals")
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    return {
        "x.csv": plain,
        "x.tsv": plain.replace(b";", b"\t").decode().encode("utf-16"),
        "x.csv.gz": gzip.compress(plain, mtime=0),
        "x.parquet": parquet.getvalue(),
        "x.xlsx": book.getvalue(),
    }


@pytest.mark.parametrize("kind", ["x.csv", "x.tsv", "x.csv.gz", "x.parquet", "x.xlsx"])
def test_file_when_it_is_sound_then_all_rows_come(tmp_path, kind):
    (tmp_path / kind).write_bytes(samples()[kind])
    rows, malformed = told(tmp_path / kind, ["amount", "id"])
    assert [row[1:] for row in rows] == [(f"{i}.5", f"{i:05}") for i in range(40)]
    assert malformed == []


@pytest.mark.parametrize("kind", ["x.csv", "x.tsv", "x.csv.gz", "x.parquet", "x.xlsx"])
@bounded(150)
@given(
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), max_size=4),
    cut=st.none() | st.integers(0, 10**6),
    twice=st.booleans(),
)
def test_file_when_it_is_damaged_then_rows_or_words_come_and_nothing_else(
    tmp_path, kind, edits, cut, twice
):
    data = bytearray(samples()[kind] * (2 if twice else 1))
    for place, new in edits:
        begin = place % len(data)
        data[begin : begin + len(new)] = new
    (tmp_path / kind).write_bytes(data if cut is None else data[: cut % len(data)])
    told(tmp_path / kind, ["amount", "id"])


@bounded(150)
@given(
    part=st.integers(0, 20),
    edits=st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.sampled_from([b"", b"9", b"99999999999", b"-1", b'"', b"<c>", b"\xff"]),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_workbook_when_a_part_of_it_is_damaged_then_rows_or_words_come_and_nothing_else(
    tmp_path, part, edits
):
    with zipfile.ZipFile(io.BytesIO(samples()["x.xlsx"])) as book:
        parts = {name: bytearray(book.read(name)) for name in book.namelist()}
    damaged = parts[sorted(parts)[part % len(parts)]]
    for place, new in edits:
        begin = place % len(damaged)
        damaged[begin : begin + 1] = new
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as book:
        for name, data in parts.items():
            book.writestr(name, bytes(data))
    told(tmp_path / "x.xlsx", ["amount", "id"])


@pytest.mark.parametrize("kind", ["x.csv", "x.tsv", "x.csv.gz", "x.parquet", "x.xlsx"])
@bounded(100)
@given(
    data=st.binary(max_size=300),
    magic=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"\xff\xfe", b"1,"]),
)
def test_file_when_it_is_random_bytes_then_rows_or_words_come_and_nothing_else(
    tmp_path, kind, data, magic
):
    (tmp_path / kind).write_bytes(magic + data)
    told(tmp_path / kind, ["1"], header=False)


VALUES = st.lists(
    st.text(max_size=12)
    | st.text(st.sampled_from("0123456789.,-/: TZ+()eE\u20ac$\u00a0'PMa"), max_size=24)
    | st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
        fullmatch=True,
    )
    | st.from_regex(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}( [0-9]{1,2}:[0-9]{2}( [AP]M)?)?", fullmatch=True),
    max_size=8,
)  # fmt: skip


@bounded(300)
@given(
    values=VALUES,
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    dates=st.sampled_from(
        [None, "dmy", "mdy", "ymd", "excel", "epoch_s", "epoch_ms", "epoch_us", "%d.%m.%y %H:%M"]
    ),
)
def test_values_when_they_are_anything_then_each_is_read_by_itself_or_marked(values, zone, dates):
    column = pa.array(values, pa.string())
    us, ok = read_moments(column, zone=zone, dates=dates)
    assert us[~ok].tolist() == [0] * int((~ok).sum())
    for i, value in enumerate(values):
        alone, fine = read_moments(pa.array([value]), zone=zone, dates=dates)
        assert (alone[0], fine[0]) == (us[i], ok[i])
    orders = count_date_orders(column)
    assert (find_ambiguous_dates(column) is not None) >= (sum(orders.values()) > 0)
    for decimal in (".", ","):
        numbers, fine = read_numbers(column, decimals=2, decimal=decimal)
        fine &= ~find_percent(column)  # money has none
        money, also, _ = read_money(column, decimals=2, decimal=decimal)
        assert (money[fine] == numbers[fine]).all()
        assert also[fine].all()
    with suppress(UserError):
        assert detect_decimal({"x": column}) in {None, ".", ","}


def test_dialect_when_a_file_is_read_with_it_then_it_needs_no_second_look(tmp_path):
    (tmp_path / "x.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    file = SourceFile("deals", tmp_path / "x.csv", "x.csv")
    dialect = Dialect(encoding="utf-8", delimiter=";", quote='"', header=True)
    (batch,) = read_file(file, Source(path=Path("x.csv")), columns=["b"], dialect=dialect)
    assert batch.columns.to_pylist() == [{"b": "2"}]
