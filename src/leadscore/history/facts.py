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
from leadscore.history.activities import UNMAPPED, ActivityColumns
from leadscore.history.others import KnownScores
from leadscore.history.volumes import count_closes, count_weeks, measure_silences

DESCRIPTIONS = {  # table -> SQL of what one of its rows says
    "leads": "'created'",
    "changes": "field",
    "stages": "stage",
    "activities": "kind",
    "outcomes": "outcome",  # of a lead that was opened again
}
ALL = 2**31  # facts of a lead; none has as many


@dataclass(frozen=True)
class KnownFact:
    """A row of a table: what it says of a lead, when it happened and when it was known.

    Attributes:
        source: the table.
        what: the field, stage, kind of activity or outcome.
        value: that the field took, or what came of the activity.
        actor: of the activity.
    """

    source: str
    what: str
    value: Any
    actor: str | None
    event_us: int
    available_us: int


@dataclass(frozen=True)
class KnownFacts:
    """The tables of a store version, to be asked about a moment `known_us` (UTC microseconds).

    A fact that became known at that moment or later changes no answer. `FOREVER_US` asks for all
    that is stored.
    """

    engine: Engine = field(repr=False)
    activities: ActivityColumns = UNMAPPED

    @property
    def others(self) -> KnownScores:
        """Questions about somebody else's scores; no feature asks them."""
        return KnownScores(self.engine)

    def count_leads(self, known_us: int, *, among: pa.ChunkedArray | None = None) -> int:
        """How many leads were known, of all or of some (k,)."""
        rows = self.engine.query(f"SELECT COUNT(*) AS n FROM {self._leads_sql(known_us, among)}")
        return int(rows["n"][0].as_py())

    def lead_ids(self, known_us: int, *, among: pa.Array | None = None) -> set[str]:
        """The leads that were known, of all or of some (k,)."""
        rows = self.engine.query(f"SELECT lead_id FROM {self._leads_sql(known_us, among)}")
        return set(rows["lead_id"].to_pylist())

    def _leads_sql(self, known_us: int, among: pa.Array | pa.ChunkedArray | None) -> str:
        """SQL of a table and its condition: the leads that were known."""
        known = f"leads WHERE available_us < {known_us}"
        if among is None:
            return known
        self.engine.add_rows("asked_leads", pa.table({"lead_id": among}))
        return f"{known} AND lead_id IN (SELECT lead_id FROM asked_leads)"

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
        columns = [identifier(name) for name in ("lead_id", *names)]
        return self.engine.query(
            f"""SELECT {", ".join(columns)} FROM leads
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
        return set(rows["value"].drop_null().to_pylist())

    def currencies(self, known_us: int) -> list[str]:
        """The currencies in which known leads and wins have amounts, sorted."""
        rows = self.engine.query(
            f"""SELECT currency FROM leads
            WHERE currency IS NOT NULL AND available_us < {known_us}
            UNION SELECT currency FROM outcomes
            WHERE outcome = 'won' AND amount IS NOT NULL AND currency IS NOT NULL
                AND available_us < {known_us}"""
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
        self,
        names: Sequence[str],
        lead_id: np.ndarray,
        *,
        before_us: np.ndarray,
        known_us: int,
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
        asked = pa.table({"lead_id": lead_id, "before_us": before_us})
        self.engine.add_rows("asked_leads", asked)
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
        changed = pd.Index(rows["lead_id"].to_pandas())
        place = changed.get_indexer(lead_id)
        place_or_null = pa.array(place, mask=place < 0)
        return rows["value"].combine_chunks().take(place_or_null)

    def wins(self, known_us: int) -> pd.DataFrame:
        """The wins: lead_id, available_us, and amount (in minor units) and currency where known."""
        return self._read(
            f"""SELECT lead_id, available_us, amount, currency FROM outcomes
            WHERE outcome = 'won' AND available_us < {known_us}
            ORDER BY lead_id, amount, currency, available_us"""
        )

    def count_weeks(self, known_us: int, *, weeks: int) -> pd.DataFrame:
        """How many facts of each source became known a week (see `volumes.count_weeks`)."""
        return count_weeks(self.engine, known_us=known_us, weeks=weeks)

    def measure_silences(self, known_us: int, *, weeks: int) -> pd.DataFrame:
        """How long each field and kind of fact was silent (see `volumes.measure_silences`)."""
        return measure_silences(self.engine, known_us=known_us, weeks=weeks)

    def count_closes(self, known_us: int, *, weeks: int, late_us: int) -> pd.DataFrame:
        """How many closes exports first showed a week, and how many of them late (see `volumes.count_closes`)."""
        return count_closes(self.engine, known_us=known_us, weeks=weeks, late_us=late_us)

    def first_worked(self, known_us: int) -> pd.Series[int]:
        """When a rep was first known to have done anything about a lead, by lead_id.

        The others are left out.
        """
        rows = self._read(
            f"""SELECT lead_id, MIN(available_us) AS first_us FROM activities
            WHERE actor = 'rep' AND {self.activities.took_place()} AND available_us < {known_us}
            GROUP BY lead_id"""
        )
        return rows.set_index("lead_id")["first_us"]

    def last_active(self, known_us: int, *, actors: Sequence[str]) -> pd.Series[int]:
        """When one of the actors was last known to have done anything about a lead, by lead_id.

        The others are left out.
        """
        listed = ", ".join(literal(actor) for actor in actors)
        rows = self._read(
            f"""SELECT lead_id, MAX(available_us) AS last_us FROM activities
            WHERE actor IN ({listed}) AND {self.activities.took_place()}
                AND available_us < {known_us}
            GROUP BY lead_id"""
        )
        return rows.set_index("lead_id")["last_us"]

    def latest_stages(self, names: Sequence[str], known_us: int) -> pd.Series[str]:
        """The last of the named stages that each lead was known to have entered, by lead_id."""
        listed = ", ".join(literal(name) for name in names) or "''"
        rows = self._read(
            f"""SELECT lead_id, stage FROM (
                SELECT lead_id, stage, ROW_NUMBER() OVER (
                    PARTITION BY lead_id ORDER BY event_us DESC, seq DESC, stage DESC) AS recency
                FROM stages WHERE stage IN ({listed}) AND available_us < {known_us}) AS ranked
            WHERE recency = 1"""
        )
        return rows.set_index("lead_id")["stage"]

    def loss_reasons(self, known_us: int) -> pd.DataFrame:
        """The losses: lead_id, reason (None where none is stated), and when each was known.

        Columns: lead_id, available_us, reason; in the order in which they happened.
        """
        return self._read(
            f"""SELECT lead_id, available_us, reason FROM outcomes
            WHERE outcome = 'lost' AND available_us < {known_us}
            ORDER BY lead_id, event_us, seq, reason"""
        )

    def about_leads(
        self,
        lead_ids: Sequence[str],
        known_us: int,
        *,
        latest: int = ALL,
    ) -> dict[str, list[KnownFact]]:
        """The facts known of each lead, the `latest` of them, in the order in which they happened."""
        asked = pa.array(lead_ids, pa.string())
        self.engine.add_rows("asked_leads", pa.table({"lead_id": asked}))
        columns = ", ".join(field.name for field in fields(KnownFact))
        tables = [self._about_sql(table, known_us) for table in DESCRIPTIONS]
        rows = self.engine.query(
            f"""SELECT lead_id, {columns} FROM (
                SELECT *, ROW_NUMBER() OVER (
                    PARTITION BY lead_id
                    ORDER BY event_us DESC, source DESC, what DESC, value DESC) AS recency
                FROM ({" UNION ALL ".join(tables)}) AS known) AS ranked
            WHERE recency <= {latest}
            ORDER BY lead_id, event_us, source, what, value, actor, available_us"""
        )
        about: dict[str, list[KnownFact]] = {lead_id: [] for lead_id in lead_ids}
        for row in rows.to_pylist():
            lead_id = row.pop("lead_id")
            about[lead_id].append(KnownFact(**row))
        return about

    def _about_sql(self, table: str, known_us: int) -> str:
        """SQL of what a table says of the asked leads."""
        of_activity = "t.outcome" if self.activities.has_outcome else "NULL"
        values = {"changes": "t.value", "activities": of_activity}
        actor = "t.actor" if table == "activities" else "NULL"
        return f"""SELECT t.lead_id, {literal(table)} AS source, {DESCRIPTIONS[table]} AS what,
                {values.get(table, "NULL")} AS value, {actor} AS actor, t.event_us, t.available_us
            FROM {identifier(table)} AS t JOIN asked_leads AS a ON a.lead_id = t.lead_id
            WHERE t.available_us < {known_us}"""

    def _read(self, sql: str) -> pd.DataFrame:
        rows: pd.DataFrame = self.engine.query(sql).to_pandas()
        return rows
