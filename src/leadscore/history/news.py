"""Of which leads anything became known in some time: of the others only time has passed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.history.activities import read_activity_columns
from leadscore.history.split import History
from leadscore.history.timelines import read_lead_keys

FACTS = ("leads", "activities", "changes", "stages")  # what features of a lead's own past rest on


def find_news(
    history: History,
    lead_id: np.ndarray,
    *,
    from_us: int,
    to_us: int,
) -> np.ndarray:
    """Whether a fact may have become known (n,) of each lead from a moment on and before another.

    A plan may become known, or be over, without any other fact, so every plan that is dated later
    counts as one. Where other leads of an account or contact count, which have news of their own,
    every lead does.

    Args:
        history: where the leads are.
        lead_id: (n,) the leads.
        from_us: the earlier moment.
        to_us: the later one.
    """
    if any(key.is_learned for key in read_lead_keys(history.settings)):
        return np.ones(len(lead_id), dtype=bool)
    asked = pa.array(lead_id, pa.string())
    history.engine.add_rows("asked_leads", pa.table({"lead_id": asked}))
    parts = [
        f"SELECT lead_id FROM {table} WHERE available_us >= {from_us} AND available_us < {to_us}"
        for table in FACTS
    ]
    if read_activity_columns(history.settings).has_plans:
        parts.append(
            f"SELECT lead_id FROM activities WHERE booked_at < {to_us} AND event_us >= {from_us}"
        )
    facts = " UNION ALL ".join(parts)
    rows = history.engine.query(
        f"""SELECT DISTINCT a.lead_id FROM ({facts}) AS facts
        JOIN asked_leads AS a ON a.lead_id = facts.lead_id"""
    )
    return np.asarray(pc.is_in(asked, rows["lead_id"].combine_chunks()))
