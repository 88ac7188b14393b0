"""What was known at a moment of rows that held-out models had predicted.

Dated rows are labelled as known at the moment, and their recency enters the censoring weights:
otherwise leads that close early, the only recent ones with a known outcome, would pull the shift.
Ordered rows count once `outcome_delay` leads have come after them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from leadscore.history.censoring import weigh
from leadscore.history.side import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.intercept.shift import fit_shift
from leadscore.times import DAY_US

WINDOW = 10  # half-lives; an older row would weigh less than a thousandth, and is left out
MOST_RENEWALS = 16  # of the shift within a split; each looks at all that was known then
MOST_ORDERED_RENEWALS = 400  # the same without dates
LEAST_STEP = 25  # ordered leads from one renewal to the next


def unit_of(history: History) -> str | None:
    """What half-lives count: "days", or "leads" where only their order is known.

    None where no shift can be fitted.
    """
    if history.settings.is_dated:
        return "days"
    if history.settings.model.outcome_delay is None:
        return None
    return "leads"


@dataclass(frozen=True)
class Known:
    """What was known of a past at a moment.

    Attributes:
        positions: (k,) of its rows.
        label: (k,) 0 or 1.
        weight: (k,) about one unit a lead of age 0.
    """

    positions: np.ndarray
    label: np.ndarray
    weight: np.ndarray


NOTHING = Known(np.empty(0, dtype=int), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Past:
    """Rows (n,) that held-out models have predicted.

    Attributes:
        history: where the leads are.
        rows: `KEYS`, grid_weight and, without dates, label.
    """

    history: History
    rows: pd.DataFrame
    _sides: dict[int, Side] = field(default_factory=dict, repr=False)

    def known(self, moment_us: int, *, half_life: float) -> Known:
        """What was known at a moment, weighted by 2^(-age / half_life).

        Nothing is known of dated rows where weights cannot make up for those that are still open.
        """
        if self.history.settings.is_dated:
            return self._known_by_date(self.history.known_us(moment_us), half_life=half_life)
        return self._known_by_order(moment_us, half_life=half_life)

    def may_weigh(self, moment_us: int, *, half_life: float) -> np.ndarray:
        """Which rows (n,) are young enough to weigh at a moment or later."""
        if self.history.settings.is_dated:
            oldest_us = moment_us - WINDOW * half_life * DAY_US
            return np.asarray(self.rows["as_of_us"] >= oldest_us)

        delay = self.history.settings.model.outcome_delay or 0
        span = WINDOW * half_life
        oldest = self._order_of(moment_us) - span - max(delay, 1)
        return np.asarray(self._order >= oldest)

    def running_shifts(
        self,
        log_odds: np.ndarray,
        as_of_us: np.ndarray,
        *,
        half_life: float,
    ) -> np.ndarray:
        """The shift (m,) at each moment, as of its latest renewal.

        Args:
            log_odds: (n,) calibrated, of the rows.
            as_of_us: (m,) the moments.
            half_life: in the past's unit.
        """
        moments = renewals(as_of_us, dated=self.history.settings.is_dated)
        shifts = np.zeros(len(moments))
        latest = 0.0
        for i, moment_us in enumerate(moments.tolist()):
            known = self.known(moment_us, half_life=half_life)
            known_log_odds = log_odds[known.positions]
            latest = fit_shift(known_log_odds, known.label, known.weight, start=latest)
            shifts[i] = latest

        renewal = np.searchsorted(moments, as_of_us, side="right") - 1
        return shifts[renewal]

    def _known_by_date(self, moment_us: int, *, half_life: float) -> Known:
        side = self._labelled(moment_us)
        target = self.history.settings.target
        as_of_us = side.rows["as_of_us"].to_numpy()
        age_days = (moment_us - as_of_us) / DAY_US
        age = age_days / half_life
        inside = age <= WINDOW
        if not inside.any() or side.x_us is None:
            return NOTHING

        rows = side.rows[inside]
        observed = side.observed[inside]
        grid_weight = rows["grid_weight"].to_numpy()
        recency = 2.0 ** -age[inside]
        row_weight = grid_weight * recency
        weighed = weigh(side.x_us[inside], observed, row_weight, target=target)
        if weighed.watched < 1 / target.weight_cap:
            return NOTHING

        # One factor for all rows: that of a single lead would depend on how long it stayed open,
        # which gives away how it ended.
        scale = rows["lead_id"].nunique() / grid_weight.sum()
        return Known(
            positions=rows["position"].to_numpy()[observed],
            label=rows["label"].to_numpy()[observed],
            weight=scale * weighed.weight[observed],
        )

    def _labelled(self, moment_us: int) -> Side:
        """The rows before a moment with their positions, labelled as known then.

        The last side is remembered, since half-lives ask for the same moment in turn.
        """
        if moment_us not in self._sides:
            self._sides.clear()
            positions = np.arange(len(self.rows))
            rows = self.rows.assign(position=positions)
            rows = rows[[*KEYS, "grid_weight", "position"]]
            rows = rows[rows["as_of_us"] < moment_us]
            self._sides[moment_us] = self.history.relabel(rows, known_us=moment_us)
        return self._sides[moment_us]

    def is_known_by_order(self, moment_us: int) -> np.ndarray:
        """Which ordered rows (n,) had a known outcome at a moment."""
        has_come = self._leads_since_known(moment_us) >= 0
        return np.asarray(has_come & self._is_closed)

    def _known_by_order(self, moment_us: int, *, half_life: float) -> Known:
        age = self._leads_since_known(moment_us) / half_life
        inside = (age >= 0) & (age <= WINDOW) & self._is_closed
        return Known(
            positions=np.flatnonzero(inside),
            label=self.rows["label"].to_numpy()[inside],
            weight=2.0 ** -age[inside],
        )

    def _leads_since_known(self, moment_us: int) -> np.ndarray:
        """How many leads (n,) have come since a row's outcome was known; below 0 if it is not."""
        delay = self.history.settings.model.outcome_delay
        assert delay is not None  # noqa: S101  (see `unit_of`)
        latest_known = self._order_of(moment_us) - max(delay, 1)
        return np.asarray(latest_known - self._order)

    def _order_of(self, moment_us: int) -> int:
        """How many leads came before the one whose moment it is."""
        up_to_it = np.searchsorted(self._starts_us, moment_us, side="left")
        return int(up_to_it) - 1

    @cached_property
    def _starts_us(self) -> np.ndarray:
        """The moments of all leads, rising."""
        spells = self.history.spells(self.history.version.known_until_us)
        return np.sort(spells["start_us"].to_numpy())

    @cached_property
    def _order(self) -> np.ndarray:
        """How many leads came before each row (n,)."""
        as_of_us = self.rows["as_of_us"].to_numpy()
        return np.searchsorted(self._starts_us, as_of_us - 1, side="left")

    @cached_property
    def _is_closed(self) -> np.ndarray:
        return self.rows["label"].notna().to_numpy()


def renewals(
    as_of_us: np.ndarray,
    *,
    dated: bool,
    most: int = MOST_RENEWALS,
) -> np.ndarray:
    """The moments at which the shift is renewed, rising, the first of `as_of_us` (m,) among them.

    Of dated moments there are `most` at most.
    """
    moments = np.unique(as_of_us)
    n = len(moments)
    if not dated:
        step = max(LEAST_STEP, math.ceil(n / MOST_ORDERED_RENEWALS))
        return np.asarray(moments[::step])

    evenly = np.linspace(0, n - 1, min(most, n))
    positions = np.unique(evenly.round().astype(int))
    return np.asarray(moments[positions])
