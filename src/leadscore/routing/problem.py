"""The assignment problem as arrays: the leads, the reps, and what each assignment is worth.

All worth is in whole millionths of an average lead, so sums are exact and in any order the same.
They never overflow, since no lead is worth more than all of them together.

Where better tiers get places first, each tier is worth more than whatever value, bonuses and costs
could outweigh. Leads that can be assigned together are independent in a transversal matroid, so
that the optimum then has as many leads of the best tier as any assignment, then of the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.routing.profiles import FALLBACK, Profiles, build_profiles
from leadscore.routing.reps import STEPS, UNIT, Reps, build_reps
from leadscore.settings.routing import RoutingSettings


@dataclass(frozen=True)
class Bonuses:
    """The bonus of a lead with its owner, and with its rep of last time; each pair once.

    Attributes:
        lead: (pairs,) position of the lead.
        rep: (pairs,) position of the rep.
        amount: (pairs,) in millionths of an average lead.
    """

    lead: np.ndarray
    rep: np.ndarray
    amount: np.ndarray


@dataclass(frozen=True)
class Problem:
    """Leads (n,) by lead_id, reps (r,), and the worth of giving one to the other.

    Giving lead i to rep j is worth `worth[i]`, less `fallback_costs` if j is only a fallback, plus
    the bonus of the pair, plus `step_bonus` of the slot that it fills.

    Attributes:
        row: (n,) which row each lead is of those that the problem was built from.
        value: (n,) what the lead is worth; money where amounts are known, else wins.
        worth: (n,) what counts: the same in millionths of an average lead, but more for explored
            leads, and the precedence of the tier. It is 1 at least, so that no slot stays empty
            for nothing.
        tier_step: what a tier is worth more than the next, in millionths of an average lead; 0
            where value alone counts.
        tier: (n,) steps that the lead's tier is above the worst one.
        owner: (n,) position of the rep who owns the lead, -1 for none.
        previous: (n,) position of the rep of last time, -1 for none.
        profiles: what the leads ask for, and who fits.
        bonuses: of owners and of the reps of last time.
        fallback_costs: of giving a lead to a fallback.
        step_bonus: (STEPS,) the fairness bonus of a slot, by fullness.
        reps: who can be given leads.
    """

    row: np.ndarray
    value: np.ndarray
    worth: np.ndarray
    tier_step: int
    tier: np.ndarray
    owner: np.ndarray
    previous: np.ndarray
    profiles: Profiles
    bonuses: Bonuses
    fallback_costs: int
    step_bonus: np.ndarray
    reps: Reps

    def is_fallback(self, lead: np.ndarray, rep: np.ndarray) -> np.ndarray:
        """Whether each pair of a lead and a rep (pairs,) is one of a fallback."""
        profile = self.profiles.of_lead[lead]
        return np.asarray(self.profiles.fit[profile, rep] == FALLBACK)

    def net_worth(self, rep: np.ndarray) -> np.ndarray:
        """What each lead brings (n,) with `rep` (n,), -1 for nobody; without fairness."""
        given = np.flatnonzero(rep >= 0)
        net = np.zeros(len(rep), dtype=np.int64)
        net[given] = self.worth[given]
        is_fallback = self.is_fallback(given, rep[given])
        net[given] -= self.fallback_costs * is_fallback

        bonuses = self.bonuses
        has_bonus = rep[bonuses.lead] == bonuses.rep
        leads = bonuses.lead[has_bonus]
        np.add.at(net, leads, bonuses.amount[has_bonus])
        return net

    def objective(self, rep: np.ndarray) -> int:
        """The total worth of an assignment but for tiers, in millionths of an average lead."""
        filled = self.reps.fill_steps(self.reps.count(rep))
        fairness = (filled * self.step_bonus).sum()
        of_tiers = self.tier_step * self.tier[rep >= 0].sum()
        return int(self.net_worth(rep).sum() + fairness - of_tiers)

    def without_tiers(self, gain: np.ndarray) -> np.ndarray:
        """Gains of single moves without what they bring by tiers."""
        if not self.tier_step:
            return gain
        steps = np.floor_divide(gain + self.tier_step // 2, self.tier_step)
        return np.asarray(gain - steps * self.tier_step)


def build_problem(
    leads: pd.DataFrame,
    reps: pa.Table,
    settings: RoutingSettings,
    *,
    previous: Mapping[str, str],
    as_of_us: int,
) -> Problem:
    """What is to be solved.

    Args:
        leads: a row a lead, as `build_leads` makes them.
        reps: in the shape of `REPS`.
        settings: the section `routing`.
        previous: lead_id -> rep_id of the last run.
        as_of_us: the moment, for leave.
    """
    lead_id = pa.array(leads["lead_id"], pa.string())
    by_lead_id = pc.sort_indices(lead_id).to_numpy()
    leads = leads.drop(columns="lead_id").iloc[by_lead_id].reset_index(drop=True)
    present = build_reps(reps, leads=len(leads), as_of_us=as_of_us)
    position = {rep_id: at for at, rep_id in enumerate(present.rep_id)}
    owner = _positions(leads["owner_id"], position)
    last = _find_last(lead_id, previous, position)[by_lead_id]
    profiles = build_profiles(leads, present, settings)
    value, tier = _compute_worth(leads), _rank_tiers(leads, settings)
    tier_step = _compute_tier_step(value, settings, reps=len(present.rep_id))
    return Problem(
        row=by_lead_id.astype(np.int64),
        value=leads["value"].to_numpy(dtype=np.float64),
        worth=value + tier_step * tier,
        tier_step=tier_step,
        tier=tier,
        owner=owner,
        previous=last,
        profiles=profiles,
        bonuses=_build_bonuses(profiles, settings, owner=owner, previous=last),
        fallback_costs=round(settings.fallback_costs * UNIT),
        step_bonus=_compute_step_bonus(settings.fairness),
        reps=present,
    )


def _positions(rep_id: pd.Series[str], position: Mapping[str, int]) -> np.ndarray:
    """The positions of reps (n,), -1 where there is none of that name."""
    place = rep_id.map(position).fillna(-1)
    return place.to_numpy(dtype=np.int64)


def _find_last(
    lead_id: pa.Array,
    previous: Mapping[str, str],
    position: Mapping[str, int],
) -> np.ndarray:
    """The positions of the reps of last time (n,), -1 for none."""
    reps = [position.get(rep_id, -1) for rep_id in previous.values()]
    with_nobody = np.array([*reps, -1], dtype=np.int64)  # at the place -1
    place = pc.index_in(lead_id, pa.array(previous, pa.string()))
    return np.asarray(with_nobody[place.fill_null(-1).to_numpy()])


def _compute_worth(leads: pd.DataFrame) -> np.ndarray:
    """What each lead counts for (n,), in millionths of an average lead, 1 at least."""
    value = leads["value"].to_numpy(dtype=np.float64)
    average = value.mean() if value.sum() > 0 else 1.0
    counts_for = leads["counts_for"].to_numpy(dtype=np.float64)
    worth = np.rint(counts_for / average * UNIT)
    return np.maximum(worth, 1).astype(np.int64)


def _rank_tiers(leads: pd.DataFrame, settings: RoutingSettings) -> np.ndarray:
    """Steps (n,) that each lead's tier is above the worst routed; explored ones are of the best."""
    worst_first = sorted(settings.tiers, reverse=True)
    best = worst_first[-1]
    steps = {tier: at for at, tier in enumerate(worst_first)}
    tier = leads["tier"].mask(leads["explored"], best)
    return tier.map(steps).fillna(0).to_numpy(dtype=np.int64)


def _compute_tier_step(value: np.ndarray, settings: RoutingSettings, *, reps: int) -> int:
    """More than any lead is worth, and than a chain of moves over all reps could gain or lose."""
    if settings.prefer == "value" or not len(value):
        return 0
    costs = (
        settings.stickiness + settings.change_costs + settings.fairness + settings.fallback_costs
    )
    of_chain = round(costs * UNIT) * (reps + 1)
    return 2 * (int(value.max()) + 2 * of_chain) + 2


def _compute_step_bonus(fairness: float) -> np.ndarray:
    """The bonus of a slot by fullness (STEPS,): `fairness` in an idle rep, 0 in a full one."""
    falling = np.linspace(1, 0, STEPS)
    return np.rint(fairness * UNIT * falling).astype(np.int64)


def _build_bonuses(
    profiles: Profiles,
    settings: RoutingSettings,
    *,
    owner: np.ndarray,
    previous: np.ndarray,
) -> Bonuses:
    """The bonuses of reps who may take the lead; an owner who had it last time brings both."""
    parts = [
        _list_bonuses(owner, settings.stickiness),
        _list_bonuses(previous, settings.change_costs),
    ]
    pairs = pd.concat(parts, ignore_index=True)
    profile = profiles.of_lead[pairs["lead"]]
    may_take = profiles.can_take[profile, pairs["rep"]]
    by_pair = pairs[may_take].groupby(["lead", "rep"], as_index=False)
    pairs = by_pair.sum()
    return Bonuses(
        lead=pairs["lead"].to_numpy(dtype=np.int64),
        rep=pairs["rep"].to_numpy(dtype=np.int64),
        amount=pairs["amount"].to_numpy(dtype=np.int64),
    )


def _list_bonuses(rep: np.ndarray, amount: float) -> pd.DataFrame:
    """A row a lead that has such a rep (n,)."""
    lead = np.flatnonzero(rep >= 0)
    whole_amount = round(amount * UNIT)
    columns = {"lead": lead, "rep": rep[lead], "amount": whole_amount}
    return pd.DataFrame(columns)
