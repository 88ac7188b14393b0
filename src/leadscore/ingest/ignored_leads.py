"""The leads whose row an ignore rule matches: their facts in other files are ignored with them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadscore.ingest.mapping.ids import ids_of
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.settings.id_kinds import IdKind
from leadscore.settings.mapping import Mapping

IGNORED = pa.schema([("lead_id", pa.string()), ("name", pa.string())])


class IgnoredLeads:
    """The ids of leads that a file's ignore rules leave out.

    Args:
        entries: the mapping entries of its source.
        id_kind: how the source writes ids, None for plain text.
    """

    def __init__(self, entries: list[Mapping], id_kind: IdKind | None) -> None:
        self.entries = entries
        self.id_kind = id_kind
        self.tables: list[pa.Table] = [IGNORED.empty_table()]

    def distinct(self) -> pa.Table:
        """The ids and the rule that left them out, in the order of the ids."""
        ignored = pa.concat_tables(self.tables)
        distinct = ignored.group_by(IGNORED.names).aggregate([])
        return distinct.sort_by("lead_id")

    def add(self, rule: str, rows: np.ndarray, texts: Texts) -> None:
        """Keep the ids of leads whose row is ignored, to ignore their facts with them."""
        for entry in self.entries:
            if entry.table != "leads" or not entry.columns_of_id():
                continue
            ids = ids_of(texts, entry.columns_of_id(), self.id_kind)
            of_leads = rows & ~is_missing(ids)
            if self._is_log(entry):
                of_leads &= texts.select(entry.where)
            ignored = ids.filter(pa.array(of_leads)).unique()
            rules = pa.repeat(pa.scalar(rule), len(ignored))
            ignored_leads = pa.table([ignored, rules], schema=IGNORED)
            self.tables.append(ignored_leads)

    def _is_log(self, leads: Mapping) -> bool:
        """Whether the source mixes leads with events, and a column's values tell them apart."""
        for entry in self.entries:
            if entry.table in {"leads", "outcomes"}:
                continue
            for column in leads.where.keys() & entry.where.keys():
                values = set(leads.where[column])
                if values.isdisjoint(entry.where[column]):
                    return True
        return False
