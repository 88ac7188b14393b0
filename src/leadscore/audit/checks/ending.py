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
    earlier_blocks = np.where(is_latest, NO_BLOCK, leads.time)
    before = _compare_closed_with_open(values, leads, earlier_blocks)
    if before:
        return before
    whole = _compare_closed_with_open(values, leads, leads.time)
    return replace(whole, verdict="suspect") if whole else None


def _compare_closed_with_open(
    values: Values,
    leads: Leads,
    block: np.ndarray,
) -> Finding | None:
    """Whether the open leads of each block are filled more, or less, often than its closed ones."""
    has_block = block != NO_BLOCK
    closed = ~leads.is_open & has_block
    blocks = block.max(initial=0) + 1
    n_closed = np.bincount(block[closed], minlength=blocks)
    opened = leads.is_open & ~leads.undated & has_block
    opened &= n_closed[block] >= MIN_OUTCOMES
    if opened.sum() < MIN_OUTCOMES:
        return None

    is_filled = ~values.missing
    safe_n = np.maximum(n_closed, 1)
    n_filled = np.bincount(block[closed], weights=is_filled[closed], minlength=blocks)
    filled_share = n_filled / safe_n
    n_opened = opened.sum()
    weight = np.bincount(block[opened], minlength=blocks) / n_opened
    of_closed = min(float((weight * filled_share).sum()), 1.0)
    of_open = float(1 - values.missing[opened].mean())

    # a weighted mean over blocks is as precise as a share of so many leads
    effective_closed = 1 / float((weight**2 / safe_n).sum())
    n = np.array([effective_closed, n_opened])
    shares = np.array([of_closed, of_open])
    filled_odds, emptied_odds = compute_odds_ratios(shares, n)
    return _report_filled(of_closed, of_open, float(filled_odds), float(emptied_odds))


def _report_filled(
    of_closed: float,
    of_open: float,
    filled_odds: float,
    emptied_odds: float,
) -> Finding | None:
    """A finding if the odds of being filled, or of being empty, surely differ enough."""
    verdict = CLOSED_ODDS.decide(filled_odds)
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
    order = np.argsort(-leads.created_us[opened], kind="stable")
    youngest_first = opened[order]
    young = youngest_first[: len(opened) // 4]
    old = youngest_first[len(opened) // 2 :]

    of_old = float(1 - values.missing[old].mean())
    of_young = float(1 - values.missing[young].mean())
    shares = np.array([of_old, of_young])
    n = np.array([len(old), len(young)])
    odds, _ = compute_odds_ratios(shares, n)
    if odds < CLOSED_ODDS.suspect:
        return None
    evidence = (
        f"filled for {share(of_old)} of leads open for long and {share(of_young)} of the youngest"
    )
    numbers = {"old": of_old, "young": of_young}
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
    is_lasting = days_open(leads, rows) > MIN_DAYS
    return rows[is_lasting]


def _check_duration(numbers: np.ndarray, days: np.ndarray) -> list[Finding | None]:
    """A number (rows,) against the days from creation to the close."""
    findings = []
    for unit, unit_days in UNIT_DAYS.items():
        is_equal = np.abs(numbers * unit_days - days) <= 1
        what = f"equals the {unit} from creation to the close"
        findings.append(_check_share(is_equal, what, "duration_of_lead"))
    return [*findings, _check_correlation(numbers, days)]


def _check_date(
    values: Values,
    leads: Leads,
    days: np.ndarray,
    date_days: np.ndarray,
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
    hit_share = float(hits.mean())
    evidence = f"it {what} for {share(hit_share)} of the closed leads"
    numbers = {"share": hit_share, "low": low, "leads": len(hits)}
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
    columns = [values.numbers[rows] for values in numbers]
    total = np.nansum(columns, axis=0)
    for unit, unit_days in UNIT_DAYS.items():
        is_equal = np.abs(total * unit_days - days) <= 1
        if compute_lower_bound(is_equal) >= ENDS_SHARE.leak:
            names = [values.name for values in numbers]
            return _report_sum(names, unit, is_equal)
    return None


def _report_sum(names: list[str], unit: str, is_equal: np.ndarray) -> Finding:
    equal = float(is_equal.mean())
    evidence = (
        f"{len(names)} fields add up to the {unit} from creation to the close "
        f"for {share(equal)} of the closed leads"
    )
    numbers = {
        "fields": names,
        "share": equal,
        "low": compute_lower_bound(is_equal),
        "leads": len(is_equal),
    }
    return Finding("duration_together", "suspect", evidence, numbers)


def check_changed_at_close(history: FieldHistory, leads: Leads) -> Finding | None:
    """A field whose value changes when, or after, a lead closes: only its history can be used.

    Only closes that could have been seen to change it count.
    """
    rows = np.flatnonzero(leads.has_label & history.watched)
    if len(rows) < MIN_LEADS:
        return None
    before = _identities_in(history.now, history.before_close)
    now = history.now.identities()
    is_changed = before[rows] != now[rows]
    low = compute_lower_bound(is_changed)
    if low < CHANGED_SHARE:
        return None

    changed = float(is_changed.mean())
    evidence = (
        f"changed at or after the close of {share(changed)} of the closed leads: "
        "only its history counts"
    )
    numbers = {"share": changed, "low": low}
    return Finding("changed_at_close", "suspect", evidence, numbers)


def check_better_than_at_creation(
    history: FieldHistory,
    leads: Leads,
    *,
    settings: AuditSettings,
) -> Finding | None:
    """A field that predicts too well already at creation, or far better now than then."""
    label = leads.label[leads.judged]
    block = leads.block[leads.judged]
    if not has_outcomes(label):
        return None
    cells_then = cells_of(history.at_creation, leads)
    cells_now = cells_of(history.now, leads)
    then = compute_auc_of_cells(cells_then, label, block)
    now = compute_auc_of_cells(cells_now, label, block)
    numbers = {"auc_at_creation": then.value, "auc_now": now.value}
    if then.low >= settings.leak_auc:
        evidence = (
            f"at creation it already separates won from lost with AUC {then.value:.2f}: "
            "was its history backdated?"
        )
        return Finding("too_good_at_creation", "leak", evidence, numbers)
    if now.low >= settings.leak_auc and now.low > then.high:
        evidence = (
            f"today's value separates won from lost with AUC {now.value:.2f}, "
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
        earlier_words = pd.Index(earlier.words, dtype=object)
        place_of_code = np.append(words.get_indexer(earlier_words), -1)
        place = place_of_code[earlier.codes]
        is_known = place >= 0
    else:
        distinct = np.unique(later.numbers[~later.missing])
        place = np.searchsorted(distinct, earlier.numbers)
        at_place = np.append(distinct, np.nan)[place]  # NaN, which equals nothing, beyond the last
        is_known = at_place == earlier.numbers
    identities = np.where(is_known, place, -2)
    return np.where(earlier.missing, -1, identities)
