"""The question that routing answers, as arrays: which leads, which reps, who may take what, and what that is worth.

Leads that fit the same reps share a profile, so that 100,000 leads and 500 reps are not 50 million arcs.
All worth is in whole millionths of an average lead: sums are exact, and never overflow, since no lead is worth more
than all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.settings.routing import RoutingSettings

UNIT = 1_000_000  # of an average lead
STEPS = 10  # of fullness, in which fairness rises
NOT, TEAM_MATE, FITS = 0, 1, 2


@dataclass(frozen=True)
class Reps:
    """The reps, by rep_id: who they are, and how many leads each can be given now.

    `places` (r,) is what capacity, load, leave and the largest share leave free; `least` (r,) is the minimum share in
    leads, as asked for; `route_wishes.grant_shares` lowers it to what can be met. `steps` (r, STEPS) are the places
    by fullness, the first in a rep who is idle.
    """

    rows: pa.Table
    rep_id: np.ndarray
    team: np.ndarray
    capacity: np.ndarray
    load: np.ndarray
    away: np.ndarray
    places: np.ndarray
    least: np.ndarray
    steps: np.ndarray


@dataclass(frozen=True)
class Problem:
    """Leads by lead_id (n,), reps (r,), and the worth of giving one to the other.

    Giving lead i to rep j is worth `worth[i]`, less `mate_costs` if j only steps in for who fits, plus the bonus
    of the pair, plus `step_bonus` of the place that it takes. `value` is what the lead is truly worth, and `worth` the
    same in millionths of an average lead, but for explored leads; it is 1 at least, so that a place is never left empty
    for nothing.
    """

    lead_id: np.ndarray
    value: np.ndarray
    worth: np.ndarray
    owner: np.ndarray  # (n,) position of the rep, -1 if none
    previous: np.ndarray
    profile: np.ndarray
    called: dict[str, str]  # by criterion, the field of a lead
    asked: dict[
        str, np.ndarray
    ]  # by criterion, what the leads of each profile ask for, "" for nothing
    covers: dict[str, np.ndarray]  # by criterion, who gives that (profiles, r)
    fit: np.ndarray  # (profiles, r): NOT, TEAM_MATE, FITS
    bonus_lead: np.ndarray
    bonus_rep: np.ndarray
    bonus: np.ndarray
    mate_costs: int
    step_bonus: np.ndarray
    reps: Reps

    def net(self, rep: np.ndarray) -> np.ndarray:
        """What each lead brings (n,) where it is given to `rep` (n,), -1 for nobody; without the fairness of places."""
        given = rep >= 0
        found = np.where(given, self.worth, 0)
        found[given] -= self.mate_costs * (self.fit[self.profile[given], rep[given]] == TEAM_MATE)
        held = rep[self.bonus_lead] == self.bonus_rep
        np.add.at(found, self.bonus_lead[held], self.bonus[held])
        return found

    def objective(self, rep: np.ndarray) -> int:
        """What an assignment is worth, in millionths of an average lead."""
        taken = np.bincount(rep[rep >= 0], minlength=len(self.reps.rep_id))
        return int(
            self.net(rep).sum() + (fill_steps(self.reps.steps, taken) * self.step_bonus).sum()
        )


def fill_steps(steps: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """How much of each step (r, STEPS) is taken by so many leads (r,), the emptiest first."""
    before = np.cumsum(steps, axis=1) - steps
    return np.asarray(np.clip(taken[:, None] - before, 0, steps))


def build_problem(
    leads: pd.DataFrame,
    reps: pa.Table,
    settings: RoutingSettings,
    *,
    previous: Mapping[str, str],
    as_of_us: int,
) -> Problem:
    """The question for `leads`, whose columns are lead_id, value, counts_for, owner_id and the fields of `match`."""
    leads = leads.sort_values("lead_id", ignore_index=True)
    there = build_reps(reps, leads=len(leads), as_of_us=as_of_us)
    at = {rep_id: i for i, rep_id in enumerate(there.rep_id)}
    owner = leads["owner_id"].map(at).fillna(-1).to_numpy(dtype=np.int64)
    before = leads["lead_id"].map(previous).map(at).fillna(-1).to_numpy(dtype=np.int64)
    profile, asked, covers, fit = _build_fit(leads, there, settings)
    value = leads["value"].to_numpy(dtype=np.float64)
    mean = value.mean() if len(value) and value.sum() > 0 else 1.0
    bonus = [(owner, settings.stickiness), (before, settings.change_costs)]
    pairs = pd.DataFrame(
        {
            "lead": np.concatenate([np.flatnonzero(rep >= 0) for rep, _ in bonus]),
            "rep": np.concatenate([rep[rep >= 0] for rep, _ in bonus]),
            "bonus": np.concatenate(
                [np.full((rep >= 0).sum(), round(worth * UNIT)) for rep, worth in bonus]
            ),
        }
    )
    pairs = (
        pairs[fit[profile[pairs["lead"]], pairs["rep"]] > NOT]
        .groupby(["lead", "rep"], as_index=False)
        .sum()
    )
    return Problem(
        lead_id=leads["lead_id"].to_numpy(dtype=object),
        value=value,
        worth=np.maximum(
            np.rint(leads["counts_for"].to_numpy(dtype=np.float64) / mean * UNIT), 1
        ).astype(np.int64),
        owner=owner,
        previous=before,
        profile=profile,
        called=settings.match.columns(),
        asked=asked,
        covers=covers,
        fit=fit,
        bonus_lead=pairs["lead"].to_numpy(dtype=np.int64),
        bonus_rep=pairs["rep"].to_numpy(dtype=np.int64),
        bonus=pairs["bonus"].to_numpy(dtype=np.int64),
        mate_costs=round(settings.fallback_costs * UNIT),
        step_bonus=np.rint(settings.fairness * UNIT * np.linspace(1, 0, STEPS)).astype(np.int64),
        reps=there,
    )


def build_reps(rows: pa.Table, *, leads: int, as_of_us: int) -> Reps:
    """The reps with their free places, where so many leads ask for one.

    A share is of the leads that can be given at all: `leads`, or all free places if these are fewer.
    """
    rows = rows.sort_by("rep_id")
    capacity, load = (rows[name].to_numpy() for name in ("capacity", "load"))
    away = _is_away(rows, as_of_us)
    free = np.where(away, 0, np.maximum(capacity - load, 0))
    given = min(leads, int(free.sum()))
    low, high = (
        np.rint(rows[name].to_numpy() * UNIT).astype(np.int64)
        for name in ("min_share", "max_share")
    )
    places = np.minimum(free, high * given // UNIT)
    least = np.where(away, 0, -(-low * given // UNIT))
    edges = np.clip(
        capacity[:, None] * np.arange(1, STEPS + 1) // STEPS,
        load[:, None],
        (load + places)[:, None],
    )
    return Reps(
        rows=rows,
        rep_id=rows["rep_id"].to_numpy(),
        team=np.array(rows["team"].fill_null("").to_pylist(), dtype=object),
        capacity=capacity,
        load=load,
        away=away,
        places=places,
        least=least,
        steps=np.diff(edges, axis=1, prepend=load[:, None]),
    )


def _is_away(rows: pa.Table, as_of_us: int) -> np.ndarray:
    """Who is on leave at as_of (r,); without an end it lasts, without a begin it began long ago."""
    begin, end = (rows[name].cast(pa.int64()).to_pylist() for name in ("away_from", "away_until"))
    return np.array(
        [
            (a is not None or b is not None)
            and (a is None or a <= as_of_us)
            and (b is None or as_of_us <= b)
            for a, b in zip(begin, end, strict=True)
        ],
        dtype=bool,
    )


def _build_fit(
    leads: pd.DataFrame, reps: Reps, settings: RoutingSettings
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Profile of each lead (n,); by criterion what each profile asks for, and who covers that; who fits it."""
    columns = settings.match.columns()
    coded: dict[str, Any] = {
        name: pd.factorize(leads[field].fillna("")) for name, field in columns.items()
    }
    teams, team = np.unique(reps.team.astype(str), return_inverse=True)
    profile, first = _number([codes for codes, _ in coded.values()], n=len(leads))
    distinct = {name: codes[first] for name, (codes, _) in coded.items()}
    asked = {
        name: np.asarray(words, dtype=object)[distinct[name]] for name, (_, words) in coded.items()
    }
    covers = {
        name: _cover(list(words), reps.rows[name].to_pylist())[distinct[name]]
        for name, (_, words) in coded.items()
    }
    everybody = np.ones((len(first), len(team)), dtype=bool)
    fits, waived = everybody.copy(), everybody.copy()
    for name, who in covers.items():
        fits &= who
        waived &= who | (name in settings.fallback)
    members = np.equal.outer(team, np.arange(len(teams))) & (teams != "")
    near = (fits.astype(np.float32) @ members.astype(np.float32)) > 0
    mates = waived & (
        ((near.astype(np.float32) @ members.T.astype(np.float32)) > 0)
        | ~fits.any(axis=1, keepdims=True)
    )
    fit = np.where(fits, FITS, np.where(mates & bool(settings.fallback), TEAM_MATE, NOT)).astype(
        np.int8
    )
    return profile, asked, covers, fit


def _number(columns: list[np.ndarray], *, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A number (n,) for each distinct row of codes, 0 on in the order of their first rows, and those first rows."""
    number = np.zeros(n, dtype=np.int64)
    for codes in columns:
        number, _ = pd.factorize(number * (codes.max(initial=0) + 1) + codes)
    return number, np.unique(number, return_index=True)[1]


def _cover(words: list[str], lists: list[list[str]]) -> np.ndarray:
    """Who (words, r) gives what is asked for: everybody where nothing is asked, and whoever has no list."""
    at = {word: i for i, word in enumerate(words)}
    found = np.zeros((len(words), len(lists)), dtype=bool)
    for j, listed in enumerate(lists):
        found[[at[word] for word in listed if word in at], j] = True
        found[:, j] |= not listed
    if "" in at:
        found[at[""]] = True
    return found
