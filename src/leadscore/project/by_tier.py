"""What became of the leads of an earlier list, by the tier that it gave them.

A tier says how likely a lead was to be won when the list was made. So its leads are followed from that
date on: the list of today has open leads alone, and none of them can have been won.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.errors import UserError
from leadscore.funnel.groups import describe_groups
from leadscore.funnel.spells import list_endings
from leadscore.history.losses import count_visits_by_reason
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.publish.receipts import read_past_receipts
from leadscore.results.funnel import FunnelGroup
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us

TIER = "tier"
NOT_LISTED = ""


@dataclass(frozen=True)
class TierList:
    """The tier of each lead, by lead_id, on the list of a date."""

    as_of_us: int
    tiers: pd.Series[str]


def _read_list(settings: Settings, *, known_us: int, within_days: float) -> TierList:
    """The latest published list whose leads were followed for so many days by a moment."""
    listed = read_past_scores(settings)
    latest_us = known_us - round(within_days * DAY_US)
    old_enough = listed[listed["as_of_us"] <= latest_us]
    if old_enough.empty:
        raise UserError(_describe_missing(listed["as_of_us"], known_us, within_days))
    as_of_us = int(old_enough["as_of_us"].max())
    of_date = old_enough[old_enough["as_of_us"] == as_of_us]
    in_order = of_date.sort_values("publication_id")
    last = in_order.drop_duplicates("lead_id", keep="last")
    tiers: pd.Series[str] = last.set_index("lead_id")["tier"]
    return TierList(as_of_us, tiers)


def read_past_scores(settings: Settings) -> pd.DataFrame:
    """The rows of all published lists: the receipts' columns, and `as_of_us`."""
    folder = settings.project_folder()
    receipts = read_past_receipts(folder / "scores", folder / "store")
    rows: pd.DataFrame = receipts.to_pandas()
    return rows.assign(as_of_us=rows["as_of"].astype("int64"))


def _describe_missing(published_us: pd.Series[int], known_us: int, within_days: float) -> str:
    """What is needed, and what there is."""
    needed = (
        f"tiers need a list published at least {within_days:g} days before {format_us(known_us)}, "
        "to see what became of its leads"
    )
    if published_us.empty:
        return f"{needed}; no list was published yet"
    return f"{needed}; the oldest is of {format_us(int(published_us.min()))}"


def describe_tiers(history: History, *, known_us: int, within_days: float) -> dict[str, Any]:
    """The parts of a `Funnel` by tier, by their names: the best tier first.

    Args:
        history: of the project.
        known_us: the moment until which the leads of the list are followed.
        within_days: after the list, in which leads count as won or lost.

    Raises:
        UserError: no list is old enough.
    """
    listed = _read_list(history.settings, known_us=known_us, within_days=within_days)
    groups = _describe_groups(history, listed, known_us=known_us, within_days=within_days)
    return {
        "by": TIER,
        "groups": sorted(groups, key=lambda group: group.value),
        "tiers_as_of": format_us(listed.as_of_us),
    }


def _describe_groups(
    history: History,
    listed: TierList,
    *,
    known_us: int,
    within_days: float,
) -> list[FunnelGroup]:
    span = Span(listed.as_of_us, known_us)
    spells = history.spells(known_us)
    leads = spells["lead_id"].unique()
    parts = listed.tiers.reindex(leads).fillna(NOT_LISTED)
    visits = count_visits_by_reason(history, span, parts=parts)
    return describe_groups(
        _follow(spells, listed, known_us=known_us),
        visits[visits["part"] != NOT_LISTED],
        history.settings.stages,
        span,
        within_days=within_days,
    )


def _follow(spells: pd.DataFrame, listed: TierList, *, known_us: int) -> pd.DataFrame:
    """The spells in which the leads were listed, from the date of the list on, with their tier."""
    has_begun = spells["start_us"] <= listed.as_of_us
    goes_on = spells["close_us"] > listed.as_of_us
    tier = spells["lead_id"].map(listed.tiers)
    is_followed = has_begun & goes_on & tier.notna()
    followed = spells.assign(part=tier)[is_followed]
    begun = followed.assign(start_us=np.int64(listed.as_of_us))
    return list_endings(begun, known_us=known_us)
