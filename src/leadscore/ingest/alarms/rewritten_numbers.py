"""Numbers and dates of past facts that are other ones now, and closed leads that went to other owners.

The numbers of past activities and outcomes do not change. Those of leads do, while they are open; of closed leads they
hardly do, but a CRM may compute a number anew for all of them. Then a lead with a large one mostly still has a large
one, unlike in a column that was assigned to the wrong rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.engine.protocol import literal
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.rewritten import (
    FEW,
    LEAST_CHANGED,
    LEAST_PAIRS,
    MANY,
    NUMBERS,
    WHOLE,
    both_sql,
    lead_columns,
    number_fields,
)

RELATED = 0.5  # rank correlation of the old and new numbers from which they are related


def find_rewritten_numbers(pair: Deliveries) -> Iterator[str]:
    """Columns of numbers and dates of which past facts have other ones, but for those that are only rescaled."""
    for table, columns in NUMBERS.items():
        for column in columns if table in pair.tables else ():
            both = both_sql(table, [column], ["lead_id", "event_us"])
            yield from _find_other_facts(pair, f"{table}.{column}", both, column)
    for field in number_fields(pair) if "changes" in pair.tables else ():
        changes = both_sql("changes", ["value"], ["lead_id", "field", "event_us"])
        both = f"SELECT * FROM ({changes}) AS q WHERE field = {literal(field)}"
        yield from _find_other_facts(pair, f"changes.{field}", both, "value")
    for kind in ("number", "date") if "leads" in pair.tables else ():
        for column in lead_columns(pair, kind):
            yield from _find_other_leads(pair, column)


def _find_other_facts(pair: Deliveries, name: str, both: str, column: str) -> Iterator[str]:
    old, new = _read_both(pair, both, column)
    n = int((_is_changed(old, new) & ~_is_rescaled(old, new)).sum())
    if len(old) >= LEAST_PAIRS and n >= LEAST_CHANGED and n > FEW * len(old):
        yield f"{name} is another one in {n:,} of {len(old):,} rows exported before"


def _find_other_leads(pair: Deliveries, column: str) -> Iterator[str]:
    both = both_sql("leads", [column], ["lead_id"])
    old, new = _read_both(
        pair, f"SELECT p.* FROM ({both}) AS p {_CLOSED.format(pair.closed_before())}", column
    )
    changed = _is_changed(old, new)
    n = int(changed.sum())
    if len(old) < LEAST_PAIRS or n < LEAST_CHANGED or n <= MANY * len(old):
        return
    if _rank_correlation(old[changed], new[changed]) < RELATED:
        yield (
            f"leads.{column} is another one in {n:,} of {len(old):,} leads that were closed before, unrelated to what "
            "it was: is the column beside the right rows?"
        )


_CLOSED = "JOIN ({}) AS c ON c.lead_id = p.lead_id"


def find_reassigned(pair: Deliveries) -> Iterator[str]:
    """How many closed leads have another owner: of open ones many may go to other reps."""
    if "leads" not in pair.tables or "owner_id" not in lead_columns(pair, "text"):
        return
    both = both_sql("leads", ["owner_id"], ["lead_id"])
    row = pair.rows(f"""SELECT COUNT(*) AS n, COUNT(CASE WHEN old_owner_id <> new_owner_id THEN 1 END) AS moved
        FROM ({both}) AS p {_CLOSED.format(pair.closed_before())}
        WHERE old_owner_id IS NOT NULL AND new_owner_id IS NOT NULL""")[0]
    if row["n"] >= LEAST_PAIRS and row["moved"] > MANY * row["n"]:
        yield f"{row['moved']:,} of {row['n']:,} leads that were closed before have another owner"


def _read_both(pair: Deliveries, both: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of both deliveries (n,), of the facts that have one in both."""
    old, new = (f"CAST({side}_{column} AS BIGINT)" for side in ("old", "new"))
    rows = pair.engine.query(f"""SELECT {old} AS old, {new} AS new FROM ({both}) AS r
        WHERE old_{column} IS NOT NULL AND new_{column} IS NOT NULL""")
    return rows["old"].to_numpy(), rows["new"].to_numpy()


def _is_changed(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return np.asarray(old != new)


def _is_rescaled(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Whether a number is a power of ten of what it was (n,): the alarm `scale` is about these."""
    is_positive = (old > 0) & (new > 0)
    powers = np.log10(np.where(is_positive, new, 1) / np.where(is_positive, old, 1))
    return np.asarray(is_positive & (np.abs(powers - np.round(powers)) < WHOLE))


def _rank_correlation(old: np.ndarray, new: np.ndarray) -> float:
    """Pearson correlation of dense ranks; 0 if one side is constant."""
    ranks_old, ranks_new = (np.unique(values, return_inverse=True)[1] for values in (old, new))
    if min(np.ptp(ranks_old), np.ptp(ranks_new)) == 0:
        return 0.0
    return float(np.corrcoef(ranks_old, ranks_new)[0, 1])
