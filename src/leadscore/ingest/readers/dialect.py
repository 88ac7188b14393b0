"""Detects how a text file is written: its encoding, what stands between its values, and how they are quoted."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Any

from leadscore.ingest.readers.batch import Dialect, SourceFile
from leadscore.ingest.readers.text import read_bytes, read_text
from leadscore.settings.source import Source

SAMPLE_CHARACTERS = 1 << 16
MARKS = (
    "\t",
    "|",
    ";",
    ",",
)  # where two fit alike the earlier wins: a comma is found in prose and numbers as well
BYTE_ORDER_MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
BROKEN = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are not UTF-8
FOREIGN = re.compile("[^\\x00-\x7f\udc80-\udcff]")
QUOTED_BY_TABS = re.compile(r'^(?:.*\t)?"[^\t\n]*"\r?(?:\t|$)', re.MULTILINE)


def detect_text(file: SourceFile, source: Source) -> Dialect:
    """How a text file is written: what the settings state of it, and the rest as its first rows show it.

    The whole file is read to tell UTF-8 from cp1252: the first letter that differs may come late.

    Raises:
        SourceFormatError: it is empty, or its encoding cannot be told.
    """
    encoding = source.encoding or _detect_encoding(file)
    filled = (block for block in read_text(file, encoding=encoding, size=1 << 20) if block.strip())
    sample = next(filled, b"").decode()
    if not sample:
        raise file.refusal("is empty")
    whole = len(sample) <= SAMPLE_CHARACTERS
    sample = sample[:SAMPLE_CHARACTERS]
    quote = _detect_quote(sample)
    delimiter = source.delimiter or _detect_delimiter(sample, quote, whole=whole)
    plain = delimiter == "\t" and not _is_tab_quoted(sample)
    return Dialect(encoding, delimiter, None if plain else quote, header=source.header is not False)


def csv_options(dialect: Dialect) -> dict[str, Any]:
    """A dialect as the arguments of `csv.reader`."""
    quoting = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quote,
        "quoting": quoting,
        "strict": True,
    }


def _detect_encoding(file: SourceFile) -> str:
    head = next(read_bytes(file, size=4096), b"")
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise file.refusal(
            "holds binary data or UTF-16 text without a mark; if it is text, set encoding = 'utf-16-le'"
        )
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = 0  # what can only be UTF-8: letters beyond ASCII that are spelt as it prescribes
    for block in read_bytes(file):
        text = decoder.decode(block)
        try:
            foreign += len(text.encode()) - len(text)
        except UnicodeEncodeError:
            foreign += len(FOREIGN.findall(text))
            return (
                "cp1252" if len(BROKEN.findall(text)) > foreign else "utf-8"
            )  # damaged: refused where it is read
    return "utf-8"


def _detect_quote(sample: str) -> str:
    first = sample.lstrip().partition("\n")[0].rstrip()
    return "'" if '"' not in sample and len(first) > 1 and first[0] == first[-1] == "'" else '"'


def _detect_delimiter(sample: str, quote: str, *, whole: bool) -> str:
    """The mark that parts most rows into as many values as the first; of several the one that gives the most."""

    def fit(mark: str) -> tuple[float, int]:
        widths = [len(row) for row in _sample_rows(sample, mark, quote, whole=whole)]
        return (
            (widths.count(widths[0]) / len(widths), widths[0])
            if widths and widths[0] > 1
            else (0.0, 0)
        )

    best = max(MARKS, key=fit)
    return best if fit(best) > (0.0, 0) else ","


def _sample_rows(sample: str, delimiter: str, quote: str, *, whole: bool) -> list[list[str]]:
    lines = list(io.StringIO(sample, newline=""))
    rows = [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
    return rows if whole or len(rows) == 1 else rows[:-1]  # the last one may be cut off


def _is_tab_quoted(sample: str) -> bool:
    """Whether quotes, where there are any, are quotes: tab-separated text may have them as plain characters."""
    try:
        for _ in csv.reader(io.StringIO(sample, newline=""), delimiter="\t", strict=True):
            pass
    except csv.Error:
        return QUOTED_BY_TABS.search(sample) is not None
    return True
