"""The moment of an export, as a column of its files states it."""

from __future__ import annotations

import pyarrow as pa

from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.ingest.readers.batch import SourceFile


def latest_moment(texts: Texts, column: str, reader: Reader, file: SourceFile) -> int | None:
    """The latest moment in a column, in UTC microseconds; a bare date counts as its 00:00.

    None if no row has one.

    Raises:
        SourceFormatError: a row has what is no time.
    """
    text = texts.columns[column]
    us, ok = reader.moments(text, column)
    unread = ~ok & ~is_missing(text)
    if unread.any():
        unread_texts = text.filter(pa.array(unread))
        value = unread_texts[0].as_py()
        raise file.refusal(f"its known_until_column {column!r} holds {value!r}, which is no time")
    if not ok.any():
        return None
    begins = reader.day_begins(text, pa.array(us)).to_numpy()
    return int(begins[ok].max())
