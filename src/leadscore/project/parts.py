"""What leads are grouped by, as was known at a moment: a field, their rep or team."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadscore.errors import UserError
from leadscore.funnel.pipelines import read_pipelines
from leadscore.history.split import History
from leadscore.project.showing import read_rep_rows
from leadscore.settings.base import hint
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.wording import listed

NOT_KNOWN = "(not known)"
OWNER = "owner_id"


def read_parts(
    history: History,
    by: str,
    *,
    known_us: int,
    others: Sequence[str] = (),
) -> pd.Series[str]:
    """What each lead is counted under, by lead_id.

    Args:
        history: of the project.
        by: a text field; or "rep", the owner; "pipeline", that of the last open stage; "team", the
            owner's in the list of reps as it is now.
        known_us: the moment.
        others: what the caller can group leads by besides, which a message names.

    Raises:
        UserError: there is no such field, or nothing to read teams from.
    """
    settings = history.settings
    if by == "pipeline":
        values = _read_pipelines(history, known_us=known_us)
    elif by == "team":
        values = _read_team_of_leads(history, known_us=known_us)
    else:
        field = _field_of(by, settings, others=others)
        values = _read_known(history, field, known_us=known_us)
    leads = history.spells(known_us)["lead_id"].unique()
    return values.reindex(leads).fillna(NOT_KNOWN)


def _field_of(by: str, settings: Settings, *, others: Sequence[str]) -> str:
    """The field of leads that is meant."""
    if by == "rep":
        return OWNER
    fields = settings.lead_fields()
    texts = [name for name, field in fields.items() if field.type == "text"]
    if by in texts:
        return by
    of_leads = [name for name in texts if name != OWNER]  # it is known as "rep"
    possible = ["rep", *_name_more(settings), *others, *of_leads]
    if by in fields:
        kind = fields[by].type
        raise UserError(f"{by!r} is a {kind}; leads can be grouped by {listed(possible)}")
    if by in lead_keys(settings):
        raise UserError(
            f"only a hash of {by!r} is stored; leads can be grouped by {listed(possible)}"
        )
    mapped = _names_of_column(by, settings, possible)
    if mapped:
        raise UserError(f"the column {by!r} is mapped as {listed(mapped)}; ask by that name")
    raise UserError(f"unknown field {by!r}{hint(by, possible)}")


def _names_of_column(column: str, settings: Settings, possible: Sequence[str]) -> list[str]:
    """The fields to group leads by that a column of the export is mapped as, whatever its case."""
    mapped = []
    for entry in settings.mapping:
        for field, source in entry.columns.items():
            if source.casefold() == column.casefold():
                mapped.append("rep" if field == OWNER else field)
    return [name for name in dict.fromkeys(mapped) if name in possible]


def _name_more(settings: Settings) -> list[str]:
    """Team and pipeline, where there is more than one."""
    names = []
    if _read_teams(settings):
        names.append("team")
    if settings.stages.pipelines:
        names.append("pipeline")
    return names


def _read_known(history: History, name: str, *, known_us: int) -> pd.Series[str]:
    known = history.known_values([name], as_of_us=known_us).to_pandas()
    values: pd.Series[str] = known.set_index("lead_id")[name]
    return values


def _read_pipelines(history: History, *, known_us: int) -> pd.Series[str]:
    if not history.settings.stages.pipelines:
        raise UserError("there is only one pipeline; [stages.pipelines] names several")
    return read_pipelines(history, known_us=known_us)


def _read_teams(settings: Settings) -> dict[str, str]:
    """The team of each rep, in the list of reps as it is now."""
    rows = read_rep_rows(settings)
    return {rep: str(row["team"]) for rep, row in rows.items() if row["team"]}


def _read_team_of_leads(history: History, *, known_us: int) -> pd.Series[str]:
    teams = _read_teams(history.settings)
    if not teams:
        raise UserError("there are no teams: the list of reps, [routing] reps, names none")
    return _read_known(history, OWNER, known_us=known_us).map(teams)
