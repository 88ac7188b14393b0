"""Values of fields that look like a person's: addresses and numbers that belong in a personal column, or nowhere."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.wording import counted

EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
PHONE = (
    r"^\s*(\+|00)[1-9][\d ()/.-]{6,}\d\s*$"
    r"|^\s*\(?0\d{1,5}\)?[ /-]\d[\d ()/-]{3,}\d\s*$"
    r"|^\s*\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\s*$"
)
STREET = (
    r"(?i)^\s*\d+\w?,?\s+([\w'.-]+\s+){1,4}(street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|way)\b"
    r"|(?i)(stra(ss|ß)e|str\.|gasse|allee|straat|laan)\s*\d+|(?i)\b(weg|platz)\s+\d+"
    r"|(?i)\b\d+\w?,?\s+(rue|avenue|boulevard|chemin)\s|(?i)\b(calle|via|rua)\s+.*\d"
)
LOOKS = {
    "an e-mail address": (EMAIL, "map it to `email` instead: only a hash of it is stored"),
    "a phone number": (PHONE, "map it to `phone` instead: only a hash of it is stored"),
    "a street address": (STREET, "leave it out, or give only its town or region"),
}


def warn_of_personal_looks(staged: Staged) -> list[str]:
    """A warning for each field, but for the owner, with values that look personal; the values are not in it."""
    declared = staged.settings.fields
    names = [name for name, field in declared.items() if field.type == "text"]
    return [warning for name in names for warning in _warn_of(name, staged)]


def _warn_of(name: str, staged: Staged) -> list[str]:
    values = _distinct(name, staged)
    found = []
    for looks, (pattern, cure) in LOOKS.items():
        n = pc.sum(pc.match_substring_regex(values, pattern)).as_py() or 0
        if n:
            alike = counted(n, "value that looks", "values that look")
            found.append(f"the field {name!r} has {alike} like {looks}: {cure}")
    return found


def _distinct(name: str, staged: Staged) -> pa.ChunkedArray:
    """The different values of a field, current and earlier ones."""
    parts = [f"SELECT value FROM changes_now WHERE field = {literal(name)}"]
    if name in staged.mapped_fields():
        parts.append(f"SELECT {identifier(name)} AS value FROM leads_now")
    sql = f"SELECT DISTINCT value FROM ({' UNION ALL '.join(parts)}) AS t WHERE value IS NOT NULL"
    return staged.engine.query(sql)["value"]
