"""What the files of an ingest gave, as tables that SQL can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscore.engine import Engine
from leadscore.ingest.differences.source_text import text_schema
from leadscore.ingest.mapping.breaks import ROW_REJECTS
from leadscore.ingest.mapping.entries import staged_schema, table_of
from leadscore.ingest.part import Part
from leadscore.ingest.reading import IGNORED
from leadscore.ingest.sorted_rows import SIDE
from leadscore.ingest.sql import columns_sql, literals_sql, union_sql
from leadscore.settings.settings import Settings
from leadscore.store.objects import object_path
from leadscore.tables import PERSONAL, TABLES, Table

ONLY_LEADS = ("line", "extra", "from_us", *(f"{name}_hash" for name in PERSONAL))


@dataclass(frozen=True)
class Staged:
    """The parts of an ingest, one per file, readable on an engine once `attach` was called."""

    engine: Engine
    parts: list[Part]
    settings: Settings
    folder: Path

    def mapped_fields(self) -> list[str]:
        """The fields of leads that the mapping fills, in the order of the settings."""
        mapped: set[str] = set()
        for entry in self.settings.mapping:
            if entry.table == "leads":
                mapped.update(entry.targets())
        return [name for name in self.settings.lead_fields() if name in mapped]

    def columns_from_creation(self) -> set[str]:
        """The columns of `leads` that keep their first value; an amount keeps its currency, too."""
        if not self.settings.is_dated:
            return set()
        fields = self.settings.lead_fields()
        names = {name for name in self.mapped_fields() if fields[name].known_from == "creation"}
        if "amount" in names:
            names.add("currency")
        return names

    def table(self, name: str) -> Table:
        """A table's contract."""
        return table_of(name, self.settings)

    def parts_of(self, table: str) -> list[tuple[int, Part]]:
        """The parts with rows of a table, each with its place among all parts."""
        return [(place, part) for place, part in enumerate(self.parts) if table in part["tables"]]

    def closing_stages_sql(self) -> str:
        """SQL list of the stages that close a lead."""
        return literals_sql(self.settings.stages.closing())

    def paths(self, stored: dict[str, Any]) -> list[Path]:
        """Where the files of stored rows are."""
        return [object_path(self.folder, file["sha256"]) for file in stored["files"]]

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
            self.engine.add_files(f"texts_{place}", self.paths(part["texts"]), schema=schema)

        rejects = [path for part in self.parts for path in self.paths(part["rejects"])]
        self.engine.add_files("row_rejects", rejects, schema=ROW_REJECTS)
        ignored = [path for part in self.parts for path in self.paths(part["ignored_leads"])]
        self.engine.add_files("ignored_rows", ignored, schema=IGNORED)

    def _attach_table(self, name: str) -> None:
        is_leads = name == "leads"
        schema = staged_schema(name, self.settings) if is_leads else self.table(name).schema()
        for place, part in self.parts_of(name):
            stored = part["tables"][name]
            rows, side = self.paths(stored["rows"]), self.paths(stored["side"])
            self.engine.add_files(f"{name}_{place}", rows, schema=schema, numbered=not is_leads)
            self.engine.add_files(f"{name}_side_{place}", side, schema=SIDE, numbered=True)
        self.engine.add_rows(f"{name}_none", schema.empty_table())

    def rows_sql(self, name: str) -> str:
        """SQL of all rows of a table, each with the place of its part."""
        names = self.table(name).schema().names
        columns = columns_sql([*names, *ONLY_LEADS] if name == "leads" else names)
        views = [(place, f"{name}_{place}") for place, _ in self.parts_of(name)]
        if not views:
            views = [(0, f"{name}_none")]
        return union_sql(f"SELECT {place} AS part, {columns} FROM {view}" for place, view in views)
