"""What leads are told apart by, as was known at a moment: a field, their rep or team."""

from __future__ import annotations

import pandas as pd

from leadscore.errors import UserError
from leadscore.funnel.pipelines import read_pipelines
from leadscore.history.split import History
from leadscore.project.showing import read_rep_rows
from leadscore.settings.base import hint
from leadscore.settings.memory import stored_fields
from leadscore.settings.settings import Settings

NOT_KNOWN = "(not known)"


def read_parts(history: History, by: str, *, known_us: int) -> pd.Series[str]:
    """What each lead is counted under, by lead_id.

    Args:
        history: of the project.
        by: a text field; or "rep", the owner; "pipeline", that of the last open stage; "team", the
            owner's in the list of reps as it is now.
        known_us: the moment.

    Raises:
        UserError: there is no such field, or nothing to read teams from.
    """
    settings = history.settings
    if by == "pipeline":
        values = _read_pipelines(history, known_us=known_us)
    elif by == "team":
        values = _read_known(history, "owner_id", known_us=known_us).map(_read_teams(settings))
    else:
        values = _read_known(history, _field_of(by, settings), known_us=known_us)
    leads = history.spells(known_us)["lead_id"].unique()
    return values.reindex(leads).fillna(NOT_KNOWN)


def _field_of(by: str, settings: Settings) -> str:
    """The field of leads that is meant."""
    if by == "rep":
        return "owner_id"
    texts = [name for name in stored_fields(settings) if _is_text(name, settings)]
    if by not in texts:
        known = ["rep", "team", "tier", "pipeline", *texts]
        raise UserError(f"leads cannot be told apart by {by!r}{hint(by, known)}")
    return by


def _is_text(name: str, settings: Settings) -> bool:
    field = settings.lead_fields().get(name)
    return field is not None and field.type == "text"


def _read_known(history: History, name: str, *, known_us: int) -> pd.Series[str]:
    known = history.known_values([name], as_of_us=known_us).to_pandas()
    values: pd.Series[str] = known.set_index("lead_id")[name]
    return values


def _read_pipelines(history: History, *, known_us: int) -> pd.Series[str]:
    if not history.settings.stages.pipelines:
        raise UserError("there is only one pipeline; [stages.pipelines] names several")
    return read_pipelines(history, known_us=known_us)


def _read_teams(settings: Settings) -> dict[str, str]:
    """The team of each rep."""
    rows = read_rep_rows(settings)
    teams = {rep: str(row["team"]) for rep, row in rows.items() if row["team"]}
    if not teams:
        raise UserError("there are no teams: the list of reps, [routing] reps, names none")
    return teams
