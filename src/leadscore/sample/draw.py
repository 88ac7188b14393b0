"""How leads are drawn: who arrives, when they close or come back, and what they do meanwhile.

What a seed means is the order of the draws here and in `exports.py`: another order is another
sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from leadscore.sample.crowd import Crowd, Events, Spells, Stays
from leadscore.sample.exports import draw_exports
from leadscore.sample.truth import build_truth, log_prior
from leadscore.sample.work_time import START_TAU, UNTIL_TAU, to_whole_seconds
from leadscore.sample.world import (
    ATTRIBUTES,
    COME_BACK,
    E_MAIL,
    LOSE,
    MOVES,
    RESPONSES,
    STREAMS,
    WIN,
    Array,
    by_class,
    can_move,
)

CHUNK = 20_000  # leads drawn at a time; part of what a seed means


@dataclass(frozen=True)
class Draw:
    """Leads drawn together, and what the company's systems export of them."""

    crowd: Crowd
    exports: dict[str, pa.Table]

    def tables(self) -> dict[str, pa.Table]:
        """File name without its ending -> rows: the exports, and the truth."""
        tables = {f"exports/{name}": table for name, table in self.exports.items()}
        return tables | {"truth/leads": build_truth(self.crowd)}


def draw_leads(*, leads: int, seed: int) -> Iterator[Draw]:
    """All leads, in chunks that arrive one after another."""
    chunks = math.ceil(leads / CHUNK)
    for chunk in range(chunks):
        first = leads * chunk // chunks
        end = leads * (chunk + 1) // chunks
        rng = np.random.default_rng([seed, chunk])
        span = np.array([chunk, chunk + 1])
        arrive = START_TAU + (UNTIL_TAU - START_TAU) * span / chunks
        n = end - first
        crowd = draw_crowd(rng, first=first, n=n, arrive=arrive)
        yield Draw(crowd, draw_exports(rng, crowd))


def draw_crowd(rng: Generator, *, first: int, n: int, arrive: Array) -> Crowd:
    """Leads number `first` to `first + n`, which arrive within a span of working time."""
    arrivals = rng.uniform(arrive[0], arrive[1], n)
    created_s, created = to_whole_seconds(np.sort(arrivals))
    lead_class = choose(rng, np.exp(log_prior(created_s)))
    attributes = {}
    for name, shares in ATTRIBUTES.items():
        shares_of_lead = by_class(shares)[lead_class]
        attributes[name] = choose(rng, shares_of_lead)
    spells = draw_spells(rng, created, lead_class)
    class_of_spell = lead_class[spells.lead]
    events = draw_events(rng, class_of_spell, spells)
    return Crowd(
        ids=pa.array([f"L{first + i + 1:07d}" for i in range(n)]),
        lead_class=lead_class,
        created_s=created_s,
        attributes=attributes,
        spells=spells,
        events=events,
        responses=draw_responses(rng, class_of_spell, spells, events),
        stays=draw_stays(rng, class_of_spell, spells),
    )


def choose(rng: Generator, shares: Array) -> Array:
    """A position in each row of `shares` (n, choices), drawn by its shares."""
    upper = np.cumsum(shares, axis=1)
    limits = upper[:, :-1]
    drawn = rng.random(len(shares))[:, None]
    return np.asarray((drawn > limits).sum(axis=1))


def draw_spells(rng: Generator, created: Array, lead_class: Array) -> Spells:
    """First spells, and second ones of lost leads that came back before UNTIL; ordered by lead."""
    everyone = np.arange(len(created))
    end_s, end, won = _draw_ends(rng, created, lead_class)

    come_back = np.array(COME_BACK)[lead_class]
    gap = rng.exponential(1 / come_back)
    _, again = to_whole_seconds(end + gap)
    second = np.flatnonzero(~won & (again < UNTIL_TAU))
    start = again[second]
    second_end_s, second_end, second_won = _draw_ends(rng, start, lead_class[second])

    lead = np.concatenate([everyone, second])
    no_gap = np.full(len(everyone), np.nan)
    order = np.argsort(lead, kind="stable")
    shown_gap = start - end[second]
    return Spells(
        lead=lead[order],
        start=np.concatenate([created, start])[order],
        end=np.concatenate([end, second_end])[order],
        end_s=np.concatenate([end_s, second_end_s])[order],
        won=np.concatenate([won, second_won])[order],
        gap=np.concatenate([no_gap, shown_gap])[order],
    )


def _draw_ends(
    rng: Generator,
    start: Array,
    lead_class: Array,
) -> tuple[Array, Array, Array]:
    """When spells end, in seconds and working time, and whether they are won."""
    win = np.array(WIN)[lead_class]
    lose = np.array(LOSE)[lead_class]
    close = win + lose
    length = rng.exponential(1 / close)
    end_s, end = to_whole_seconds(start + length)
    won = rng.random(len(start)) < win / close
    return end_s, end, won


def draw_events(rng: Generator, class_of_spell: Array, spells: Spells) -> Events:
    """Everything that arrives in an open spell before UNTIL: a Poisson process for each stream."""
    open_for = spells.seen_end() - spells.start
    length = np.clip(open_for, 0, None)
    parts = []
    for code, (rate, marks) in enumerate(STREAMS.values()):
        expected = np.array(rate)[class_of_spell] * length
        count = rng.poisson(expected)
        spell = np.repeat(np.arange(len(length)), count)
        stream = np.full(len(spell), code)
        shares = by_class(marks)[class_of_spell[spell]]
        mark = choose(rng, shares)
        parts.append((spell, stream, mark))

    columns = zip(*parts, strict=True)
    spell, stream, mark = map(np.concatenate, columns)
    since_start = length[spell] * rng.random(len(spell))
    tau = spells.start[spell] + since_start
    seconds, whole_tau = to_whole_seconds(tau)
    return Events(spell, stream, mark, whole_tau, seconds)


def draw_responses(
    rng: Generator,
    class_of_spell: Array,
    spells: Spells,
    events: Events,
) -> dict[str, Array]:
    """When the lead answered each e-mail, if it did before its spell ended; else infinite."""
    n = len(events.tau)
    class_of_event = class_of_spell[events.spell]
    responses = {}
    for kind, (chance, delay) in RESPONSES.items():
        delays = rng.exponential(delay, n)
        _, tau = to_whole_seconds(events.tau + delays)
        wants_to = rng.random(n) < np.array(chance)[class_of_event]
        in_time = tau < spells.end[events.spell]
        answered = (events.stream == E_MAIL) & wants_to & in_time
        responses[kind] = np.where(answered, tau, np.inf)
    return responses


def draw_stays(rng: Generator, class_of_spell: Array, spells: Spells) -> Stays:
    """The stages that a lead goes through, forward and back, until its spell ends or UNTIL."""
    end = spells.seen_end()
    spell = np.arange(len(end))
    start = spells.start
    came_back = ~np.isnan(spells.gap)
    stage = came_back.astype(np.int64)  # a lead that came back was contacted before

    parts = []
    while len(spell):
        of_class = class_of_spell[spell]
        forward_rate = np.array(MOVES[1])[of_class]
        forward = forward_rate * can_move(stage, 1)
        back_rate = np.array(MOVES[-1])[of_class]
        back = back_rate * can_move(stage, -1)
        either = forward + back
        length = rng.exponential(1 / either)
        is_forward = rng.random(len(spell)) < forward / either

        _, left = to_whole_seconds(start + length)
        step = np.where(is_forward, 1, -1)
        moves = left < end[spell]
        ends = np.where(moves, left, spells.end[spell])
        parts.append((spell, start, ends, stage, step * moves))

        spell = spell[moves]
        start = left[moves]
        stage = (stage + step)[moves]
    columns = zip(*parts, strict=True)
    return Stays(*map(np.concatenate, columns))
