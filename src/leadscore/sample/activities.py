"""The export of activities: a row for every page, call, meeting, and answer to an e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from leadscore.sample.crowd import Crowd
from leadscore.sample.names import BY_REP, SECONDS
from leadscore.sample.work_time import UNTIL_TAU, to_moments, to_seconds
from leadscore.sample.world import ACTIVITIES, E_MAIL, RESPONSES, SCANNERS, STREAM_CODES, Array

SCANNER = "scanner"
KINDS = (*STREAM_CODES, *RESPONSES, SCANNER)  # what a row is from, by code


@dataclass(frozen=True)
class Rows:
    """Rows of activities: the event that each belongs to, the code of its kind, and when."""

    event: Array
    kind: Array
    seconds: Array


def draw_activities(rng: Generator, crowd: Crowd) -> dict[str, Any]:
    """A row for every page of a visit, every other activity, and every answer to an e-mail."""
    parts = [_draw_pages(rng, crowd), *_build_responses(crowd), _draw_scans(rng, crowd)]
    event = np.concatenate([part.event for part in parts])
    kind = np.concatenate([part.kind for part in parts])
    seconds = np.concatenate([part.seconds for part in parts])
    is_response = kind >= len(STREAM_CODES)
    durations = _draw_durations(rng, crowd)
    duration = np.where(is_response, 0, durations[event])

    order = np.lexsort((event, kind, seconds))
    event = event[order]
    kind = kind[order]
    duration = duration[order]

    lead = crowd.lead_of_events()[event]
    types = np.array([_type_of(name) for name in KINDS])
    actors = np.array([_actor_of(name) for name in KINDS])
    return {
        "lead_id": crowd.ids_of(lead),
        "at": to_moments(seconds[order]),
        "type": pa.array(types[kind]),
        "actor": pa.array(actors[kind]),
        "duration_s": pa.array(duration, mask=duration == 0),
        # the rows of one visit, or of one e-mail, share it; other leads may have the number too
        "thread": pa.array(event),
    }


def _draw_pages(rng: Generator, crowd: Crowd) -> Rows:
    """A row for every page of an activity, some seconds apart; answers are no activities."""
    events = crowd.events
    pages = np.zeros(len(events.seconds), dtype=np.int64)
    for kind, (_, marks) in ACTIVITIES.items():
        mine = events.stream == STREAM_CODES[kind]
        pages_by_mark = np.array([int(mark) for mark in marks])
        pages[mine] = pages_by_mark[events.mark[mine]]

    event = np.repeat(np.arange(len(pages)), pages)
    first_page = np.searchsorted(event, event)
    page = np.arange(len(event)) - first_page
    pauses = rng.integers(5, 90, len(pages))
    seconds = events.seconds[event] + page * pauses[event]
    return Rows(event, events.stream[event], seconds)


def _build_responses(crowd: Crowd) -> list[Rows]:
    """The answers to e-mails that came before UNTIL."""
    parts = []
    for kind, tau in crowd.responses.items():
        event = np.flatnonzero(tau < UNTIL_TAU)
        code = np.full(len(event), KINDS.index(kind))
        seconds = to_seconds(tau[event])
        parts.append(Rows(event, code, seconds))
    return parts


def _draw_scans(rng: Generator, crowd: Crowd) -> Rows:
    """E-mails that a program opens within seconds, whoever the lead is."""
    events = crowd.events
    is_scanned = rng.random(len(events.seconds)) < SCANNERS
    is_e_mail = events.stream == E_MAIL
    event = np.flatnonzero(is_e_mail & is_scanned)
    code = np.full(len(event), KINDS.index(SCANNER))
    delay = rng.integers(1, 4, len(event))
    return Rows(event, code, events.seconds[event] + delay)


def _draw_durations(rng: Generator, crowd: Crowd) -> Array:
    """Seconds of each event, 0 where there are none."""
    stream = crowd.events.stream
    duration = np.zeros(len(stream), dtype=np.int64)
    for kind, (shortest, longest) in SECONDS.items():
        drawn = rng.integers(shortest, longest, len(stream))
        duration = np.where(stream == STREAM_CODES[kind], drawn, duration)
    return duration


def _type_of(kind: str) -> str:
    """A CRM cannot tell that a program opened an e-mail by the type of the row."""
    return "email_open" if kind == SCANNER else kind


def _actor_of(kind: str) -> str:
    if kind == SCANNER:
        return "system"
    return "rep" if kind in BY_REP else "lead"
