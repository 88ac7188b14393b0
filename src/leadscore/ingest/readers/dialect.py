"""Detects how a text file is written: its encoding, its delimiter, and how values are quoted."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from leadscore.ingest.readers.batch import Dialect, Expected, SourceFile
from leadscore.ingest.readers.letters import ASCII, read_letters
from leadscore.ingest.readers.text import hide_quotes, read_bytes, read_text
from leadscore.settings.source import Source

SAMPLE_BYTES = 1 << 22
SAMPLE_CHARACTERS = 1 << 16  # of the sample, to find the delimiter
DELIMITERS = (
    "\t",
    "|",
    ";",
    ",",
)  # of equals the first wins: commas stand in prose and numbers too
BYTE_ORDER_MARKS = {  # UTF-32 comes first, since its mark begins with that of UTF-16
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
LEGACY = ("cp1252", "cp932", "cp1250")  # of text in no known language: the first with all letters
NEARLY_ALL = 0.9  # of the words; Chinese ones rarely make sense in another language
MOSTLY_KNOWN = 0.5
ENOUGH_ASIAN = 16  # bytes
OTHER = "the text may be {}; if so, set encoding = '{}'"
UNKNOWN = "its letters beyond ASCII make no sense so; if they look wrong, set encoding"
SHORT = "too little text shows the encoding; if letters look wrong, set encoding"
FOREIGN_WORDS = re.compile(rb"[\x80-\xff]{3,}")  # in western text such letters stand alone
HANZI = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")  # the common ones
LAST_HANGUL = b"\xc8\xfe"  # Korean text looks the same, but ends there
BIG5 = re.compile(rb"(?:[\xa4-\xc6][\x40-\x7e\xa1-\xfe]){2,}")  # the common ones, in words
MOSTLY = 0.8
DATES = {  # by encoding: what stands behind a year and a month
    "gb18030": ("年", "月"),
    "cp950": ("年", "月"),
    "cp932": ("年", "月"),
    "cp949": ("년", "월"),
}
ZLOTY_OR_KORUNA = re.compile(rb"\d[ \xa0]?(?:z\xb3|K\xe8)(?![A-Za-z\x80-\xff])")  # in cp1250
BROKEN = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are not UTF-8
FOREIGN = re.compile("[^\\x00-\x7f\udc80-\udcff]")
QUOTED_BY_TABS = re.compile(r'^(?:.*\t)?"[^\t\n]*"\r?(?:\t|$)', re.MULTILINE)


SEPARATOR = re.compile(r'"?sep=(?P<mark>[^\r\n"])"?[ \t]*(?:\r\n|\n|\r|$)', re.IGNORECASE)


@dataclass(frozen=True)
class _Sample:
    """The first characters of a file; `is_whole` if it has no more."""

    text: str
    is_whole: bool

    def beginning(self) -> _Sample:
        """The part of it that shows the delimiter."""
        text = self.text[:SAMPLE_CHARACTERS]
        return _Sample(text, self.is_whole and len(text) == len(self.text))

    def hiding_quotes(self, quote: str) -> _Sample:
        """The same without quotes that a backslash escapes."""
        blocks = hide_quotes([self.text.encode()], quote)
        return replace(self, text=b"".join(blocks).decode())

    def without_lines(self, count: int) -> _Sample:
        """What comes after so many lines."""
        if not count:
            return self
        lines = list(io.StringIO(self.text, newline=""))
        return _Sample("".join(lines[count:]), self.is_whole)

    def numbered_rows(self, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
        """Its filled rows after how many lines stand before each."""
        lines = io.StringIO(self.text, newline="")
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
        before = 0
        for row in reader:
            if row:
                yield before, row
            before = reader.line_num

    def count_sound(self, delimiter: str, quote: str) -> int:
        """How many rows it has if all have sound quotes and as many values as the first; else 0.

        A last row that is cut off does not count.
        """
        lines = io.StringIO(self.text, newline="")
        parsed = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
        widths: list[int] = []
        try:
            widths.extend(len(row) for row in parsed if row)
        except csv.Error:
            is_at_end = next(lines, None) is None
            if self.is_whole or not is_at_end:
                return 0
        else:
            if not self.is_whole:
                del widths[-1:]
        return len(widths) if len(set(widths)) == 1 else 0

    def rows(self, delimiter: str, quote: str) -> list[list[str]]:
        """Its filled rows; the last one may be cut off, and is left out then."""
        lines = io.StringIO(self.text, newline="")
        parsed = csv.reader(lines, delimiter=delimiter, quotechar=quote)
        rows = [row for row in parsed if row]
        if self.is_whole or len(rows) == 1:
            return rows
        return rows[:-1]


def detect_text(file: SourceFile, source: Source, expected: Expected) -> Dialect:
    """How a text file is written: as the settings say, and else as its first rows show.

    The whole file is read to tell UTF-8 from cp1252: the first letter that differs may come late.

    Raises:
        SourceFormatError: it is empty, or its encoding cannot be told.
    """
    encoding, doubt = (source.encoding, None) if source.encoding else _detect_encoding(file)
    whole_sample = _read_sample(file, encoding)
    sample = whole_sample.beginning()
    stated = source.delimiter
    skip = 0
    separator = SEPARATOR.match(sample.text)
    if separator and source.header_row is None:  # a line for Excel
        stated = stated or separator["mark"]
        skip = 1
        sample = sample.without_lines(1)

    before_header = _lines_before_header(sample, source, expected, stated)
    skip += before_header
    sample = sample.without_lines(before_header)
    if not sample.text.strip():
        raise file.refusal(f"has nothing from line {skip + 1} on")
    quote = _detect_quote(sample.text)
    escapes_quotes = _escapes_quotes(whole_sample.without_lines(skip), quote, stated)
    if escapes_quotes:
        sample = sample.hiding_quotes(quote)
    delimiter = stated or _detect_delimiter(sample, quote)
    has_no_quotes = delimiter == "\t" and not _is_tab_quoted(sample.text)
    return Dialect(
        encoding,
        delimiter,
        None if has_no_quotes else quote,
        header=source.header is not False,
        skip=skip,
        is_header_found=before_header > 0 and source.header_row is None,
        escapes_quotes=escapes_quotes and not has_no_quotes,
        doubt=doubt,
    )


def _lines_before_header(
    sample: _Sample,
    source: Source,
    expected: Expected,
    stated: str | None,
) -> int:
    """How many lines stand before the header: as stated, else if one row has all mapped names."""
    if source.header_row is not None:
        return source.header_row - 1
    if source.header is False:
        return 0
    for mark in (stated,) if stated else DELIMITERS:
        before = expected.find_header(sample.numbered_rows(mark, '"'))
        if before is not None:
            return before
    return 0


def csv_options(dialect: Dialect) -> dict[str, Any]:
    """A dialect as the arguments of `csv.reader`."""
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quote,
        "quoting": csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        "strict": True,
    }


def _read_sample(file: SourceFile, encoding: str) -> _Sample:
    blocks = read_text(file, encoding=encoding, size=SAMPLE_BYTES)
    for block in blocks:
        if block.strip():
            return _Sample(block.decode(), is_whole=not next(blocks, b""))
    raise file.refusal("is empty")


def _detect_encoding(file: SourceFile) -> tuple[str, str | None]:
    """The encoding of a file, and what speaks against it, if anything does."""
    head = next(read_bytes(file, size=4096), b"")
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding, None
    if b"\0" in head:
        raise file.refusal(
            "holds binary data or UTF-16 text without a mark; "
            "if it is text, set encoding = 'utf-16-le'"
        )
    block = _first_not_utf8(file)
    return _legacy_of(block) if block else ("utf-8", None)


def _first_not_utf8(file: SourceFile) -> bytes | None:
    """The first block with bytes that are not UTF-8.

    None if it has fewer of them than the file has letters that only UTF-8 spells so: it is
    damaged UTF-8, which is refused where it is read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = 0  # letters beyond ASCII in valid UTF-8
    for block in read_bytes(file):
        text = decoder.decode(block)
        try:
            foreign += len(text.encode()) - len(text)
        except UnicodeEncodeError:
            foreign += len(FOREIGN.findall(text))
            broken = len(BROKEN.findall(text))
            return block if broken > foreign else None
    return None


def _legacy_of(block: bytes) -> tuple[str, str | None]:
    """The encoding of a block, whose last letter may be cut off, and what speaks against it."""
    shown = _by_numbers(block)
    if shown is not None:
        return shown, None
    reading = read_letters(block)
    asian = [encoding for encoding in _asian(block) if _decodes(block, encoding)]
    if reading and reading.encoding and reading.share >= (NEARLY_ALL if asian else MOSTLY_KNOWN):
        other = OTHER.format(asian[0].upper(), asian[0]) if asian else None
        return reading.encoding, reading.doubt or other
    if asian:
        is_short = len(block.translate(None, ASCII)) < ENOUGH_ASIAN
        return asian[0], SHORT if is_short else None
    for encoding in LEGACY:
        if _decodes(block, encoding):
            return encoding, UNKNOWN if reading else None
    return LEGACY[0], None


def _decodes(block: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _by_numbers(block: bytes) -> str | None:
    """The encoding of a block as letters behind numbers show it: of East Asian dates, of currencies.

    >>> _by_numbers("1,2025年01月06日".encode("cp950"))
    'cp950'
    >>> _by_numbers("1,Größe".encode("cp1252"))
    """
    for encoding, (year, month) in DATES.items():
        of_year, of_month = year.encode(encoding), month.encode(encoding)
        date = rb"\d{4}%b ?\d{1,2}%b" % (re.escape(of_year), re.escape(of_month))
        if re.search(date, block) and _decodes(block, encoding):
            return encoding
    is_central = ZLOTY_OR_KORUNA.search(block) is not None
    return "cp1250" if is_central and _decodes(block, "cp1250") else None


def _asian(block: bytes) -> list[str]:
    """The encoding of a block in Chinese or Korean, which could be read as western as well.

    >>> _asian("阶段,赢单,输单,来源".encode("gb18030"))
    ['gb18030']
    >>> _asian("Größe,Société".encode("cp1252"))
    []
    """
    beyond_ascii = block.translate(None, ASCII)
    in_words = sum(map(len, FOREIGN_WORDS.findall(block)))
    hanzi = HANZI.findall(block)
    if in_words > len(beyond_ascii) / 2 and 2 * len(hanzi) > MOSTLY * len(beyond_ascii):
        return ["gb18030" if max(hanzi) > LAST_HANGUL else "cp949"]
    traditional = b"".join(BIG5.findall(block)).translate(None, ASCII)
    return ["cp950"] if len(traditional) > MOSTLY * len(beyond_ascii) else []


def _detect_quote(sample: str) -> str:
    first = sample.lstrip().partition("\n")[0].rstrip()
    is_single_quoted = len(first) > 1 and first[0] == first[-1] == "'"
    return "'" if is_single_quoted and '"' not in sample else '"'


def _escapes_quotes(sample: _Sample, quote: str, stated: str | None) -> bool:
    """Whether a backslash escapes the quotes within values: rows are sound so, and else are not.

    In other files a path may end in a backslash before the quote that closes.
    """
    if f"\\{quote}" not in sample.text:
        return False

    def count(reading: _Sample) -> int:
        delimiter = stated or _detect_delimiter(reading.beginning(), quote)
        return reading.count_sound(delimiter, quote)

    return count(sample.hiding_quotes(quote)) > count(sample)


def _detect_delimiter(sample: _Sample, quote: str) -> str:
    """The mark that splits most rows like the first; of several, the one with most values."""

    def fit(mark: str) -> tuple[float, int]:
        widths = [len(row) for row in sample.rows(mark, quote)]
        if not widths or widths[0] < 2:
            return 0.0, 0
        first = widths[0]
        return widths.count(first) / len(widths), first

    best = max(DELIMITERS, key=fit)
    return best if fit(best) > (0.0, 0) else ","


def _is_tab_quoted(sample: str) -> bool:
    """Whether quotes, if any, are quotes: tab-separated text may have them as plain characters."""
    text = io.StringIO(sample, newline="")
    rows = csv.reader(text, delimiter="\t", strict=True)
    try:
        for _ in rows:
            pass
    except csv.Error:
        return QUOTED_BY_TABS.search(sample) is not None
    return True
