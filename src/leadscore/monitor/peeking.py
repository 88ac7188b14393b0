"""Whether a score peeks at outcomes.

A score is compared with outcomes by what was known before the close. Two things can still deceive:
values that were written after the close, which every later evaluation by last values rests on; and
values that were set just before it, or are dated earlier than they were computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import Estimate, estimate_of
from leadscore.evaluation.metrics import compute_auc
from leadscore.evaluation.resampled import draw_leads
from leadscore.results.judged import ComparedAuc, PeekCheck, PeekVerdict
from leadscore.times import DAY_US

LEAST = 30  # won leads with a value, and as many lost: fewer say nothing
DRAWS = 200
CLEAR_AUC = 0.75  # of the change of a score: to separate won from lost so well, it must know
MOST_AUC = 0.95  # within dates: nothing that is known of open leads ranks them so well
MOST_AHEAD = 0.10  # of a model of all mapped facts, in AUC
DAYS_BEFORE = 1.0  # in which a score must not jump by the outcome
WORST_FIRST: tuple[PeekVerdict, ...] = ("peeks", "suspect", "no sign", "not known")


@dataclass(frozen=True)
class Track:
    """The values of a score over time, and how leads closed.

    Attributes:
        moves: lead_id, available_us and value, by lead and time.
        closed: lead_id (each once), close_us and won.
    """

    moves: pd.DataFrame
    closed: pd.DataFrame

    def value_before(self, moment_us: pd.Series[int]) -> pd.Series[float]:
        """The latest value of each closed lead before its own moment; NaN if there was none."""
        asked = self.closed[["lead_id"]].assign(moment_us=moment_us.to_numpy())
        asked = asked.sort_values("moment_us")
        moves = self.moves.sort_values("available_us", kind="stable")
        joined = pd.merge_asof(
            asked,
            moves,
            left_on="moment_us",
            right_on="available_us",
            by="lead_id",
            allow_exact_matches=False,
        )
        by_lead = joined.set_index("lead_id")["value"]
        return self.closed["lead_id"].map(by_lead)

    def last_value(self) -> pd.Series[float]:
        """The last value of each closed lead."""
        last = self.moves.drop_duplicates("lead_id", keep="last")
        by_lead = last.set_index("lead_id")["value"]
        return self.closed["lead_id"].map(by_lead)


def check_peeking(track: Track, auc: ComparedAuc, *, seed: int) -> list[PeekCheck]:
    """Three checks: after the close, just before it, and whether the ranking is plausible."""
    close_us = track.closed["close_us"]
    at_close = track.value_before(close_us)
    day_before = track.value_before(close_us - round(DAYS_BEFORE * DAY_US))
    after = track.last_value() - at_close
    before = at_close - day_before
    return [
        _check_change("after the close", track, after, seed=seed),
        _check_change("in the last day before the close", track, before, seed=seed),
        _check_plausible(auc),
    ]


def worst_verdict(checks: list[PeekCheck]) -> PeekVerdict:
    """The worst verdict of some checks."""
    verdicts = {check.verdict for check in checks}
    return next(verdict for verdict in WORST_FIRST if verdict in verdicts)


def _check_change(when: str, track: Track, change: pd.Series[float], *, seed: int) -> PeekCheck:
    """Whether the change of the score in some time separates won from lost."""
    is_known = change.notna().to_numpy()
    leads = track.closed[is_known]
    moved = change[is_known]
    won = leads["won"].to_numpy(dtype=float)
    changed = int((moved != 0).sum())
    check = f"changes {when}"
    if min(won.sum(), (1 - won).sum()) < LEAST:
        return PeekCheck(check=check, verdict="not known", evidence="too few closed leads have it")

    auc = _estimate_auc(moved.to_numpy(), won, leads["lead_id"].to_numpy(), seed=seed)
    evidence = (
        f"{changed:,} of {len(leads):,} closed leads changed their score {when}; the change tells "
        f"won from lost with AUC {auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f}; chance: 0.50)"
    )
    return PeekCheck(check=check, verdict=_judge_change(auc), evidence=evidence)


def _judge_change(auc: Estimate) -> PeekVerdict:
    if auc.low >= CLEAR_AUC:
        return "peeks"
    return "suspect" if auc.value >= CLEAR_AUC else "no sign"


def _estimate_auc(order: np.ndarray, won: np.ndarray, leads: np.ndarray, *, seed: int) -> Estimate:
    value = compute_auc(order, won, np.ones(len(won)))
    counts = draw_leads(leads, seed=seed, draws=DRAWS)
    drawn = [compute_auc(order, won, count) for count in counts]
    return estimate_of((value, np.array(drawn)))


def _check_plausible(auc: ComparedAuc) -> PeekCheck:
    """Whether the score ranks open leads better than anything that is known of them can."""
    theirs = auc.theirs
    low = theirs.low
    is_far_ahead = auc.difference.high is not None and auc.difference.high < -MOST_AHEAD
    verdict: PeekVerdict = "no sign"
    if low is None:
        verdict = "not known"
    elif low > MOST_AUC:
        verdict = "peeks"
    elif is_far_ahead:
        verdict = "suspect"
    evidence = (
        f"AUC within dates {_number(theirs.value)}, at least {_number(low)}; leadscore "
        f"{_number(auc.ours.value)}. Above {MOST_AUC:g}, or {MOST_AHEAD:g} ahead of a model of all "
        "mapped facts, ask when its past values were computed"
    )
    return PeekCheck(check="ranking before the close", verdict=verdict, evidence=evidence)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"
