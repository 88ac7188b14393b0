"""The text of a source's rows, as the SQL of views reads it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import SourceFile, view_schema
from leadscore.ingest.readers.values import MISSING


def text_for_views(
    file: SourceFile,
    lines: np.ndarray,
    texts: Texts,
    columns: Sequence[str],
) -> pa.Table:
    """The text of rows (n,), with where they came from."""
    arrays = [_null_if_missing(texts.columns[name]) for name in columns]
    arrays += [
        pa.repeat(pa.scalar(file.source), texts.n),
        pa.repeat(pa.scalar(file.name), texts.n),
        pa.array(lines),
    ]
    return pa.table(arrays, schema=view_schema(columns))


def _null_if_missing(text: pa.Array) -> pa.Array:
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(pc.equal(text, MISSING), nothing, text)
