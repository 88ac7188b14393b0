"""The snapshots of one side of a split with their labels and weights, and whether it is enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.history.censoring import count_effective_leads
from leadscore.proposals import propose
from leadscore.settings.target import Target
from leadscore.times import DAY_US
from leadscore.wording import counted

ROUNDING = 1e-6  # leads: thirty leads of equal weight must count as thirty
# of the labelled snapshots; with more of them unusable, only dated closes would be learned
MAX_UNUSABLE = 0.05
SHOWN_LEADS = 3  # without a usable close date, for somebody to look up
SUBSTITUTES = {"last_activity": "activities", "last_stage": "stages"}


@dataclass(frozen=True)
class Side:
    """Snapshots with their labels and weights as known at one moment.

    Attributes:
        name: what messages call it.
        rows: `KEYS`, grid_weight, young, label (1 won within the horizon, 0 not, NaN censored) and
            weight (grid_weight times the censoring weight; 0 if censored).
        known_us: the moment K at which the labels are known.
        watched: G(horizon-), the share of snapshots that is followed to the horizon.
        capped_share: the share of labelled snapshots whose censoring weight reached the cap.
        target: horizon and cap. None for undated leads: the label is the final outcome, and nobody
            is censored.
        unusable: outcome -> snapshots left out, since the close has no usable date and the label
            depends on it.
        undated: the leads of these snapshots, at most `SHOWN_LEADS`.
        x_us: (n,) how long each dated row was followed.
    """

    name: str
    rows: pd.DataFrame
    known_us: int
    watched: float
    capped_share: float
    target: Target | None
    unusable: dict[str, int] = field(default_factory=dict)
    undated: tuple[str, ...] = ()
    x_us: np.ndarray | None = field(default=None, repr=False)

    @property
    def observed(self) -> np.ndarray:
        """Which rows (n,) have a label."""
        return self.rows["label"].notna().to_numpy()

    def base_rate(self) -> float:
        """The share won within the horizon, weighted for censoring; NaN without a label."""
        return _average_label(self.rows[self.observed], weight="weight")

    def mature_rate(self) -> float:
        """The share won of the snapshots whose horizon is over at K; NaN if undated.

        They need no censoring weight.
        """
        if self.target is None:
            return float("nan")
        is_usable = self.is_mature() & self.observed
        return _average_label(self.rows[is_usable], weight="grid_weight")

    def is_mature(self) -> np.ndarray:
        """Which rows (n,) have a horizon that is over at K."""
        if self.target is None:
            return np.ones(len(self.rows), dtype=bool)
        as_of_us = self.rows["as_of_us"].to_numpy()
        end_us = as_of_us + self.target.horizon_days * DAY_US
        return np.asarray(end_us <= self.known_us)

    def latest_moment(self, moments: list[int]) -> np.ndarray:
        """For each row (n,) the place of the latest of rising moments that is not after it.

        -1 if all are.
        """
        after_its_place = 1 if self.target is None else 0  # an ordered lead is known just after it
        as_of_us = self.rows["as_of_us"].to_numpy() - after_its_place
        not_after = np.searchsorted(np.array(moments), as_of_us, side="right")
        return np.asarray(not_after - 1)

    def follow_up_days(self) -> float:
        """Days from the first snapshot to K; 0 without a snapshot."""
        if self.rows.empty:
            return 0.0
        first_us = int(self.rows["as_of_us"].min())
        return (self.known_us - first_us) / DAY_US

    def is_watched_enough(self) -> bool:
        """Whether the weights can make up for censored snapshots: G(horizon-) >= 1/cap."""
        if self.target is None:
            return True
        return len(self.rows) > 0 and self.watched >= 1 / self.target.weight_cap

    def count_outcomes(self) -> tuple[int, int]:
        """How many snapshots are labelled 1, and how many 0."""
        won = int(self.rows["label"].sum())
        labelled = int(self.observed.sum())
        return won, labelled - won

    def has_outcomes(self, least: int) -> bool:
        """Whether at least so many snapshots are labelled 1, and as many 0."""
        return min(self.count_outcomes()) >= least

    def unusable_share(self) -> float:
        """The share that cannot be used of the snapshots whose outcome is known."""
        unusable = sum(self.unusable.values())
        labelled = int(self.observed.sum())
        return unusable / max(unusable + labelled, 1)

    def count_leads(self) -> tuple[int, int]:
        """How many leads have a snapshot labelled 1, and how many one labelled 0."""
        won = self._labelled(1)["lead_id"].nunique()
        lost = self._labelled(0)["lead_id"].nunique()
        return int(won), int(lost)

    def count_effective(self) -> tuple[float, float]:
        """Effective leads (see `count_effective_leads`) labelled 1, and labelled 0."""
        return self._count_effective(1), self._count_effective(0)

    def can_train(self, least: int) -> bool:
        """Whether it has follow-up, and at least so many snapshots of either outcome."""
        return self.is_watched_enough() and self.has_outcomes(least)

    def can_evaluate(self, least: int) -> bool:
        """Whether it has follow-up, and at least so many effective leads of either outcome."""
        fewer = min(self.count_effective())
        return self.is_watched_enough() and fewer >= least - ROUNDING

    def check(self, *, tables: Collection[str] = (), least: int = 0) -> None:
        """Refuse a side that nothing can be learned from or evaluated on.

        Args:
            tables: those that the settings map; only these can give a substitute for a close date.
            least: how many leads of either outcome are needed.

        Raises:
            UserError: closes without a usable date make too many snapshots unusable.
            TooLittleHistoryError: G(horizon-) < 1/cap, or fewer than `least` leads have a
                snapshot labelled 1, or 0.
        """
        if self.target is not None:
            self._check_dates(self.target, tables)
            self._check_follow_up(self.target)
        won, lost = self.count_leads()
        if min(won, lost) < least:
            is_dated = self.target is not None
            raise TooLittleHistoryError(_describe_few(won, lost, needed=least, is_dated=is_dated))

    def _check_dates(self, target: Target, tables: Collection[str]) -> None:
        if self.unusable_share() > MAX_UNUSABLE:
            chosen = target.undated_close
            raise UserError(_describe_unusable(self, chosen=chosen, tables=tables))

    def _check_follow_up(self, target: Target) -> None:
        if not self.is_watched_enough():
            raise TooLittleHistoryError(_describe_follow_up(self, target))

    def _labelled(self, label: int) -> pd.DataFrame:
        return self.rows[self.rows["label"] == label]

    def _count_effective(self, label: int) -> float:
        rows = self._labelled(label)
        return count_effective_leads(rows["weight"].to_numpy(), rows["lead_id"].to_numpy())


def _describe_unusable(side: Side, *, chosen: str | None, tables: Collection[str]) -> str:
    """Which snapshots cannot be used, and what could stand for their close dates."""
    counts = " and ".join(f"{n:,} {outcome}" for outcome, n in side.unusable.items() if n)
    tried = f" {chosen} does not cover them." if chosen else ""
    leads = f" Leads without one: {', '.join(side.undated)}." if side.undated else ""
    return (
        f"{side.name}: {side.unusable_share():.0%} of the labelled snapshots ({counts}) cannot "
        f"be used, at most {MAX_UNUSABLE:.0%} may be: their leads closed without a date, or with "
        f"one after the export that showed it.{tried}{leads} "
        f"{_propose_dates(chosen, tables)}; then run `{propose('ingest')}` again"
    )


def _propose_dates(chosen: str | None, tables: Collection[str]) -> str:
    """What can date the closes: another substitute that the data have, or a column."""
    options = [
        f'target.undated_close = "{name}"'
        for name, table in SUBSTITUTES.items()
        if name != chosen and table in tables
    ]
    if not options:
        return "Export a close date and map its column to event_at of these outcomes"
    return (
        f"State what stands for the close date: {' or '.join(options)}, or export a close date and "
        "map its column to event_at of these outcomes"
    )


def _describe_follow_up(side: Side, target: Target) -> str:
    follow_up = counted(round(side.follow_up_days()), "day")
    horizon = counted(target.horizon_days, "day")
    needed = 1 / target.weight_cap
    return (
        f"{side.name}: only {follow_up} of follow-up for a horizon of {horizon} "
        f"({side.watched:.2f} of the snapshots are watched to the horizon, {needed:.2f} are "
        "needed); give more history, a later as_of or a shorter horizon"
    )


def _describe_few(won: int, lost: int, *, needed: int, is_dated: bool) -> str:
    message = (
        f"history shows {won} won and {lost} not won leads with a known outcome; "
        f"at least {needed} of each are needed to learn from"
    )
    is_one_sided = (won == 0) != (lost == 0)
    if is_dated or not is_one_sided:
        return message
    missing = "won" if lost else "lost"
    return (
        f"{message}. No lead is marked {missing}, and without dates an open lead says nothing: map "
        f"the values that mark a lead as {missing}, or give dates, from which an open lead "
        "is not won once the horizon is over"
    )


def _average_label(rows: pd.DataFrame, *, weight: str) -> float:
    if rows.empty:
        return float("nan")
    return float(np.average(rows["label"], weights=rows[weight]))
