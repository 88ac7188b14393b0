"""Checks of sources: rows of a database have no order; one row a lead needs leads with ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.wording import listed

if TYPE_CHECKING:
    from leadscore.settings.mapping import Mapping
    from leadscore.settings.settings import Settings


def check_sources(settings: Settings) -> None:
    """Raise ValueError, in words for the user, where rows are used as they cannot be."""
    _check_keep(settings)
    _check_ids(settings)
    for entry in settings.mapping:
        source = settings.sources.get(entry.source)
        if source is None or not source.is_query:
            continue
        if source.cursor is not None and entry.table == "leads":
            raise ValueError(
                f"sources.{entry.source}: leads change and are compared whole with the export "
                "before, so leave out `cursor`; it is for tables whose rows are never changed, "
                "such as activities"
            )
        _check_order(settings, entry)


def _check_keep(settings: Settings) -> None:
    """Refuse to choose among rows of leads where there are none, or where they have no id."""
    for name, origin in settings.origins().items():
        if origin.keep is None:
            continue
        leads = [entry for entry in settings.entries("leads") if entry.source == name]
        if not leads or not all(entry.columns_of_id() for entry in leads):
            raise ValueError(
                f"{name}: keep chooses among the rows of a lead, so a mapping entry must read leads "
                "from it, with a column for lead_id"
            )
        if "keep" in origin.ignore:
            raise ValueError(f"{name}: ignore.keep: the name is taken by keep; choose another one")


def _check_ids(settings: Settings) -> None:
    """Refuse a kind of id where several columns are the id together."""
    for entry in settings.mapping:
        origin = settings.origins().get(entry.source)
        if entry.id_columns and origin is not None and origin.id is not None:
            raise ValueError(
                f"{entry.source}: id = {origin.id!r} is for ids in one column, and "
                f"{listed(entry.id_columns)} are the id together; leave one of the two out"
            )


def _check_order(settings: Settings, entry: Mapping) -> None:
    """Refuse rows that are named or ordered by their line."""
    if "lead_id" not in entry.targets():
        raise ValueError(
            f"sources.{entry.source}: rows of a database have no lines by which leads could be "
            "called; map a column to lead_id"
        )
    if settings.ordered_by_line(entry.source) and entry.table == "leads":
        raise ValueError(
            f"sources.{entry.source}: rows of a database have no order; map a column to sequence"
        )
