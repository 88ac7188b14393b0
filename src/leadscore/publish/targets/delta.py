"""What a target must be given: all of a list, or what changed since what it was last given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadscore.publish.targets.columns import COLUMNS
from leadscore.publish.targets.kind import Blank, Cell, Layout, Row, TargetField
from leadscore.publish.targets.rows import ListRows, Refused, build_clear, find_key_problem
from leadscore.times import DAY_US

FIGURES = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class Held:
    """A lead as a target holds it.

    Attributes:
        row: its cells.
        valid_until_us: until when the score may be trusted; None without dates.
        is_cleared: whether the lead left the list, and its fields are empty.
    """

    row: Row
    valid_until_us: int | None
    is_cleared: bool = False


@dataclass(frozen=True)
class State:
    """What a target holds once it has loaded a delivery: its fields, and every lead ever given."""

    fields: tuple[TargetField, ...]
    leads: Mapping[str, Held]


@dataclass(frozen=True)
class Changes:
    """What to write, and what the target holds afterwards.

    Attributes:
        scored: rows of leads on the list.
        cleared: rows of leads that left it.
        emptied: rows that change nothing but the fields, among those of `scored`, that the target may
            hold a value in and that become empty.
        refused: leads that the target cannot be given, or cleared of, and why.
        unchanged: how many leads on the list are not written again.
        state: afterwards.
    """

    scored: tuple[Row, ...]
    cleared: tuple[Row, ...]
    emptied: tuple[Row, ...]
    refused: tuple[Refused, ...]
    unchanged: int
    state: State


def find_changes(
    rows: ListRows,
    before: State | None,
    layout: Layout,
    *,
    as_of_us: int | None,
    is_full: bool,
) -> Changes:
    """What to write.

    Args:
        rows: the list; what the target holds of its refused leads stays.
        before: what the target holds; None if it was never given anything, so that all fields are
            empty.
        layout: of the target.
        as_of_us: the date of the list, None without dates.
        is_full: all leads and all clears, whatever the target should hold by now.
    """
    held = _align(before, layout) if before else {}
    listed = _score(rows.rows, held, layout, as_of_us=as_of_us, is_full=is_full)

    after = dict(listed.held)
    for row in rows.refused:
        if row.lead_id in held:
            after[row.lead_id] = held[row.lead_id]
    gone = {lead: earlier for lead, earlier in held.items() if lead not in after}
    left = _clear(gone, layout, is_full=is_full)
    return Changes(
        tuple(listed.scored),
        tuple(left.cleared),
        emptied=tuple(listed.emptied),
        refused=(*rows.refused, *left.refused),
        unchanged=len(rows.rows) - len(listed.scored),
        state=State(layout.fields, after | left.held),
    )


@dataclass(frozen=True)
class _Listed:
    """The leads on the list: what to write of them, and what the target holds afterwards."""

    scored: list[Row]
    emptied: list[Row]
    held: dict[str, Held]


def _score(
    rows: Mapping[str, Row],
    held: Mapping[str, Held],
    layout: Layout,
    *,
    as_of_us: int | None,
    is_full: bool,
) -> _Listed:
    """Write the leads on the list, but for those that the target holds as they are."""
    until_us = None
    if as_of_us is not None:
        until_us = as_of_us + round(layout.valid_days * DAY_US)

    listed = _Listed([], [], {})
    for lead, row in rows.items():
        now = Held(row, until_us)
        earlier = held.get(lead)
        if is_full or earlier is None or is_changed(earlier, now, layout, as_of_us):
            clears = only_clears(row) if is_full else _find_emptied(row, earlier)
            if Blank.CLEAR in clears.cells:
                listed.emptied.append(clears)
            listed.scored.append(row)
            listed.held[lead] = now
        else:
            listed.held[lead] = earlier
    return listed


@dataclass(frozen=True)
class _Left:
    """The leads that left the list: what to write of them, and what the target holds afterwards."""

    cleared: list[Row]
    refused: list[Refused]
    held: dict[str, Held]


def _clear(gone: Mapping[str, Held], layout: Layout, *, is_full: bool) -> _Left:
    """Clear the leads that left the list, but for those whose key no file may hold."""
    left = _Left([], [], {})
    for lead, earlier in gone.items():
        problem = find_key_problem(earlier.row.key, layout)
        if problem:
            why = f"left the list and is not cleared: {problem}"
            left.refused.append(Refused(lead, why))
            left.held[lead] = earlier
            continue
        row = build_clear(earlier.row.key, layout)
        if is_full or not earlier.is_cleared or earlier.row != row:
            left.cleared.append(row)
        left.held[lead] = Held(row, None, is_cleared=True)
    return left


def only_clears(row: Row) -> Row:
    """A row that changes nothing but the fields that become empty."""
    cells = [cell if cell is Blank.CLEAR else Blank.KEEP for cell in row.cells]
    return Row(row.key, tuple(cells))


def _find_emptied(row: Row, earlier: Held | None) -> Row:
    """The clears of a row, without those of fields that were never set or are empty already."""
    if earlier is None:
        untouched = [Blank.KEEP] * len(row.cells)
        return Row(row.key, tuple(untouched))

    # what the target holds in a field of which nothing is known (KEEP) must go, too
    cells: list[Cell] = []
    for cell, held in zip(row.cells, earlier.row.cells, strict=True):
        is_empty = held is Blank.CLEAR
        cells.append(Blank.KEEP if is_empty else cell)
    return only_clears(Row(row.key, tuple(cells)))


def _align(before: State, layout: Layout) -> dict[str, Held]:
    """What is held, in the fields of the layout; a new field is held empty by no lead."""
    if before.fields == layout.fields:
        return dict(before.leads)

    places = {field: place for place, field in enumerate(before.fields)}
    order = [places.get(field) for field in layout.fields]
    return {lead: _reorder(held, order) for lead, held in before.leads.items()}


def _reorder(held: Held, order: Sequence[int | None]) -> Held:
    cells = [Blank.KEEP if place is None else held.row.cells[place] for place in order]
    row = Row(held.row.key, tuple(cells))
    return Held(row, held.valid_until_us, held.is_cleared)


def is_changed(earlier: Held, now: Held, layout: Layout, as_of_us: int | None) -> bool:
    """Whether a lead must be written again: a value changed, or its score soon is out of date."""
    if earlier.is_cleared or earlier.row.key != now.row.key:
        return True
    if _ends_soon(earlier, layout, as_of_us):
        return True
    for field, before, after in zip(layout.fields, earlier.row.cells, now.row.cells, strict=True):
        is_compared = COLUMNS[field.column].is_compared
        if is_compared and differ(before, after, field, layout.tolerance):
            return True
    return False


def _ends_soon(earlier: Held, layout: Layout, as_of_us: int | None) -> bool:
    """Whether less than half of the time for which a score is valid is left, or it never was."""
    if as_of_us is None:
        return False
    if earlier.valid_until_us is None:
        return True
    left_us = earlier.valid_until_us - as_of_us
    return left_us < layout.valid_days * DAY_US / 2


def differ(before: Cell, after: Cell, field: TargetField, tolerance: float) -> bool:
    """Whether a cell changed: a number by more than the tolerance, a sentence beyond its figures.

    Days pass, and "98 days in Negotiation" is no news.
    """
    if before == after or after is Blank.KEEP:
        return False
    if isinstance(before, Blank) or isinstance(after, Blank):
        return True
    column = COLUMNS[field.column]
    if column.type == "sentence":
        return _drop_figures(before) != _drop_figures(after)
    if column.type not in {"number", "money"}:
        return True

    first = float(before)
    second = float(after)
    scale = 1.0
    if column.type == "money":
        scale = max(abs(first), abs(second))
    # a hair more, so that 0.50 and 0.51 differ by 0.01 and no more
    largest = tolerance * scale * column.range * (1 + 1e-9)
    return abs(second - first) > largest


def _drop_figures(sentence: str) -> str:
    return FIGURES.sub("", sentence)
