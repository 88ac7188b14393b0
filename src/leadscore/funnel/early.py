"""What was known of leads on the day from which they are followed: their fields, and what happened."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from leadscore.features.fields import recorded_fields
from leadscore.history.split import History
from leadscore.times import FOREVER_US

BANDS = 3  # of a number, with equally many leads


def read_early_values(history: History, followed: pd.DataFrame) -> pd.DataFrame:
    """The value of each text field, and the band of each number, by lead_id.

    Only fields of which it is known when they were true are read: those known from creation, and
    those with a history. A field that was not known by then is null.

    Args:
        history: of the project.
        followed: as `list_followed` returns them.
    """
    fields = history.settings.lead_fields()
    created = sorted(history.settings.fields_of_leads())
    changing = recorded_fields(history.settings) & set(fields)
    names = sorted(changing | set(created))

    # each lead's own moment bounds what counts, so no other bound is needed
    lead_id = followed["lead_id"].to_numpy(dtype=object)
    first = history.facts.first_values(created, FOREVER_US).to_pandas().set_index("lead_id")
    latest = history.facts.latest_changes(
        names, lead_id, before_us=followed["from_us"].to_numpy(), known_us=FOREVER_US
    )
    values = {}
    for name in names:
        value = pd.Series(latest[name].to_pandas().to_numpy(), index=lead_id, dtype=object)
        if name in created:
            value = value.fillna(first[name].reindex(lead_id).astype(object))
        if fields[name].type == "text":
            values[name] = value
        elif fields[name].type == "number":
            values[name] = _name_bands(value, decimals=fields[name].decimals)
    return pd.DataFrame(values, index=pd.Index(lead_id, name="lead_id"))


def _name_bands(minor: pd.Series, *, decimals: int) -> pd.Series:
    """In which third of the leads each number lies, as words; null where it is not known."""
    numbers = pd.to_numeric(minor) / 10**decimals
    inner = [numbers.quantile(place / BANDS) for place in range(1, BANDS)]
    low, high = (f"{edge:,.0f}" for edge in inner)
    names = [f"up to {low}", f"{low} to {high}", f"over {high}"]
    bands = pd.Series(None, index=numbers.index, dtype=object)
    bands[numbers <= inner[0]] = names[0]
    bands[(numbers > inner[0]) & (numbers <= inner[1])] = names[1]
    bands[numbers > inner[1]] = names[2]
    return bands


def read_early_kinds(history: History, followed: pd.DataFrame) -> pd.DataFrame:
    """Whether each lead had each kind of activity by then, by lead_id: a column a kind."""
    lead_id = followed["lead_id"].to_numpy(dtype=object)
    kinds = list(history.settings.activity_kinds())
    rows: pa.Table = history.facts.kinds_until(kinds, lead_id, followed["from_us"].to_numpy())
    had = rows.to_pandas()
    columns = {}
    for kind in kinds:
        with_kind = had.loc[had["kind"] == kind, "lead_id"]
        columns[kind] = pd.Index(lead_id).isin(with_kind)
    return pd.DataFrame(columns, index=pd.Index(lead_id, name="lead_id"))
