"""What leads had in common by the day from which they are followed: values of fields, activities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from leadscore.features.fields import recorded_fields
from leadscore.funnel.competing import LEAST_IN_SIGHT, Ends, count_ends
from leadscore.funnel.spells import OUTCOMES
from leadscore.history.early import count_early_kinds, count_early_values
from leadscore.history.split import History
from leadscore.wording import ACTIVITY


@dataclass(frozen=True)
class Segment:
    """Leads that had something in common early on, and how they ended.

    Attributes:
        field: what they have in common, or `ACTIVITY`.
        value: of the field, or the kind of activity in words.
        ends: of the leads, from the day on from which they are followed.
    """

    field: str
    value: str
    ends: Ends


def list_segments(history: History, followed: pd.DataFrame) -> list[Segment]:
    """The segments with enough leads, by value of each field and by kind of activity.

    Only fields of which it is known when they were true count: those known from creation, and those
    with a history. Numbers are cut into thirds. A field that was not known by then is no segment.

    Args:
        history: of the project.
        followed: as `list_followed` returns them.
    """
    settings = history.settings
    fields = settings.lead_fields()
    created = settings.fields_of_leads()
    changing = recorded_fields(settings) & set(fields)

    segments: list[Segment] = []
    for name in sorted(changing | created):
        field = fields[name]
        if field.type not in ("text", "number"):
            continue
        counts = count_early_values(history, followed, name, at_creation=name in created)
        if field.type == "number":
            counts = counts.assign(value=_name_bands(counts, decimals=field.decimals))
        segments += _split(name, counts)

    kinds = list(settings.activity_kinds())
    counts = count_early_kinds(history, followed, kinds)
    words = counts["value"].map(lambda kind: settings.kinds.get(kind, kind))
    segments += _split(ACTIVITY, counts.assign(value=words))
    return segments


def _split(name: str, counts: pd.DataFrame) -> Iterator[Segment]:
    """The segments of one field, by value."""
    for value, rows in counts.groupby("value"):
        ends = count_ends(
            rows["hours"].to_numpy(),
            rows["ending"].to_numpy(),
            rows["leads"].to_numpy(),
            names=OUTCOMES,
        )
        if ends.count() >= LEAST_IN_SIGHT:
            yield Segment(name, str(value), ends)


def _name_bands(counts: pd.DataFrame, *, decimals: int) -> pd.Series:
    """In which third of the leads each number lies, as words; null where it is not known."""
    numbers = pd.to_numeric(counts["value"]) / 10**decimals
    of_leads = numbers.repeat(counts["leads"])
    low = of_leads.quantile(1 / 3)
    high = of_leads.quantile(2 / 3)
    is_low = numbers <= low
    is_high = numbers > high
    is_between = (numbers > low) & (numbers <= high)

    bands = pd.Series(None, index=numbers.index, dtype=object)
    bands[is_low] = f"up to {low:,.0f}"
    bands[is_between] = f"{low:,.0f} to {high:,.0f}"
    bands[is_high] = f"over {high:,.0f}"
    return bands
