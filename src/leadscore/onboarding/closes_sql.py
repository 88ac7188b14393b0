"""SQL of which leads have closed, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadscore.engine.protocol import literal, quoted_name
from leadscore.onboarding.profile import Column
from leadscore.onboarding.roles import Leads

ReadDate = Callable[[Column], str]  # a column of dates -> SQL that reads it


def closed_sql(leads: Leads) -> str:
    """Whether a lead has closed, by its outcome."""
    outcome = _outcome(leads)
    condition = f"{outcome} IN ({_sql_list([*leads.won, *leads.lost])})"
    if leads.flag is None:
        return condition
    flagged = f"{quoted_name(leads.flag.column.name)} IN ({_sql_list(leads.flag.yes)})"
    is_won = f" OR {outcome} IN ({_sql_list(leads.won)})" if leads.flag.is_of_losses else ""
    return f"{condition} AND ({flagged}{is_won})"


def date_sql(leads: Leads, read: ReadDate) -> str:
    """The date of the close, of a lead that has closed; leads have such a date."""
    won, lost = read(leads.ends()[0]), read(leads.ends()[-1])
    if won == lost:
        return won
    return f"CASE WHEN {_outcome(leads)} IN ({_sql_list(leads.won)}) THEN {won} ELSE {lost} END"


def end_sql(leads: Leads, read: ReadDate) -> str | None:
    """When a lead closed, NULL while it is open; None where nothing says it."""
    if leads.outcome is not None and leads.ends():
        return f"CASE WHEN {closed_sql(leads)} THEN {date_sql(leads, read)} END"
    if leads.closing is not None:
        return f"COALESCE({', '.join(map(read, leads.ends()))})"
    return None  # without an outcome a close date may be an expected one


def _outcome(leads: Leads) -> str:
    return quoted_name(leads.outcome.name if leads.outcome else "")


def _sql_list(values: Sequence[str]) -> str:
    return ", ".join(literal(value) for value in values)
