"""Which leads look the same to every rep, and which reps fit them.

Leads that ask for the same things share a profile, so that 100,000 leads and 500 reps are not 50
million arcs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.routing.reps import Reps
from leadscore.settings.routing import RoutingSettings

NO_FIT, FALLBACK, FITS = 0, 1, 2


@dataclass(frozen=True)
class Profiles:
    """The distinct wants of the leads (profiles,), in the order in which they first come.

    Attributes:
        of_lead: (n,) the profile of each lead.
        fields: criterion -> the lead's field that is compared.
        asked: criterion -> (profiles,) the value asked for, "" for none.
        covers: criterion -> (profiles, r) which reps cover that value.
        fit: (profiles, r) `NO_FIT`, `FALLBACK` or `FITS`.
    """

    of_lead: np.ndarray
    fields: dict[str, str]
    asked: dict[str, np.ndarray]
    covers: dict[str, np.ndarray]
    fit: np.ndarray

    @property
    def can_take(self) -> np.ndarray:
        """Which reps may be given a profile (profiles, r), if only as a fallback."""
        return np.asarray(self.fit > NO_FIT)

    @property
    def is_fallback(self) -> np.ndarray:
        """Which reps may be given a profile (profiles, r) as a fallback only."""
        return np.asarray(self.fit == FALLBACK)

    def list_asked(self, profile: int) -> list[str]:
        """What the leads of a profile ask for, as ["country AT", "language de"]."""
        wants = []
        for criterion, asked in self.asked.items():
            if asked[profile]:
                wants.append(f"{self.fields[criterion]} {asked[profile]}")
        return wants

    def list_missing(self, profile: int, rep: int) -> list[str]:
        """What the leads of a profile ask for and a rep does not cover."""
        missing = []
        for criterion, covers in self.covers.items():
            if not covers[profile, rep]:
                missing.append(f"{self.fields[criterion]} {self.asked[criterion][profile]}")
        return missing


def build_profiles(
    leads: pd.DataFrame,
    reps: Reps,
    settings: RoutingSettings,
) -> Profiles:
    """The profiles of `leads`, whose columns include the fields of `match`."""
    fields = settings.match.columns()
    codes: dict[str, np.ndarray] = {}
    values: dict[str, list[str]] = {}
    for criterion, field in fields.items():
        value_of_lead = leads[field].fillna("")
        codes[criterion], distinct = pd.factorize(value_of_lead)
        values[criterion] = list(distinct)
    columns = list(codes.values())
    of_lead, first = _number_rows(columns, rows=len(leads))

    asked: dict[str, np.ndarray] = {}
    covers: dict[str, np.ndarray] = {}
    for criterion, words in values.items():
        of_profile = codes[criterion][first]
        lists = reps.rows[criterion].to_pylist()
        asked[criterion] = np.asarray(words, dtype=object)[of_profile]
        covers[criterion] = _find_covering(words, lists)[of_profile]

    shape = (len(first), len(reps.rep_id))
    fit = _compute_fit(covers, reps, shape=shape, waived=settings.fallback)
    return Profiles(of_lead, fields, asked, covers, fit)


def _number_rows(columns: list[np.ndarray], *, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The number (rows,) of each distinct row of codes, and where each number first comes."""
    number = np.zeros(rows, dtype=np.int64)
    for codes in columns:
        width = codes.max(initial=0) + 1
        number, _ = pd.factorize(number * width + codes)
    _, first = np.unique(number, return_index=True)
    return number, first


def _find_covering(words: Sequence[str], lists: Sequence[Sequence[str]]) -> np.ndarray:
    """Which reps cover each word (words, r): all of them "", a rep without a list every word."""
    position = {word: at for at, word in enumerate(words)}
    shape = (len(words), len(lists))
    covers = np.zeros(shape, dtype=bool)
    for rep, listed in enumerate(lists):
        known = [position[word] for word in listed if word in position]
        covers[known, rep] = True
        covers[:, rep] |= not listed
    if "" in position:
        covers[position[""]] = True
    return covers


def _compute_fit(
    covers: dict[str, np.ndarray],
    reps: Reps,
    *,
    shape: tuple[int, int],
    waived: Sequence[str],
) -> np.ndarray:
    """`NO_FIT`, `FALLBACK` or `FITS` (profiles, r).

    A fallback covers all but what may be waived. It is in the team of a rep who fits, or anybody
    where none fits.
    """
    fits = np.ones(shape, dtype=bool)
    fits_if_waived = np.ones(shape, dtype=bool)
    for criterion, who in covers.items():
        fits &= who
        fits_if_waived &= who | (criterion in waived)

    fit = np.full(shape, NO_FIT, dtype=np.int8)
    if waived:
        nobody_fits = ~fits.any(axis=1, keepdims=True)
        may_stand_in = _find_team_mates(fits, reps.team) | nobody_fits
        fit[fits_if_waived & may_stand_in] = FALLBACK
    fit[fits] = FITS
    return fit


def _find_team_mates(fits: np.ndarray, team: np.ndarray) -> np.ndarray:
    """Which reps are in one team with a rep who fits (profiles, r); no team is none."""
    teams = sorted(set(team) - {""})
    names = np.array(teams, dtype=object)
    members = team[:, None] == names
    # float32 makes these products fast; the counts in them are small whole numbers
    weight = members.astype(np.float32)
    team_fits = (fits.astype(np.float32) @ weight) > 0
    mates = team_fits.astype(np.float32) @ weight.T
    return np.asarray(mates > 0)
