"""Leads that an export no longer lists: they were followed until the last export that did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.engine import Engine
from leadscore.store.version import StoreVersion
from leadscore.tables import PRESENCE
from leadscore.times import FOREVER_US


def read_presence(engine: Engine, version: StoreVersion) -> pd.DataFrame:
    """When exports showed leads to be absent, or back (`PRESENCE`), in the exports' order."""
    engine.add_files("presence", version.files("presence"), schema=PRESENCE)
    rows = engine.query("SELECT * FROM presence ORDER BY seq, lead_id")
    presence: pd.DataFrame = rows.to_pandas()
    return presence


def add_seen(
    spells: pd.DataFrame,
    presence: pd.DataFrame,
    *,
    known_us: int,
) -> pd.DataFrame:
    """Spells with the column seen_us: the last export that had a lead which is absent since.

    `FOREVER_US` for all other leads, and for spells that have closed: their end was seen.
    """
    known = presence[presence["available_us"] < known_us]
    latest = known.drop_duplicates("lead_id", keep="last")
    absent = latest[latest["present"] == 0]
    last_export_us = absent.set_index("lead_id")["seen_until_us"]

    seen_us = spells["lead_id"].map(last_export_us)
    seen_us = seen_us.fillna(FOREVER_US).astype("int64")
    is_open = spells["close_us"] == FOREVER_US
    return spells.assign(seen_us=seen_us.where(is_open, FOREVER_US))


def seen_until(spells: pd.DataFrame, known_us: np.ndarray | int = FOREVER_US) -> np.ndarray:
    """Until when (n,) each spell was followed: `known_us`, or the last export that had the lead."""
    if "seen_us" not in spells:
        until_us = np.asarray(known_us, dtype=np.int64)
        return np.broadcast_to(until_us, len(spells))
    seen_us = spells["seen_us"].to_numpy(dtype=np.int64)
    return np.asarray(np.minimum(seen_us, known_us))
