"""The text of a file in blocks, whatever its encoding, unpacked where it is gzipped."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, cast

from leadscore.ingest.readers.batch import SourceFile

BLOCK_BYTES = 4 << 20
LINE_LIMIT = 16 << 20  # characters; a longer line would not fit into memory beside the rest
BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
BYTE_ORDER_MARK = "\ufeff"
HIDDEN = "\uffff"  # no character; just behind a NUL, Arrow overlooks quotes in large files


def read_bytes(file: SourceFile, *, size: int | None = None) -> Iterator[bytes]:
    """The unpacked bytes of a file, `size` of them at a time.

    Raises:
        SourceFormatError: it cannot be opened, or is no whole gzip file.
    """
    try:
        with _open(file) as unpacked:
            while block := unpacked.read(size or BLOCK_BYTES):
                yield block
    except BROKEN_GZIP as e:
        raise file.refusal(f"is no whole gzip file: {e}") from e
    except OSError as e:
        raise file.refusal(f"cannot be read: {e.strerror}") from e


def _open(file: SourceFile) -> BinaryIO:
    if file.name.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(file.path))
    return file.path.open("rb")


def read_text(file: SourceFile, *, encoding: str, size: int | None = None) -> Iterator[bytes]:
    """The text of a file as UTF-8 in blocks of whole characters, without its byte order mark.

    Raises:
        SourceFormatError: it cannot be read, is not of that encoding, or holds a NUL character.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    has_begun = False
    for block in chain(read_bytes(file, size=size), (b"",)):
        try:
            text = decoder.decode(block, final=not block)
            if not has_begun:
                has_begun = bool(text)
                text = text.removeprefix(BYTE_ORDER_MARK)
            encoded = text.encode()
        except UnicodeError as e:
            line += block[: getattr(e, "start", 0)].count(b"\n")
            raise file.refusal(
                f"is not {encoding.upper()} text (near line {line}); set `encoding` for it"
            ) from e

        nul = encoded.find(b"\0")
        if nul >= 0:
            line += encoded.count(b"\n", 0, nul)
            raise file.refusal(f"holds a NUL character in line {line}: it is damaged, or no text")
        line += encoded.count(b"\n")
        yield encoded


def hide_quotes(blocks: Iterable[bytes], quote: str) -> Iterator[bytes]:
    """Text in which `HIDDEN` stands for every quote that a backslash escapes.

    A backslash before another backslash escapes that one. Both stay, since not all programs that
    escape quotes escape backslashes, too.
    """
    escaped = re.compile(rb"(?<!\\)((?:\\\\)*)\\" + re.escape(quote.encode()))
    shown = rb"\1" + HIDDEN.encode()
    rest = b""
    for block in blocks:
        text = rest + block
        whole = text.rstrip(b"\\")  # the quote may be still to come
        rest = text[len(whole) :]
        yield escaped.sub(shown, whole) if b"\\" in whole else whole
    yield rest


def split_lines(file: SourceFile, blocks: Iterable[bytes], *, line: int) -> Iterator[str]:
    r"""The lines of UTF-8 text, numbered from `line` on, with their ends (\n, \r\n or \r).

    Raises:
        SourceFormatError: one is too long to be a line.
    """
    rest = ""
    for block in blocks:
        text = rest + block.decode()
        lines = list(io.StringIO(text, newline=""))
        # The end of the last one, or the second half of that end, may be still to come.
        rest = lines.pop() if lines else ""
        yield from lines
        line += len(lines)
        if len(rest) > LINE_LIMIT:
            raise file.refusal(
                f"has no end of line within {LINE_LIMIT} characters from line {line} on"
            )
    if rest:
        yield rest
