"""Personal columns, used once to find leads that may be the same: only a salted hash of them is kept."""

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
from leadscore.ingest.mapping.words import Words
from leadscore.json_files import read_json
from leadscore.proposals import propose

LEGAL_FORMS = {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited", "llc", "ltd", "nv",
               "oy", "plc", "sa", "sarl", "se", "srl", "the", "und", "and"}  # fmt: skip
PHONE_DIGITS = 9  # the last so many are the same with and without country code
HASHED = "hash:"  # what a hashed source text begins with
HASH_DIGITS = 24

PERSONAL_WORDS = {"address", "anrede", "birth", "birthdate", "birthday", "cell", "contact", "dob", "email", "fax",
                  "firstname", "fullname", "handy", "lastname", "linkedin", "mail", "mobile", "nachname", "name",
                  "passport", "person", "phone", "ssn", "street", "strasse", "surname", "tel", "telefon",
                  "telephone", "vorname"}  # fmt: skip
ADDRESS = re.compile(r"\S+@\S+\.\S+")
PHONE = re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+\d|\(|0\d{2,4}[ /-]\d)[\d ()/.-]{5,}")
FULL_NAME = re.compile(r"[^\W\d_][\w'\u2019-]*(?: [^\W\d_]\.?)?(?: [^\W\d_][\w'\u2019-]+){1,2}")
SHARES = {ADDRESS: 0.2, PHONE: 0.5}  # of the values, from which a column is personal
NAME_SHARE, LEAST_NAMES = 0.8, 20  # of the distinct values; most of which occur once


def _salt_lost(path: Path, problem: str, *, parts: Path) -> UserError:
    """The error of a salt under which new hashes would match none that are stored."""
    return UserError(
        f"{path} {problem}: personal columns that are read now could not be compared with those "
        f"stored. Put the file back from a backup; without one, remove {path} (if it is there) and "
        f"the folder {parts}, and run `{propose('ingest')}` again: every file is read anew, under a "
        "new salt"
    )


@dataclass(frozen=True)
class PersonalHash:
    """Hashes normalised personal values under the project's own salt, so that nobody can look them up elsewhere."""

    salt: bytes

    @classmethod
    def of_store(cls, folder: Path) -> PersonalHash:
        """With the salt of the store at `folder`, made when it is first needed; only its owner may read it.

        Raises:
            UserError: what is stored was hashed under another salt.
        """
        path = folder / "salt"
        used = _salts_used(folder)
        salt = read_if_there(path)
        if salt is None:
            if used:
                raise _salt_lost(path, "is gone", parts=folder / "parts")
            salt = secrets.token_bytes(16)
            write_bytes(path, salt, private=True)
        if not 0 < len(salt) <= blake2b.MAX_KEY_SIZE:  # an empty one would hide nothing
            raise _salt_lost(path, "is empty, or no salt", parts=folder / "parts")
        if path.stat().st_mode & 0o077:  # copied, or from before it was private
            with suppress(
                PermissionError
            ):  # another user's, who makes it private with the next ingest
                path.chmod(0o600)
        found = cls(salt)
        if used - {found.salt_id}:
            raise _salt_lost(path, "is not the one that it was", parts=folder / "parts")
        return found

    @property
    def salt_id(self) -> str:
        """Says whether two salts are the same, and nothing else of them; "" without one."""
        return blake2b(b"salt", key=self.salt, digest_size=8).hexdigest() if self.salt else ""

    def hash_text(self, text: str) -> str:
        """A source text's hash, as `text_sql` computes it."""
        return HASHED + sha256(f"{self.salt.hex()}:{text}".encode()).hexdigest()[:HASH_DIGITS]

    def text_sql(self, column: str) -> str:
        """SQL of the hash of a column of source text."""
        return f"'{HASHED}' || SUBSTR(SHA256('{self.salt.hex()}:' || {column}), 1, {HASH_DIGITS})"

    def hash(self, name: str, text: pa.Array) -> pa.Array:
        """A column's hashes; null where nothing is left once the value is normalised."""
        words = Words.of(text)
        plain = [NORMALISED[name](word) for word in words.texts]
        hashes = [blake2b(f"{name}:{word}".encode(), key=self.salt, digest_size=12).hexdigest() if word else None
                  for word in plain]  # fmt: skip
        return words.take(hashes)


def _salts_used(folder: Path) -> set[str]:
    """The ids of the salts under which files in the store at `folder` were hashed, as far as they can be read."""
    salts = set()
    for path in list_folder(folder / "parts", "*.json"):
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
    found = re.fullmatch(r"([^@\s+]+)(?:\+[^@\s]*)?@([^@\s]+\.[^@\s]+)", plain)
    return f"{found[1]}@{found[2]}" if found else ""


def normalise_phone(text: str) -> str:
    """The last nine digits; "" if there are fewer than seven.

    >>> normalise_phone("+49 (0)30 1234-567") == normalise_phone("030 1234567")
    True
    """
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits[-PHONE_DIGITS:] if len(digits) >= 7 else ""


def normalise_words(text: str) -> str:
    """Words without accents, signs, legal forms and order.

    >>> normalise_words("Müller & Söhne GmbH"), normalise_words("sohne, muller")
    ('muller sohne', 'muller sohne')
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(sorted(set(words) - LEGAL_FORMS))


NORMALISED = {
    "email": normalise_email,
    "phone": normalise_phone,
    "company": normalise_words,
    "contact": normalise_words,
}


def looks_personal(name: str, values: Sequence[str]) -> bool:
    """Whether a column holds what belongs to a person, by its name or by its values: addresses, phones, names.

    >>> looks_personal("Primary E-Mail", []), looks_personal("Stage", ["ann@example.com"]), looks_personal("Stage", [])
    (True, True, False)
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold().replace("e-mail", "email")
    if PERSONAL_WORDS & set(re.findall(r"[^\W_]+", spaced)):
        return True
    filled = [value for value in values if value]
    if not filled:
        return False
    for pattern, share in SHARES.items():
        if sum(pattern.fullmatch(value) is not None for value in filled) >= share * len(filled):
            return True
    distinct = set(filled)
    names = sum(is_full_name(value) for value in distinct)
    return len(distinct) > max(LEAST_NAMES, len(filled) / 2) and names >= NAME_SHARE * len(distinct)


def is_full_name(value: str) -> bool:
    """Whether a text is written like a person's first and last name."""
    return value.istitle() and FULL_NAME.fullmatch(value) is not None
