"""Checks of a field against when a lead closed: was it written, or did it run, until then?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadscore.audit.checks.outcome import MIN_OUTCOMES, cells_of, has_outcomes
from leadscore.audit.finding import Finding, Verdict, share, worst
from leadscore.audit.leads import Leads, days_open
from leadscore.audit.statistics import (
    compute_auc_of_cells,
    compute_lower_bound,
    compute_odds_ratios,
    compute_rank_correlation,
)
from leadscore.audit.values import FieldHistory, Values
from leadscore.settings.audit import AuditSettings
from leadscore.times import DAY_US


@dataclass(frozen=True)
class Limits:
    """From which value on a field is a leak, or suspect."""

    leak: float
    suspect: float

    def decide(self, value: float) -> Verdict | None:
        """The verdict on a value; None below both."""
        if value >= self.leak:
            return "leak"
        return "suspect" if value >= self.suspect else None


CLOSED_ODDS = Limits(leak=20.0, suspect=5.0)
ENDS_SHARE = Limits(leak=0.5, suspect=0.2)
ENDS_CORRELATION = Limits(leak=0.9, suspect=0.7)
CHANGED_SHARE = 0.05
MIN_DAYS = 3.0  # leads that closed sooner have all their dates within a day or two
MIN_LEADS = 30
UNIT_DAYS = {"days": 1.0, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}
NO_BLOCK = -1


def check_filled_when_closed(values: Values, leads: Leads) -> Finding | None:
    """A field that open leads lack and closed ones of the same time have, or the other way round.

    The latest block of time may hold open leads that are younger than all closed ones. What it
    alone shows could be a question that is no longer asked, and is suspect at most.
    """
    if not leads.has_order:
        return _compare_closed_with_open(values, leads, leads.time)
    is_latest = leads.time == leads.time.max(initial=0)
    before = _compare_closed_with_open(values, leads, np.where(is_latest, NO_BLOCK, leads.time))
    if before:
        return before
    whole = _compare_closed_with_open(values, leads, leads.time)
    return replace(whole, verdict="suspect") if whole else None


def _compare_closed_with_open(values: Values, leads: Leads, block: np.ndarray) -> Finding | None:
    """Whether the open leads of each block are filled more, or less, often than its closed ones."""
    closed = ~leads.is_open & (block != NO_BLOCK)
    blocks = block.max(initial=0) + 1
    n_closed = np.bincount(block[closed], minlength=blocks)
    opened = leads.is_open & ~leads.undated & (block != NO_BLOCK)
    opened &= n_closed[block] >= MIN_OUTCOMES
    if opened.sum() < MIN_OUTCOMES:
        return None

    safe_n = np.maximum(n_closed, 1)
    n_filled = np.bincount(block[closed], weights=~values.missing[closed], minlength=blocks)
    weight = np.bincount(block[opened], minlength=blocks) / opened.sum()
    of_closed = min(float((weight * (n_filled / safe_n)).sum()), 1.0)
    of_open = float(1 - values.missing[opened].mean())

    # a weighted mean over blocks is as precise as a share of so many leads
    effective_closed = 1 / float((weight**2 / safe_n).sum())
    n = np.array([effective_closed, opened.sum()])
    filled_odds, emptied_odds = compute_odds_ratios(np.array([of_closed, of_open]), n)
    verdict = CLOSED_ODDS.decide(float(filled_odds))
    if verdict is None and emptied_odds >= CLOSED_ODDS.leak:
        verdict = "suspect"
    if verdict is None:
        return None

    when = "filled" if filled_odds > emptied_odds else "emptied"
    evidence = (
        f"filled for {share(of_closed)} of closed leads and {share(of_open)} of open ones "
        f"of the same time: {when} as a lead closes"
    )
    numbers = {"closed": of_closed, "open": of_open}
    return Finding("filled_when_closed", verdict, evidence, numbers)


def check_filled_by_age(values: Values, leads: Leads) -> Finding | None:
    """A field that leads open for long have, and young ones lack: filled while they are worked."""
    opened = np.flatnonzero(leads.is_open & ~leads.undated)
    if not leads.dated or len(opened) < 4 * MIN_OUTCOMES:
        return None
    youngest_first = opened[np.argsort(-leads.created_us[opened], kind="stable")]
    young = youngest_first[: len(opened) // 4]
    old = youngest_first[len(opened) // 2 :]

    of_old = 1 - values.missing[old].mean()
    of_young = 1 - values.missing[young].mean()
    n = np.array([len(old), len(young)])
    odds, _ = compute_odds_ratios(np.array([of_old, of_young]), n)
    if odds < CLOSED_ODDS.suspect:
        return None
    evidence = (
        f"filled for {share(of_old)} of leads open for long and {share(of_young)} of the youngest"
    )
    numbers = {"old": float(of_old), "young": float(of_young)}
    return Finding("filled_by_age", "suspect", evidence, numbers)


def check_ends_with_lead(values: Values, leads: Leads) -> Finding | None:
    """A date, duration or counter that ends when the lead closes."""
    if not leads.dated or values.is_text:
        return None
    rows = _find_lasting(leads)
    rows = rows[~values.missing[rows]]
    if len(rows) < MIN_LEADS:
        return None
    days = days_open(leads, rows)
    numbers = values.numbers[rows]
    if values.type == "date":
        date_days = (numbers - leads.created_us[rows]) / DAY_US
        return worst(_check_date(values, leads, days, date_days))
    return worst(_check_duration(numbers, days))


def _find_lasting(leads: Leads) -> np.ndarray:
    """The places of the closed leads that were open for more than `MIN_DAYS`."""
    rows = np.flatnonzero(leads.has_label)
    return rows[days_open(leads, rows) > MIN_DAYS]


def _check_duration(numbers: np.ndarray, days: np.ndarray) -> list[Finding | None]:
    """A number (rows,) against the days from creation to the close."""
    findings = []
    for unit, unit_days in UNIT_DAYS.items():
        is_equal = np.abs(numbers * unit_days - days) <= 1
        what = f"equals the {unit} from creation to the close"
        findings.append(_check_share(is_equal, what, "duration_of_lead"))
    return [*findings, _check_correlation(numbers, days)]


def _check_date(
    values: Values, leads: Leads, days: np.ndarray, date_days: np.ndarray
) -> list[Finding | None]:
    """A date against the close, both (rows,) in days since creation."""
    is_close = np.abs(date_days - days) <= 1
    findings = [_check_share(is_close, "lies within a day of the close", "date_of_close")]
    of_open = values.numbers[~values.missing & leads.is_open]
    is_never_planned = len(of_open) >= MIN_OUTCOMES and (of_open < leads.known_us).all()
    if is_never_planned:  # a planned date would lie ahead for some open leads
        is_after = date_days > days + 1
        what = "lies in the past and after the close"
        findings.append(_check_share(is_after, what, "date_after_close"))
    return [*findings, _check_correlation(date_days, days)]


def _check_share(hits: np.ndarray, what: str, check: str) -> Finding | None:
    """What holds for so many leads that it can be no accident."""
    low = compute_lower_bound(hits)
    verdict = ENDS_SHARE.decide(low)
    if verdict is None:
        return None
    evidence = f"it {what} for {share(hits.mean())} of the closed leads"
    numbers = {"share": float(hits.mean()), "low": low, "leads": len(hits)}
    return Finding(check, verdict, evidence, numbers)


def _check_correlation(numbers: np.ndarray, days: np.ndarray) -> Finding | None:
    correlation, low = compute_rank_correlation(numbers, days)
    verdict = ENDS_CORRELATION.decide(low if correlation > 0 else 0.0)
    if verdict is None:
        return None
    evidence = (
        f"it grows with the time from creation to the close (rank correlation {correlation:.2f})"
    )
    figures = {"correlation": correlation, "low": low, "leads": len(days)}
    return Finding("tracks_close", verdict, evidence, figures)


def check_adds_up(numbers: Sequence[Values], leads: Leads) -> Finding | None:
    """Several numbers that add up to the time from creation to the close, as days in stages do."""
    if not leads.dated:
        return None
    rows = _find_lasting(leads)
    if len(rows) < MIN_LEADS:
        return None
    days = days_open(leads, rows)
    total = np.nansum([values.numbers[rows] for values in numbers], axis=0)
    names = [values.name for values in numbers]
    for unit, unit_days in UNIT_DAYS.items():
        is_equal = np.abs(total * unit_days - days) <= 1
        low = compute_lower_bound(is_equal)
        if low >= ENDS_SHARE.leak:
            equal = float(is_equal.mean())
            evidence = (
                f"{len(names)} fields add up to the {unit} from creation to the close "
                f"for {share(equal)} of the closed leads"
            )
            figures = {"fields": names, "share": equal, "low": low, "leads": len(rows)}
            return Finding("duration_together", "suspect", evidence, figures)
    return None


def check_changed_at_close(history: FieldHistory, leads: Leads) -> Finding | None:
    """A field whose value changes when, or after, a lead closes: only its history can be used.

    Only closes that could have been seen to change it count.
    """
    rows = np.flatnonzero(leads.has_label & history.watched)
    if len(rows) < MIN_LEADS:
        return None
    before = _identities_in(history.now, history.before_close)
    is_changed = before[rows] != history.now.identities()[rows]
    low = compute_lower_bound(is_changed)
    if low < CHANGED_SHARE:
        return None
    changed = share(is_changed.mean())
    evidence = f"changed at or after the close of {changed} of the closed leads"
    numbers = {"share": float(is_changed.mean()), "low": low}
    only_history = f"{evidence}: only its history counts"
    return Finding("changed_at_close", "suspect", only_history, numbers)


def check_better_than_at_creation(
    history: FieldHistory, leads: Leads, *, settings: AuditSettings
) -> Finding | None:
    """A field that predicts too well already at creation, or far better now than then."""
    label = leads.label[leads.judged]
    block = leads.block[leads.judged]
    if not has_outcomes(label):
        return None
    then = compute_auc_of_cells(cells_of(history.at_creation, leads), label, block)
    now = compute_auc_of_cells(cells_of(history.now, leads), label, block)
    numbers = {"auc_at_creation": then.value, "auc_now": now.value}
    if then.low >= settings.leak_auc:
        evidence = (
            f"at creation it already tells won from lost with AUC {then.value:.2f}: "
            "was its history dated back?"
        )
        return Finding("too_good_at_creation", "leak", evidence, numbers)
    if now.low >= settings.leak_auc and now.low > then.high:
        evidence = (
            f"today's value tells won from lost with AUC {now.value:.2f}, "
            f"that of creation with {then.value:.2f}: only its history counts"
        )
        return Finding("better_than_at_creation", "suspect", evidence, numbers)
    return None


def _identities_in(later: Values, earlier: Values) -> np.ndarray:
    """The earlier values (n,) as identities of the later ones.

    -1 where missing, -2 where no later value is equal.
    """
    if later.is_text:
        words = pd.Index(later.words, dtype=object)
        place_of_code = words.get_indexer(pd.Index(earlier.words, dtype=object))
        place = np.append(place_of_code, -1)[earlier.codes]
        is_known = place >= 0
    else:
        distinct = np.unique(later.numbers[~later.missing])
        place = np.searchsorted(distinct, earlier.numbers)
        at_place = np.append(distinct, np.nan)[place]  # NaN, which equals nothing, beyond the last
        is_known = at_place == earlier.numbers
    return np.select([earlier.missing, is_known], [-1, place], default=-2)
