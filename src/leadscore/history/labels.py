"""What became of a snapshot, as known at a moment K, and how much it weighs since others are still open.

Dropping open leads, or counting them as lost, biases every rate: wins and losses take different times. A snapshot
whose outcome is not known at K is censored: it weighs nothing, and those that were watched as long speak for it,
by the inverse probability of still being watched (IPCW; Robins and Rotnitzky 1992; Graf et al. 1999).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadscore.errors import FollowUpError, TooFewOutcomesError, UserError
from leadscore.history.absences import seen_until
from leadscore.proposals import propose
from leadscore.settings.target import Target
from leadscore.times import DAY_US

ROUNDING = 1e-6  # leads: thirty of equal weight are thirty
MAX_UNUSABLE = (
    0.05  # of the labelled snapshots: leaving out more would learn from the dated closes alone
)


@dataclass(frozen=True)
class Survival:
    """A right-continuous step function that falls from 1: `values[i]` holds from `times[i]` on."""

    times: np.ndarray
    values: np.ndarray

    def before(self, t: np.ndarray | float) -> np.ndarray:
        """The value just before each t."""
        return np.asarray(np.r_[1.0, self.values][np.searchsorted(self.times, t, side="left")])


@dataclass(frozen=True)
class Side:
    """Snapshots with their labels as known at one moment.

    `rows`: `KEYS`, grid_weight, young, label (1 won within the horizon, 0 not, NaN censored) and weight (grid_weight
    times the censoring weight; 0 if censored). `watched` is G(horizon-), the share watched to the horizon. Without
    dates there is no `target`: the label is the final outcome, and nobody is censored. `unusable` counts, by outcome,
    the snapshots that were left out since their close has no usable date and their label hangs on it. `x_us` (n,) is
    how long each dated row was watched.
    """

    name: str
    rows: pd.DataFrame
    known_us: int
    watched: float
    capped_share: float
    target: Target | None
    unusable: dict[str, int] = field(default_factory=dict)
    x_us: np.ndarray | None = field(default=None, repr=False)

    @property
    def observed(self) -> np.ndarray:
        """Which rows (n,) have a label."""
        return self.rows["label"].notna().to_numpy()

    def base_rate(self) -> float:
        """The weighted share won within the horizon."""
        rows = self.rows[self.observed]
        return (
            float(np.average(rows["label"], weights=rows["weight"])) if len(rows) else float("nan")
        )

    def mature_rate(self) -> float:
        """The same from only those snapshots whose whole horizon is known; it needs no censoring weight."""
        if self.target is None:
            return float("nan")
        rows = self.rows[self.is_mature() & self.observed]
        return (
            float(np.average(rows["label"], weights=rows["grid_weight"]))
            if len(rows)
            else float("nan")
        )

    def is_mature(self) -> np.ndarray:
        """Which rows (n,) have a horizon that is over at `known_us`."""
        if self.target is None:
            return np.ones(len(self.rows), dtype=bool)
        end_us = self.rows["as_of_us"].to_numpy() + self.target.horizon_days * DAY_US
        return np.asarray(end_us <= self.known_us)

    def latest_moment(self, moments: list[int]) -> np.ndarray:
        """Of rising moments the place (n,) of the latest that does not come after each row; -1 if all do."""
        before = (
            1 if self.target is None else 0
        )  # an ordered lead is known just after its own place
        as_of_us = self.rows["as_of_us"].to_numpy() - before
        return np.asarray(np.searchsorted(np.array(moments), as_of_us, side="right") - 1)

    def follow_up_days(self) -> float:
        """From the first snapshot to the moment at which labels are known."""
        return (
            (self.known_us - int(self.rows["as_of_us"].min())) / DAY_US if len(self.rows) else 0.0
        )

    def is_watched_enough(self) -> bool:
        """Whether the weights can make up for the censored: G(horizon-) >= 1/cap."""
        return self.target is None or (
            len(self.rows) > 0 and self.watched >= 1 / self.target.weight_cap
        )

    def has_outcomes(self, least: int) -> bool:
        """Whether at least so many snapshots were won within the horizon, and as many not."""
        won, seen = int(self.rows["label"].sum()), int(self.observed.sum())
        return min(won, seen - won) >= least

    def unusable_share(self) -> float:
        """Of the snapshots whose lead's end is known, the share that cannot be used."""
        unusable = sum(self.unusable.values())
        return unusable / max(unusable + int(self.observed.sum()), 1)

    def count_leads(self) -> tuple[int, int]:
        """How many leads have a snapshot labelled 1, and how many one labelled 0."""
        rows = self.rows
        won = int(rows.loc[rows["label"] == 1, "lead_id"].nunique())
        return won, int(rows.loc[rows["label"] == 0, "lead_id"].nunique())

    def _describe_unusable(self, chosen: str | None) -> str:
        """Which snapshots cannot be used, and what could stand for their close dates."""
        counts = " and ".join(f"{n:,} {outcome}" for outcome, n in self.unusable.items() if n)
        others = [name for name in ("last_activity", "last_stage") if name != chosen]
        options = " or ".join(f'target.undated_close = "{name}"' for name in others)
        tried = f" {chosen} does not cover them." if chosen else ""
        return (
            f"{self.name}: {self.unusable_share():.0%} of the labelled snapshots ({counts}) cannot "
            f"be used, at most {MAX_UNUSABLE:.0%} may be: their leads closed without a date, or with "
            f"one after the export that showed it.{tried} State what stands for the close date: "
            f"{options}, or map another column to event_at of these outcomes; then run "
            f"`{propose('ingest')}` again"
        )

    def can_train(self, least: int) -> bool:
        """Whether it has follow-up, and at least so many snapshots of either outcome."""
        return self.is_watched_enough() and self.has_outcomes(least)

    def count_effective(self) -> tuple[float, float]:
        """Effective leads (see `count_effective_leads`) labelled 1, and labelled 0."""
        parts = (self.rows[self.rows["label"] == label] for label in (1, 0))
        won, lost = (
            count_effective_leads(part["weight"].to_numpy(), part["lead_id"].to_numpy())
            for part in parts
        )
        return won, lost

    def can_evaluate(self, least: int) -> bool:
        """Whether it has follow-up, and at least so many effective leads of either outcome."""
        return self.is_watched_enough() and min(self.count_effective()) >= least - ROUNDING

    def check(self, *, least: int = 0) -> None:
        """Refuse a side that cannot be learned from or judged.

        Raises:
            UserError: closes without a usable date make too many snapshots unusable.
            FollowUpError: G(horizon-) < 1/cap.
            TooFewOutcomesError: fewer than `least` snapshots were won within the horizon, or were not.
        """
        if self.target is not None and self.unusable_share() > MAX_UNUSABLE:
            raise UserError(self._describe_unusable(self.target.undated_close))
        if self.target is not None and not self.is_watched_enough():
            raise FollowUpError(
                side=self.name,
                days=self.follow_up_days(),
                horizon_days=self.target.horizon_days,
                still_watched=self.watched,
                needed=1 / self.target.weight_cap,
            )
        if not self.has_outcomes(least):
            won = int(self.rows["label"].sum())
            lost = int(self.observed.sum()) - won
            raise TooFewOutcomesError(
                won=won, lost=lost, needed=least, is_dated=self.target is not None
            )


def count_effective_leads(weight: np.ndarray, lead_id: np.ndarray) -> float:
    """How many leads of equal weight would tell as much: (sum w)^2 / sum w^2 over leads (Kish 1965); 0 without weight.

    Args:
        weight: (n,) of each row, not negative.
        lead_id: (n,) whose row it is; the rows of a lead share its fate, so their weights are added.
    """
    codes, _ = pd.factorize(lead_id)
    of_lead = np.bincount(codes, weights=weight)
    squares = float((of_lead**2).sum())
    return float(of_lead.sum()) ** 2 / squares if squares > 0 else 0.0


def fit_censoring(x_us: np.ndarray, censored: np.ndarray, weight: np.ndarray) -> Survival:
    """Kaplan-Meier of the censoring time: the probability of being watched longer than t.

    Args:
        x_us: (n,) how long each snapshot was watched.
        censored: (n,) whether watching ended before its outcome; an outcome at the same time comes first.
        weight: (n,) of each snapshot.
    """
    times, at = np.unique(x_us[censored], return_inverse=True)
    ended = np.bincount(at, weights=weight[censored], minlength=len(times))
    order = np.argsort(x_us, kind="stable")
    total = np.r_[0.0, np.cumsum(weight[order])]
    longer = total[-1] - total[np.searchsorted(x_us[order], times, side="right")]
    at_risk = (
        longer + ended
    )  # those with an outcome at this very time are no longer at risk of being censored
    return Survival(times, np.cumprod(1 - ended / at_risk))


def build_side(
    name: str, rows: pd.DataFrame, spells: pd.DataFrame, *, known_us: int, target: Target
) -> Side:
    """Label and weigh snapshots by what was known at `known_us` (K) of the spells.

    Args:
        name: what to call the side in messages.
        rows: a list with `KEYS`, grid_weight and young, all before K.
        spells: as `build_spells` gives them for K.
        known_us: K.
        target: horizon and cap.

    A lead that is absent since an export known at K was watched until the last one that had it.

    Won: the spell's outcome is a win, and its first close lies in [as_of, as_of + horizon). Not won: it is a loss that
    closed in that time, or the horizon passed by K without a win. Else censored. Left out, and counted by outcome: what
    depends on when, between two moments, a close without a usable date was.
    """
    ends = rows[["lead_id", "spell"]].merge(
        spells, on=["lead_id", "spell"], how="left", validate="many_to_one"
    )
    usable = ~_depends_on_date(rows, ends, seen_us=seen_until(ends, known_us), target=target)
    unusable = {
        outcome: int((~usable & (ends["won"] == won)).sum())
        for outcome, won in (("won", True), ("lost", False))
    }
    if not usable.all():
        rows, ends = (
            each[usable].reset_index(drop=True) for each in (rows.reset_index(drop=True), ends)
        )
    close_us, as_of_us = ends["close_us"].to_numpy(), rows["as_of_us"].to_numpy()
    horizon_us = target.horizon_days * DAY_US
    seen_us = seen_until(ends, known_us)
    label = _label(
        close_us, ends["won"].to_numpy(dtype=bool), as_of_us, seen_us=seen_us, target=target
    )
    observed = ~np.isnan(label)
    x_us = np.minimum(np.minimum(close_us, seen_us) - as_of_us, horizon_us)
    weighed = weigh(x_us, observed, rows["grid_weight"].to_numpy(), target=target)
    return Side(
        name=name,
        rows=rows.assign(label=label, weight=weighed.weight),
        known_us=known_us,
        watched=weighed.watched,
        capped_share=float(weighed.capped.sum() / max(observed.sum(), 1)),
        target=target,
        unusable=unusable if sum(unusable.values()) else {},
        x_us=x_us,
    )


@dataclass(frozen=True)
class Weighed:
    """Weights (n,) that make up for censored rows, which are capped (n,), and G(horizon-)."""

    weight: np.ndarray
    capped: np.ndarray
    watched: float


def weigh(
    x_us: np.ndarray, observed: np.ndarray, grid_weight: np.ndarray, *, target: Target
) -> Weighed:
    """Weigh rows by the inverse probability of having been watched so long, 0 for those that are not observed.

    Args:
        x_us: (n,) how long each was watched.
        observed: (n,) whether its outcome is known.
        grid_weight: (n,) what it stands for.
        target: horizon and cap.
    """
    watched = fit_censoring(x_us, ~observed, grid_weight)
    with np.errstate(divide="ignore"):
        inverse = 1 / watched.before(x_us)
    weight = np.where(observed, grid_weight * np.minimum(inverse, target.weight_cap), 0.0)
    at_horizon = float(watched.before(target.horizon_days * DAY_US)) if len(x_us) else 0.0
    return Weighed(weight, observed & (inverse > target.weight_cap), at_horizon)


def _label(
    close_us: np.ndarray,
    won: np.ndarray,
    as_of_us: np.ndarray,
    *,
    seen_us: np.ndarray,
    target: Target,
) -> np.ndarray:
    """The label (n,) of snapshots whose spells closed then and were watched until `seen_us`; NaN for censored ones."""
    end_us = as_of_us + target.horizon_days * DAY_US
    closed_inside = (close_us < end_us) & (close_us < seen_us)
    observed = closed_inside | (end_us <= seen_us)
    return np.where(observed, (closed_inside & won).astype(float), np.nan)


def _depends_on_date(
    rows: pd.DataFrame, ends: pd.DataFrame, *, seen_us: np.ndarray, target: Target
) -> np.ndarray:
    """Which snapshots (n,) have another label, or none, if their lead closed at the earliest moment that it can have.

    None, since it would have been closed before, and not on the list.
    """
    earliest_us, close_us = ends["earliest_us"].to_numpy(), ends["close_us"].to_numpy()
    won, as_of_us = ends["won"].to_numpy(dtype=bool), rows["as_of_us"].to_numpy()
    early, late = (
        _label(each, won, as_of_us, seen_us=seen_us, target=target)
        for each in (earliest_us, close_us)
    )
    is_interval = (earliest_us < close_us) & (close_us < seen_us)
    return np.asarray(is_interval & ((earliest_us < as_of_us) | (early != late)))


def build_final_side(name: str, rows: pd.DataFrame, spells: pd.DataFrame, *, known_us: int) -> Side:
    """Label leads by their final outcome, as far as it was known at `known_us`; open ones are left out.

    Args:
        name: what to call the side in messages.
        rows: as `build_final_list` gives them.
        spells: as `build_spells` gives them for `known_us`.
        known_us: a place in the order of leads.
    """
    ends = spells.loc[spells["close_us"] < known_us, ["lead_id", "spell", "won"]]
    rows = rows.merge(ends, on=["lead_id", "spell"], validate="one_to_one")
    labelled = rows.drop(columns="won").assign(
        label=rows["won"].astype(float), weight=rows["grid_weight"]
    )
    return Side(
        name=name, rows=labelled, known_us=known_us, watched=1.0, capped_share=0.0, target=None
    )
