"""Columns that name people or companies of leads, and files that list these."""

from __future__ import annotations

from leadscore.ingest.file_notes import MISSING_WORDS
from leadscore.onboarding import words
from leadscore.onboarding.profile import Column, Profile

CONTACT, EMAIL, COMPANY = words.PEOPLE
PLURALS = {CONTACT: "contacts", EMAIL: "e-mail addresses", COMPANY: "companies"}
MOSTLY = 0.95
USERS = "users login benutzer utilisateur usuario utente gebruiker editor edited modified updated changed"
FEW = 50  # numbers: so few that are called Participants say how many came


def find_kind(column: Column, profile: Profile) -> str | None:
    """What a column names; an id that is called just so is one of what the file is called after."""
    is_own = words.consists_of(column.name, words.OWN_ID)
    if column.date_order is not None and not words.names_id(column.name):
        return None  # when somebody was last contacted
    kind = words.kind_of_person(profile.stem if is_own else column.name)
    if kind is None and _holds_addresses_of_others(column):
        return EMAIL
    if kind is not None and _counts_people(column, words.GROUPS[kind]):
        return None
    return EMAIL if kind == CONTACT and column.holds_addresses else kind


def _holds_addresses_of_others(column: Column) -> bool:
    """Whether a column such as To has e-mail addresses, and is not called after our own people."""
    is_of_ours = words.speaks_of(column.name, f"{words.STAFF} {USERS}")
    is_other = not is_of_ours and not words.names_id(column.name)
    return is_other and column.holds_addresses


def _counts_people(column: Column, groups: str) -> bool:
    """Whether a column in the plural holds a number of people rather than their numbers."""
    if not words.is_called(column.name, groups) or len(column.values) > FEW:
        return False
    return all(value.isdigit() for value in column.values)


def says_nobody(value: str) -> bool:
    """Whether a value says that nobody knows whom a row names, or that it names no company."""
    return value in MISSING_WORDS or value.casefold() in words.NOBODY


def lists_people(profile: Profile) -> bool:
    """Whether a file has a row for each contact or company, and says what they are."""
    for column in profile.columns.values():
        is_distinct = len(column.values) >= MOSTLY * column.filled > MOSTLY * column.rows / 2
        if is_distinct and find_kind(column, profile) and words.names_id(column.name):
            return True
    return False
