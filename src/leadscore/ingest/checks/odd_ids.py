"""Ids that do not look like the others: "Total" among 006000000000001, 006000000000002, ..."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FEWEST = 5  # ids, before they show a form
DIGIT = "[0-9]"
UPPER_CASE = r"\p{Lu}"
LOWER_CASE = r"\p{Ll}"
BLANK = r"\s"


def find_odd_ids(ids: pa.Array, usual: pa.Array, *, by_length: bool = True) -> np.ndarray:
    """Which ids (n,) do not have the form of the usual ones (m,); none if these are too few.

    An id is odd if it

    - has a kind of character (digit, upper case, lower case, blank, or a mark such as a hyphen)
      that no usual id has,
    - has no digit although all usual ids have one, or
    - differs in length by more than 1 from the usual ids, which all have the same length; that
      counts only `by_length`, as numbers that go on grow longer.
    """
    if len(usual) < FEWEST:
        return np.zeros(len(ids), dtype=bool)
    form = _Form(usual)
    words = ids.to_pylist()
    are_odd = [
        form.has_other_characters(word) or (by_length and form.has_other_length(word))
        for word in words
    ]
    return np.array(are_odd, dtype=bool)


@dataclass(frozen=True)
class _Form:
    """What usual ids have in common."""

    usual: pa.Array
    known_kinds: dict[str, bool] = field(default_factory=dict)  # filled as kinds are asked for

    @cached_property
    def has_digits(self) -> bool:
        """Whether each of them has a digit."""
        has_digit = pc.match_substring_regex(self.usual, DIGIT)
        return bool(pc.all(has_digit).as_py())

    @cached_property
    def lengths(self) -> dict[str, int]:
        """The length of the shortest (min) and of the longest (max)."""
        length = pc.utf8_length(self.usual)
        lengths: dict[str, int] = pc.min_max(length).as_py()
        return lengths

    def has_kind(self, pattern: str) -> bool:
        """Whether any of them has a character of that kind."""
        if pattern not in self.known_kinds:
            is_match = pc.match_substring_regex(self.usual, pattern)
            self.known_kinds[pattern] = bool(pc.any(is_match).as_py())
        return self.known_kinds[pattern]

    def has_other_characters(self, word: str) -> bool:
        """Whether an id lacks the digits that all have, or has a kind of character that none has."""
        kinds = {_kind(character) for character in word}
        if self.has_digits and DIGIT not in kinds:
            return True
        return not all(self.has_kind(kind) for kind in kinds)

    def has_other_length(self, word: str) -> bool:
        """Whether an id differs in length by more than 1 from all others, which have the same."""
        shortest, longest = self.lengths["min"], self.lengths["max"]
        return shortest == longest and abs(len(word) - shortest) > 1


def _kind(character: str) -> str:
    """The kind of a character, as the pattern that matches it."""
    if character in "0123456789":
        return DIGIT
    if character.isupper():
        return UPPER_CASE
    if character.islower():
        return LOWER_CASE
    if character.isspace():
        return BLANK
    return re.escape(character)
