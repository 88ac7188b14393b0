"""Which ids do not have the form of the others: "Total" among 006000000000001, 006000000000002, ..."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FEWEST = 5  # ids, before they show a form
KINDS = {"digit": "[0-9]", "upper": r"\p{Lu}", "lower": r"\p{Ll}", "blank": r"\s"}


def find_odd_ids(ids: pa.Array, usual: pa.Array) -> np.ndarray:
    """Which of the ids (n,) are unlike the usual ones (m,) in form; none where there are too few of these.

    An id is unlike them if it has a kind of character (digit, upper case, lower case, blank, or a mark such as a
    hyphen) that none of them has, if it has no digit where all of them have one, or if they all have one length, from
    which its own differs by more than 1.
    """
    if len(usual) < FEWEST:
        return np.zeros(len(ids), dtype=bool)
    has_digit = pc.all(pc.match_substring_regex(usual, "[0-9]")).as_py()
    lengths = pc.min_max(pc.utf8_length(usual)).as_py()
    known: dict[str, bool] = {}
    odd = []
    for word in ids.to_pylist():
        kinds = _kinds(word)
        for kind in kinds - set(known):
            known[kind] = bool(pc.any(pc.match_substring_regex(usual, kind)).as_py())
        has_new_kind = not all(known[kind] for kind in kinds)
        lacks_digit = has_digit and KINDS["digit"] not in kinds
        has_own_length = lengths["min"] == lengths["max"] and abs(len(word) - lengths["min"]) > 1
        odd.append(has_new_kind or lacks_digit or has_own_length)
    return np.array(odd, dtype=bool)


def _kinds(word: str) -> set[str]:
    """The kinds of characters in a word, as the patterns that match them."""
    return {_kind(character) for character in word}


def _kind(character: str) -> str:
    if character in "0123456789":
        return KINDS["digit"]
    if character.isupper():
        return KINDS["upper"]
    if character.islower():
        return KINDS["lower"]
    if character.isspace():
        return KINDS["blank"]
    return re.escape(character)
