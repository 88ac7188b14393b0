"""What became of each snapshot, as known at a moment K, and how much it weighs.

Won within the horizon (1), not won (0), or censored: what became of it is not known at K. See
`censoring` for what censored snapshots do to the weights of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadscore.errors import FollowUpError, TooFewOutcomesError, UserError
from leadscore.history.absences import seen_until
from leadscore.history.censoring import count_effective_leads, weigh
from leadscore.proposals import propose
from leadscore.settings.target import Target
from leadscore.times import DAY_US

ROUNDING = 1e-6  # leads: thirty leads of equal weight must count as thirty
MAX_UNUSABLE = (
    0.05  # of the labelled snapshots; without more of them, only dated closes would be learned
)


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
        x_us: (n,) how long each dated row was followed.
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
        """The share won within the horizon, weighted for censoring; NaN without a label."""
        return _average_label(self.rows[self.observed], weight="weight")

    def mature_rate(self) -> float:
        """The share won of the snapshots whose horizon is over at K; NaN if undated.

        They need no censoring weight.
        """
        if self.target is None:
            return float("nan")
        return _average_label(self.rows[self.is_mature() & self.observed], weight="grid_weight")

    def is_mature(self) -> np.ndarray:
        """Which rows (n,) have a horizon that is over at K."""
        if self.target is None:
            return np.ones(len(self.rows), dtype=bool)
        end_us = self.rows["as_of_us"].to_numpy() + self.target.horizon_days * DAY_US
        return np.asarray(end_us <= self.known_us)

    def latest_moment(self, moments: list[int]) -> np.ndarray:
        """For each row (n,) the place of the latest of rising moments that is not after it.

        -1 if all are.
        """
        after_its_place = 1 if self.target is None else 0  # an ordered lead is known just after it
        as_of_us = self.rows["as_of_us"].to_numpy() - after_its_place
        return np.asarray(np.searchsorted(np.array(moments), as_of_us, side="right") - 1)

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
        return won, int(self.observed.sum()) - won

    def has_outcomes(self, least: int) -> bool:
        """Whether at least so many snapshots are labelled 1, and as many 0."""
        return min(self.count_outcomes()) >= least

    def unusable_share(self) -> float:
        """The share that cannot be used of the snapshots whose outcome is known."""
        unusable = sum(self.unusable.values())
        return unusable / max(unusable + int(self.observed.sum()), 1)

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
        return self.is_watched_enough() and min(self.count_effective()) >= least - ROUNDING

    def check(self, *, least: int = 0) -> None:
        """Refuse a side that nothing can be learned from or evaluated on.

        Raises:
            UserError: closes without a usable date make too many snapshots unusable.
            FollowUpError: G(horizon-) < 1/cap.
            TooFewOutcomesError: fewer than `least` snapshots are labelled 1, or 0.
        """
        if self.target is not None:
            self._check_dates(self.target)
            self._check_follow_up(self.target)
        won, lost = self.count_outcomes()
        if min(won, lost) < least:
            is_dated = self.target is not None
            raise TooFewOutcomesError(won=won, lost=lost, needed=least, is_dated=is_dated)

    def _check_dates(self, target: Target) -> None:
        if self.unusable_share() > MAX_UNUSABLE:
            raise UserError(_describe_unusable(self, chosen=target.undated_close))

    def _check_follow_up(self, target: Target) -> None:
        if not self.is_watched_enough():
            raise FollowUpError(
                side=self.name,
                days=self.follow_up_days(),
                horizon_days=target.horizon_days,
                still_watched=self.watched,
                needed=1 / target.weight_cap,
            )

    def _labelled(self, label: int) -> pd.DataFrame:
        return self.rows[self.rows["label"] == label]

    def _count_effective(self, label: int) -> float:
        rows = self._labelled(label)
        return count_effective_leads(rows["weight"].to_numpy(), rows["lead_id"].to_numpy())


def _describe_unusable(side: Side, *, chosen: str | None) -> str:
    """Which snapshots cannot be used, and what could stand for their close dates."""
    counts = " and ".join(f"{n:,} {outcome}" for outcome, n in side.unusable.items() if n)
    others = [name for name in ("last_activity", "last_stage") if name != chosen]
    options = " or ".join(f'target.undated_close = "{name}"' for name in others)
    tried = f" {chosen} does not cover them." if chosen else ""
    return (
        f"{side.name}: {side.unusable_share():.0%} of the labelled snapshots ({counts}) cannot "
        f"be used, at most {MAX_UNUSABLE:.0%} may be: their leads closed without a date, or with "
        f"one after the export that showed it.{tried} State what stands for the close date: "
        f"{options}, or map another column to event_at of these outcomes; then run "
        f"`{propose('ingest')}` again"
    )


def _average_label(rows: pd.DataFrame, *, weight: str) -> float:
    if rows.empty:
        return float("nan")
    return float(np.average(rows["label"], weights=rows[weight]))


def build_side(
    name: str, rows: pd.DataFrame, spells: pd.DataFrame, *, known_us: int, target: Target
) -> Side:
    """Snapshots labelled and weighted by what was known of their spells at `known_us` (K).

    * Won (1): the spell's outcome is a win, and its first close is in [as_of, as_of + horizon).
    * Not won (0): it is a loss closed in that time, or the horizon was over at K without a win.
    * Censored (NaN): all others. A lead that is absent since an export was followed until the last
      one that had it.

    A snapshot is left out, and counted by outcome, if its close has no usable date and its label
    depends on it.

    Args:
        name: what to call the side in messages.
        rows: a list with `KEYS`, grid_weight and young, all before K.
        spells: as of `build_spells` at K.
        known_us: K.
        target: horizon and cap.
    """
    rows = rows.reset_index(drop=True)
    ends = rows[["lead_id", "spell"]].merge(
        spells, on=["lead_id", "spell"], how="left", validate="many_to_one"
    )
    is_unusable = _depends_on_date(rows, ends, known_us=known_us, target=target)
    unusable = _count_by_outcome(ends[is_unusable])
    rows = rows[~is_unusable].reset_index(drop=True)
    ends = ends[~is_unusable].reset_index(drop=True)

    as_of_us = rows["as_of_us"].to_numpy()
    close_us = ends["close_us"].to_numpy()
    seen_us = seen_until(ends, known_us)
    label = _label(close_us, ends, as_of_us, seen_us=seen_us, target=target)
    observed = ~np.isnan(label)

    followed_us = np.minimum(close_us, seen_us) - as_of_us
    x_us = np.minimum(followed_us, target.horizon_days * DAY_US)
    weights = weigh(x_us, observed, rows["grid_weight"].to_numpy(), target=target)
    return Side(
        name=name,
        rows=rows.assign(label=label, weight=weights.weight),
        known_us=known_us,
        watched=weights.watched,
        capped_share=float(weights.capped.sum() / max(observed.sum(), 1)),
        target=target,
        unusable=unusable,
        x_us=x_us,
    )


def _label(
    close_us: np.ndarray,
    ends: pd.DataFrame,
    as_of_us: np.ndarray,
    *,
    seen_us: np.ndarray,
    target: Target,
) -> np.ndarray:
    """The label (n,) of snapshots whose spells closed at `close_us`, followed until `seen_us`."""
    won = ends["won"].to_numpy(dtype=bool)
    horizon_end_us = as_of_us + target.horizon_days * DAY_US
    closed_inside = (close_us < horizon_end_us) & (close_us < seen_us)
    observed = closed_inside | (horizon_end_us <= seen_us)
    return np.where(observed, (closed_inside & won).astype(float), np.nan)


def _depends_on_date(
    rows: pd.DataFrame, ends: pd.DataFrame, *, known_us: int, target: Target
) -> np.ndarray:
    """Which snapshots (n,) have a label that depends on an unknown date of closing.

    Their lead closed between two moments, and the snapshot has another label, or none, at either.

    None, if it may have closed before the snapshot: then it would not have been on the list.
    """
    as_of_us = rows["as_of_us"].to_numpy()
    earliest_us = ends["earliest_us"].to_numpy()
    latest_us = ends["close_us"].to_numpy()
    seen_us = seen_until(ends, known_us)

    is_interval = (earliest_us < latest_us) & (latest_us < seen_us)
    if_early = _label(earliest_us, ends, as_of_us, seen_us=seen_us, target=target)
    if_late = _label(latest_us, ends, as_of_us, seen_us=seen_us, target=target)
    may_be_absent = earliest_us < as_of_us
    return np.asarray(is_interval & (may_be_absent | (if_early != if_late)))


def _count_by_outcome(ends: pd.DataFrame) -> dict[str, int]:
    """How many rows ended won, and lost; nothing if there are none."""
    if ends.empty:
        return {}
    won = int(ends["won"].sum())
    return {"won": won, "lost": len(ends) - won}


def build_final_side(name: str, rows: pd.DataFrame, spells: pd.DataFrame, *, known_us: int) -> Side:
    """Leads labelled by their final outcome, as known at `known_us`.

    Those open by then are left out.

    Args:
        name: what to call the side in messages.
        rows: as of `build_final_list`.
        spells: as of `build_spells` at `known_us`.
        known_us: a place in the order of leads.
    """
    ends = spells.loc[spells["close_us"] < known_us, ["lead_id", "spell", "won"]]
    rows = rows.merge(ends, on=["lead_id", "spell"], validate="one_to_one")
    label = rows["won"].astype(float)
    labelled = rows.drop(columns="won").assign(label=label, weight=rows["grid_weight"])
    return Side(
        name=name, rows=labelled, known_us=known_us, watched=1.0, capped_share=0.0, target=None
    )
