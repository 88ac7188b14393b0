"""Which leads are looked at, and when: the list that is scored, and those learned from."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from leadscore.history.absences import seen_until
from leadscore.settings.target import Target
from leadscore.times import DAY_US, local_midnights


def build_grid(
    start_us: int,
    end_us: int,
    *,
    target: Target,
    seed: int,
    zone: str,
) -> np.ndarray:
    """The moments of scoring in [start_us, end_us), int64 (n,): every so many local midnights."""
    cadence = target.cadence_days
    offset = _hash64(f"{seed}:grid") % cadence
    midnights = local_midnights(start_us, end_us, zone=zone)
    moments = [us for day, us in midnights if (day - offset) % cadence == 0]
    return np.array(moments, dtype=np.int64)


def build_open_list(spells: pd.DataFrame, *, as_of_us: int) -> pd.DataFrame:
    """The leads open at one moment, as `KEYS` with known_us = as_of_us: the list that is scored."""
    has_begun = spells["start_us"] < as_of_us
    is_closed = spells["close_us"] < as_of_us
    is_absent = seen_until(spells) < as_of_us
    is_listed = has_begun & ~is_closed & ~is_absent
    rows = spells.loc[is_listed, ["lead_id", "spell"]]
    rows = rows.assign(as_of_us=as_of_us, known_us=as_of_us)
    return rows.reset_index(drop=True)


def build_grid_list(
    spells: pd.DataFrame,
    grid: np.ndarray,
    *,
    target: Target,
    seed: int,
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
    k = target.max_per_lead
    dates = _list_dates(spells, grid)
    sampled = _sample_dates(dates, spells["lead_id"], k=k, seed=seed)
    spell = dates.spell[sampled]
    as_of_us = dates.as_of_us[sampled]

    weight = _weigh_spells(dates, k=k)
    start_us = spells["start_us"].to_numpy()
    age_us = as_of_us - start_us[spell]

    rows: pd.DataFrame = spells.iloc[spell][["lead_id", "spell"]]
    return rows.reset_index(drop=True).assign(
        as_of_us=as_of_us,
        known_us=as_of_us,
        grid_weight=weight[spell],
        young=age_us < target.cadence_days * DAY_US,
    )


def build_final_list(spells: pd.DataFrame) -> pd.DataFrame:
    """One snapshot of each lead, just after its place: the list undated histories are learned from.

    Columns as of `build_grid_list`.
    """
    after = spells["start_us"] + 1
    rows = spells[["lead_id", "spell"]].assign(
        as_of_us=after,
        known_us=after,
        grid_weight=1.0,
        young=False,
    )
    return rows.reset_index(drop=True)


@dataclass(frozen=True)
class _Dates:
    """The dates at which spells were open.

    Attributes:
        spell: (dates,) rising, the place of each date's spell.
        as_of_us: (dates,) moments, rising within a spell.
        per_spell: (spells,) how many dates each has.
    """

    spell: np.ndarray
    as_of_us: np.ndarray
    per_spell: np.ndarray


def _list_dates(spells: pd.DataFrame, grid: np.ndarray) -> _Dates:
    """All dates of a rising grid at which spells were open and followed."""
    end_us = seen_until(spells, spells["close_us"].to_numpy())
    start_us = spells["start_us"].to_numpy()
    first = np.searchsorted(grid, start_us, side="right")
    past_last = np.searchsorted(grid, end_us, side="right")
    n = np.maximum(past_last - first, 0)

    spells_in_order = np.arange(len(spells))
    spell = np.repeat(spells_in_order, n)
    place = first[spell] + _count_within(spell)
    return _Dates(spell, grid[place], per_spell=n)


def _sample_dates(
    dates: _Dates,
    lead_ids: pd.Series[str],
    *,
    k: int,
    seed: int,
) -> np.ndarray:
    """Which dates (dates,) have one of the k smallest hashes of their spell.

    Args:
        dates: to sample from.
        lead_ids: (spells,) whose spell it is.
        k: how many dates a spell may have.
        seed: part of every hash.
    """
    is_over = dates.per_spell > k  # only these need a hash
    lead_hash = np.zeros(len(lead_ids), dtype=np.uint64)
    lead_hash[is_over] = _hash_leads(lead_ids[is_over], seed)

    rows = np.flatnonzero(is_over[dates.spell])
    spell = dates.spell[rows]
    as_of_us = dates.as_of_us[rows]
    spell_hash = _mix(lead_hash[spell])
    date_hash = _mix(spell_hash ^ as_of_us.astype(np.uint64))
    order = np.lexsort((as_of_us, date_hash, spell))

    sampled = np.ones(len(dates.as_of_us), dtype=bool)
    sampled[rows[order]] = _count_within(spell[order]) < k
    return sampled


def _weigh_spells(dates: _Dates, *, k: int) -> np.ndarray:
    """For how many of its dates (spells,) a sampled date of each spell stands."""
    sampled = np.minimum(dates.per_spell, k)
    return np.asarray(dates.per_spell / np.maximum(sampled, 1))


def _hash_leads(lead_ids: pd.Series[str], seed: int) -> np.ndarray:
    hashes = [_hash64(f"{seed}:{lead_id}") for lead_id in lead_ids]
    return np.array(hashes, dtype=np.uint64)


def _count_within(groups: np.ndarray) -> np.ndarray:
    """How many of the same group came before, (n,), where equal groups stand together.

    >>> _count_within(np.array([3, 3, 3, 5, 8, 8])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    begin = np.searchsorted(groups, groups, side="left")
    return np.arange(len(groups)) - begin


def _hash64(text: str) -> int:
    """A 64-bit hash of a text, the same on every machine and in every version of Python."""
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _mix(x: np.ndarray) -> np.ndarray:
    """Hashes (n,) of uint64, spread over all bits: SplitMix64's finaliser (Steele et al. 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = _fold_down(x, 30) * np.uint64(0xBF58476D1CE4E5B9)
    x = _fold_down(x, 27) * np.uint64(0x94D049BB133111EB)
    return _fold_down(x, 31)


def _fold_down(x: np.ndarray, bits: int) -> np.ndarray:
    """Each number with its higher bits mixed into the lower ones."""
    higher = x >> np.uint64(bits)
    return np.asarray(x ^ higher)
