"""Stages that stand side by side: columns of the leads' file that say when each was entered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from leadscore.audit.names import words_of
from leadscore.engine.protocol import literal, quoted_name
from leadscore.onboarding import words
from leadscore.onboarding.profile import Column
from leadscore.onboarding.roles import Leads, is_before

STAGE_DATES = "stage_dates"  # the view of them
FEWEST = 2
NO_STAGE = (
    "last latest next modified updated changed synced expected due planned scheduled activity contact birth "
    "birthday renewal contract invoice delivery paid payment import export"
)
SAYS_WHEN = "date time timestamp ts ms at on when entered reached became moved into first datum"


def find_stage_dates(leads: Leads) -> dict[str, Column]:
    """Stage -> the column that says when leads entered it, the earliest first; {} where none do.

    They follow the creation, come before the close, and only some leads have them.
    """
    chosen = [column for column in leads.profile.dates() if _is_stage_date(column, leads)]
    if len(chosen) < FEWEST:
        return {}
    in_order = sorted(chosen, key=_median_moment)
    stages = {_stage_of(column): column for column in in_order}
    return stages if len(stages) == len(chosen) else {}


def _median_moment(column: Column) -> float:
    moments = column.moments[column.has_moment]
    return float(np.median(moments))


def _is_stage_date(column: Column, leads: Leads) -> bool:
    if column.name in leads.parts() or leads.created is None:
        return False
    stage = _stage_of(column)
    if not stage or words.speaks_of(stage, f"{NO_STAGE} {words.CREATED} {words.CLOSED}"):
        return False
    is_of_all = column.filled == column.rows  # no later stage is
    follows = is_before(leads.created, column)
    return not is_of_all and follows and all(is_before(column, end) for end in leads.ends())


def _stage_of(column: Column) -> str:
    noise = set(SAYS_WHEN.split())
    return " ".join(word for word in words_of(column.name) if word not in noise)


def stages_sql(leads: Leads, stages: Mapping[str, Column]) -> str:
    """A SELECT with a row for each stage that a lead entered: lead, stage, entered.

    Some CRMs give skipped stages the time of the close; such rows are left out.
    """
    selects = [_select(leads, stage, column) for stage, column in stages.items()]
    return " UNION ALL ".join(selects)


def _select(leads: Leads, stage: str, column: Column) -> str:
    id_name = leads.id.name if leads.id else ""
    moment = quoted_name(column.name)
    conditions = [f"{moment} IS NOT NULL"]
    conditions += [f"{moment} IS DISTINCT FROM {quoted_name(end.name)}" for end in leads.ends()]
    return (
        f"SELECT {quoted_name(id_name)} AS lead, {literal(stage)} AS stage, {moment} AS entered "
        f"FROM {quoted_name(leads.source)} WHERE {' AND '.join(conditions)}"
    )
