"""A hash of rows that does not depend on their order, which a database does not promise."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.files import hash_bytes
from leadscore.json_files import canonical_json

DIGEST_BYTES = 32  # of a row: four unsigned integers, which are summed over the rows
BETWEEN = "\x1f"  # the values of a row
ESCAPE = "\x1e"
RESERVED = f"[{ESCAPE}{BETWEEN}]"


class RowHash:
    """Hashes rows of text as a multiset: equal rows count as often as they come.

    Every row is hashed by BLAKE2b, and the hashes are added up modulo 2^64.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sums = np.zeros(DIGEST_BYTES // 8, dtype=np.uint64)

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Take in rows, given by column."""
        joined = pc.binary_join_element_wise(*map(_escape, columns), BETWEEN)
        rows = joined.cast(pa.binary()).to_pylist()
        digests = b"".join(map(_hash_row, rows))
        flat = np.frombuffer(digests, dtype="<u8")
        numbers = flat.reshape(-1, len(self._sums))
        self._sums += numbers.sum(axis=0, dtype=np.uint64)
        self.rows += len(numbers)

    def hexdigest(self, *of: object) -> str:
        """SHA-256 of all rows so far and of what is stated with them, as 64 hex digits."""
        content = {"rows": self.rows, "sums": self._sums.tolist(), "of": of}
        return hash_bytes(canonical_json(content))


def _hash_row(row: bytes) -> bytes:
    return blake2b(row, digest_size=DIGEST_BYTES).digest()


def _escape(texts: pa.Array) -> pa.Array:
    """Texts without the character between values, so that different rows are never spelled alike."""
    are_reserved = pc.match_substring_regex(texts, RESERVED)
    if not pc.any(are_reserved).as_py():
        return texts
    without = pc.replace_substring(texts, ESCAPE, f"{ESCAPE}0")
    return pc.replace_substring(without, BETWEEN, f"{ESCAPE}1")
