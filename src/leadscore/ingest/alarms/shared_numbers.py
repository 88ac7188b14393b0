"""Numbers of the facts that two deliveries share: what they were and what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.engine.protocol import literal
from leadscore.ingest.alarms.compared import (
    CHANGE,
    EVENT,
    LEAD,
    NUMBERS,
    lead_columns,
    number_fields,
    shared_facts,
)
from leadscore.ingest.alarms.deliveries import Deliveries

WHOLE = 0.003  # how near a power of ten a factor must be, for numbers that were rounded


@dataclass(frozen=True)
class ChangedNumbers:
    """The numbers that differ between two deliveries.

    Attributes:
        old, new: int64 (n,) each, of the facts whose number is another one now.
        facts: how many facts have a number in both.
        positive: of how many of these both numbers are above 0.
    """

    old: np.ndarray
    new: np.ndarray
    facts: int
    positive: int


@dataclass(frozen=True)
class SharedNumbers:
    """A column of numbers or dates, or a field of `changes`.

    `facts` is SQL of the facts that both deliveries have, in slices, with the number of each as
    old_<column> and new_<column>.
    """

    name: str
    column: str
    facts: Sequence[str]

    def read_changed(self, pair: Deliveries) -> ChangedNumbers:
        """The numbers that are others now; those of most facts are not, so they stay unread."""
        counts: Counter[str] = Counter()
        old, new = [], []
        for sql in self.facts:
            both = self._both_sql(sql)
            counts.update(
                pair.row(
                    f"""SELECT COUNT(*) AS facts,
                    COUNT(CASE WHEN old > 0 AND new > 0 THEN 1 END) AS positive FROM ({both}) AS b"""
                )
            )
            changed = pair.engine.query(f"SELECT * FROM ({both}) AS b WHERE old <> new")
            old.append(changed["old"].to_numpy())
            new.append(changed["new"].to_numpy())
        return ChangedNumbers(
            np.concatenate(old),
            np.concatenate(new),
            facts=counts["facts"],
            positive=counts["positive"],
        )

    def _both_sql(self, facts: str) -> str:
        old, new = f"old_{self.column}", f"new_{self.column}"
        return f"""SELECT CAST({old} AS BIGINT) AS old, CAST({new} AS BIGINT) AS new
            FROM ({facts}) AS r WHERE {old} IS NOT NULL AND {new} IS NOT NULL"""


def event_numbers(pair: Deliveries) -> Iterator[SharedNumbers]:
    """The numbers of activities and outcomes."""
    for table, columns in NUMBERS.items():
        if table in pair.tables:
            for column in columns:
                facts = shared_facts(pair, table, [column], EVENT)
                yield SharedNumbers(f"{table}.{column}", column, facts)


def lead_numbers(pair: Deliveries, kind: str) -> Iterator[SharedNumbers]:
    """The mapped numbers, or dates, of leads."""
    if "leads" in pair.tables:
        for column in lead_columns(pair, kind):
            facts = shared_facts(pair, "leads", [column], LEAD)
            yield SharedNumbers(f"leads.{column}", column, facts)


def change_numbers(pair: Deliveries) -> Iterator[SharedNumbers]:
    """The values of fields that are numbers in `changes`."""
    if "changes" in pair.tables:
        changes = shared_facts(pair, "changes", ["value"], CHANGE)
        for field in number_fields(pair):
            is_field = f"field = {literal(field)}"
            facts = [f"SELECT * FROM ({part}) AS q WHERE {is_field}" for part in changes]
            yield SharedNumbers(f"changes.{field}", "value", facts)


def powers_of_ten(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The power of ten (n,) by which each number was multiplied; NaN if by anything else.

    >>> powers_of_ten(np.array([5, 5, 5, 0]), np.array([500, 5, 7, 5]))
    array([ 2.,  0., nan, nan])
    """
    is_positive = (old > 0) & (new > 0)
    positive_new = np.where(is_positive, new, 1)
    positive_old = np.where(is_positive, old, 1)
    factors = positive_new / positive_old
    powers = np.log10(factors)
    whole = np.round(powers)
    is_whole = is_positive & (np.abs(powers - whole) < WHOLE)
    return np.where(is_whole, whole, np.nan)
