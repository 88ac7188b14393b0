"""What a workbook is made of: the scores, what people see of the leads, and who calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.results.customers import Customer
from leadscore.settings.settings import Settings

CHUNK_ROWS = 5_000
MOST_ROWS = 100_000  # leads on a sheet; nobody works further down, and Excel takes 1,048,576 rows
ALL = "All leads"
NOBODY = "Not assigned"
NO_TEAM = "No team"


@dataclass(frozen=True)
class Worklist:
    """A published list with all that its workbook shows.

    Attributes:
        scores: a row a lead, in the order to work.
        as_of: the date of the list as text, None if it has none.
        as_of_us: the moment that dates are compared with.
        horizon_days: within which a win counts; None without one.
        currency: of the amounts, None if unknown.
        settings: of the project, as they are now.
        shown: lead -> what people see of it.
        reps: rep -> name and team.
        customers: to follow up, in the order to work; none if there is no list of them.
    """

    scores: pa.Table
    as_of: str | None
    as_of_us: int
    horizon_days: int | None
    currency: str | None
    settings: Settings
    shown: Mapping[str, Mapping[str, str | None]]
    reps: Mapping[str, Mapping[str, str | None]]
    customers: Sequence[Customer] = ()

    @property
    def is_routed(self) -> bool:
        """Whether leads were given to reps."""
        return "rep_id" in self.scores.schema.names

    @property
    def is_compared(self) -> bool:
        """Whether any lead is compared with a previous list."""
        changes = self.scores["change"]
        return bool(pc.any(pc.not_equal(changes, "")).as_py())

    def name_rep(self, rep_id: str | None) -> str:
        """A rep's name, else the id; "" for none."""
        if rep_id is None:
            return ""
        return self.reps.get(rep_id, {}).get("name") or rep_id

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of the list that get a sheet each: by rep or team, last those of nobody."""
        if not self.is_routed:
            return [Part(ALL, self.scores)]
        rep_ids = self.scores["rep_id"].to_pylist()
        owners = [self._owner(rep_id) for rep_id in rep_ids]
        column = pa.array(owners, pa.string())
        named = sorted({owner for owner in owners if owner != NOBODY})
        wanted = [*named, NOBODY] if NOBODY in owners else named
        parts = []
        for owner in wanted:
            is_own = pc.equal(column, owner)
            parts.append(Part(owner, self.scores.filter(is_own)))
        return parts

    def _owner(self, rep_id: str | None) -> str:
        """The name of the sheet that a rep's leads are on."""
        if rep_id is None:
            return NOBODY
        if self.by_team:
            return self.reps.get(rep_id, {}).get("team") or NO_TEAM
        return self.name_rep(rep_id)

    @property
    def left_out(self) -> int:
        """How many leads are on no sheet."""
        return sum(part.left_out for part in self.parts)

    @property
    def by_team(self) -> bool:
        """Whether a sheet is a team's."""
        show = self.settings.show
        return show is not None and show.sheets == "team"

    @property
    def has_links(self) -> bool:
        """Whether leads have an address in the CRM."""
        return self.settings.show is not None and self.settings.show.url is not None

    def has(self, key: str) -> bool:
        """Whether any lead has a shown text of this kind."""
        return any(row[key] for row in self.shown.values())


@dataclass(frozen=True)
class Part:
    """Some leads of the list, in the order to work, and whose they are."""

    title: str
    scores: pa.Table

    @property
    def listed(self) -> pa.Table:
        """Those that are on its sheet: the first ones."""
        return self.scores.slice(0, MOST_ROWS)

    @property
    def left_out(self) -> int:
        """How many are on no sheet."""
        return int(self.scores.num_rows - self.listed.num_rows)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """The leads on the sheet as dictionaries, some thousands at a time."""
        for batch in self.listed.to_batches(max_chunksize=CHUNK_ROWS):
            yield batch.to_pylist()
