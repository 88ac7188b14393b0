"""The text of a file in blocks, whatever its encoding, unpacked where it is gzipped."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, cast

from leadscore.ingest.readers.batch import SourceFile

BLOCK_BYTES = 16 << 20
LINE_LIMIT = 16 << 20  # characters; a longer line would not fit beside the rest
BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
BYTE_ORDER_MARK = "\ufeff"


def read_bytes(file: SourceFile, *, size: int | None = None) -> Iterator[bytes]:
    """The unpacked bytes of a file, `size` of them at a time.

    Raises:
        SourceFormatError: it cannot be opened, or is no whole gzip file.
    """
    packed = file.name.lower().endswith(".gz")
    try:
        with cast(BinaryIO, gzip.open(file.path)) if packed else file.path.open("rb") as raw:
            while block := raw.read(size or BLOCK_BYTES):
                yield block
    except BROKEN_GZIP as e:
        raise file.refusal(f"is no whole gzip file: {e}") from e
    except OSError as e:
        raise file.refusal(f"cannot be read: {e.strerror}") from e


def read_text(file: SourceFile, *, encoding: str, size: int | None = None) -> Iterator[bytes]:
    """The text of a file as UTF-8 in blocks of whole characters, without its byte order mark.

    Raises:
        SourceFormatError: it cannot be read, is not of that encoding, or holds a NUL character.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line, begun = 1, False
    for block in chain(read_bytes(file, size=size), (b"",)):
        try:
            text = decoder.decode(block, final=not block)
            told = (text if begun else text.removeprefix(BYTE_ORDER_MARK)).encode()
        except UnicodeError as e:
            line += block[: getattr(e, "start", 0)].count(b"\n")
            raise file.refusal(
                f"is not {encoding.upper()} text (near line {line}); set `encoding` for it"
            ) from e
        if (nul := told.find(b"\0")) >= 0:
            line += told.count(b"\n", 0, nul)
            raise file.refusal(f"holds a NUL character in line {line}: it is damaged, or no text")
        line += told.count(b"\n")
        begun = begun or bool(text)
        yield told


def split_lines(file: SourceFile, blocks: Iterable[bytes], *, line: int) -> Iterator[str]:
    r"""The lines of UTF-8 text with their ends (\n, \r\n or \r); the first of them is number `line`.

    Raises:
        SourceFormatError: one is too long to be a line.
    """
    rest = ""
    for block in blocks:
        whole = list(io.StringIO(rest + block.decode(), newline=""))
        rest = (
            whole.pop() if whole else ""
        )  # its end, or the second half of its end, may be still to come
        yield from whole
        line += len(whole)
        if len(rest) > LINE_LIMIT:
            raise file.refusal(
                f"has no end of line within {LINE_LIMIT} characters from line {line} on"
            )
    if rest:
        yield rest
