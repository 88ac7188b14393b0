"""The ids of leads in one spelling, whichever their file uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.breaks import Breaks
from leadscore.ingest.mapping.words import Texts, Words, is_missing, to_mask
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.id_kinds import IdKind, canonical_id, is_rounded, lacks_digits

SEPARATOR = "|"  # between the parts of an id; within a part it is written \|
ESCAPE = "\\"
WITH_EXPONENT = r"[eE]\+?[0-9]{1,2}\z"  # only such an id can have lost its last digits


def ids_of(texts: Texts, columns: Sequence[str], kind: IdKind | None) -> pa.Array:
    """The ids (n,) that one column holds, or several together; missing where any part is."""
    if len(columns) == 1:
        return unify_ids(texts.columns[columns[0]], kind)
    return join_ids([texts.columns[name] for name in columns])


def join_ids(parts: Sequence[pa.Array]) -> pa.Array:
    r"""One id (n,) of several texts; missing where any of them is.

    No two combinations share an id: a separator within a text is escaped.

    >>> join_ids([pa.array(["North", "a|b", ""]), pa.array(["12", "c", "3"])]).to_pylist()
    ['North|12', 'a\\|b|c', '']
    """
    missing = np.zeros(len(parts[0]), dtype=bool)
    escaped = []
    for part in parts:
        missing |= is_missing(part)
        escaped.append(_escape(part))
    joined = pc.binary_join_element_wise(*escaped, SEPARATOR)
    return pc.if_else(pa.array(missing), pa.scalar(MISSING), joined)


def _escape(text: pa.Array) -> pa.Array:
    for mark in (ESCAPE, SEPARATOR):
        text = pc.replace_substring(text, mark, ESCAPE + mark)
    return text


def unify_ids(text: pa.Array, kind: IdKind | None) -> pa.Array:
    """Ids (n,) in the canonical spelling of their kind; what is not of it stays as it is."""
    if kind is None:
        return text
    words = Words.of(text)
    unified = [canonical_id(word, kind) or word for word in words.texts]
    return words.take(unified)


def check_ids(text: pa.Array, kind: IdKind | None, breaks: Breaks) -> None:
    """Note which ids (n,) were rounded, or are not of the stated kind."""
    words = Words.of(text)
    rounded = _find_rounded(words, kind)
    breaks.add(rounded, "id_rounded", "lead_id", text)
    if kind is not None:
        is_foreign = [_is_foreign(word, kind) for word in words.texts]
        foreign = words.mask(is_foreign) & ~rounded
        breaks.add(foreign, "id_kind", "lead_id", text)


def _find_rounded(words: Words, kind: IdKind | None) -> np.ndarray:
    """Which rows (n,) have an id that a spreadsheet has rounded."""
    has_lost_digits = lacks_digits if kind == "integer" else is_rounded
    has_exponent = pc.match_substring_regex(words.distinct, WITH_EXPONENT)
    places = np.flatnonzero(to_mask(has_exponent))
    of_words = np.zeros(len(words.distinct), dtype=bool)
    of_words[places] = [has_lost_digits(word) for word in words.at(places)]
    return np.asarray(of_words[words.codes])


def _is_foreign(word: str, kind: IdKind) -> bool:
    """Whether a text is an id of another kind; a missing one is not."""
    return word != MISSING and canonical_id(word, kind) is None
