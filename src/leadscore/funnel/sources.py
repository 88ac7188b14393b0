"""How many new leads of each source a target takes: as they come today, or from one source alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from leadscore.funnel.arrivals import WEEK_US, WEEKS
from leadscore.funnel.competing import Z
from leadscore.funnel.needed import Race
from leadscore.funnel.spells import share_of_leads
from leadscore.results.base import Interval
from leadscore.results.needed import LeadsFromSource, LeadsNeeded
from leadscore.times import DAY_US

OF_ALL = ("leads_low", "leads", "leads_high")
ALONE = {"alone_low": 0.1, "alone": 0.5, "alone_high": 0.9}  # -> the chance to reach the target
YEAR_US = 365 * DAY_US  # of leads, on which the win rates of the sources rest


def split_by_source(
    needed: LeadsNeeded,
    race: Race,
    spells: pd.DataFrame,
    *,
    known_us: int,
    within_days: float,
) -> list[LeadsFromSource]:
    """The leads that a target takes by source, most new leads first.

    The sources' shares are those of the last 26 weeks. From one source alone it takes more where
    fewer of its leads are won (see `_race_alone`).

    Args:
        needed: of the target.
        race: that it was computed by.
        spells: as `list_endings` returns them, with the source as column part.
        known_us: the moment by which they are known.
        within_days: in which a lead counts as won in the rates.
    """
    shares = _share_out(spells, known_us=known_us)
    if shares.empty:
        return []
    of_year = spells[spells["start_us"] >= known_us - YEAR_US]
    usual = share_of_leads(of_year, "won", within_days, known_us=known_us)
    sources = []
    for (source, share), at_mix in zip(shares.items(), _at_mix(needed, shares), strict=True):
        own = of_year[of_year["part"] == source]
        won = share_of_leads(own, "won", within_days, known_us=known_us)
        needs = LeadsFromSource(
            source=str(source),
            share=share,
            arriving=needed.arriving * share,
            won=won,
            within_days=within_days,
            **at_mix,
            **_need_alone(_race_alone(race, won, usual)),
        )
        sources.append(needs)
    return sources


def _at_mix(needed: LeadsNeeded, shares: pd.Series[float]) -> list[dict[str, int | None]]:
    """The leads from each source if the mix of sources stays, for each chance."""
    of_sources = [split_leads(getattr(needed, name), shares.to_numpy()) for name in OF_ALL]
    return [dict(zip(OF_ALL, leads, strict=True)) for leads in zip(*of_sources, strict=True)]


def _share_out(spells: pd.DataFrame, *, known_us: int) -> pd.Series[float]:
    """The share of each source in the leads of the last `WEEKS`, largest first."""
    is_recent = spells["start_us"] >= known_us - WEEKS * WEEK_US
    counts = spells.loc[is_recent, "part"].value_counts()
    return counts / counts.sum()


def _need_alone(alone: Race | None) -> dict[str, int | None]:
    """The leads of one source alone, for each chance."""
    if alone is None:
        return dict.fromkeys(ALONE)
    return {name: alone.leads_for(chance) for name, chance in ALONE.items()}


def split_leads(total: int | None, shares: np.ndarray) -> Sequence[int | None]:
    """A number of leads in whole ones by shares (n,) that add up to 1; the parts add up to it."""
    if total is None:
        return [None] * len(shares)
    up_to = total * np.cumsum(shares)
    whole = np.rint(up_to).astype(int)
    parts: list[int | None] = np.diff(whole, prepend=0).tolist()
    return parts


def _race_alone(race: Race, won: Interval, usual: Interval) -> Race | None:
    """The race with new leads of one source alone; None where its win rate is not known, or 0.

    The chance of a new lead to be won by the date is multiplied by the win rate of the source over
    that of all leads, which is drawn from a gamma distribution, for both are estimates.
    """
    if not won.value or not usual.value:
        return None
    mean = won.value / usual.value
    relative = _relative_variance(won) + _relative_variance(usual)
    variance = mean**2 * relative
    draws = len(race.wins_per_lead)
    factor = np.full(draws, mean)
    if variance > 0:
        rng = np.random.default_rng(race.seed)
        shape = mean**2 / variance
        scale = variance / mean
        factor = rng.gamma(shape, scale, draws)
    return replace(race, wins_per_lead=race.wins_per_lead * factor)


def _relative_variance(share: Interval) -> float:
    """The square of a share's relative standard error, by its 95% interval."""
    if not share.value or share.low is None or share.high is None:
        return 0.0
    error = (share.high - share.low) / (2 * Z)
    return (error / share.value) ** 2
