"""The fields that the audit looks at, and where their values come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.audit.leads import Leads
from leadscore.audit.values import FieldHistory, Values, build_values
from leadscore.history.split import History
from leadscore.settings.memory import stored_fields
from leadscore.settings.settings import Settings
from leadscore.times import FOREVER_US


def audited_fields(settings: Settings) -> list[str]:
    """The fields that a mapping entry fills in `leads`."""
    mapped: set[str] = set()
    for entry in settings.mapping:
        if entry.table == "leads":
            mapped |= set(entry.targets())
    return [name for name in settings.lead_fields() if name in mapped]


def read_current(
    history: History,
    leads: Leads,
    names: Sequence[str],
    *,
    own: Collection[str],
) -> Iterator[Values]:
    """The latest value of each named field or key: what exports showed if in `own`, else `leads`."""
    in_leads = history.facts.first_values(names, leads.known_us)
    in_exports = history.known_values(sorted(own), as_of_us=leads.known_us)
    listed = pd.Index(in_leads["lead_id"].to_pandas())
    place = pa.array(listed.get_indexer(leads.lead_id))

    fields = stored_fields(history.settings)
    for name in names:
        table = in_exports if name in own else in_leads
        column = table[name].combine_chunks()
        yield build_values(name, fields[name], column.take(place))


def read_histories(
    history: History,
    leads: Leads,
    names: Sequence[str],
    *,
    own: Collection[str],
) -> Iterator[FieldHistory]:
    """What each named field said at three moments, by what was known then.

    `own` are those that exports show.
    """
    n = len(leads.lead_id)
    at_end = np.full(n, FOREVER_US)
    at_creation = _read_at(history, leads, names, before_us=leads.created_us + 1)
    before_close = _read_at(history, leads, names, before_us=leads.close_us)
    now = _read_at(history, leads, names, before_us=at_end)

    everybody = np.ones(n, dtype=bool)
    watched = _find_watched(history, leads, own)
    for name in names:
        yield FieldHistory(
            at_creation[name],
            before_close[name],
            now[name],
            watched=watched if name in own else everybody,
        )


def _read_at(
    history: History,
    leads: Leads,
    names: Sequence[str],
    *,
    before_us: np.ndarray,
) -> dict[str, Values]:
    """Name -> the field's latest change before a moment of each lead (n,)."""
    fields = history.settings.lead_fields()
    texts = history.facts.latest_changes(
        names,
        leads.lead_id,
        before_us=before_us,
        known_us=leads.known_us,
    )
    values = {}
    for name, text in texts.items():
        values[name] = build_values(name, fields[name], text)
    return values


def _find_watched(history: History, leads: Leads, own: Collection[str]) -> np.ndarray:
    """Which leads (n,) were open when an export showed a change of a field in `own`."""
    exports = history.facts.change_moments(sorted(own), leads.known_us)
    next_export = np.searchsorted(exports, leads.created_us, side="left")
    first_listed_us = np.append(exports, FOREVER_US)[next_export]
    return np.asarray(first_listed_us < leads.close_us)
