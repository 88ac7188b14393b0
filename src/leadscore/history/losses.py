"""Where leads were lost and for which stated reason, and which are still in a stage."""

from __future__ import annotations

import pandas as pd

from leadscore.history.split import History
from leadscore.history.visits import Span, count_visits, list_open_visits

NOT_STATED = "(no reason stated)"


def count_visits_by_reason(
    history: History,
    span: Span,
    *,
    parts: pd.Series[str] | None = None,
) -> pd.DataFrame:
    """Visits as `count_visits` returns them, the lost ones by stated reason (else `NOT_STATED`).

    Args:
        history: of the project.
        span: in which they began.
        parts: of leads by lead_id, what each is counted under; default: all under one.
    """
    spells = history.spells(span.known_us)
    losses = history.facts.loss_reasons(span.known_us)
    of_spell = None if parts is None else spells["lead_id"].map(parts).to_list()
    return count_visits(
        history.engine,
        history.settings.stages,
        spells,
        span,
        parts=of_spell,
        reasons=find_reasons(spells, losses).to_list(),
    )


def read_open_visits(history: History, span: Span) -> pd.DataFrame:
    """The visits that had not ended at the end of a span (see `list_open_visits`)."""
    spells = history.spells(span.known_us)
    return list_open_visits(history.engine, history.settings.stages, spells, span)


def find_reasons(spells: pd.DataFrame, losses: pd.DataFrame) -> pd.Series[str]:
    """The reason of each spell (n,), the last one stated between its begin and the next spell's."""
    stated = losses.dropna(subset="reason")
    begins = spells[["lead_id", "spell", "start_us"]]
    placed = pd.merge_asof(
        stated.sort_values("available_us", kind="stable"),
        begins.sort_values("start_us", kind="stable"),
        left_on="available_us",
        right_on="start_us",
        by="lead_id",
        allow_exact_matches=False,  # a close at the moment of a re-opening ends the spell before
    )
    placed["spell"] = placed["spell"].fillna(1).astype("int64")
    keys = ["lead_id", "spell"]
    last = placed.drop_duplicates(keys, keep="last")
    of_spell = spells[keys].merge(last, on=keys, how="left")
    reasons: pd.Series[str] = of_spell["reason"].fillna(NOT_STATED)
    return reasons
