"""The people of the sample company's leads, all made up: who to call, and where.

They follow from the lead's id alone, so that they say nothing about it, and no other draw changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b

FIRST_NAMES = ("Ada", "Bruno", "Carla", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jakub",
               "Lena", "Marek", "Nora", "Oskar", "Petra", "René", "Sofia", "Tomás", "Ulla", "Zoë")  # fmt: skip
LAST_NAMES = ("Almqvist", "Berger", "Cohen", "Dupont", "Eriksen", "Fischer", "García", "Hansen",
              "Ivanova", "Jansen", "Kowalski", "Lindgren", "Meyer", "Novák", "O'Brien", "Petit",
              "Rossi", "Schäfer", "Tamm", "Weber")  # fmt: skip
DOMAIN = "example.com"  # reserved, so that nobody is written to
PHONES = "+44 1632 960"  # numbers that are given to nobody


def name_contacts(lead_ids: Sequence[str], companies: Sequence[str]) -> dict[str, list[str]]:
    """Name, e-mail address and telephone number of the contact of each lead (n,)."""
    contacts = []
    emails = []
    phones = []
    for lead_id, company in zip(lead_ids, companies, strict=True):
        digest = blake2b(lead_id.encode(), digest_size=8).digest()
        number = int.from_bytes(digest)
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number // 100 % len(LAST_NAMES)]
        ending = number // 10_000 % 1000
        contacts.append(f"{first} {last}")
        emails.append(f"{_plain(first)}.{_plain(last)}@{_plain(company)}.{DOMAIN}")
        phones.append(f"{PHONES}{ending:03d}")
    return {"contact": contacts, "email": emails, "phone": phones}


def _plain(text: str) -> str:
    """Lower-case letters without accents; anything else becomes a hyphen."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = [letter for letter in decomposed if not unicodedata.combining(letter)]
    hyphenated = re.sub(r"[^a-z]+", "-", "".join(letters))
    return hyphenated.strip("-")
