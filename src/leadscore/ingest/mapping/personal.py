"""Personal columns find leads that may be the same; only a salted hash of them is stored."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

import pyarrow as pa

from leadscore.atomic import write_bytes
from leadscore.errors import CorruptFileError, UserError
from leadscore.files import list_folder, read_if_there
from leadscore.ingest.mapping.words import NARROW, Words, narrow
from leadscore.ingest.readers.values import MISSING
from leadscore.json_files import read_json
from leadscore.proposals import propose

LEGAL_FORMS = {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited", "llc", "ltd", "nv",
               "oy", "plc", "sa", "sarl", "se", "srl", "the", "und", "and"}  # fmt: skip
PHONE_DIGITS = 9  # the last nine are the same with and without country code
LEAST_PHONE_DIGITS = 7
SALT_BYTES = 16
HASHED = "hash:"  # what a hashed source text begins with
HASH_DIGITS = 24
HASH = re.compile(rf"{HASHED}[0-9a-f]{{{HASH_DIGITS}}}")

PERSONAL_WORDS = {"address", "anrede", "birth", "birthdate", "birthday", "cell", "contact", "dob", "email", "fax",
                  "firstname", "fullname", "handy", "lastname", "linkedin", "mail", "mobile", "nachname", "name",
                  "passport", "person", "phone", "ssn", "street", "strasse", "surname", "tel", "telefon",
                  "telephone", "vorname"}  # fmt: skip
ADDRESS = re.compile(r"\S+@\S+\.\S+")
PHONE = re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+\d|\(|0\d{2,4}[ /-]\d)[\d ()/.-]{5,}")
FULL_NAME = re.compile(r"[^\W\d_][\w'\u2019-]*(?: [^\W\d_]\.?)?(?: [^\W\d_][\w'\u2019-]+){1,2}")

# The share of values that must look personal for a column to be so; of names, the share of the
# distinct values, most of which must occur only once.
SHARES = {ADDRESS: 0.2, PHONE: 0.5}
NAME_SHARE = 0.8
LEAST_NAMES = 20


def _salt_lost(path: Path, problem: str, *, parts: Path) -> UserError:
    """The error of a salt under which new hashes would match none that are stored."""
    return UserError(
        f"{path} {problem}: personal columns that are read now could not be compared with those "
        f"stored. Put the file back from a backup; without one, remove {path} (if it is there) and "
        f"the folder {parts}, and run `{propose('ingest')}` again: every file is read anew, under "
        "a new salt"
    )


@dataclass(frozen=True)
class PersonalHash:
    """Hashes personal values under the project's own salt, so that they cannot be looked up."""

    salt: bytes

    @classmethod
    def of_store(cls, folder: Path) -> PersonalHash:
        """With the salt of the store at `folder`, made when first needed, for its owner alone.

        Raises:
            UserError: what is stored was hashed under another salt.
        """
        path = folder / "salt"
        parts = folder / "parts"
        used = _salts_used(parts)
        salt = read_if_there(path)
        if salt is None:
            if used:
                raise _salt_lost(path, "is gone", parts=parts)
            salt = secrets.token_bytes(SALT_BYTES)
            write_bytes(path, salt, private=True)

        if not 0 < len(salt) <= blake2b.MAX_KEY_SIZE:  # an empty one would hide nothing
            raise _salt_lost(path, "is empty, or no salt", parts=parts)
        _make_private(path)
        personal = cls(salt)
        if used - {personal.salt_id}:
            raise _salt_lost(path, "is not the one that it was", parts=parts)
        return personal

    @property
    def salt_id(self) -> str:
        """Shows whether two salts are the same, and nothing else of them; "" without one."""
        if not self.salt:
            return ""
        return blake2b(b"salt", key=self.salt, digest_size=8).hexdigest()

    def hash_text(self, text: str) -> str:
        """A source text's hash, as `text_sql` computes it."""
        digest = sha256(f"{self.salt.hex()}:{text}".encode()).hexdigest()
        return HASHED + digest[:HASH_DIGITS]

    def keys(self, text: pa.Array) -> pa.Array:
        """The hashes (n,) of keys as they are written; null where missing.

        What is a hash already stays: the text of keys is stored in no other form.
        """
        words = Words.of(text)
        return words.take([self._key(word) for word in words.texts])

    def _key(self, word: str) -> str | None:
        if word == MISSING:
            return None
        return word if HASH.fullmatch(word) else self.hash_text(word)

    def text_sql(self, column: str) -> str:
        """SQL of the hash of a column of source text."""
        return f"'{HASHED}' || SUBSTR(SHA256('{self.salt.hex()}:' || {column}), 1, {HASH_DIGITS})"

    def hash(self, name: str, text: pa.Array) -> pa.Array:
        """A column's hashes; null where nothing is left once the value is normalised."""
        normalise = NORMALISED[name]
        words = Words.of(narrow(text))
        hashes = [self._hash_word(name, normalise(word)) for word in words.texts]
        return words.take(hashes)

    def _hash_word(self, name: str, word: str) -> str | None:
        if not word:
            return None
        text = f"{name}:{word}".encode()
        return blake2b(text, key=self.salt, digest_size=12).hexdigest()


def _make_private(path: Path) -> None:
    """Take other users' rights to a salt away: it was copied, or an earlier release wrote it."""
    if path.stat().st_mode & 0o077:
        with suppress(PermissionError):  # another user's, who makes it private with the next ingest
            path.chmod(0o600)


def _salts_used(parts: Path) -> set[str]:
    """The ids of the salts under which stored parts were hashed, as far as they can be read."""
    salts = set()
    for path in list_folder(parts, "*.json"):
        try:
            salt = read_json(path).get("salt")
        except CorruptFileError:  # its source is read again
            continue
        if salt and isinstance(salt, str):
            salts.add(salt)
    return salts


def normalise_email(text: str) -> str:
    """An address as its mailbox: lower case, without mailto: and +tag; "" if it is none.

    >>> normalise_email("Ann.Smith+crm@Example.com")
    'ann.smith@example.com'
    """
    plain = text.casefold().removeprefix("mailto:").strip()
    match = re.fullmatch(r"([^@\s+]+)(?:\+[^@\s]*)?@([^@\s]+\.[^@\s]+)", plain)
    return f"{match[1]}@{match[2]}" if match else ""


def normalise_phone(text: str) -> str:
    """The last nine digits; "" if there are fewer than seven.

    >>> normalise_phone("+49 (0)30 1234-567") == normalise_phone("030 1234567")
    True
    """
    without_zero = text.replace("(0)", "")
    digits = re.sub(r"\D", "", without_zero).lstrip("0")
    return digits[-PHONE_DIGITS:] if len(digits) >= LEAST_PHONE_DIGITS else ""


def normalise_words(text: str) -> str:
    """Words without accents, signs, legal forms and order.

    >>> normalise_words("Müller & Söhne GmbH"), normalise_words("sohne, muller")
    ('muller sohne', 'muller sohne')
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = [letter for letter in decomposed if not unicodedata.combining(letter)]
    plain = "".join(letters)
    words = set(re.findall(r"\w+", plain))
    return " ".join(sorted(words - LEGAL_FORMS))


NORMALISED = {
    "email": normalise_email,
    "phone": normalise_phone,
    "company": normalise_words,
    "contact": normalise_words,
}


def looks_personal(name: str, values: Sequence[str]) -> bool:
    """Whether a column's name or values show that it belongs to persons: addresses, phones, names.

    >>> looks_personal("Primary E-Mail", [])
    True
    >>> looks_personal("Stage", ["ann@example.com"]), looks_personal("Stage", ["won"])
    (True, False)
    """
    return _is_personal_name(name) or _are_personal(
        [value.translate(NARROW) for value in values if value]
    )


def _is_personal_name(name: str) -> bool:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # camelCase
    plain = spaced.casefold().replace("e-mail", "email")
    words = set(re.findall(r"[^\W_]+", plain))
    return not words.isdisjoint(PERSONAL_WORDS)


def _are_personal(values: list[str]) -> bool:
    if not values:
        return False
    for pattern, share in SHARES.items():
        matches = sum(pattern.fullmatch(value) is not None for value in values)
        if matches >= share * len(values):
            return True

    distinct = set(values)
    names = sum(is_full_name(value) for value in distinct)
    most_occur_once = len(distinct) > max(LEAST_NAMES, len(values) / 2)
    return most_occur_once and names >= NAME_SHARE * len(distinct)


def is_full_name(value: str) -> bool:
    """Whether a text is written like a person's first and last name."""
    return value.istitle() and FULL_NAME.fullmatch(value) is not None
