"""Questions about the facts of a store, each answered from what was known before a moment.

No other room writes SQL over the tables. So whether an answer could know the future is decided
here, in one file: every question takes `known_us`, and every FROM is followed by `available_us <
known_us`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal

DESCRIPTIONS = {  # table -> SQL of what one of its rows says
    "leads": "'created'",
    "changes": "field",
    "stages": "stage",
    "activities": "kind || ' (' || actor || ')'",
    "outcomes": "'closed as ' || outcome",  # of a lead that was opened again
}


@dataclass(frozen=True)
class KnownFact:
    """A row of a table: what it says, the value (of a change), when it happened and was known."""

    source: str
    what: str
    value: Any
    event_us: int
    available_us: int


@dataclass(frozen=True)
class KnownFacts:
    """The tables of a store version, to be asked about a moment `known_us` (UTC microseconds).

    A fact that became known at that moment or later changes no answer. `FOREVER_US` asks for all
    that is stored.
    """

    engine: Engine = field(repr=False)

    def count_leads(self, known_us: int) -> int:
        """How many leads were known."""
        rows = self.engine.query(f"SELECT COUNT(*) AS n FROM leads WHERE available_us < {known_us}")
        return int(rows["n"][0].as_py())

    def lead_ids(self, known_us: int) -> set[str]:
        """The leads that were known."""
        rows = self.engine.query(f"SELECT lead_id FROM leads WHERE available_us < {known_us}")
        return set(rows["lead_id"].to_pylist())

    def creations(self, known_us: int) -> pd.DataFrame:
        """When each known lead was created: lead_id and event_us, by lead_id."""
        return self._read(
            f"""SELECT lead_id, event_us FROM leads
            WHERE available_us < {known_us} ORDER BY lead_id"""
        )

    def first_values(self, names: Sequence[str], known_us: int) -> pa.Table:
        """What `leads` says of each known lead: lead_id and the named columns, by lead_id.

        It is the value that was seen first, of which nobody can say since when it was true.
        """
        columns = ", ".join(identifier(name) for name in ("lead_id", *names))
        return self.engine.query(
            f"""SELECT {columns} FROM leads
            WHERE available_us < {known_us} ORDER BY lead_id"""
        )

    def distinct_texts(self, name: str, known_us: int) -> set[str]:
        """All values that a text field was known to have, at first or by a change."""
        rows = self.engine.query(
            f"""SELECT {identifier(name)} AS value FROM leads
            WHERE available_us < {known_us}
            UNION
            SELECT value FROM changes
            WHERE field = {literal(name)} AND available_us < {known_us}"""
        )
        return {value for value in rows["value"].to_pylist() if value is not None}

    def currencies(self, known_us: int) -> list[str]:
        """The currencies in which known leads have amounts, sorted."""
        rows = self.engine.query(
            f"""SELECT DISTINCT currency FROM leads
            WHERE currency IS NOT NULL AND available_us < {known_us}"""
        )
        return sorted(rows["currency"].to_pylist())

    def changed_fields(self, known_us: int) -> set[str]:
        """The fields of which a change was known, from the mapping or by our own exports."""
        return self._fields_in("changes", known_us)

    def mapped_histories(self, known_us: int) -> set[str]:
        """The fields of which the mapping gave a change.

        Those of others were seen by our own exports.
        """
        return self._fields_in("mapped_changes", known_us)

    def _fields_in(self, table: str, known_us: int) -> set[str]:
        rows = self.engine.query(
            f"SELECT DISTINCT field FROM {identifier(table)} WHERE available_us < {known_us}"
        )
        return set(rows["field"].to_pylist())

    def change_moments(self, names: Sequence[str], known_us: int) -> np.ndarray:
        """The different moments (n,) at which changes of the named fields became known, rising."""
        if not names:
            return np.empty(0, dtype=np.int64)
        listed = ", ".join(literal(name) for name in names)
        rows = self.engine.query(
            f"""SELECT DISTINCT available_us FROM changes
            WHERE field IN ({listed}) AND available_us < {known_us}"""
        )
        return np.sort(rows["available_us"].to_numpy())

    def latest_changes(
        self, names: Sequence[str], lead_id: np.ndarray, *, before_us: np.ndarray, known_us: int
    ) -> dict[str, pa.Array]:
        """The last value that each named field took before each lead's own moment, as text.

        Args:
            names: the fields.
            lead_id: (n,) the leads, each once.
            before_us: (n,) the moment up to which changes of each lead count.
            known_us: the moment up to which changes of any lead count.

        Returns:
            Field -> (n,) text; null where the field had not changed, or was emptied.
        """
        self.engine.add_rows("asked_leads", pa.table({"lead_id": lead_id, "before_us": before_us}))
        return {name: self._latest_change(name, lead_id, known_us) for name in names}

    def _latest_change(self, name: str, lead_id: np.ndarray, known_us: int) -> pa.Array:
        rows = self.engine.query(
            f"""SELECT lead_id, value FROM (
                SELECT c.lead_id, c.value, ROW_NUMBER() OVER (
                    PARTITION BY c.lead_id
                    ORDER BY c.event_us DESC, c.seq DESC, c.value DESC) AS recency
                FROM changes AS c JOIN asked_leads AS a ON a.lead_id = c.lead_id
                WHERE c.field = {literal(name)}
                    AND c.available_us < a.before_us AND c.available_us < {known_us}) AS ranked
            WHERE recency = 1 ORDER BY lead_id"""
        )
        place = pd.Index(rows["lead_id"].to_pandas()).get_indexer(lead_id)
        value = rows["value"].combine_chunks()
        return value.take(pa.array(place, mask=place < 0))

    def wins(self, known_us: int) -> pd.DataFrame:
        """The wins: lead_id, and amount (in minor units) and currency where known."""
        return self._read(
            f"""SELECT lead_id, amount, currency FROM outcomes
            WHERE outcome = 'won' AND available_us < {known_us}
            ORDER BY lead_id, amount, currency"""
        )

    def first_worked(self, known_us: int) -> pd.Series[int]:
        """When a rep was first known to have done anything about a lead, by lead_id.

        The others are left out.
        """
        rows = self._read(
            f"""SELECT lead_id, MIN(available_us) AS first_us FROM activities
            WHERE actor = 'rep' AND available_us < {known_us} GROUP BY lead_id"""
        )
        return rows.set_index("lead_id")["first_us"]

    def about_lead(self, lead_id: str, known_us: int) -> list[KnownFact]:
        """All facts known of one lead, in the order in which they happened."""
        parts = [_about_sql(table, what, lead_id, known_us) for table, what in DESCRIPTIONS.items()]
        rows = self._read(" UNION ALL ".join(parts))
        rows = rows.sort_values(["event_us", "source", "what", "value"], kind="stable")
        columns = [rows[field.name] for field in fields(KnownFact)]
        return [KnownFact(*row) for row in zip(*columns, strict=True)]

    def _read(self, sql: str) -> pd.DataFrame:
        rows: pd.DataFrame = self.engine.query(sql).to_pandas()
        return rows


def _about_sql(table: str, what: str, lead_id: str, known_us: int) -> str:
    value = "value" if table == "changes" else "NULL"
    return f"""SELECT {literal(table)} AS source, {what} AS what, event_us, available_us,
            {value} AS value
        FROM {identifier(table)}
        WHERE lead_id = {literal(lead_id)} AND available_us < {known_us}"""
