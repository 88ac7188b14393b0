"""Scores that somebody else gave to leads, as known at a moment; no feature reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import literal
from leadscore.tables import SCORE_UNIT

KEYS = ["lead_id", "known_us"]


@dataclass(frozen=True)
class KnownScores:
    """The table `scores` of a store version, to be asked about moments (UTC microseconds).

    A value that became known at a moment or later changes no answer about it.
    """

    engine: Engine = field(repr=False)

    def names(self, known_us: int) -> list[str]:
        """The names of the scores that were known, sorted."""
        rows = self.engine.query(
            f"SELECT DISTINCT name FROM scores WHERE available_us < {known_us}"
        )
        return sorted(rows["name"].to_pylist())

    def values(self, name: str, rows: pd.DataFrame) -> np.ndarray:
        """The latest value (n,) of a score that was known at each row's moment; NaN if none.

        Args:
            name: of the score.
            rows: lead_id and known_us.
        """
        moments = rows[KEYS].drop_duplicates()
        asked = pa.Table.from_pandas(moments, preserve_index=False)
        self.engine.add_rows("asked_scores", asked)
        latest = self.engine.query(
            f"""SELECT lead_id, known_us, value FROM (
                SELECT a.lead_id, a.known_us, s.value, ROW_NUMBER() OVER (
                    PARTITION BY a.lead_id, a.known_us
                    ORDER BY s.event_us DESC, s.seq DESC, s.value DESC) AS recency
                FROM asked_scores AS a JOIN scores AS s
                    ON s.lead_id = a.lead_id AND s.available_us < a.known_us
                WHERE s.name = {literal(name)}) AS ranked
            WHERE recency = 1"""
        )
        joined = rows[KEYS].merge(latest.to_pandas(), on=KEYS, how="left")
        value = joined["value"].to_numpy(dtype=float)
        return np.asarray(value / SCORE_UNIT)

    def moves(self, name: str, known_us: int) -> pd.DataFrame:
        """Every value that a score was known to take, in order: lead_id, available_us, value."""
        rows = self.engine.query(
            f"""SELECT lead_id, available_us, value FROM scores
            WHERE name = {literal(name)} AND available_us < {known_us}
            ORDER BY lead_id, available_us, event_us, seq, value"""
        )
        moves: pd.DataFrame = rows.to_pandas()
        return moves.assign(value=moves["value"] / SCORE_UNIT)
