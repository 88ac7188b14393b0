"""Which leads are looked at, and when: the list that is scored, and those learned from."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd

from leadscore.history.absences import seen_until
from leadscore.settings.target import Target
from leadscore.times import DAY_US, local_midnights


def build_grid(start_us: int, end_us: int, *, target: Target, seed: int, zone: str) -> np.ndarray:
    """The moments of scoring in [start_us, end_us), int64 (n,): every so many local midnights."""
    offset = _hash64(f"{seed}:grid") % target.cadence_days
    midnights = local_midnights(start_us, end_us, zone=zone)
    moments = [us for day, us in midnights if (day - offset) % target.cadence_days == 0]
    return np.array(moments, dtype=np.int64)


def build_open_list(spells: pd.DataFrame, *, as_of_us: int) -> pd.DataFrame:
    """The leads open at one moment, as `KEYS` with known_us = as_of_us: the list that is scored."""
    has_begun = spells["start_us"] < as_of_us
    is_closed = spells["close_us"] < as_of_us
    is_absent = seen_until(spells) < as_of_us
    rows = spells.loc[has_begun & ~is_closed & ~is_absent, ["lead_id", "spell"]]
    return rows.assign(as_of_us=as_of_us, known_us=as_of_us).reset_index(drop=True)


def build_grid_list(
    spells: pd.DataFrame, grid: np.ndarray, *, target: Target, seed: int
) -> pd.DataFrame:
    """The snapshots of each spell on the grid: the list that dated histories are learned from.

    Of a spell that was open at n dates, k = min(n, max_per_lead) are sampled, each with the weight
    n/k. They are those with the smallest hash of (seed, lead, as_of), so the sample does not depend
    on when or how the spell ended, as the first k or the last k would.

    Args:
        spells: as of `build_spells`.
        grid: (dates,) rising moments.
        target: cadence and `max_per_lead`.
        seed: of the sample.

    Returns:
        `KEYS`, grid_weight (n/k), and young (less than one step of the grid after the spell began).
    """
    start_us = spells["start_us"].to_numpy()
    end_us = seen_until(spells, spells["close_us"].to_numpy())
    first = np.searchsorted(grid, start_us, side="right")
    past_last = np.searchsorted(grid, end_us, side="right")
    n = np.maximum(past_last - first, 0)

    spell_place = np.repeat(np.arange(len(spells)), n)
    as_of_us = grid[first[spell_place] + _count_within(spell_place)]

    k = target.max_per_lead
    sampled = _sample_dates(spells["lead_id"], spell_place, as_of_us, k=k, seed=seed)
    spell_place = spell_place[sampled]
    as_of_us = as_of_us[sampled]

    weight = n / np.maximum(np.minimum(n, k), 1)
    age_us = as_of_us - start_us[spell_place]
    rows: pd.DataFrame = spells.iloc[spell_place][["lead_id", "spell"]].reset_index(drop=True)
    return rows.assign(
        as_of_us=as_of_us,
        known_us=as_of_us,
        grid_weight=weight[spell_place],
        young=age_us < target.cadence_days * DAY_US,
    )


def build_final_list(spells: pd.DataFrame) -> pd.DataFrame:
    """One snapshot of each lead, just after its place: the list undated histories are learned from.

    Columns as of `build_grid_list`.
    """
    after = spells["start_us"] + 1
    rows = spells[["lead_id", "spell"]].assign(
        as_of_us=after, known_us=after, grid_weight=1.0, young=False
    )
    return rows.reset_index(drop=True)


def _sample_dates(
    lead_ids: pd.Series[str], spell_place: np.ndarray, as_of_us: np.ndarray, *, k: int, seed: int
) -> np.ndarray:
    """Which dates (dates,) have one of the k smallest hashes of their spell.

    Args:
        lead_ids: (spells,) whose spell it is.
        spell_place: (dates,) rising, the spell of each date.
        as_of_us: (dates,) moments.
        k: how many dates a spell may have.
        seed: part of every hash.
    """
    n = np.bincount(spell_place, minlength=len(lead_ids))
    is_over = n > k  # only these need a hash
    seeded = [_hash64(f"{seed}:{lead_id}") for lead_id in lead_ids[is_over]]
    lead_hash = np.zeros(len(lead_ids), dtype=np.uint64)
    lead_hash[is_over] = np.array(seeded, dtype=np.uint64)

    rows = np.flatnonzero(is_over[spell_place])
    spell = spell_place[rows]
    date_hash = _mix(_mix(lead_hash[spell]) ^ as_of_us[rows].astype(np.uint64))
    order = np.lexsort((as_of_us[rows], date_hash, spell))

    sampled = np.ones(len(as_of_us), dtype=bool)
    sampled[rows[order]] = _count_within(spell[order]) < k
    return sampled


def _count_within(groups: np.ndarray) -> np.ndarray:
    """How many of the same group came before, (n,), where equal groups stand together.

    >>> _count_within(np.array([3, 3, 3, 5, 8, 8])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    begin = np.searchsorted(groups, groups, side="left")
    return np.arange(len(groups)) - begin


def _hash64(text: str) -> int:
    """A 64-bit hash of a text, the same on every machine and in every version of Python."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(x: np.ndarray) -> np.ndarray:
    """Hashes (n,) of uint64, spread over all bits: SplitMix64's finaliser (Steele et al. 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
