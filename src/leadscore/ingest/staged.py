"""What the files of an ingest gave, as tables that SQL can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscore.engine import Engine
from leadscore.ingest.differences.source_text import text_schema
from leadscore.ingest.ignored_leads import IGNORED
from leadscore.ingest.mapping.breaks import ROW_REJECTS
from leadscore.ingest.mapping.entries import staged_schema, table_of
from leadscore.ingest.part import Part
from leadscore.ingest.sorted_rows import side_schema
from leadscore.ingest.sql import columns_sql, literals_sql, union_sql
from leadscore.settings.memory import stored_fields
from leadscore.settings.settings import Settings
from leadscore.store.objects import object_path
from leadscore.tables import TABLES, Table


@dataclass(frozen=True)
class Staged:
    """The parts of an ingest, one per file, readable on an engine once `attach` was called."""

    engine: Engine
    parts: list[Part]
    settings: Settings
    folder: Path

    def mapped_fields(self) -> list[str]:
        """The fields and keys of leads that the mapping fills, in the order of the settings."""
        mapped: set[str] = set()
        for entry in self.settings.mapping:
            if entry.table == "leads":
                mapped.update(entry.targets())
        return [name for name in stored_fields(self.settings) if name in mapped]

    def columns_seen_first(self) -> set[str]:
        """The columns of `leads` that keep the value seen first; later ones are changes.

        A currency goes with its amount if that is known from creation. Else it is the latest: an
        observed change has none.
        """
        if not self.settings.is_dated:
            return set()
        names = set(self.mapped_fields())
        fields = self.settings.lead_fields()
        if "amount" in names and fields["amount"].known_from == "creation":
            names.add("currency")
        return names

    def table(self, name: str) -> Table:
        """A table's contract."""
        return table_of(name, self.settings)

    def parts_of(self, table: str) -> list[tuple[int, Part]]:
        """The parts with rows of a table, each with its place among all parts."""
        places = enumerate(self.parts)
        return [(place, part) for place, part in places if table in part["tables"]]

    def closing_stages_sql(self) -> str:
        """SQL list of the stages that close a lead."""
        return literals_sql(self.settings.stages.closing())

    def paths(self, stored: dict[str, Any]) -> list[Path]:
        """Where the files of stored rows are."""
        hashes = [file["sha256"] for file in stored["files"]]
        return [object_path(self.folder, sha256) for sha256 in hashes]

    def attach(self) -> None:
        """Make the parts readable.

        Part 3 gives `<table>_3`, with `<table>_side_3` saying where each row came from, and
        `texts_3`, the source text of its leads. `<table>_none` is an empty table of that shape;
        `row_rejects` and `ignored_rows` hold what all parts rejected and ignored.
        """
        for name in TABLES:
            self._attach_table(name)
        for place, part in self.parts_of("leads"):
            schema = text_schema(len(part["texts"]["columns"]))
            paths = self.paths(part["texts"])
            self.engine.add_files(f"texts_{place}", paths, schema=schema)

        rejects: list[Path] = []
        ignored: list[Path] = []
        for part in self.parts:
            rejects += self.paths(part["rejects"])
            ignored += self.paths(part["ignored_leads"])
        self.engine.add_files("row_rejects", rejects, schema=ROW_REJECTS)
        self.engine.add_files("ignored_rows", ignored, schema=IGNORED)

    def _attach_table(self, name: str) -> None:
        is_leads = name == "leads"
        schema = self.table(name).schema()
        if is_leads:
            schema = staged_schema(name, self.settings)
        for place, part in self.parts_of(name):
            stored = part["tables"][name]
            rows = self.paths(stored["rows"])
            side = self.paths(stored["side"])
            self.engine.add_files(f"{name}_{place}", rows, schema=schema, numbered=not is_leads)
            beside = side_schema(name, self.settings)
            self.engine.add_files(f"{name}_side_{place}", side, schema=beside, numbered=True)
        self.engine.add_rows(f"{name}_none", schema.empty_table())

    def _only_leads(self) -> list[str]:
        """What staged leads have beside the columns of their table."""
        own = self.table("leads").schema().names
        return [name for name in staged_schema("leads", self.settings).names if name not in own]

    def rows_sql(self, name: str) -> str:
        """SQL of all rows of a table, each with the place of its part."""
        names = self.table(name).schema().names
        if name == "leads":
            names = [*names, *self._only_leads()]
        columns = columns_sql(names)
        places = [place for place, _ in self.parts_of(name)]
        views = [(place, f"{name}_{place}") for place in places]
        if not views:
            views = [(0, f"{name}_none")]
        return union_sql(f"SELECT {place} AS part, {columns} FROM {view}" for place, view in views)
