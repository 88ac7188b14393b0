"""Past facts that now say something else: values emptied, or exchanged for others."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.ingest.alarms.compared import (
    FEW,
    LEAST_CHANGED,
    MANY,
    Compared,
    compare_numbers,
    number_fields,
)
from leadscore.ingest.alarms.deliveries import Deliveries

MOST = 0.5  # of the texts of leads, which change by themselves


def find_emptied(pair: Deliveries, compared: list[Compared]) -> Iterator[str]:
    """Columns of which more past facts lost their value than people take back."""
    for column in [*compared, *compare_numbers(pair)]:
        limit = MANY if column.table == "leads" else FEW
        if column.emptied >= LEAST_CHANGED and column.emptied > limit * column.had_value:
            yield f"{column.name}: {column.emptied:,} of {column.had_value:,} values are gone"


def find_rewritten(pair: Deliveries, compared: list[Compared]) -> Iterator[str]:
    """Columns of text of which past facts have another value, beyond values with a new name."""
    numbers = {f"changes.{name}" for name in number_fields(pair)}
    for column in compared:
        if column.name in numbers or not _is_rewritten(column):
            continue
        (old, new), most = column.exchanged.most_common(1)[0]
        yield (
            f"{column.name} changed in {column.exchanged.total():,} of {column.facts:,} "
            f"rows exported before; {old!r} became {new!r} in {most:,}"
        )


def _is_rewritten(column: Compared) -> bool:
    """Whether many values were exchanged, or fewer in both directions, as won for lost."""
    n = column.exchanged.total()
    limit = MOST if column.table == "leads" else FEW
    if n < LEAST_CHANGED:
        return False
    return n > limit * column.facts or _count_both_ways(column) > MANY * column.facts


def _count_both_ways(column: Compared) -> int:
    """How many facts changed from one value to another while as many changed back."""
    total = 0
    for (old, new), n in column.exchanged.items():
        total += min(n, column.exchanged[new, old])
    return total
