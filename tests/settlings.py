"""Small worlds of leads that are scored at several dates, stated in days."""

import pandas as pd

from builders import day
from leadscore.monitor.settle import ScoredList

HORIZON = 30


def scored(at, rows, *, horizon=HORIZON):
    """A list of a day: lead -> probability."""
    frame = pd.DataFrame({"lead_id": list(rows), "probability": list(rows.values())})
    frame = frame.assign(tier="A", model_version="m").astype({"lead_id": str, "probability": float})
    return ScoredList(f"list of day {at}", day(at), horizon, frame)


def states(settled):
    """(name of the list, lead) -> (state, label or None)."""
    rows = settled[["name", "lead_id", "state", "label"]].itertuples(index=False)
    return {
        (name, lead): (state, None if pd.isna(label) else label)
        for name, lead, state, label in rows
    }
