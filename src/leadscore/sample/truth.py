"""The true win probabilities, which no company ever sees.

Given its class, everything that is exported of a lead is drawn independently of when and how it
closes, and its chances of closing depend on the class and on working time alone. So the truth,
P(won within the horizon | everything exported before a moment), has a closed form: the mean of the
classes' chances, weighted by how likely each class is given the exports (Bayes).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadscore.sample.crowd import Crowd
from leadscore.sample.work_time import to_moments, to_tau
from leadscore.sample.world import (
    ATTRIBUTES,
    CLASSES,
    COME_BACK,
    DAY_S,
    DRIFT,
    E_MAIL,
    HORIZON_DAYS,
    LOSE,
    MOVES,
    RESPONSES,
    SHARE,
    START_S,
    STREAMS,
    UNTIL_S,
    WIN,
    Array,
    can_move,
)

CLOSING = np.add(WIN, LOSE)


def compute_truth(
    crowd: Crowd,
    as_of_s: int,
    *,
    horizon_days: int = HORIZON_DAYS,
) -> tuple[Array, Array]:
    """The leads open at a moment (positions), and their true win probabilities.

    A win counts in this spell only, not after a loss. A visit that began before the moment is known
    with all its pages.
    """
    until_s = as_of_s + horizon_days * DAY_S
    as_of, until = to_tau(np.array([as_of_s, until_s]))
    spells = crowd.spells
    is_open = (spells.start < as_of) & (spells.end >= as_of)
    lead = spells.lead[is_open]

    log_weight = compute_log_likelihood(crowd, as_of)[lead]
    largest = log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight - largest)
    closes_in_time = -np.expm1(-CLOSING * (until - as_of))
    wins = np.array(WIN) / CLOSING * closes_in_time
    total = weight.sum(axis=1)
    return lead, np.asarray(weight @ wins / total)


def compute_log_likelihood(crowd: Crowd, as_of: float) -> Array:
    """Of everything exported before working time `as_of`, for each lead and class (n, 4).

    Up to a constant of each lead.
    """
    total = log_prior(crowd.created_s)
    for name, codes in crowd.attributes.items():
        shares = np.array(list(ATTRIBUTES[name].values()))
        total += np.log(shares)[codes]
    _add_spells(total, crowd, as_of)
    _add_events(total, crowd, as_of)
    responses = _of_responses(crowd, as_of)
    stays = _of_stays(crowd, as_of)
    return np.asarray(total + responses + stays)


def log_prior(created_s: Array) -> Array:
    """Log of each class's share among the leads that arrive at a time (n, 4)."""
    years = (created_s - START_S) / (365.25 * DAY_S)
    drifted = years[:, None] * np.array(DRIFT)
    log_share = np.log(SHARE) + drifted
    share = np.exp(log_share)
    total = share.sum(axis=1, keepdims=True)
    return np.asarray(log_share - np.log(total))


def _add_spells(total: Array, crowd: Crowd, as_of: float) -> None:
    """Add what staying open, losing and coming back say, and that no more events came while open."""
    spells = crowd.spells
    n = len(total)
    seen_end = np.minimum(spells.end, as_of)
    open_for = np.clip(seen_end - spells.start, 0, None)
    event_rates = [rate for rate, _ in STREAMS.values()]
    anything = CLOSING + np.sum(event_rates, axis=0)
    total -= sum_by_lead(spells.lead, open_for, n) * anything

    lost = (spells.end < as_of) & ~spells.won
    losses = sum_by_lead(spells.lead, lost, n)
    total += losses * np.log(LOSE)

    has_gap = ~np.isnan(spells.gap)
    again = has_gap & (spells.start < as_of)
    gap = np.where(again, spells.gap, 0)
    returns = sum_by_lead(spells.lead, again, n)
    total += returns * np.log(COME_BACK)
    away_for = sum_by_lead(spells.lead, gap, n)
    total -= away_for * np.array(COME_BACK)


def _add_events(total: Array, crowd: Crowd, as_of: float) -> None:
    events = crowd.events
    lead = crowd.lead_of_events()
    known = events.tau < as_of
    for code, (rate, marks) in enumerate(STREAMS.values()):
        mine = known & (events.stream == code)
        log_shares = np.log(list(marks.values()))
        log_rates = log_shares + np.log(rate)
        log_rate = log_rates[events.mark[mine]]
        total += sum_by_lead(lead[mine], log_rate, len(total))


def _of_responses(crowd: Crowd, as_of: float) -> Array:
    """Every e-mail sent before `as_of`, answered by then or not yet."""
    events = crowd.events
    spells = crowd.spells
    sent = (events.stream == E_MAIL) & (events.tau < as_of)
    spell = events.spell[sent]
    seen_end = np.minimum(spells.end[spell], as_of)
    watched = seen_end - events.tau[sent]

    n = len(crowd.ids)
    total = np.zeros((n, len(CLASSES)))
    for kind, (chance, delay) in RESPONSES.items():
        in_time = -np.expm1(-watched / delay)
        not_yet = 1 - np.array(chance) * in_time[:, None]
        answered = crowd.responses[kind][sent] < as_of
        likelihood = np.where(answered[:, None], chance, not_yet)
        log_likelihood = np.log(likelihood)
        total += sum_by_lead(spells.lead[spell], log_likelihood, len(total))
    return total


def _of_stays(crowd: Crowd, as_of: float) -> Array:
    stays = crowd.stays
    lead = crowd.spells.lead[stays.spell]
    seen_end = np.minimum(stays.end, as_of)
    stayed = np.clip(seen_end - stays.start, 0, None)

    n = len(crowd.ids)
    total = np.zeros((n, len(CLASSES)))
    for step, rate in MOVES.items():
        moved = (stays.end < as_of) & (stays.step == step)
        at_risk = stayed * can_move(stays.stage, step)
        moves = sum_by_lead(lead, moved, n)
        total += moves * np.log(rate)
        risked = sum_by_lead(lead, at_risk, n)
        total -= risked * np.array(rate)
    return total


def sum_by_lead(lead: Array, values: Array, n: int) -> Array:
    """Sums by lead: (k,) gives (n, 1), (k, 4) gives (n, 4)."""
    columns = values if values.ndim > 1 else values[:, None]
    sums = []
    for column in columns.T:
        of_leads = np.bincount(lead, weights=column, minlength=n)
        sums.append(of_leads)
    return np.column_stack(sums)


def build_truth(crowd: Crowd) -> pa.Table:
    """What nobody knows at UNTIL: each lead's class, its probability if open, and what came later."""
    lead, truth = compute_truth(crowd, UNTIL_S)
    chance = np.full(len(crowd.ids), np.nan)
    chance[lead] = truth
    closed = np.isnan(chance)

    spells = crowd.spells
    _, from_the_end = np.unique(spells.lead[::-1], return_index=True)
    last = len(spells.lead) - 1 - from_the_end  # spell of each lead
    won = spells.won[last]
    end_s = spells.end_s[last]
    in_time = won & (end_s < UNTIL_S + HORIZON_DAYS * DAY_S)
    names = np.array(CLASSES)
    outcome = np.where(won, "won", "lost")
    columns = {
        "lead_id": crowd.ids,
        "class": pa.array(names[crowd.lead_class]),
        "win_probability": pa.array(chance, mask=closed),
        "won_within_horizon": pa.array(in_time, mask=closed),
        "outcome": pa.array(outcome),
        "closed_at": to_moments(end_s),
    }
    return pa.table(columns)
