"""Which leads of low tiers are worked anyway, so that the model keeps learning."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd

from leadscore.times import DAY_US


def draw_explored(
    lead_id: pd.Series[str],
    *,
    share: float,
    seed: int,
    as_of_us: int,
) -> np.ndarray:
    """Whether each lead (n,) is drawn, each with the probability `share`.

    A draw is a hash of seed, UTC day and lead: the same on every machine, whatever other leads
    there are.
    """
    if share == 0:
        return np.zeros(len(lead_id), dtype=bool)
    salt = f"{seed}:explore:{as_of_us // DAY_US}:"
    hashes = [_hash64(salt + lead) for lead in lead_id]
    bound = np.uint64(share * 2.0**64)
    return np.array(hashes, dtype=np.uint64) < bound


def _hash64(text: str) -> int:
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
