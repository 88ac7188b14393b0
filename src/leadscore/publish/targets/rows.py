"""A published list as the rows of a target: a lead each, with those it may not be given refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from leadscore.publish.publication import Publication
from leadscore.publish.targets.cells import writer_of
from leadscore.publish.targets.columns import CLEARED, derive_columns
from leadscore.publish.targets.kind import Blank, Cell, Layout, Row, TargetField
from leadscore.publish.targets.text import count_units, is_clean

LONGEST_KEY = 255


@dataclass(frozen=True)
class Refused:
    """A lead that the target cannot hold, and why."""

    lead_id: str
    reason: str


@dataclass(frozen=True)
class ListRows:
    """The rows of a list by lead_id, in its order, and the leads that are refused."""

    rows: dict[str, Row]
    refused: tuple[Refused, ...]


def build_rows(
    publication: Publication,
    scores: pa.Table,
    layout: Layout,
    *,
    excluded: Collection[str],
) -> ListRows:
    """The rows of a list.

    Args:
        publication: of the list.
        scores: its scores.
        layout: of the target.
        excluded: leads that people took off the list; they have no row.
    """
    values = derive_columns(publication, scores, valid_days=layout.valid_days)
    columns = [_write_column(values[field.column], field, layout) for field in layout.fields]
    leads = scores["lead_id"].to_pylist()
    rows: dict[str, Row] = {}
    refused: list[Refused] = []
    used: set[str] = set()
    for lead, *cells in zip(leads, *columns, strict=True):
        if lead in excluded:
            continue
        key = layout.key_prefix + lead
        problem = find_key_problem(key, layout, used)
        if problem:
            refused.append(Refused(lead, problem))
            continue
        used.add(key)
        rows[lead] = Row(key, tuple(cells))
    return ListRows(rows, tuple(refused))


def _write_column(values: list[object], field: TargetField, layout: Layout) -> list[Cell]:
    write = writer_of(field, layout)
    return [write(value) for value in values]


def find_key_problem(key: str, layout: Layout, used: Collection[str] = ()) -> str:
    """Why a target cannot find a record by a key, or ""."""
    if not is_clean(key):
        return "holds control characters, or begins or ends with a blank"
    if count_units(key) > LONGEST_KEY:
        return f"is longer than {LONGEST_KEY} characters"
    if key in used:
        return "the same key as another lead's"
    return layout.kind.key_problem(layout, key)


def build_clear(key: str, layout: Layout) -> Row:
    """The row that clears a lead's fields; who owns the lead stays."""
    return Row(key, tuple(_clear_cell(field) for field in layout.fields))


def _clear_cell(field: TargetField) -> Cell:
    if field.column == "rep_id":
        return Blank.KEEP
    if field.column == "status":
        return CLEARED
    # Odoo takes an empty probability for 0, and a lead with it for lost
    return Blank.KEEP if field.name == "probability" else Blank.CLEAR
