"""Which leads and contacts are never to be shown again: kept as salted hashes, not as texts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from leadscore.atomic import write_bytes
from leadscore.errors import DamagedFileError
from leadscore.files import is_there
from leadscore.ingest.mapping.personal import (
    SALT_BYTES,
    PersonalHash,
    normalise_email,
    normalise_phone,
    normalise_words,
)
from leadscore.json_files import canonical_json, read_json

LEAD = "lead_id"
NORMALISED = {  # shown text -> how two spellings of the same are compared
    "name": normalise_words,
    "contact": normalise_words,
    "email": normalise_email,
    "phone": normalise_phone,
}


@dataclass(frozen=True)
class Forgotten:
    """Hashes of the leads and contacts that somebody had erased.

    Attributes:
        salt: with which they are hashed, for this file alone.
        hashes: of ids, names, addresses and numbers.
    """

    salt: bytes
    hashes: frozenset[str] = field(default_factory=frozenset)

    def with_lead(self, lead_id: str) -> Forgotten:
        """The same and a lead."""
        return self._with([self._hash(LEAD, lead_id)])

    def with_contact(self, text: str) -> Forgotten:
        """The same and whoever has this name, e-mail address or telephone number."""
        return self._with(list(self._hashes_of_contact(text)))

    def _with(self, hashes: list[str]) -> Forgotten:
        return replace(self, hashes=self.hashes.union(hashes))

    def _hashes_of_contact(self, text: str) -> Iterator[str]:
        for key, normalise in NORMALISED.items():
            plain = normalise(text)
            if plain:
                yield self._hash(key, plain)

    def _hash(self, key: str, text: str) -> str:
        return PersonalHash(self.salt).hash_text(f"{key}:{text}")

    def matches(self, rows: pa.RecordBatch | pa.Table) -> np.ndarray:
        """Which rows (n,) of shown texts belong to a forgotten lead or contact."""
        is_forgotten = np.zeros(rows.num_rows, dtype=bool)
        if not self.hashes:
            return is_forgotten
        for key in (LEAD, *NORMALISED):
            texts = rows.column(key).to_pylist()
            is_forgotten |= [self._is_forgotten(key, text) for text in texts]
        return is_forgotten

    def _is_forgotten(self, key: str, text: str | None) -> bool:
        if not text:
            return False
        plain = text if key == LEAD else NORMALISED[key](text)
        return bool(plain) and self._hash(key, plain) in self.hashes

    def drop(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows without those to be forgotten."""
        if not self.hashes:
            return rows
        return rows.filter(pa.array(~self.matches(rows)))


def forgotten_path(folder: Path) -> Path:
    """Where a folder of shown texts keeps what is forgotten."""
    return folder / "forgotten.json"


def read_forgotten(folder: Path) -> Forgotten:
    """What is to be forgotten; nothing, under a new salt, if nobody asked for it yet.

    Raises:
        DamagedFileError: the file is damaged, so that nobody knows whom not to show.
    """
    path = forgotten_path(folder)
    if not is_there(path):
        return Forgotten(secrets.token_bytes(SALT_BYTES))
    cure = (
        "put it back from a backup. Without one, remove it, and run `leadscore store forget` again "
        "for every lead and contact that asked to be erased"
    )
    document = read_json(path, {"salt": str, "hashes": [str]}, cure=cure)
    try:
        salt = bytes.fromhex(document["salt"])
    except ValueError as e:
        raise DamagedFileError(path, "its salt cannot be read", cure=cure) from e
    return Forgotten(salt, frozenset(document["hashes"]))


def write_forgotten(folder: Path, forgotten: Forgotten) -> None:
    """Keep what is to be forgotten, for the owner alone."""
    document = {"salt": forgotten.salt.hex(), "hashes": sorted(forgotten.hashes)}
    write_bytes(forgotten_path(folder), canonical_json(document), private=True)
