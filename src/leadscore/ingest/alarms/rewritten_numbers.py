"""Numbers and dates of past facts that are others now, and closed leads with another owner.

The numbers of past activities and outcomes do not change. Those of leads do while they are open;
of closed leads they hardly do, but a CRM may compute a number anew for all of them. Then a lead
with a large number mostly still has a large one, unlike in a column that was assigned to the wrong
rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from leadscore.ingest.alarms.compared import (
    FEW,
    LEAD,
    LEAST_CHANGED,
    LEAST_PAIRS,
    MANY,
    SharedFacts,
    lead_columns,
    shared_facts,
)
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.shared_numbers import (
    SharedNumbers,
    change_numbers,
    event_numbers,
    lead_numbers,
    powers_of_ten,
)

RELATED = 0.5  # rank correlation of old and new numbers from which they are related


def find_rescaled(pair: Deliveries) -> Iterator[str]:
    """Columns of which many past numbers were multiplied by a power of ten."""
    of_leads = lead_numbers(pair, "number")
    columns = chain(event_numbers(pair), of_leads, change_numbers(pair))
    for column in columns:
        changed = column.read_changed(pair)
        powers = powers_of_ten(changed.old, changed.new)
        rescaled = powers[~np.isnan(powers) & (powers != 0)]
        n, facts = len(rescaled), changed.positive
        if facts >= LEAST_PAIRS and n >= LEAST_CHANGED and n > FEW * facts:
            factor = 10.0 ** np.median(rescaled)
            yield (
                f"in {n:,} of {facts:,} rows exported before, {column.name} is now {factor:g} "
                "times what it was"
            )


def find_rewritten_numbers(pair: Deliveries) -> Iterator[str]:
    """Columns of numbers and dates that are others in past facts, beyond rescaled ones."""
    for column in chain(event_numbers(pair), change_numbers(pair)):
        yield from _find_other_numbers(pair, column)
    of_leads = lead_numbers(pair, "number")
    for column in chain(of_leads, lead_numbers(pair, "date")):
        yield from _find_unrelated_numbers(pair, column)


def _find_other_numbers(pair: Deliveries, column: SharedNumbers) -> Iterator[str]:
    """A column of events of which many past numbers are others, and not only rescaled."""
    changed = column.read_changed(pair)
    is_other = np.isnan(powers_of_ten(changed.old, changed.new))
    n = int(is_other.sum())
    is_enough = changed.facts >= LEAST_PAIRS and n >= LEAST_CHANGED
    if is_enough and n > FEW * changed.facts:
        yield f"{column.name} changed in {n:,} of {changed.facts:,} rows exported before"


def _find_unrelated_numbers(pair: Deliveries, column: SharedNumbers) -> Iterator[str]:
    """A column in which many numbers of closed leads are unrelated to the old ones."""
    facts = [_closed_sql(pair, facts) for facts in column.facts.all]
    closed = replace(column, facts=SharedFacts([], facts))
    changed = closed.read_changed(pair)
    n = len(changed.old)
    is_enough = changed.facts >= LEAST_PAIRS and n >= LEAST_CHANGED
    if not is_enough or n <= MANY * changed.facts:
        return
    if _rank_correlation(changed.old, changed.new) < RELATED:
        yield (
            f"{column.name} changed in {n:,} of {changed.facts:,} leads that were closed before, "
            "unrelated to what it was: is the column beside the right rows?"
        )


def _closed_sql(pair: Deliveries, facts: str) -> str:
    """SQL of those facts of leads that were closed in the delivery before."""
    return f"""SELECT p.* FROM ({facts}) AS p
        JOIN ({pair.closed_before_sql()}) AS c ON c.lead_id = p.lead_id"""


def find_reassigned(pair: Deliveries) -> Iterator[str]:
    """Many closed leads with another owner: open ones may well go to other reps."""
    if "leads" not in pair.tables or "owner_id" not in lead_columns(pair, "text"):
        return
    (facts,) = shared_facts(pair, "leads", ["owner_id"], LEAD).all
    owners = _closed_sql(pair, facts)
    row = pair.row(
        f"""SELECT COUNT(*) AS n,
        COUNT(CASE WHEN old_owner_id <> new_owner_id THEN 1 END) AS moved
        FROM ({owners}) AS o WHERE old_owner_id IS NOT NULL AND new_owner_id IS NOT NULL"""
    )
    is_enough = row["n"] >= LEAST_PAIRS
    if is_enough and row["moved"] > MANY * row["n"]:
        yield (f"{row['moved']:,} of {row['n']:,} leads that were closed before have another owner")


def _rank_correlation(old: np.ndarray, new: np.ndarray) -> float:
    """Pearson's correlation of dense ranks (equal numbers share one); 0 if one side is constant."""
    ranks_old = np.unique(old, return_inverse=True)[1]
    ranks_new = np.unique(new, return_inverse=True)[1]
    spreads = (np.ptp(ranks_old), np.ptp(ranks_new))
    if min(spreads) == 0:
        return 0.0
    return float(np.corrcoef(ranks_old, ranks_new)[0, 1])
