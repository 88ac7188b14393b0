"""Fields that name our own people: no lead is scored by who happens to work it."""

from __future__ import annotations

import re

from leadscore.settings.settings import Settings

ROLES = (
    "owner|reps?|representative|agent|seller|salesperson|salesman|saleswoman|salesrep|assignee|sdr|bdr|user|username|"
    "(account|sales|relationship|client|customer)_?(manager|executive|representative|person|consultant|advisor)"
)
ACTS = (
    "(assigned|allocated|routed)_?to|"
    "(created|modified|updated|changed|entered|added|opened|closed|handled|managed|worked)_?by"
)
WHICH = "id|ids|name|full_name|email|e_mail|mail|key|code|number|no"  # of the person
PEOPLE = re.compile(rf"(.+_)?({ROLES}|{ACTS})(_({WHICH}))?")
NOT_PEOPLE = re.compile(
    r"(.*_)?(user_agent|(business|home|product|process|vehicle|car|property)_owner)(_.*)?"
)


def names_people(name: str) -> bool:
    """Whether a column of this name holds our own people, by how CRMs call such columns.

    >>> [names_people(name) for name in ("owner_id", "SalesRep", "Assigned To", "created_by", "Account Manager")]
    [True, True, True, True, True]
    >>> [names_people(name) for name in ("users", "owner_type", "user_agent", "agency", "report", "product")]
    [False, False, False, False, False, False]
    """
    snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    plain = re.sub(r"[^a-z0-9]+", "_", snake_case).strip("_")
    return bool(PEOPLE.fullmatch(plain)) and not NOT_PEOPLE.fullmatch(plain)


def people_fields(settings: Settings) -> frozenset[str]:
    """The fields that name our own people, by their name, their label or the source's column."""
    names = names_of_fields(settings)
    people = {"owner_id"}
    for name, field in settings.lead_fields().items():
        may_be_person = field.type != "date" and name != "amount"
        if may_be_person and any(names_people(called) for called in names[name]):
            people.add(name)
    return frozenset(people)


def names_of_fields(settings: Settings) -> dict[str, set[str]]:
    """All that each field of leads is called: its name, its label, the source's columns."""
    names = {}
    for name, field in settings.lead_fields().items():
        names[name] = {name, field.label or name}
    for entry in settings.mapping:
        if entry.table == "leads":
            for target, column in entry.columns.items():
                names.get(target, set()).add(column)
    return names


def unasked_fields(settings: Settings) -> frozenset[str]:
    """The fields not to be learned from: our own people, unless asked for, and those ruled out."""
    people = people_fields(settings)
    unasked = set()
    for name, field in settings.lead_fields().items():
        learn = name not in people if field.learn is None else field.learn
        if not learn:
            unasked.add(name)
    return frozenset(unasked)
