"""Checks of a field against when a lead closed: was it written, or did it run, until then?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from leadscore.audit.checks.outcome import MIN_OUTCOMES, cells_of, has_outcomes
from leadscore.audit.fields import FieldHistory, Leads, Values, days_open
from leadscore.audit.finding import Finding, Verdict, share, worst
from leadscore.audit.statistics import (
    compute_auc_of_cells,
    compute_bounds,
    compute_odds,
    compute_rank_correlation,
)
from leadscore.settings.audit import AuditSettings
from leadscore.times import DAY_US

CLOSED_ODDS = (20.0, 5.0)  # from which on a field filled at the close is a leak, or suspect
ENDS_SHARE = (0.5, 0.2)
ENDS_CORRELATION = (0.9, 0.7)
MIN_DAYS = 3.0  # leads that closed sooner have all their dates within a day or two
MIN_LEADS = 30
UNITS = {"days": 1.0, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}
CHANGED_SHARE = 0.05


def check_filled_when_closed(values: Values, leads: Leads) -> Finding | None:
    """A field that open leads lack and closed ones of the same time have, or the other way round.

    The latest block of time may hold open leads that are younger than all closed ones. What it alone says could be a
    question that is no longer asked, and is suspect at most.
    """
    if not leads.has_order:
        return _filled_when_closed(values, leads, leads.time)
    latest = leads.time == leads.time.max(initial=0)
    if found := _filled_when_closed(values, leads, np.where(latest, -1, leads.time)):
        return found
    found = _filled_when_closed(values, leads, leads.time)
    return replace(found, verdict="suspect") if found else None


def _filled_when_closed(values: Values, leads: Leads, block: np.ndarray) -> Finding | None:
    """By the leads with a block; a block's open leads are set against its closed ones."""
    closed, opened = ~leads.is_open & (block >= 0), leads.is_open & ~leads.undated & (block >= 0)
    n = np.bincount(block[closed], minlength=block.max(initial=0) + 1)
    opened &= n[block] >= MIN_OUTCOMES
    if opened.sum() < MIN_OUTCOMES:
        return None
    filled = np.bincount(
        block[closed], weights=~values.missing[closed], minlength=len(n)
    ) / np.maximum(n, 1)
    weight = np.bincount(block[opened], minlength=len(n)) / opened.sum()
    of_closed, of_open = (
        min(float((weight * filled).sum()), 1.0),
        float(1 - values.missing[opened].mean()),
    )
    worth = 1 / float(
        (weight**2 / np.maximum(n, 1)).sum()
    )  # a mean over blocks is as sure as one of so many leads
    low, high = compute_bounds(np.array([of_closed, of_open]), np.array([worth, opened.sum()]))
    odds = compute_odds(low) / compute_odds(high)[::-1]
    verdict = _verdict(float(odds[0]), CLOSED_ODDS) or (
        "suspect" if odds[1] >= CLOSED_ODDS[0] else None
    )
    if verdict is None:
        return None
    said = f"filled for {share(of_closed)} of closed leads and {share(of_open)} of open ones of the same time"
    told = ": filled as a lead closes" if odds[0] > odds[1] else ": emptied as a lead closes"
    return Finding(
        "filled_when_closed", verdict, said + told, {"closed": of_closed, "open": of_open}
    )


def check_filled_by_age(values: Values, leads: Leads) -> Finding | None:
    """A field that leads open for long have, and young ones lack: filled while they are worked."""
    opened = np.flatnonzero(leads.is_open & ~leads.undated)
    if not leads.dated or len(opened) < 4 * MIN_OUTCOMES:
        return None
    order = opened[np.argsort(-leads.created_us[opened], kind="stable")]
    young, old = order[: len(order) // 4], order[len(order) // 2 :]
    filled = np.array([1 - values.missing[old].mean(), 1 - values.missing[young].mean()])
    low, high = compute_bounds(filled, np.array([len(old), len(young)]))
    if compute_odds(low[0]) / compute_odds(high[1]) < CLOSED_ODDS[1]:
        return None
    said = f"filled for {share(filled[0])} of leads open for long and {share(filled[1])} of the youngest"
    return Finding(
        "filled_by_age", "suspect", said, {"old": float(filled[0]), "young": float(filled[1])}
    )


def check_ends_with_lead(values: Values, leads: Leads) -> Finding | None:
    """A date, duration or counter that ends when the lead closes."""
    if not leads.dated or values.is_text:
        return None
    rows = np.flatnonzero(~np.isnan(leads.label) & ~values.missing)
    rows = rows[days_open(leads, rows) > MIN_DAYS]
    if len(rows) < MIN_LEADS:
        return None
    days, numbers = days_open(leads, rows), values.numbers[rows]
    if values.type == "date":
        return _date_ends(values, leads, days, (numbers - leads.created_us[rows]) / DAY_US)
    found = [
        _hit(
            np.abs(numbers * length - days) <= 1,
            f"equals the {unit} from creation to the close",
            "duration_of_lead",
        )
        for unit, length in UNITS.items()
    ]
    return worst([*found, _tracks(numbers, days)])


def check_adds_up(numbers: Sequence[Values], leads: Leads) -> Finding | None:
    """Several numbers that add up to the time from creation to the close, as days in stages do."""
    if not leads.dated:
        return None
    rows = np.flatnonzero(~np.isnan(leads.label))
    rows = rows[days_open(leads, rows) > MIN_DAYS]
    if len(rows) < MIN_LEADS:
        return None
    days = days_open(leads, rows)
    total = np.nansum([values.numbers[rows] for values in numbers], axis=0)
    names = [values.name for values in numbers]
    for unit, length in UNITS.items():
        share_equal = float((np.abs(total * length - days) <= 1).mean())
        low = float(compute_bounds(np.array(share_equal), np.array(len(rows)))[0])
        if low >= ENDS_SHARE[0]:
            evidence = f"{len(names)} fields add up to the {unit} from creation to the close for {share(share_equal)}"
            numbers_of = {"fields": names, "share": share_equal, "low": low, "leads": len(rows)}
            return Finding(
                "duration_together", "suspect", f"{evidence} of the closed leads", numbers_of
            )
    return None


def _date_ends(
    values: Values, leads: Leads, days: np.ndarray, date_days: np.ndarray
) -> Finding | None:
    """From days to the close and to the date, both (rows,) since creation."""
    found = [_hit(np.abs(date_days - days) <= 1, "lies within a day of the close", "date_of_close")]
    past = values.numbers[~values.missing & leads.is_open] < leads.known_us
    if (
        len(past) >= MIN_OUTCOMES and past.all()
    ):  # a planned date would lie ahead for some open leads
        found.append(
            _hit(date_days > days + 1, "lies in the past and after the close", "date_after_close")
        )
    return worst([*found, _tracks(date_days, days)])


def _hit(hits: np.ndarray, what: str, check: str) -> Finding | None:
    low = float(compute_bounds(hits.mean(), np.array(len(hits)))[0])
    verdict = _verdict(low, ENDS_SHARE)
    if verdict is None:
        return None
    said = f"it {what} for {share(hits.mean())} of the closed leads"
    return Finding(
        check, verdict, said, {"share": float(hits.mean()), "low": low, "leads": len(hits)}
    )


def _tracks(numbers: np.ndarray, days: np.ndarray) -> Finding | None:
    correlation, low = compute_rank_correlation(numbers, days)
    verdict = _verdict(low if correlation > 0 else 0.0, ENDS_CORRELATION)
    if verdict is None:
        return None
    said = f"it grows with the time from creation to the close (rank correlation {correlation:.2f})"
    return Finding(
        "tracks_close", verdict, said, {"correlation": correlation, "low": low, "leads": len(days)}
    )


def _verdict(value: float, limits: tuple[float, float]) -> Verdict | None:
    return "leak" if value >= limits[0] else "suspect" if value >= limits[1] else None


def check_changed_at_close(told: FieldHistory, leads: Leads) -> Finding | None:
    """A field whose value changes when, or after, a lead closes. Its history before that can be learned from.

    Only closes that could have been seen to change it count.
    """
    rows = np.flatnonzero(~np.isnan(leads.label) & told.watched)
    if len(rows) < MIN_LEADS:
        return None
    changed = _as_coded_in(told.now, told.before_close)[rows] != told.now.identities()[rows]
    low = float(compute_bounds(changed.mean(), np.array(len(rows)))[0])
    if low < CHANGED_SHARE:
        return None
    said = f"changed at or after the close of {share(changed.mean())} of the closed leads: only its history counts"
    return Finding(
        "changed_at_close", "suspect", said, {"share": float(changed.mean()), "low": low}
    )


def check_better_than_at_creation(
    told: FieldHistory, leads: Leads, *, settings: AuditSettings
) -> Finding | None:
    """A field that predicts too well already at creation, or far better now than then."""
    label, block = leads.label[leads.judged], leads.block[leads.judged]
    if not has_outcomes(label):
        return None
    (then, then_low, then_high), (now, now_low, _) = (
        compute_auc_of_cells(cells_of(values, leads), label, block)
        for values in (told.at_creation, told.now)
    )
    numbers = {"auc_at_creation": then, "auc_now": now}
    if then_low >= settings.leak_auc:
        said = f"at creation it already tells won from lost with AUC {then:.2f}: was its history dated back?"
        return Finding("too_good_at_creation", "leak", said, numbers)
    if now_low >= settings.leak_auc and now_low > then_high:
        said = f"today's value tells won from lost with AUC {now:.2f}, that of creation with {then:.2f}"
        return Finding(
            "better_than_at_creation", "suspect", f"{said}: only its history counts", numbers
        )
    return None


def _as_coded_in(now: Values, before: Values) -> np.ndarray:
    """The earlier values (n,) by the identities that the later ones have; -2 for a value that is not among them."""
    if now.is_text:
        codes = np.append(
            pd.Index(now.words, dtype=object).get_indexer(pd.Index(before.words, dtype=object)), -1
        )
        return np.where(
            before.missing, -1, np.where(codes[before.codes] < 0, -2, codes[before.codes])
        )
    known = np.unique(now.numbers[~now.missing])
    at = np.searchsorted(known, before.numbers)
    same = (at < len(known)) & (
        np.append(known, np.nan)[np.minimum(at, len(known))] == before.numbers
    )
    return np.where(before.missing, -1, np.where(same, at, -2))
