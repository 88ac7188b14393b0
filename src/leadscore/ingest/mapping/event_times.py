"""When the rows of an entry happened, and when they became known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.columns import mask_values
from leadscore.ingest.mapping.selected import SelectedRows
from leadscore.ingest.mapping.words import is_missing, to_mask
from leadscore.times import FOREVER_US

WHOLE_NUMBER = r"\A[+-]?[0-9]+\z"


@dataclass(frozen=True)
class EventTimes:
    """When each row (n,) happened, and when it became known.

    UTC microseconds or, of ordered leads, places in their order.

    A lead without a creation date has null and 0: both are filled in once the export's moment is
    known.
    """

    event_us: pa.Array
    available_us: pa.Array


def build_times(selected: SelectedRows) -> EventTimes:
    """The times of rows; of settings without dates, their place in the order of leads."""
    if not selected.settings.is_dated:
        places = pa.array(_places(selected))
        return EventTimes(places, places)

    event, ok = _event_moments(selected)
    stated = event
    if selected.fills("available_at"):
        everywhere = np.ones(selected.texts.n, dtype=bool)
        moments, known = _read_moments(
            selected,
            "available_at",
            optional=everywhere,
            may_warn=~everywhere,
        )
        stated = np.where(known, moments, event)
    latest = np.maximum(event, stated)
    return EventTimes(mask_values(event, ok), pa.array(latest))


def earliest_moments(selected: SelectedRows, event: pa.Array) -> pa.Array:
    """The earliest moment (n,) that each event can mean: of a bare date, the begin of its day."""
    if not selected.settings.is_dated:
        return pa.nulls(selected.texts.n, pa.int64())
    if not selected.fills("event_at"):
        return event
    return selected.reader.day_begins(selected.text("event_at"), event)


def _event_moments(selected: SelectedRows) -> tuple[np.ndarray, np.ndarray]:
    """UTC microseconds (n,), and which count; an undated close waits for the export's moment."""
    n = selected.texts.n
    closes = selected.closes()
    event = np.zeros(n, dtype=np.int64)
    ok = np.zeros(n, dtype=bool)
    if selected.fills("event_at"):
        is_lead = np.full(n, selected.table.name == "leads")
        event, ok = _read_moments(selected, "event_at", optional=is_lead | closes, may_warn=closes)
    return np.where(closes & ~ok, FOREVER_US, event), ok | closes


def _read_moments(
    selected: SelectedRows,
    name: str,
    *,
    optional: np.ndarray,
    may_warn: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """UTC microseconds (n,), and which are given.

    `optional` rows (n,) may lack the value; an unreadable one only warns for rows that `may_warn`.
    """
    text = selected.text(name)
    column = selected.source_name(name)
    moments, ok = selected.reader.moments(text, column)
    missing = is_missing(text)
    unread = ~ok & ~missing
    is_wrong = unread & ~may_warn
    selected.breaks.add(is_wrong, "type", name, text, may_warn=False)
    selected.breaks.add(unread & may_warn, "type", name, text)
    selected.breaks.add(missing & ~optional, "required", name, text)
    return np.where(ok, moments, 0), ok


def _places(selected: SelectedRows) -> np.ndarray:
    """The lead's place (n,) in the order: its sequence, else its line; 0 where there is no order.

    Outcomes have 0 as well, until they are put at the place of their lead.
    """
    if selected.fills("sequence"):
        return _read_sequence(selected)
    if selected.settings.time == "ordered" and selected.table.name == "leads":
        return selected.lines
    return np.zeros_like(selected.lines)


def _read_sequence(selected: SelectedRows) -> np.ndarray:
    text = selected.text("sequence")
    missing = is_missing(text)
    places, ok = selected.reader.numbers(text, decimals=0)
    ok &= to_mask(pc.match_substring_regex(text, WHOLE_NUMBER))
    selected.breaks.add(missing, "required", "sequence", text)
    is_wrong = ~ok & ~missing
    selected.breaks.add(is_wrong, "type", "sequence", text, may_warn=False)
    return places
