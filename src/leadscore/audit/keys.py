"""What the keys of leads give away: an account that is made at conversion tells who converted.

A key itself says nothing about an outcome, but whether a lead has one may. Where its history is
mapped, it counts from when it was known, and there is nothing to find.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from leadscore.audit.checks.ending import check_filled_by_age, check_filled_when_closed
from leadscore.audit.checks.outcome import check_certain, check_filled_by_outcome
from leadscore.audit.fields import read_current
from leadscore.audit.finding import Finding
from leadscore.audit.leads import Leads
from leadscore.audit.values import Values
from leadscore.history.split import History
from leadscore.settings.memory import lead_keys

CHECKS = (
    check_certain,
    check_filled_when_closed,
    check_filled_by_outcome,
    check_filled_by_age,
)


def check_keys(
    history: History,
    leads: Leads,
    skip: AbstractSet[str],
) -> Iterator[tuple[str, list[Finding | None]]]:
    """Each key of leads without a mapped history, with what its presence gives away.

    Args:
        history: where the leads are.
        leads: those to look at.
        skip: keys that are not looked at.
    """
    if not leads.dated:
        return
    passed_over = history.facts.mapped_histories(leads.known_us) | skip
    names = [name for name in lead_keys(history.settings) if name not in passed_over]
    own = history.facts.changed_fields(leads.known_us) & set(names)
    for values in read_current(history, leads, names, own=own):
        yield values.name, _check_presence(values, leads)


def _check_presence(values: Values, leads: Leads) -> list[Finding | None]:
    """What is found in whether leads have a key; nothing where all have it, or none."""
    if values.missing.all() or not values.missing.any():
        return []
    is_there = np.where(values.missing, -1, 0)
    presence = replace(values, codes=is_there, words=("filled",))
    return [check(presence, leads) for check in CHECKS]
