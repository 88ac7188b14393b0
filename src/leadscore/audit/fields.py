"""The fields that the audit looks at, and where their values come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.audit.leads import Leads
from leadscore.audit.values import FieldHistory, Values, build_values
from leadscore.history.split import History
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
    history: History, leads: Leads, names: Sequence[str], *, own: Collection[str]
) -> Iterator[Values]:
    """The latest value of each named field: of those in `own` what exports showed, else `leads`."""
    in_leads = history.facts.first_values(names, leads.known_us)
    in_exports = history.known_values(sorted(own), as_of_us=leads.known_us)
    place = pd.Index(in_leads["lead_id"].to_pandas()).get_indexer(leads.lead_id)
    fields = history.settings.lead_fields()
    for name in names:
        rows = in_exports if name in own else in_leads
        column = rows[name].combine_chunks().take(pa.array(place))
        yield build_values(name, fields[name], column)


def read_histories(
    history: History, leads: Leads, names: Sequence[str], *, own: Collection[str]
) -> Iterator[FieldHistory]:
    """What each named field said at three moments, by what was known then.

    `own` are those that exports show.
    """
    fields = history.settings.lead_fields()

    def read(before_us: np.ndarray) -> dict[str, Values]:
        texts = history.facts.latest_changes(
            names, leads.lead_id, before_us=before_us, known_us=leads.known_us
        )
        return {name: build_values(name, fields[name], text) for name, text in texts.items()}

    at_creation = read(leads.created_us + 1)
    before_close = read(leads.close_us)
    now = read(np.full(len(leads.lead_id), FOREVER_US))

    everybody = np.ones(len(leads.lead_id), dtype=bool)
    watched = _find_watched(history, leads, own)
    for name in names:
        seen = watched if name in own else everybody
        yield FieldHistory(at_creation[name], before_close[name], now[name], seen)


def _find_watched(history: History, leads: Leads, own: Collection[str]) -> np.ndarray:
    """Which leads (n,) were open when an export showed a change of a field in `own`."""
    exports = history.facts.change_moments(sorted(own), leads.known_us)
    next_export = np.searchsorted(exports, leads.created_us, side="left")
    first_listed_us = np.append(exports, FOREVER_US)[next_export]
    return np.asarray(first_listed_us < leads.close_us)
