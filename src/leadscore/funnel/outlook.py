"""All that a forecast begins with, as known at a moment: open leads, past wins, timing, arrivals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from leadscore.errors import TooLittleHistoryError
from leadscore.funnel.arrivals import Arrivals, fit_arrivals
from leadscore.funnel.competing import HOURS
from leadscore.funnel.pipelines import read_pipelines
from leadscore.funnel.spells import list_endings
from leadscore.funnel.timing import WinTiming, days_to_win, fit_timing, win_probability_within
from leadscore.funnel.wins import compute_paid_share, read_wins
from leadscore.history.split import History
from leadscore.model.pace.pace import Pace
from leadscore.times import DAY_US
from leadscore.wording import counted

LEAST_WINS = 30  # on which a timing can rest
NO_PIPELINE = ""  # of a lead that has entered no open stage


@dataclass(frozen=True)
class Stream:
    """Leads of one of several pipelines: how fast they are won, how many arrive, what was won.

    The timing is that of all leads where fewer than 30 of its own were won.
    """

    timing: WinTiming
    arrivals: Arrivals
    wins: pd.DataFrame


@dataclass(frozen=True)
class Outlook:
    """What a forecast begins with.

    Attributes:
        as_of_us: the moment.
        zone: whose calendar counts.
        seed: of everything random.
        horizon_days: of the probabilities.
        leads: the open leads, a row a lead: lead_id, spell, probability, amount (NaN where nothing
            is known), age in days, the shares of its pace, and pipeline where there are several.
        pace_days: by which these shares come.
        timing: how fast leads are won.
        arrivals: how many arrive.
        wins: past wins, as of `read_wins`.
        paid_share: what wins bring as a share of the amount asked for.
        first_us: the first moment of the history.
        streams: by pipeline, where there are several, with `NO_PIPELINE` last.
    """

    as_of_us: int
    zone: str
    seed: int
    horizon_days: int
    leads: pd.DataFrame
    pace_days: tuple[float, ...]
    timing: WinTiming
    arrivals: Arrivals
    wins: pd.DataFrame
    paid_share: float
    first_us: int
    streams: dict[str, Stream] = field(default_factory=dict)

    def parts(self) -> dict[str, Outlook]:
        """The outlook of each pipeline; the whole where there is only one."""
        if not self.streams:
            return {NO_PIPELINE: self}
        parts = {}
        for place, (name, stream) in enumerate(self.streams.items()):
            parts[name] = replace(
                self,
                seed=self.seed + place,
                leads=self.leads[self.leads["pipeline"] == name],
                timing=stream.timing,
                arrivals=stream.arrivals,
                wins=stream.wins,
                streams={},
            )
        return parts

    @property
    def has_amounts(self) -> bool:
        """Whether revenue can be told."""
        return bool(self.leads["amount"].notna().any() and self.wins["revenue"].notna().any())

    @property
    def revenue(self) -> np.ndarray:
        """What each open lead (n,) brings if won; 0 where nothing is known."""
        return self.leads["amount"].fillna(0.0).to_numpy(dtype=float) * self.paid_share

    @property
    def probability(self) -> np.ndarray:
        """The probability (n,) of a win within the horizon."""
        return self.leads["probability"].to_numpy(dtype=float)

    @property
    def age(self) -> np.ndarray:
        """Of each open lead (n,), in days."""
        return self.leads["age"].to_numpy(dtype=float)

    @property
    def pace(self) -> Pace:
        """How each probability is spread over the horizon."""
        columns = _name_shares(len(self.pace_days))
        shares = self.leads[columns].to_numpy(dtype=float)
        return Pace(np.array(self.pace_days), shares)

    def win_by(self, moment_us: int) -> np.ndarray:
        """The probability (n,) that each open lead is won before a moment."""
        days = max(moment_us - self.as_of_us, 0) / DAY_US
        return self._of_each(
            lambda part: win_probability_within(
                part.probability, part.timing, part.age, part.pace, days=days
            )
        )

    def close_us(self, share: float) -> np.ndarray:
        """When (n,) each open lead is won, if it is: the date before which such a share of them is.

        With a share of 0.5 it is the median of such leads.
        """
        days = self._of_each(
            lambda part: days_to_win(
                part.probability, part.timing, part.age, part.pace, share=share
            )
        )
        ahead_us = np.rint(days * DAY_US)
        return np.asarray(self.as_of_us + ahead_us, dtype=np.int64)

    def _of_each(self, compute: Callable[[Outlook], np.ndarray]) -> np.ndarray:
        """What is computed of each open lead (n,) from the outlook of its pipeline."""
        computed = np.empty(len(self.leads))
        for name, part in self.parts().items():
            own = slice(None) if not self.streams else (self.leads["pipeline"] == name).to_numpy()
            computed[own] = compute(part)
        return computed


def _name_shares(count: int) -> list[str]:
    """The columns that hold the shares of a pace, one for each of its days."""
    return [f"share_{place}" for place in range(count)]


def with_pace(leads: pd.DataFrame, pace: Pace) -> pd.DataFrame:
    """The leads with a column for the shares of their pace at each of its days."""
    names = _name_shares(len(pace.days))
    return leads.assign(**dict(zip(names, pace.shares.T, strict=True)))


def build_outlook(
    history: History,
    leads: pd.DataFrame,
    pace: Pace,
    *,
    as_of_us: int,
) -> Outlook:
    """The outlook at a moment, from what was known then.

    Args:
        history: where the leads are.
        leads: the open ones: lead_id, spell, probability and amount.
        pace: of these leads.
        as_of_us: the moment.

    Raises:
        TooLittleHistoryError: too few wins are known.
    """
    known_us = history.known_us(as_of_us)
    spells = history.spells(known_us)
    zone = history.settings.timezone
    first_us = history.version.first_us
    opened_us = spells["start_us"].to_numpy()
    wins = read_wins(history, known_us=known_us)
    outlook = Outlook(
        as_of_us=as_of_us,
        zone=zone,
        seed=history.settings.seed,
        horizon_days=history.settings.target.horizon_days,
        leads=add_age(with_pace(leads, pace), spells, as_of_us=as_of_us),
        pace_days=tuple(pace.days.tolist()),
        timing=fit_known_timing(spells, known_us=known_us),
        arrivals=fit_arrivals(opened_us, first_us=first_us, known_us=known_us, zone=zone),
        wins=wins,
        paid_share=compute_paid_share(wins),
        first_us=first_us,
    )
    return _split(outlook, history, spells, known_us=known_us)


def _split(outlook: Outlook, history: History, spells: pd.DataFrame, *, known_us: int) -> Outlook:
    """The outlook with a stream for each pipeline that the settings name."""
    if not history.settings.stages.pipelines:
        return outlook
    pipeline_of = read_pipelines(history, known_us=known_us)

    def name_pipelines(rows: pd.DataFrame) -> pd.Series[str]:
        return rows["lead_id"].map(pipeline_of).fillna(NO_PIPELINE)

    of_spells = name_pipelines(spells)
    of_wins = name_pipelines(outlook.wins)
    streams = {}
    for name in (*history.settings.stages.pipelines, NO_PIPELINE):
        own = spells[of_spells == name]
        arrivals = fit_arrivals(
            own["start_us"].to_numpy(),
            first_us=outlook.first_us,
            known_us=known_us,
            zone=outlook.zone,
        )
        wins = outlook.wins[of_wins == name]
        is_enough = len(wins) >= LEAST_WINS
        timing = fit_known_timing(own, known_us=known_us) if is_enough else outlook.timing
        streams[name] = Stream(timing, arrivals, wins)
    leads = outlook.leads.assign(pipeline=name_pipelines(outlook.leads))
    return replace(outlook, leads=leads, streams=streams)


def fit_known_timing(spells: pd.DataFrame, *, known_us: int) -> WinTiming:
    """How fast leads are won, by spells as known at a moment.

    Raises:
        TooLittleHistoryError: too few wins are known.
    """
    ended = list_endings(spells, known_us=known_us)
    won = (ended["ending"] == "won").to_numpy()
    lost = (ended["ending"] == "lost").to_numpy()
    wins = int(won.sum())
    if wins < LEAST_WINS:
        raise TooLittleHistoryError(
            f"{counted(wins, 'win is', 'wins are')} known, too few to say how fast leads are won; "
            f"a forecast needs {LEAST_WINS}"
        )
    days = ended["hours"].to_numpy(dtype=float) / HOURS
    return fit_timing(days, won, lost)


def add_age(leads: pd.DataFrame, spells: pd.DataFrame, *, as_of_us: int) -> pd.DataFrame:
    """The leads with the age in days of their spell, in the same order."""
    key = ["lead_id", "spell"]
    started = leads[key].merge(spells[[*key, "start_us"]], on=key, how="left")
    age = (as_of_us - started["start_us"].to_numpy()) / DAY_US
    return leads.assign(age=age)
