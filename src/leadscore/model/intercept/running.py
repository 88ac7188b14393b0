"""The running intercept ("the times"): by how many log-odds more, or fewer, leads are won lately than the model says.

At a moment it is the shift of the calibrated log-odds that maximises the likelihood of what was known then, recent
rows weighing more, with a normal prior around 0. Only predictions of models that had not seen a row may speak, without
any shift. Dated rows are labelled as known at the moment, and their recency enters the censoring weights: else leads
that close early, which recent rows know of alone, would pull the shift. Ordered rows count when `outcome_delay` leads
have come after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.labels import Side, weigh
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel, add_shift, calibrate, sigmoid
from leadscore.model.held_out import HeldOut
from leadscore.times import DAY_US

SPREAD = 2.0  # of the prior on the shift, in log-odds
WINDOW = 10  # half-lives; a row that is older weighs less than a thousandth, and is left out
HALF_LIVES = {"days": (365, 120, 30, 10), "leads": (3000, 1000, 300, 100)}
MOST_DATES = (
    16  # at which the shift is renewed within a split: each costs a look at what was known then
)
MOST_TRIED = 4  # the same where half-lives are only compared
MOST_PLACES, LEAST_STEP = 400, 25  # the same without dates, and leads from one renewal to the next
TOLERANCE = 1e-10  # log-odds


def unit_of(history: History) -> str | None:
    """What half-lives count: days, or leads where only their order is known; None where no shift can be fitted."""
    if history.settings.is_dated:
        return "days"
    return None if history.settings.model.outcome_delay is None else "leads"


def fit_shift(
    log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray, *, start: float = 0.0
) -> float:
    """The shift with the highest posterior, by Newton's method; 0 without rows.

    Args:
        log_odds: (n,) calibrated, without a shift.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        start: where to begin; the shift does not depend on it, but for its last digits.
    """
    shift = start
    for _ in range(100):
        expected = sigmoid(log_odds + shift)
        slope = float((weight * (label - expected)).sum()) - shift / SPREAD**2
        curvature = float((weight * expected * (1 - expected)).sum()) + 1 / SPREAD**2
        step = min(max(slope / curvature, -1.0), 1.0)
        shift += step
        if abs(step) < TOLERANCE:
            break
    return shift


@dataclass(frozen=True)
class Known:
    """What was known of a past at a moment: places of its rows, their labels and weights, each (k,)."""

    at: np.ndarray
    label: np.ndarray
    weight: np.ndarray


NOTHING = Known(np.empty(0, dtype=int), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Past:
    """Rows that models had not seen when they predicted them: `KEYS`, grid_weight and, without dates, label."""

    history: History
    rows: pd.DataFrame
    _sides: dict[int, Side] = field(default_factory=dict, repr=False)

    def known(self, moment_us: int, *, half_life: float) -> Known:
        """What was known at a moment, weighed by 2^(-age / half_life); one unit of weight a lead at age 0.

        Of dated rows nothing is known where the weights cannot make up for those still open.
        """
        if self.history.settings.is_dated:
            return self._known_by_date(self.history.known_us(moment_us), half_life=half_life)
        return self._known_by_place(moment_us, half_life=half_life)

    def _known_by_date(self, moment_us: int, *, half_life: float) -> Known:
        side, target = self._labelled(moment_us), self.history.settings.target
        age = (moment_us - side.rows["as_of_us"].to_numpy()) / DAY_US / half_life
        inside = age <= WINDOW
        if not inside.any() or side.x_us is None:
            return NOTHING
        rows, observed = side.rows[inside], side.observed[inside]
        grid_weight = rows["grid_weight"].to_numpy()
        weighed = weigh(
            side.x_us[inside], observed, grid_weight * 2.0 ** -age[inside], target=target
        )
        if weighed.watched < 1 / target.weight_cap:
            return NOTHING
        # The same factor for all rows: a lead's own would know how long it stayed open, which tells how it ended.
        scale = rows["lead_id"].nunique() / grid_weight.sum()
        at, label = rows["at"].to_numpy(), rows["label"].to_numpy()
        return Known(at[observed], label[observed], scale * weighed.weight[observed])

    def _labelled(self, moment_us: int) -> Side:
        """The rows of before a moment with their labels as known then and their places; the last is remembered."""
        if moment_us not in self._sides:
            self._sides.clear()
            rows = self.rows.assign(at=np.arange(len(self.rows)))[[*KEYS, "grid_weight", "at"]]
            rows = rows[rows["as_of_us"] < moment_us]
            self._sides[moment_us] = self.history.relabel(rows, known_us=moment_us)
        return self._sides[moment_us]

    def _known_by_place(self, moment_us: int, *, half_life: float) -> Known:
        age = self._leads_since_known(moment_us) / half_life
        inside = np.flatnonzero((age >= 0) & (age <= WINDOW) & self._closed)
        return Known(inside, self.rows["label"].to_numpy()[inside], 2.0 ** -age[inside])

    def is_known_by_place(self, moment_us: int) -> np.ndarray:
        """Which ordered rows (n,) had so many leads after them at a moment that their outcome was known."""
        return np.asarray((self._leads_since_known(moment_us) >= 0) & self._closed)

    def _leads_since_known(self, moment_us: int) -> np.ndarray:
        """How many leads (n,) have come since the outcome of an ordered row was known; below 0 if it is not yet."""
        delay = self.history.settings.model.outcome_delay
        assert delay is not None  # noqa: S101  (see `unit_of`)
        return np.asarray(self.position(moment_us) - max(delay, 1) - self._places)

    def may_weigh(self, moment_us: int, *, half_life: float) -> np.ndarray:
        """Which rows (n,) are young enough to weigh at a moment or later."""
        if self.history.settings.is_dated:
            return np.asarray(self.rows["as_of_us"] >= moment_us - WINDOW * half_life * DAY_US)
        delay = self.history.settings.model.outcome_delay or 0
        return np.asarray(
            self._places >= self.position(moment_us) - WINDOW * half_life - max(delay, 1)
        )

    def position(self, moment_us: int) -> int:
        """How many ordered leads came before the one whose moment it is."""
        return int(np.searchsorted(self._starts, moment_us, side="left")) - 1

    @cached_property
    def _starts(self) -> np.ndarray:
        """The places of all leads in their order, rising."""
        return np.sort(
            self.history.spells(self.history.version.known_until_us)["start_us"].to_numpy()
        )

    @cached_property
    def _places(self) -> np.ndarray:
        """How many leads came before each row (n,)."""
        return np.searchsorted(self._starts, self.rows["as_of_us"].to_numpy() - 1, side="left")

    @cached_property
    def _closed(self) -> np.ndarray:
        return self.rows["label"].notna().to_numpy()

    def running_shifts(
        self, log_odds: np.ndarray, as_of_us: np.ndarray, *, half_life: float
    ) -> np.ndarray:
        """The shift at each moment (m,), as of the latest at which it was renewed; `log_odds` (n,) is of the rows."""
        moments = renewals(as_of_us, dated=self.history.settings.is_dated)
        shifts = np.zeros(len(moments))
        for i, moment in enumerate(moments.tolist()):
            known = self.known(moment, half_life=half_life)
            shifts[i] = fit_shift(
                log_odds[known.at], known.label, known.weight, start=shifts[i - 1]
            )
        return shifts[np.searchsorted(moments, as_of_us, side="right") - 1]


def renewals(as_of_us: np.ndarray, *, dated: bool, most: int = MOST_DATES) -> np.ndarray:
    """The moments, rising, of these (m,) at which the shift is renewed, the first among them; `most` of dated ones."""
    moments = np.unique(as_of_us)
    if not dated:
        step = max(LEAST_STEP, -(-len(moments) // MOST_PLACES))
        return np.asarray(moments[::step])
    places = np.linspace(0, len(moments) - 1, min(most, len(moments))).round().astype(int)
    return np.asarray(moments[np.unique(places)])


def log_odds_of(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)), of probabilities that a calibrator keeps off 0 and 1."""
    return np.asarray(np.log(probability / (1 - probability)))


def keep_times(
    past: Past, log_odds: np.ndarray, *, from_us: int, known_us: int, half_life: float
) -> dict[str, Any]:
    """What a model keeps of the times, as JSON.

    `half_life` and its `unit`, the `shift` at `known_us`, and by hashed key the calibrated `log_odds` of the rows that
    may still weigh; all rows are of `from_us` or later, from where on their list is drawn again.
    """
    known = past.known(known_us, half_life=half_life)
    recent = past.may_weigh(known_us, half_life=half_life)
    return {
        "half_life": half_life,
        "unit": unit_of(past.history),
        "shift": fit_shift(log_odds[known.at], known.label, known.weight),
        "from_us": from_us,
        "log_odds": dict(
            zip(_hash_keys(past.rows[recent]), log_odds[recent].tolist(), strict=True)
        ),
    }


def _hash_keys(rows: pd.DataFrame) -> list[str]:
    """A short name of each row that does not show whose it is."""
    keys = rows[["lead_id", "spell", "as_of_us"]].itertuples(index=False)
    texts = [f"{lead_id}\0{spell}\0{as_of_us}" for lead_id, spell, as_of_us in keys]
    return [blake2b(text.encode(), digest_size=8).hexdigest() for text in texts]


@dataclass(frozen=True)
class Recalled:
    """The past that a model looks back on from a moment, and its calibrated log-odds (n,)."""

    past: Past
    log_odds: np.ndarray


def recall(
    history: History, model: WinModel, *, known_us: int, as_of_us: int, since_us: int | None = None
) -> Recalled:
    """The rows of before a moment: those of before the training as the model kept them, later ones as it predicts them.

    Args:
        history: where the leads are.
        model: with times.
        known_us: up to when the model has seen facts.
        as_of_us: the moment.
        since_us: the first moment that is asked about, by default `as_of_us` alone.
    """
    times = model.document["times"]
    first_us = history.known_us(as_of_us if since_us is None else since_us)
    side = history.side(
        "the times", from_us=times["from_us"], to_us=as_of_us, known_us=history.known_us(as_of_us)
    )
    rows = side.rows.reset_index(drop=True)
    log_odds = np.array(
        [times["log_odds"].get(key, np.nan) for key in _hash_keys(rows)], dtype=np.float64
    )
    later = np.isnan(log_odds) & (rows["as_of_us"] >= known_us).to_numpy()
    later &= Past(history, rows).may_weigh(first_us, half_life=times["half_life"])
    if later.any():
        features = build_features(
            history.settings, leave_out=frozenset(model.document.get("left_out", ()))
        )
        matrix = build_matrix(history.snapshot(rows.loc[later, KEYS]), features)
        log_odds[later] = log_odds_of(
            model.probability(model.log_odds(matrix.take(rows[later]).columns))
        )
    has_one = ~np.isnan(log_odds)
    return Recalled(Past(history, rows[has_one].reset_index(drop=True)), log_odds[has_one])


def shift_at(
    history: History, model: WinModel, *, known_us: int, as_of_us: int
) -> dict[str, Any] | None:
    """The shift of a model at a moment with its half-life, as JSON; None for a model that has none.

    Args:
        history: where the leads are.
        model: whose times are asked.
        known_us: up to when it has seen facts.
        as_of_us: the moment, not before `known_us`.
    """
    times: Mapping[str, Any] | None = model.document.get("times")
    if times is None:
        return None
    recalled = recall(history, model, known_us=known_us, as_of_us=as_of_us)
    known = recalled.past.known(as_of_us, half_life=times["half_life"])
    shift = fit_shift(recalled.log_odds[known.at], known.label, known.weight)
    return {"shift": shift, "half_life": times["half_life"], "unit": times["unit"]}


def shifts_of_rows(
    history: History, model: WinModel, as_of_us: np.ndarray, *, known_us: int
) -> np.ndarray:
    """The shift of a model at each moment (m,), none before `known_us`; 0 for a model that has none."""
    times = model.document.get("times")
    if times is None or not len(as_of_us):
        return np.zeros(len(as_of_us))
    first, last = int(as_of_us.min()), int(as_of_us.max())
    recalled = recall(history, model, known_us=known_us, as_of_us=last, since_us=first)
    return recalled.past.running_shifts(recalled.log_odds, as_of_us, half_life=times["half_life"])


def evaluate_with_intercept(
    history: History,
    held_out: Mapping[str, HeldOut],
    calibrator: Mapping[str, Any],
    *,
    half_life: float,
) -> EvaluationSet:
    """The rows of the last split, predicted with the shift of their moments.

    Leads are ranked as without it, for on one list all have the same.
    """
    before, last = held_out["before"], held_out["last"]
    past = Past(history, pd.concat([before.side.rows, last.side.rows], ignore_index=True))
    log_odds = log_odds_of(calibrate(dict(calibrator), np.r_[before.log_odds, last.log_odds]))
    as_of_us = last.side.rows["as_of_us"].to_numpy()
    shifts = past.running_shifts(log_odds, as_of_us, half_life=half_life)[last.side.observed]
    evaluated = last.evaluated(calibrator)
    return replace(
        evaluated, probability=add_shift(evaluated.probability, shifts), order=evaluated.probability
    )
