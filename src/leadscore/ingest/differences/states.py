"""What the source text of leads meant at each export that changed it, by the settings of today."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import literal
from leadscore.ingest.differences.blocks import Block
from leadscore.ingest.differences.source_text import (
    entries_of,
    feeding_columns,
    key_columns,
)
from leadscore.ingest.mapping.entries import map_fields
from leadscore.ingest.mapping.personal import HASHED, PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, Words
from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.readers.values import MISSING
from leadscore.ingest.sql import literals_sql, union_sql
from leadscore.ingest.staged import Staged
from leadscore.settings.mapping import Mapping

READ_ROWS = 100_000
AT_FIRST = -1  # the seq of a lead's first row
SHOWN = [pa.field("known_until_us", pa.int64()), pa.field("seq", pa.int64())]
CREATED = [pa.field("event_us", pa.int64()), pa.field("available_us", pa.int64())]


def map_states(staged: Staged, blocks: list[Block]) -> None:
    """Make the table `states`: the fields of leads at each export that changed some text of them.

    Columns: lead_id, known_until_us, seq (`AT_FIRST`, then rising), event_us and available_us (of
    the creation, null without a date), the mapped fields and currency.
    A row is what a lead was when it was first exported, and after each change; of leads that the
    export does not have, the first row is there in any case. `absent_now` and the tables that
    `remember` makes must be readable.
    """
    staged.engine.add_rows("states", _StateMapping(staged, blocks).run())


class _StateMapping:
    """The texts of leads that changed, and how today's settings read them."""

    def __init__(self, staged: Staged, blocks: list[Block]) -> None:
        self.staged = staged
        self.blocks = blocks
        self.settings = staged.settings
        self.engine = staged.engine
        self.personal = PersonalHash.of_store(staged.folder)

        self.entries: list[tuple[str, int, Mapping]] = []
        for source in self.settings.origins():
            for place, entry in enumerate(entries_of(source, self.settings)):
                self.entries.append((source, place, entry))
        self.keys = self.find_keys()
        self.feeding = sorted({*self.find_feeding(), *self.keys})
        self.columns = sorted({*self.feeding, *self.find_selecting()})
        self.words = self.read_hashed_words()

    def find_feeding(self) -> set[str]:
        """The columns that decide the value of a field, or the creation."""
        feeding: set[str] = set()
        for _, _, entry in self.entries:
            feeding |= feeding_columns(entry, self.settings)
        return feeding

    def find_keys(self) -> set[str]:
        """The columns of keys and of nothing else: they are compared as hashes."""
        keys: set[str] = set()
        for _, _, entry in self.entries:
            keys |= key_columns(entry, self.settings)
        return keys - self.find_feeding()

    def find_selecting(self) -> set[str]:
        """The columns by whose values entries select rows."""
        selecting: set[str] = set()
        for _, _, entry in self.entries:
            selecting.update(entry.where, entry.where_not)
        return selecting

    def run(self) -> pa.Table:
        """The table `states`."""
        schema = self.schema()
        parts = [schema.empty_table()]
        if self.feeding and self.blocks:
            states = self.engine.stream(self.states_sql(), rows=READ_ROWS)
            for batch in states:
                parts += self.map_batch(pa.Table.from_batches([batch]), schema)
        return pa.concat_tables(parts).combine_chunks()

    def schema(self) -> pa.Schema:
        """The columns of `states`."""
        leads = self.staged.table("leads").schema()
        names = self.staged.mapped_fields()
        if "amount" in names:
            names.append("currency")
        fields = [pa.field(name, leads.field(name).type) for name in names]
        return pa.schema([pa.field("lead_id", pa.string()), *SHOWN, *CREATED, *fields])

    def states_sql(self) -> str:
        """SQL of the texts of leads that changed, at their first export and after each change.

        Texts are called r0, r1, ... in the order of `columns`. `source` and `entry` say how this
        export reads the lead; of an absent one `entry` is NULL, and `source` the latest known.
        """
        numbers = range(len(self.blocks))
        rows = [self.first_rows_sql(number) for number in numbers]
        rows.append(self.changed_rows_sql())
        cells = range(len(self.columns))
        filled = ", ".join(
            f"LAST_VALUE(r{i} IGNORE NULLS) OVER (PARTITION BY lead_id ORDER BY seq) AS r{i}"
            for i in cells
        )
        states = f"""SELECT lead_id, known_until_us, seq, source, decimal, {filled}
            FROM ({union_sql(rows)}) AS u WHERE lead_id IN ({self.chosen_leads_sql()})"""
        texts = ", ".join(f"r{i}" for i in cells)
        return f"""SELECT s.lead_id, known_until_us, seq, decimal, {texts},
            COALESCE({self.source_now_sql()}, s.source) AS source, t.entry
            FROM ({states}) AS s
            LEFT JOIN text_rows AS t ON t.lead_id = s.lead_id ORDER BY s.lead_id, seq"""

    def chosen_leads_sql(self) -> str:
        """SQL of the leads that are mapped: those with another text now, and absent ones."""
        return f"""SELECT lead_id FROM text_changes
            WHERE "column" IN ({literals_sql(self.feeding)})
            UNION SELECT lead_id FROM absent_now"""

    def first_rows_sql(self, number: int) -> str:
        """SQL of the first rows of leads in a block."""
        block = self.blocks[number]
        cells = block.cells
        texts = ", ".join(
            f"{cells.get(name, 'CAST(NULL AS VARCHAR)')} AS r{i}"
            for i, name in enumerate(self.columns)
        )
        return f"""SELECT lead_id, known_until_us, {AT_FIRST} AS seq,
            {literal(block.source)} AS source, {literal(block.decimal)} AS decimal, {texts}
            FROM first_{number}"""

    def changed_rows_sql(self) -> str:
        """SQL of the texts that changed at an export; NULL where a text did not."""
        texts = ", ".join(
            f"""MAX(CASE WHEN "column" = {literal(name)} THEN text END) AS r{i}"""
            for i, name in enumerate(self.columns)
        )
        return f"""SELECT lead_id, known_until_us, seq,
            MAX(source) AS source, MAX(decimal) AS decimal, {texts}
            FROM text_changes GROUP BY lead_id, known_until_us, seq"""

    def source_now_sql(self) -> str:
        """SQL of the source that shows a lead in this export."""
        cases = [
            f"WHEN {place} THEN {literal(part['source'])}"
            for place, part in self.staged.parts_of("leads")
        ]
        return f"CASE t.part {' '.join(cases)} END"

    def map_batch(self, rows: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
        """States with the values of their fields, without those that no entry takes for a lead."""
        columns = {}
        for i, name in enumerate(self.columns):
            columns[name] = self.read_texts(name, rows[f"r{i}"])
        lines = np.arange(rows.num_rows)
        texts = Texts(Batch(lines, pa.table(columns)))
        for entry, decimal, chosen in self.split_by_entry(rows, texts):
            reader = self.build_reader(entry, decimal)
            chosen_texts = self.without_missing(texts, entry).take(chosen)
            values = map_fields(chosen_texts, entry, self.settings, reader)
            states = rows.filter(pa.array(chosen))
            keys = ("lead_id", "known_until_us", "seq")
            values |= {name: states[name] for name in keys}
            arrays = [values[name] for name in schema.names]
            yield pa.table(arrays, names=schema.names).cast(schema)

    def without_missing(self, texts: Texts, entry: Mapping) -> Texts:
        """The texts without the words that stand for missing values in the source of an entry."""
        origin = self.settings.origins()[entry.source]
        hashed = tuple(self.personal.hash_text(word) for word in origin.missing)
        return texts.without(origin.missing + hashed)

    def build_reader(self, entry: Mapping, decimal: str) -> Reader:
        """How the texts of an entry are read."""
        source = self.settings.origins()[entry.source]
        return Reader(
            source=entry.source,
            file="",
            zone=source.timezone or self.settings.timezone,
            dates=source.dates,
            decimal=source.decimal or decimal,
            personal=self.personal,
            may_ask=False,
        )

    def split_by_entry(
        self,
        rows: pa.Table,
        texts: Texts,
    ) -> Iterator[tuple[Mapping, str, np.ndarray]]:
        """The states (n,) of each mapping entry and decimal mark.

        A lead of this export is read as its row is; an absent one as a row of its source would be.
        """
        source = rows["source"].to_numpy()
        place = rows["entry"].to_numpy()
        decimal = rows["decimal"].to_numpy()
        has_no_entry = pc.is_null(rows["entry"]).to_numpy()
        is_absent = np.asarray(has_no_entry, dtype=bool)
        origins = list(self.settings.origins())
        is_unknown = ~np.isin(source, origins)

        left = np.ones(rows.num_rows, dtype=bool)
        for name, entry_place, entry in self.entries:
            read = self.without_missing(texts, entry)
            is_left_out = read.any(entry.where_not)
            is_selected = read.select(entry.where) & ~is_left_out
            fits = ((source == name) | is_unknown) & is_selected
            is_read_so = (source == name) & (place == entry_place)
            chosen = left & np.where(is_absent, fits, is_read_so)
            left &= ~chosen
            for mark in sorted(set(decimal[chosen])):
                yield entry, str(mark), chosen & (decimal == mark)

    def read_texts(self, name: str, column: pa.ChunkedArray) -> pa.Array:
        """A column's texts; of hashes those that the export still shows somewhere, else missing.

        Keys stay hashes.
        """
        texts = pc.fill_null(column, MISSING).combine_chunks()
        if name in self.keys:
            return texts
        are_hashed = pc.starts_with(texts, HASHED)
        if not pc.any(are_hashed).as_py():
            return texts
        known = self.words[name]
        words = Words.of(texts)
        unhashed = [_unhash(word, known) for word in words.texts]
        return words.take(unhashed)

    def read_hashed_words(self) -> dict[str, dict[str, str]]:
        """For each column with hashes, the texts in this export by their hashes."""
        readable = [name for name in self.columns if name not in self.keys]
        hashed = [name for name in readable if self.is_hashed(name)]
        return {name: self.read_words(name) for name in hashed}

    def is_hashed(self, name: str) -> bool:
        """Whether some text of a column is a hash."""
        selects = [f'SELECT text FROM text_changes WHERE "column" = {literal(name)}']
        for number, block in enumerate(self.blocks):
            if name in block.columns:
                selects.append(f"SELECT {block.cells[name]} AS text FROM first_{number}")
        rows = self.engine.query(
            f"""SELECT 1 AS one FROM ({union_sql(selects)}) AS t
            WHERE STARTS_WITH(text, {literal(HASHED)}) LIMIT 1"""
        )
        return bool(rows.num_rows)

    def read_words(self, name: str) -> dict[str, str]:
        """The texts of a column in this export by their hashes."""
        selects = []
        for place, part in self.staged.parts_of("leads"):
            columns = part["texts"]["columns"]
            if name in columns:
                selects.append(f"SELECT c{columns.index(name)} AS text FROM texts_{place}")
        if not selects:
            return {}
        sql = " UNION ".join(selects)
        texts = self.engine.query(sql)["text"].to_pylist()
        return {self.personal.hash_text(text): text for text in texts}


def _unhash(word: str, known: dict[str, str]) -> str:
    """A text as it is, or the known text that a hash stands for, else missing."""
    return known.get(word, MISSING) if word.startswith(HASHED) else word
