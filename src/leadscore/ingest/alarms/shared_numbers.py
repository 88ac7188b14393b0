"""Numbers of the facts that two deliveries share: what they were and what they are."""

from __future__ import annotations

from collections.abc import Iterator
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
    shared_facts_sql,
)
from leadscore.ingest.alarms.deliveries import Deliveries

WHOLE = 0.003  # how near a power of ten a factor must be, for numbers that were rounded


@dataclass(frozen=True)
class SharedNumbers:
    """A column of numbers or dates, or a field of `changes`.

    `facts` is SQL of the facts that both deliveries have, with the number of each as old_<column>
    and new_<column>.
    """

    name: str
    column: str
    facts: str

    def read(self, pair: Deliveries) -> tuple[np.ndarray, np.ndarray]:
        """Old and new numbers, int64 (n,) each, of the facts that have both."""
        old, new = f"old_{self.column}", f"new_{self.column}"
        rows = pair.engine.query(
            f"""SELECT CAST({old} AS BIGINT) AS old, CAST({new} AS BIGINT) AS new
            FROM ({self.facts}) AS r WHERE {old} IS NOT NULL AND {new} IS NOT NULL"""
        )
        return rows["old"].to_numpy(), rows["new"].to_numpy()


def event_numbers(pair: Deliveries) -> Iterator[SharedNumbers]:
    """The numbers of activities and outcomes."""
    for table, columns in NUMBERS.items():
        if table in pair.tables:
            for column in columns:
                facts = shared_facts_sql(table, [column], EVENT)
                yield SharedNumbers(f"{table}.{column}", column, facts)


def lead_numbers(pair: Deliveries, kind: str) -> Iterator[SharedNumbers]:
    """The mapped numbers, or dates, of leads."""
    if "leads" in pair.tables:
        for column in lead_columns(pair, kind):
            facts = shared_facts_sql("leads", [column], LEAD)
            yield SharedNumbers(f"leads.{column}", column, facts)


def change_numbers(pair: Deliveries) -> Iterator[SharedNumbers]:
    """The values of fields that are numbers in `changes`."""
    if "changes" in pair.tables:
        changes = shared_facts_sql("changes", ["value"], CHANGE)
        for field in number_fields(pair):
            facts = f"SELECT * FROM ({changes}) AS q WHERE field = {literal(field)}"
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
