"""The assignment problem as arrays: the leads, the reps, and what each assignment is worth.

All worth is in whole millionths of an average lead, so sums are exact and in any order the same.
They never overflow, since no lead is worth more than all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

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
    """Leads (n,) in the order of lead_id, reps (r,), and the worth of giving one to the other.

    Giving lead i to rep j is worth `worth[i]`, less `fallback_costs` if j is only a fallback, plus
    the bonus of the pair, plus `step_bonus` of the slot that it fills.

    Attributes:
        lead_id: (n,) text.
        value: (n,) what the lead is worth; money where amounts are known, else wins.
        worth: (n,) the same in millionths of an average lead, but more for explored leads. It is 1
            at least, so that no slot stays empty for nothing.
        owner: (n,) position of the rep who owns the lead, -1 for none.
        previous: (n,) position of the rep of last time, -1 for none.
        profiles: what the leads ask for, and who fits.
        bonuses: of owners and of the reps of last time.
        fallback_costs: of giving a lead to a fallback.
        step_bonus: (STEPS,) the fairness bonus of a slot, by fullness.
        reps: who can be given leads.
    """

    lead_id: np.ndarray
    value: np.ndarray
    worth: np.ndarray
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
        net[given] -= self.fallback_costs * self.is_fallback(given, rep[given])

        has_bonus = rep[self.bonuses.lead] == self.bonuses.rep
        np.add.at(net, self.bonuses.lead[has_bonus], self.bonuses.amount[has_bonus])
        return net

    def objective(self, rep: np.ndarray) -> int:
        """The total worth of an assignment, in millionths of an average lead."""
        filled = self.reps.fill_steps(self.reps.count(rep))
        fairness = (filled * self.step_bonus).sum()
        return int(self.net_worth(rep).sum() + fairness)


def build_problem(
    leads: pd.DataFrame,
    reps: pa.Table,
    settings: RoutingSettings,
    *,
    previous: Mapping[str, str],
    as_of_us: int,
) -> Problem:
    """The problem for `leads`, as `build_leads` makes them.

    Args:
        leads: a row a lead.
        reps: in the shape of `REPS`.
        settings: the section `routing`.
        previous: lead_id -> rep_id of the last run.
        as_of_us: the moment, for leave.
    """
    leads = leads.sort_values("lead_id", ignore_index=True)
    present = build_reps(reps, leads=len(leads), as_of_us=as_of_us)
    position = {rep_id: at for at, rep_id in enumerate(present.rep_id)}
    owner = _positions(leads["owner_id"], position)
    last = _positions(leads["lead_id"].map(previous), position)
    profiles = build_profiles(leads, present, settings)
    return Problem(
        lead_id=leads["lead_id"].to_numpy(dtype=object),
        value=leads["value"].to_numpy(dtype=np.float64),
        worth=_compute_worth(leads),
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
    return rep_id.map(position).fillna(-1).to_numpy(dtype=np.int64)


def _compute_worth(leads: pd.DataFrame) -> np.ndarray:
    """What each lead counts for (n,), in millionths of an average lead, 1 at least."""
    value = leads["value"].to_numpy(dtype=np.float64)
    average = value.mean() if value.sum() > 0 else 1.0
    counts_for = leads["counts_for"].to_numpy(dtype=np.float64)
    worth = np.rint(counts_for / average * UNIT)
    return np.maximum(worth, 1).astype(np.int64)


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
    allowed = profiles.can_take[profiles.of_lead[pairs["lead"]], pairs["rep"]]
    pairs = pairs[allowed].groupby(["lead", "rep"], as_index=False).sum()
    return Bonuses(
        lead=pairs["lead"].to_numpy(dtype=np.int64),
        rep=pairs["rep"].to_numpy(dtype=np.int64),
        amount=pairs["amount"].to_numpy(dtype=np.int64),
    )


def _list_bonuses(rep: np.ndarray, amount: float) -> pd.DataFrame:
    """A row a lead that has such a rep (n,)."""
    lead = np.flatnonzero(rep >= 0)
    columns = {"lead": lead, "rep": rep[lead], "amount": round(amount * UNIT)}
    return pd.DataFrame(columns)
