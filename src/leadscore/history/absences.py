"""Until when each lead was in the exports, as far as was known at a moment: an absent lead is open for nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.engine import Engine
from leadscore.store.version import StoreVersion
from leadscore.tables import PRESENCE
from leadscore.times import FOREVER_US


def read_presence(engine: Engine, version: StoreVersion) -> pd.DataFrame:
    """The comings and goings of leads that exports showed (`PRESENCE`), in the order in which they did."""
    engine.add_files("presence", version.files("presence"), schema=PRESENCE)
    return pd.DataFrame(engine.query("SELECT * FROM presence ORDER BY seq, lead_id").to_pandas())


def add_seen(spells: pd.DataFrame, presence: pd.DataFrame, *, known_us: int) -> pd.DataFrame:
    """Spells with seen_us: the last export that had the lead, if it was known at `known_us` to be absent since.

    `FOREVER_US` for all others, and for spells that ended: their end was seen.
    """
    known = presence[presence["available_us"] < known_us].drop_duplicates("lead_id", keep="last")
    gone = known[known["present"] == 0].set_index("lead_id")["seen_until_us"]
    seen_us = spells["lead_id"].map(gone).fillna(FOREVER_US).astype("int64")
    is_open = spells["close_us"] == FOREVER_US
    return spells.assign(seen_us=seen_us.where(is_open, FOREVER_US))


def seen_until(spells: pd.DataFrame, known_us: np.ndarray | int = FOREVER_US) -> np.ndarray:
    """Until when (n,) each spell was watched: the moment asked about, or the last export that had the lead."""
    if "seen_us" not in spells:
        return np.broadcast_to(np.asarray(known_us, dtype=np.int64), len(spells))
    return np.asarray(np.minimum(spells["seen_us"].to_numpy(dtype=np.int64), known_us))
