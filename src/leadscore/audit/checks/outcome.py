"""Checks of a field against outcomes: does it know how a lead ended?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.audit.finding import Finding, Verdict, share
from leadscore.audit.leads import Leads
from leadscore.audit.statistics import (
    compute_auc_of_cells,
    compute_bounds,
    compute_odds,
    compute_odds_ratios,
)
from leadscore.audit.values import Values
from leadscore.settings.audit import AuditSettings

MIN_OUTCOMES = 10  # leads won, and as many lost, before a field is compared with outcomes at all
CERTAIN_ODDS = 50.0  # a value that multiplies the odds of an outcome so was written by it
RULING_OUT_ODDS = (
    15.0  # enough in a field that is strong as a whole: of a sound one of AUC 0.78 they are 10
)
FILLED_ODDS = 10.0
LARGE_PART = 0.05  # of the leads of an outcome, before a value speaks for the whole field
COMMON_ONE_IN = 20  # leads that have the most common number, before it is looked at by itself

MISSING, MOST_COMMON, OTHER = 0, 1, 2  # codes of numbers; of text each value has one from 1 on


@dataclass(frozen=True)
class OwnAuc:
    """How well a field alone tells won leads from lost.

    AUC out of fold, within blocks of time, with 95% bounds.
    """

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
    label = leads.label[leads.judged]
    if not has_outcomes(label):
        return None
    cells = cells_of(values, leads)
    block = leads.block[leads.judged]
    auc = compute_auc_of_cells(cells, label, block)
    if np.isnan(auc.value):
        return None
    return OwnAuc(auc.value, auc.low, auc.high, leads=len(label))


def check_too_good(
    values: Values,
    leads: Leads,
    *,
    own: OwnAuc | None,
    settings: AuditSettings,
) -> Finding | None:
    """A field that alone predicts too well to be true, out of fold and within blocks of time.

    Within blocks, since a proxy for time would otherwise look good wherever the win rate drifts.
    Below `leak_auc` it is a leak if its lowest, its highest or a common value also all but rules
    out one outcome: so do counters and durations that run until the outcome, while a sound field of
    that strength still errs at its ends.
    """
    if own is None or own.low < settings.suspect_auc:
        return None
    numbers = {
        "auc": own.value,
        "low": own.low,
        "high": own.high,
        "leads": own.leads,
    }
    bounds = f"{own.low:.2f} to {own.high:.2f}; 0.5 is chance"
    evidence = f"alone it separates won from lost with AUC {own.value:.2f} ({bounds})"
    if own.low >= settings.leak_auc:
        return Finding("too_good", "leak", f"{evidence}: too good to be true", numbers)
    return _judge_ends(values, leads, evidence, numbers)


def _judge_ends(
    values: Values,
    leads: Leads,
    evidence: str,
    numbers: dict[str, float],
) -> Finding:
    """A leak if an end or a common value of the field all but rules out one outcome, else suspect."""
    label = leads.label[leads.judged]
    time = leads.time[leads.judged]
    cells = cells_of(values, leads)
    ends = _list_ends(cells, is_text=values.is_text)
    odds = np.array([odds_beyond_chance(end, label, time) for end in ends])
    if not len(odds) or odds.max() < RULING_OUT_ODDS:
        return Finding("too_good", "suspect", f"{evidence}: very good for one field", numbers)

    end = ends[int(odds.argmax())]
    leads_there = int(end.sum())
    rate = float(label[end].mean())
    part = f"of {leads_there:,} leads with {_describe_end(values, cells[end])}"
    ruled_out = f"{evidence}, and {part} {_describe_rare(rate)}"
    numbers |= {
        "part": leads_there,
        "part_won": rate,
        "odds_low": float(odds.max()),
    }
    return Finding("too_good", "leak", ruled_out, numbers)


def _describe_rare(rate: float) -> str:
    """The outcome that hardly any lead had, by the share that was won."""
    if rate < 0.5:
        return f"only {share(rate)} were won"
    return f"only {share(1 - rate)} were lost"


def check_certain(values: Values, leads: Leads) -> Finding | None:
    """A value, or being filled at all, that all but fixes the outcome.

    Its leads are compared with others of the same time; the odds at the near ends of both intervals
    count.
    """
    label = leads.label[leads.judged]
    time = leads.time[leads.judged]
    if not has_outcomes(label):
        return None

    codes = _codes_of(values, leads)
    parts = _list_certain(codes, label, time, is_text=values.is_text)
    if not parts:
        return None
    covers = [_cover(part, label) for part in parts]
    best = int(np.argmax(covers))
    part = parts[best]
    rate = float(label[part].mean())
    verdict: Verdict = "leak" if covers[best] >= LARGE_PART else "suspect"

    all_rate = float(label.mean())
    which = f"of {part.sum():,} closed leads {_describe_part(values, codes[part])}"
    if rate > 0.5:
        compared = f"{share(rate)} were won, of all closed leads {share(all_rate)}"
    else:
        compared = f"{share(1 - rate)} were lost, of all closed leads {share(1 - all_rate)}"
    numbers = {
        "part": int(part.sum()),
        "part_won": rate,
        "cover": covers[best],
        "all_won": all_rate,
    }
    return Finding("certain", verdict, f"{which}, {compared}", numbers)


def _list_certain(
    codes: np.ndarray,
    label: np.ndarray,
    time: np.ndarray,
    *,
    is_text: bool,
) -> list[np.ndarray]:
    """The parts (m,) of the leads with odds beyond `CERTAIN_ODDS`: a value, or all but it."""
    odds = _odds_of(codes, label, time)
    parts = [codes == code for code in np.flatnonzero(odds >= CERTAIN_ODDS)]
    if is_text:
        parts.append(codes != MISSING)
    else:
        parts += [codes != code for code in np.unique(codes)]

    return [part for part in parts if odds_beyond_chance(part, label, time) >= CERTAIN_ODDS]


def check_filled_by_outcome(values: Values, leads: Leads) -> Finding | None:
    """A field filled far more often for one outcome than for the other."""
    label = leads.label[leads.judged]
    missing = values.missing[leads.judged]
    if not has_outcomes(label):
        return None
    of_won = float(1 - missing[label == 1].mean())
    of_lost = float(1 - missing[label == 0].mean())
    if odds_between_outcomes(of_won, of_lost, label) < FILLED_ODDS:
        return None
    evidence = f"filled for {share(of_won)} of the won leads and {share(of_lost)} of the lost"
    numbers = {"won": of_won, "lost": of_lost}
    return Finding("filled_by_outcome", "suspect", evidence, numbers)


def odds_between_outcomes(of_won: float, of_lost: float, label: np.ndarray) -> float:
    """How many times the odds of one outcome's share surely exceed those of the other's."""
    won = (label == 1).sum()
    lost = (label == 0).sum()
    shares = np.array([of_won, of_lost])
    ratios = compute_odds_ratios(shares, np.array([won, lost]))
    return float(ratios.max())


def has_outcomes(label: np.ndarray) -> bool:
    """Whether enough leads were won, and lost, to compare them."""
    won = label.sum()
    lost = (1 - label).sum()
    return bool(min(won, lost) >= MIN_OUTCOMES)


def cells_of(values: Values, leads: Leads) -> np.ndarray:
    """Cells (m,) of `leads.judged`.

    A date counts from the lead's creation where that is a date too.
    """
    is_relative = values.type == "date" and leads.dated
    since = leads.created_us.astype(np.float64) if is_relative else None
    return values.cells(leads.judged, since=since)


def odds_beyond_chance(part: np.ndarray, label: np.ndarray, time: np.ndarray) -> float:
    """How many times the odds of a part (m,) surely exceed those of its time, either way.

    1 for a part that is everything, or nothing.
    """
    if part.all() or not part.any():
        return 1.0
    _, odds_of_part = _odds_of(part.astype(np.int64), label, time)
    return float(odds_of_part)


def _odds_of(codes: np.ndarray, label: np.ndarray, time: np.ndarray) -> np.ndarray:
    """`odds_beyond_chance` of the leads of each code (codes,).

    The win rate expected of a lead is that of the others of its time, and one more lead of the
    overall rate.
    """
    time_won = np.bincount(time, weights=label)
    time_n = np.bincount(time)
    others_won = time_won[time] - label
    expected_rate = (others_won + label.mean()) / time_n[time]

    n = np.bincount(codes)
    safe_n = np.maximum(n, 1)
    rate = np.bincount(codes, weights=label) / safe_n
    code_expected = np.bincount(codes, weights=expected_rate) / safe_n

    low, high = compute_bounds(np.clip(rate, 0, 1), n)
    expected = compute_odds(code_expected)
    times_won = compute_odds(low) / expected
    times_lost = expected / compute_odds(high)
    odds = np.maximum(times_won, times_lost)

    can_compare = (n >= MIN_OUTCOMES) & (n < len(codes))
    return np.where(can_compare, odds, 1.0)


def _codes_of(values: Values, leads: Leads) -> np.ndarray:
    """Codes (m,) of the values of `leads.judged`: of numbers whether it is the most common."""
    if values.is_text:
        return np.asarray(values.codes[leads.judged] + 1)
    identities = values.identities()[leads.judged]
    codes = np.full(len(identities), OTHER)
    top = values.most_common(leads.judged)
    if top.leads > len(identities) / COMMON_ONE_IN:
        codes[identities == top.identity] = MOST_COMMON
    codes[identities < 0] = MISSING
    return codes


def _list_ends(cells: np.ndarray, *, is_text: bool) -> list[np.ndarray]:
    """Large parts of the leads (m,): common cells, and the lowest and highest tenth of numbers."""
    n = np.bincount(cells)
    least = len(cells) / 10
    parts = [cells == code for code in np.flatnonzero(n >= least)]
    if not is_text:
        rising = np.flatnonzero(n[2:]) + 2  # without missing, and the most common number
        falling = rising[::-1]
        for order in (rising, falling):
            reached = np.cumsum(n[order])
            needed = int(np.searchsorted(reached, least)) + 1
            parts.append(np.isin(cells, order[:needed]))
    return parts


def _describe_end(values: Values, cells: np.ndarray) -> str:
    """Which leads a part of `_list_ends` holds, in words that name no value."""
    if not cells.any():
        return "nothing in it"
    if values.is_text or (cells == cells[0]).all():
        return "one of its values"
    return "its lowest values" if cells.min() <= 3 else "its highest values"


def _describe_part(values: Values, codes: np.ndarray) -> str:
    """Which leads a part of `_list_certain` holds, in words that name no value."""
    if not codes.any():
        return "where it is empty"
    is_one_value = (codes == codes[0]).all()
    if is_one_value and values.is_text:
        return "with one of its values"
    if is_one_value and codes[0] == MOST_COMMON:
        return "with its most common value"
    return "where it is filled" if codes.all() else "without its most common value"


def _cover(part: np.ndarray, label: np.ndarray) -> float:
    """The share of the outcome that a part stands for which falls into it."""
    stands_for_won = part.any() and label[part].mean() > 0.5
    return float(part[label == stands_for_won].mean())
