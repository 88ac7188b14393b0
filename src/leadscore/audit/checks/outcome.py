"""Checks of a field against outcomes: does it know how a lead ended?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.audit.fields import Leads, Values
from leadscore.audit.finding import Finding, Verdict, share
from leadscore.audit.statistics import compute_auc_of_cells, compute_bounds, compute_odds
from leadscore.settings.audit import AuditSettings

MIN_OUTCOMES = 10  # leads won, and as many lost, before a field is compared with outcomes at all
CERTAIN_ODDS = 50.0  # a value that multiplies the odds of an outcome so was written by it
RULING_OUT_ODDS = 15.0  # and so, in a field that is strong as a whole: the odds of a sound field of AUC 0.78 are 10
FILLED_ODDS = 10.0
LARGE_PART = 0.05  # of the leads of an outcome, before a value speaks for the whole field


@dataclass(frozen=True)
class OwnAuc:
    """How well a field alone tells won leads from lost: AUC out of fold, within blocks of time, with 95 % bounds."""

    value: float
    low: float
    high: float
    leads: int

    def in_words(self) -> str:
        """As a person reads it.

        >>> OwnAuc(0.741, 0.72, 0.76, leads=900).in_words()
        'AUC alone 0.74 (0.72 to 0.76)'
        """
        return f"AUC alone {self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def compute_own_auc(values: Values, leads: Leads) -> OwnAuc | None:
    """The AUC of a field alone; None where too few leads were won, or lost, to compare them."""
    label, block = leads.label[leads.judged], leads.block[leads.judged]
    if not has_outcomes(label):
        return None
    auc, low, high = compute_auc_of_cells(cells_of(values, leads), label, block)
    return OwnAuc(auc, low, high, len(label)) if np.isfinite(auc) else None


def check_too_good(
    values: Values, leads: Leads, *, own: OwnAuc | None, settings: AuditSettings
) -> Finding | None:
    """A field that alone predicts too well to be true, from its cells out of fold, within blocks of time.

    Within blocks, for a clock would otherwise look good wherever the win rate drifts. Below `leak_auc` it is a leak
    if, beside, its lowest, its highest or a common value all but rules out one outcome: so do counters and durations
    that run until the outcome, while a sound field of that strength still errs at its ends.
    """
    if own is None or own.low < settings.suspect_auc:
        return None
    label, cells = leads.label[leads.judged], cells_of(values, leads)
    numbers = {"auc": own.value, "low": own.low, "high": own.high, "leads": own.leads}
    said = f"alone it tells won from lost with AUC {own.value:.2f} ({own.low:.2f} to {own.high:.2f}; 0.5 is chance)"
    if own.low >= settings.leak_auc:
        return Finding("too_good", "leak", f"{said}: too good to be true", numbers)
    ends = _ends(cells, many=not values.is_text)
    odds = np.array([odds_beyond_chance(end, label, leads.time[leads.judged]) for end in ends])
    if len(odds) and odds.max() >= RULING_OUT_ODDS:
        end = ends[int(odds.argmax())]
        rate = label[end].mean()
        told = f"{said}, and of {end.sum():,} leads with {_where(values, cells[end])} only {share(min(rate, 1 - rate))}"
        more = {"part": int(end.sum()), "part_won": float(rate), "odds_low": float(odds.max())}
        return Finding(
            "too_good", "leak", f"{told} were {'won' if rate < 0.5 else 'lost'}", numbers | more
        )
    return Finding("too_good", "suspect", f"{said}: very good for one field", numbers)


def check_certain(values: Values, leads: Leads) -> Finding | None:
    """A value, or being filled at all, that all but fixes the outcome: constants among winners or losers.

    Against what others of the same time came to; the odds at the near ends of both intervals count.
    """
    label, time = leads.label[leads.judged], leads.time[leads.judged]
    if not has_outcomes(label):
        return None
    codes = _values_of(values, leads)
    parts = [codes == code for code in np.flatnonzero(_odds_of(codes, label, time) >= CERTAIN_ODDS)]
    parts += [codes > 0] if values.is_text else [codes != code for code in np.unique(codes)]
    parts = [part for part in parts if odds_beyond_chance(part, label, time) >= CERTAIN_ODDS]
    if not parts:
        return None
    covers = [_cover(part, label) for part in parts]
    best = int(np.argmax(covers))
    part, rate = parts[best], float(label[parts[best]].mean())
    verdict: Verdict = "leak" if covers[best] >= LARGE_PART else "suspect"
    outcome, sure = ("won", rate) if rate > 0.5 else ("lost", 1 - rate)
    said = f"of {part.sum():,} closed leads {_which(values, codes[part])}, {share(sure)} were {outcome}"
    numbers = {
        "part": int(part.sum()),
        "part_won": rate,
        "cover": covers[best],
        "all_won": float(label.mean()),
    }
    return Finding(
        "certain",
        verdict,
        f"{said}, of all closed leads {share(_share_of(label, outcome))}",
        numbers,
    )


def check_filled_by_outcome(values: Values, leads: Leads) -> Finding | None:
    """A field filled far more often for one outcome than for the other."""
    label, missing = leads.label[leads.judged], values.missing[leads.judged]
    if not has_outcomes(label):
        return None
    filled = np.array([1 - missing[label == outcome].mean() for outcome in (0, 1)])
    low, high = compute_bounds(filled, np.array([(label == 0).sum(), (label == 1).sum()]))
    odds = compute_odds(low) / compute_odds(high)[::-1]
    if odds.max() < FILLED_ODDS:
        return None
    said = f"filled for {share(filled[1])} of the won leads and {share(filled[0])} of the lost"
    return Finding(
        "filled_by_outcome", "suspect", said, {"won": float(filled[1]), "lost": float(filled[0])}
    )


def has_outcomes(label: np.ndarray) -> bool:
    """Whether enough leads were won, and lost, to compare them."""
    return bool(min(label.sum(), (1 - label).sum()) >= MIN_OUTCOMES)


def cells_of(values: Values, leads: Leads) -> np.ndarray:
    """Cells of the judged leads; a date counts from the lead's creation where that is a date too."""
    relative = values.type == "date" and leads.dated
    return values.cells(
        leads.judged, since=leads.created_us.astype(np.float64) if relative else None
    )


def odds_beyond_chance(part: np.ndarray, label: np.ndarray, time: np.ndarray) -> float:
    """How far a part's odds of an outcome lie beyond those of its time, at the near end of its interval."""
    return (
        1.0
        if part.all() or not part.any()
        else float(_odds_of(part.astype(np.int64), label, time)[1])
    )


def _odds_of(codes: np.ndarray, label: np.ndarray, time: np.ndarray) -> np.ndarray:
    """`odds_beyond_chance` of the leads of each code (codes,).

    To be expected of a lead is what the others of its time came to, and one more of the usual kind.
    """
    others = np.bincount(time, weights=label)[time] - label
    usual = (others + label.mean()) / np.bincount(time)[time]
    n = np.bincount(codes)
    expected = compute_odds(np.bincount(codes, weights=usual) / np.maximum(n, 1))
    low, high = compute_bounds(
        np.clip(np.bincount(codes, weights=label) / np.maximum(n, 1), 0, 1), n
    )
    odds = np.maximum(compute_odds(low) / expected, expected / compute_odds(high))
    return np.where((n >= MIN_OUTCOMES) & (n < len(codes)), odds, 1.0)


def _values_of(values: Values, leads: Leads) -> np.ndarray:
    """Codes (m,) of the judged leads' values: 0 missing, of text a value each, of numbers 1 the most common, 2 else."""
    if values.is_text:
        return np.asarray(values.codes[leads.judged] + 1)
    top, n, _ = values.most_common(leads.judged)
    identities = values.identities()[leads.judged]
    return np.where(
        identities < 0, 0, np.where((identities == top) & (n > len(identities) / 20), 1, 2)
    )


def _ends(cells: np.ndarray, *, many: bool) -> list[np.ndarray]:
    """Large parts of the leads: of numbers the lowest and highest tenth or more, and each value of a tenth or more."""
    n = np.bincount(cells)
    parts = [cells == code for code in np.flatnonzero(n >= len(cells) / 10)]
    if many:
        order = np.flatnonzero(n[2:]) + 2
        for way in (order, order[::-1]):
            taken = way[: int(np.searchsorted(np.cumsum(n[way]), len(cells) / 10)) + 1]
            parts.append(np.isin(cells, taken))
    return parts


def _where(values: Values, cells: np.ndarray) -> str:
    """Which leads a part of `_ends` holds, in words that name no value."""
    if not cells.any():
        return "nothing in it"
    if values.is_text or (cells == cells[0]).all():
        return "one of its values"
    return "its lowest values" if cells.min() <= 3 else "its highest values"


def _which(values: Values, codes: np.ndarray) -> str:
    if not codes.any():
        return "where it is empty"
    if (codes == codes[0]).all() and (values.is_text or codes[0] == 1):
        return "with one of its values" if values.is_text else "with its most common value"
    return "where it is filled" if codes.all() else "without its most common value"


def _cover(part: np.ndarray, label: np.ndarray) -> float:
    """The share of the outcome that a part stands for which falls into it."""
    outcome = label[part].mean() > 0.5 if part.any() else False
    return float(part[label == outcome].mean())


def _share_of(label: np.ndarray, outcome: str) -> float:
    return float(label.mean() if outcome == "won" else 1 - label.mean())
