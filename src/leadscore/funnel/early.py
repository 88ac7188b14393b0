"""What was known of leads on the day from which they are followed: their fields, and what happened."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.features.fields import recorded_fields
from leadscore.history.split import History
from leadscore.times import FOREVER_US


def read_early_values(history: History, followed: pd.DataFrame) -> pd.DataFrame:
    """The value of each text field, and the band of each number, by lead_id.

    Only fields of which it is known when they were true are read: those known from creation, and
    those with a history. A field that was not known by then is null.

    Args:
        history: of the project.
        followed: as `list_followed` returns them.
    """
    settings = history.settings
    fields = settings.lead_fields()
    created = settings.fields_of_leads()
    changing = recorded_fields(settings) & set(fields)
    names = sorted(changing | created)

    # each lead's own moment bounds what counts, so no other bound is needed
    lead_id = followed["lead_id"].to_numpy(dtype=object)
    at_first = history.facts.first_values(sorted(created), FOREVER_US).to_pandas()
    first = at_first.set_index("lead_id").reindex(lead_id)
    latest = history.facts.latest_changes(
        names,
        lead_id,
        before_us=followed["from_us"].to_numpy(),
        known_us=FOREVER_US,
    )

    values = {}
    for name in names:
        changed = latest[name].to_pandas().to_numpy()
        value = pd.Series(changed, index=lead_id, dtype=object)
        if name in created:
            value = value.fillna(first[name].astype(object))
        field = fields[name]
        if field.type == "text":
            values[name] = value
        elif field.type == "number":
            values[name] = _name_bands(value, decimals=field.decimals)
    return pd.DataFrame(values, index=_index(lead_id))


def _index(lead_id: np.ndarray) -> pd.Index[str]:
    index: pd.Index[str] = pd.Index(lead_id, name="lead_id")
    return index


def _name_bands(minor: pd.Series, *, decimals: int) -> pd.Series:
    """In which third of the leads each number lies, as words; null where it is not known."""
    numbers = pd.to_numeric(minor) / 10**decimals
    low = numbers.quantile(1 / 3)
    high = numbers.quantile(2 / 3)
    is_low = numbers <= low
    is_high = numbers > high
    is_between = (numbers > low) & (numbers <= high)

    bands = pd.Series(None, index=numbers.index, dtype=object)
    bands[is_low] = f"up to {low:,.0f}"
    bands[is_between] = f"{low:,.0f} to {high:,.0f}"
    bands[is_high] = f"over {high:,.0f}"
    return bands


def read_early_kinds(history: History, followed: pd.DataFrame) -> pd.DataFrame:
    """Whether each lead had each kind of activity by then, by lead_id: a column a kind."""
    lead_id = followed["lead_id"].to_numpy(dtype=object)
    kinds = list(history.settings.activity_kinds())
    until_us = followed["from_us"].to_numpy()
    had = history.facts.kinds_until(kinds, lead_id, until_us).to_pandas()
    index = _index(lead_id)
    columns = {}
    for kind in kinds:
        is_kind = had["kind"] == kind
        with_kind = had.loc[is_kind, "lead_id"]
        columns[kind] = index.isin(with_kind)
    return pd.DataFrame(columns, index=index)
