"""Which tables the SQL of views names."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.engine.closed import Select, SelectError, read_select
from leadscore.engine.named_columns import named_columns
from leadscore.errors import UserError
from leadscore.settings.settings import Settings


def select_of(view: str, settings: Settings) -> Select:
    """The checked statement of a view.

    Raises:
        UserError: it is no SELECT that may run.
    """
    try:
        return read_select(settings.views[view].sql)
    except SelectError as e:
        raise UserError(f"views.{view}: {e}") from e


def columns_in_views(source: str, settings: Settings) -> set[str]:
    """The columns of a source that the SQL of views names, as it writes them."""
    columns: set[str] = set()
    for view in settings.views:
        sql = select_of(view, settings).sql
        columns |= named_columns(sql).get(source.lower(), frozenset())
    return columns


def lacking_columns(
    view: str,
    table: str,
    names: Sequence[str],
    settings: Settings,
) -> list[str]:
    """The columns that a view names of a table which has other `names`; SQL does not heed their case."""
    sql = select_of(view, settings).sql
    named = named_columns(sql).get(table, frozenset())
    spelled = {name.casefold() for name in names}
    return sorted(name for name in named if name.casefold() not in spelled)


def sources_of_views(settings: Settings) -> set[str]:
    """The sources and views that some view reads."""
    read: set[str] = set()
    for view in settings.views:
        read |= select_of(view, settings).tables
    return read
