"""What was known of leads before a moment of their own, counted by how they ended later."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.history.split import History

ENDED = ["hours", "ending"]


def count_early_values(
    history: History,
    followed: pd.DataFrame,
    name: str,
    *,
    at_creation: bool,
) -> pd.DataFrame:
    """How many leads had each value of a field before their moment, by how they ended.

    Columns: value, null where it was not known; hours; ending; leads.

    Args:
        history: of the project.
        followed: lead_id, each once; from_us, the moment of each; hours and ending.
        name: of the field.
        at_creation: whether its value in `leads` was known when the lead was created.
    """
    _add_followed(history, followed)
    of_lead = f"l.{identifier(name)}" if at_creation else "CAST(NULL AS VARCHAR)"
    latest = f"""SELECT lead_id, value FROM (
            SELECT t.lead_id, t.value, ROW_NUMBER() OVER (
                PARTITION BY t.lead_id
                ORDER BY t.event_us DESC, t.seq DESC, t.value DESC) AS recency
            FROM changes AS t JOIN followed_leads AS f ON f.lead_id = t.lead_id
            WHERE t.field = {literal(name)} AND t.available_us < f.from_us) AS ranked
        WHERE recency = 1"""
    known = f"""SELECT f.hours, f.ending, c.value AS changed,
            CASE WHEN c.lead_id IS NULL THEN {of_lead} END AS created
        FROM followed_leads AS f
        JOIN leads AS l ON l.lead_id = f.lead_id AND l.available_us < f.from_us
        LEFT JOIN ({latest}) AS c ON c.lead_id = f.lead_id"""
    counts: pd.DataFrame = history.engine.query(
        f"""SELECT changed, created, hours, ending, COUNT(*) AS leads FROM ({known}) AS known
        GROUP BY changed, created, hours, ending ORDER BY changed, created, hours, ending"""
    ).to_pandas()
    created = counts["created"].astype(object)
    changed = counts["changed"].astype(object)
    value = changed.where(changed.notna(), created)
    return counts.assign(value=value).drop(columns=["created", "changed"])


def count_early_kinds(
    history: History,
    followed: pd.DataFrame,
    kinds: Sequence[str],
) -> pd.DataFrame:
    """How many leads had each kind of activity before their moment, by how they ended.

    Columns: value, the kind; hours; ending; leads.

    Args:
        history: of the project.
        followed: as in `count_early_values`.
        kinds: that are asked for.
    """
    _add_followed(history, followed)
    names = ", ".join(literal(kind) for kind in kinds) or "''"
    had = f"""SELECT DISTINCT t.lead_id, t.kind, f.hours, f.ending
        FROM activities AS t JOIN followed_leads AS f ON f.lead_id = t.lead_id
        WHERE t.kind IN ({names}) AND {history.facts.activities.took_place()}
            AND t.event_us < f.from_us AND t.available_us < f.from_us"""
    counts: pd.DataFrame = history.engine.query(
        f"""SELECT kind AS value, hours, ending, COUNT(*) AS leads FROM ({had}) AS had
        GROUP BY kind, hours, ending ORDER BY kind, hours, ending"""
    ).to_pandas()
    return counts


def _add_followed(history: History, followed: pd.DataFrame) -> None:
    """Make the leads readable on the engine."""
    columns = followed[["lead_id", "from_us", *ENDED]]
    rows = pa.Table.from_pandas(columns, preserve_index=False)
    history.engine.add_rows("followed_leads", rows)
