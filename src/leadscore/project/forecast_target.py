"""How many new leads a target of a forecast takes, by stage and by source."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leadscore.errors import UserError
from leadscore.funnel.arrivals import WEEK_US, WEEKS, expect_leads
from leadscore.funnel.forecast import Simulated, usual_revenue
from leadscore.funnel.needed import WINS, Race, build_race, compute_needed, expect_visits
from leadscore.funnel.outlook import Outlook
from leadscore.funnel.sources import split_by_source
from leadscore.funnel.spells import list_endings
from leadscore.funnel.stages import describe_moves, describe_stages
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.project.by_tier import TIER
from leadscore.project.outlooks import Looked
from leadscore.project.parts import read_parts
from leadscore.results.needed import LeadsFromSource, LeadsNeeded
from leadscore.times import DAY_US

YEAR_US = 365 * DAY_US


@dataclass(frozen=True)
class Target:
    """What is to be reached in all periods of a forecast.

    Attributes:
        amount: wins or revenue.
        is_revenue: whether it is one of revenue.
        by: what new leads are told apart by (see `read_parts`); None: by nothing.
    """

    amount: float
    is_revenue: bool
    by: str | None = None


def read_target(wins: float | None, revenue: float | None, by: str | None) -> Target | None:
    """The target that was asked for; None for none.

    Raises:
        UserError: what is asked for makes no sense.
    """
    if wins is not None and revenue is not None:
        raise UserError("ask for a target of wins or one of revenue, not for both")
    amount = wins if revenue is None else revenue
    if amount is None:
        if by is not None:
            raise UserError("--target-by needs a target: add --target-wins or --target-revenue")
        return None
    if by == TIER:
        raise UserError(
            "new leads have no tier until they are on a list: ask by a field of leads, rep or team"
        )
    if not 0 < amount < math.inf:
        raise UserError(f"a target is a number above 0, not {amount}")
    if revenue is None and amount != round(amount):
        raise UserError(f"a target of wins is a whole number, not {amount}")
    return Target(amount, revenue is not None, by)


def need_leads(
    history: History,
    looked: Looked,
    simulated: Simulated,
    target: Target,
) -> LeadsNeeded:
    """The leads needed for a target.

    Raises:
        UserError: it is one of revenue and no amounts are known, or leads cannot be told apart so.
    """
    outlook = looked.outlook
    if target.is_revenue and not outlook.has_amounts:
        raise UserError(f"{looked.why_no_amounts}, so a target can only be one of wins")
    race = build_race(
        simulated,
        usual_revenue(outlook),
        target=target.amount,
        unit=looked.currency or "revenue" if target.is_revenue else WINS,
        arriving=_count_arriving(outlook, end_us=simulated.periods[-1].end_us),
        seed=outlook.seed,
    )
    needed = compute_needed(
        simulated,
        race,
        pipeline=float(outlook.leads["amount"].sum()) if target.is_revenue else None,
        reps=_count_reps(history, outlook),
    )
    more: dict[str, object] = {}
    if needed.leads:
        more["visits"] = _expect_visits(history, outlook, leads=needed.leads)
    if target.by is not None:
        more["source_field"] = target.by
        more["sources"] = _list_sources(history, outlook, needed, race, by=target.by)
    return needed.model_copy(update=more)


def _count_arriving(outlook: Outlook, *, end_us: int) -> float:
    """How many leads are expected to arrive until the end."""
    leads, _ = expect_leads(
        outlook.arrivals,
        start_us=outlook.as_of_us,
        end_us=end_us,
        zone=outlook.zone,
    )
    return float(leads.sum())


def _list_sources(
    history: History,
    outlook: Outlook,
    needed: LeadsNeeded,
    race: Race,
    *,
    by: str,
) -> list[LeadsFromSource]:
    known_us = history.known_us(outlook.as_of_us)
    spells = list_endings(history.spells(known_us), known_us=known_us)
    parts = read_parts(history, by, known_us=known_us)
    return split_by_source(
        needed,
        race,
        spells.assign(part=spells["lead_id"].map(parts)),
        known_us=known_us,
        within_days=outlook.horizon_days,
    )


def _expect_visits(history: History, outlook: Outlook, *, leads: int) -> dict[str, int]:
    known_us = history.known_us(outlook.as_of_us)
    span = Span(known_us - YEAR_US, known_us)
    visits = history.count_visits(span)
    stages = history.settings.stages
    flows = describe_stages(visits, stages)
    return expect_visits(flows, describe_moves(visits, stages), leads=leads)


def _count_reps(history: History, outlook: Outlook) -> int:
    """How many owners the leads of the last weeks have, on which the rate of new leads rests."""
    known_us = history.known_us(outlook.as_of_us)
    since_us = known_us - WEEKS * WEEK_US
    spells = history.spells(known_us)
    recent = set(spells.loc[spells["start_us"] >= since_us, "lead_id"])
    owners = history.known_values(["owner_id"], as_of_us=known_us).to_pandas()
    of_recent = owners.loc[owners["lead_id"].isin(recent), "owner_id"]
    return int(of_recent.nunique())
