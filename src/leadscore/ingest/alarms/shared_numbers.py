"""Numbers of the facts that two deliveries share: what they were and what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import literal
from leadscore.ingest.alarms.compared import (
    CHANGE,
    EVENT,
    LEAD,
    LEAST_CHANGED,
    NUMBERS,
    SharedFacts,
    lead_columns,
    number_fields,
    shared_facts,
)
from leadscore.ingest.alarms.deliveries import ChangedNumbers, Deliveries

WHOLE = 0.003  # how near a power of ten a factor must be, for numbers that were rounded


@dataclass(frozen=True)
class SharedNumbers:
    """A column of numbers or dates, or a field of `changes`.

    The `facts` that both deliveries have show the number as old_<column> and new_<column>.
    """

    name: str
    column: str
    facts: SharedFacts

    def read_changed(self, pair: Deliveries) -> ChangedNumbers:
        """The numbers that are others now; those of most facts are not, so they are only counted.

        Where hardly a number is another one, only facts that may differ are counted: nothing is
        said of these.
        """
        key = tuple(self.facts.all)
        if key not in pair.numbers:
            changed = self._read(pair, self.facts.unequal)
            if len(changed.old) >= LEAST_CHANGED:
                changed = self._read(pair, self.facts.all)
            pair.numbers[key] = changed
        return pair.numbers[key]

    def _read(self, pair: Deliveries, facts: Sequence[str]) -> ChangedNumbers:
        slices = [pair.engine.query(self._changed_sql(shared)) for shared in facts]
        rows = pa.concat_tables(slices)
        is_changed = pc.is_valid(rows["old"])
        changed = rows.filter(is_changed)
        times = changed["facts"].to_numpy()
        return ChangedNumbers(
            np.repeat(changed["old"].to_numpy(), times),
            np.repeat(changed["new"].to_numpy(), times),
            facts=pc.sum(rows["facts"]).as_py() or 0,
            positive=pc.sum(rows["positive"]).as_py() or 0,
        )

    def _changed_sql(self, facts: str) -> str:
        """SQL of each pair of different numbers, and of null for equal ones, with their counts."""
        old, new = f"old_{self.column}", f"new_{self.column}"
        both = f"""SELECT CAST({old} AS BIGINT) AS old, CAST({new} AS BIGINT) AS new
            FROM ({facts}) AS r WHERE {old} IS NOT NULL AND {new} IS NOT NULL"""
        return f"""SELECT CASE WHEN old <> new THEN old END AS old,
            CASE WHEN old <> new THEN new END AS new, COUNT(*) AS facts,
            COUNT(CASE WHEN old > 0 AND new > 0 THEN 1 END) AS positive
            FROM ({both}) AS b GROUP BY 1, 2 ORDER BY 1, 2"""


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
        for field in number_fields(pair):
            is_field = f"field = {literal(field)}"
            facts = shared_facts(pair, "changes", ["value"], CHANGE, where=is_field)
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
