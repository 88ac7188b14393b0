"""What the source text of leads meant at each export that changed it, by the settings of today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.protocol import literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.source_text import entries_of, feeding_columns
from leadscore.ingest.mapping.entries import map_fields, table_of
from leadscore.ingest.mapping.personal import HASHED, PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, Words
from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.mapping import Mapping

ROWS = 100_000
AT_FIRST = -1  # the seq of a lead's first row


def map_states(staged: Staged, blocks: list[dict[str, Any]]) -> None:
    """Make the table `states`: the fields of leads of which some text changed, and of absent ones, at each export.

    Columns: lead_id, known_until_us, seq (`AT_FIRST`, then rising), the mapped fields and currency. A row is what a
    lead was when it was first exported, and after each change. `absent_now` and the tables that `remember` makes must
    be readable.
    """
    staged.engine.add_rows("states", _Mapping(staged, blocks).run())


class _Mapping:
    """The texts of leads that changed, and how today's settings read them."""

    def __init__(self, staged: Staged, blocks: list[dict[str, Any]]) -> None:
        self.staged, self.blocks, self.settings, self.engine = (
            staged,
            blocks,
            staged.settings,
            staged.engine,
        )
        names = list(self.settings.sources)
        self.entries = [
            (name, place, entry)
            for name in names
            for place, entry in enumerate(entries_of(name, self.settings))
        ]
        feeding = {
            column
            for _, _, entry in self.entries
            for column in feeding_columns(entry, self.settings)
        }
        selecting = {
            column for _, _, entry in self.entries for column in (*entry.where, *entry.where_not)
        }
        self.feeding = sorted(feeding)
        self.columns = sorted(feeding | selecting)
        self.fields = [
            *staged.mapped_fields(),
            *(["currency"] if "amount" in staged.mapped_fields() else []),
        ]
        self.personal = PersonalHash.of_store(staged.folder)
        self.words = {name: self.known_words(name) for name in self.columns if self.is_hashed(name)}

    def run(self) -> pa.Table:
        schema = table_of("leads", self.settings).schema()
        fields = [pa.field(name, schema.field(name).type) for name in self.fields]
        times = [pa.field("known_until_us", pa.int64()), pa.field("seq", pa.int64())]
        whole = pa.schema([pa.field("lead_id", pa.string()), *times, *fields])
        parts = [whole.empty_table()]
        if self.feeding and self.blocks:
            for batch in self.engine.stream(self.states_sql(), rows=ROWS):
                parts += self.map_batch(pa.Table.from_batches([batch]), whole)
        return pa.concat_tables(parts).combine_chunks()

    def states_sql(self) -> str:
        """SQL of the texts of changed leads at their first export and after each change: r0, r1, ... of `columns`."""
        names = ", ".join(map(literal, self.feeding))
        moved = f"""SELECT lead_id FROM text_changes WHERE "column" IN ({names}) UNION SELECT lead_id FROM absent_now"""
        parts = [self.first_sql(place) for place in range(len(self.blocks))]
        changed = ", ".join(
            f"""MAX(CASE WHEN "column" = {literal(name)} THEN text END) AS r{i}"""
            for i, name in enumerate(self.columns)
        )
        parts.append(f"""SELECT lead_id, known_until_us, seq, MAX(source) AS source, MAX(decimal) AS decimal, {changed}
            FROM text_changes GROUP BY lead_id, known_until_us, seq""")
        latest = ", ".join(
            f"LAST_VALUE(r{i} IGNORE NULLS) OVER (PARTITION BY lead_id ORDER BY seq) AS r{i}"
            for i in range(len(self.columns))
        )
        sources = "".join(
            f" WHEN {at} THEN {literal(part['source'])}" for at, part in self.staged.of("leads")
        )
        texts = ", ".join(f"r{i}" for i in range(len(self.columns)))
        return f"""SELECT s.lead_id, known_until_us, seq, decimal, {texts},
            COALESCE(CASE t.part{sources or " WHEN -1 THEN ''"} END, s.source) AS source, t.entry
            FROM (SELECT lead_id, known_until_us, seq, source, decimal, {latest} FROM ({" UNION ALL ".join(parts)}) AS u
                WHERE lead_id IN ({moved})) AS s
            LEFT JOIN text_rows AS t ON t.lead_id = s.lead_id ORDER BY s.lead_id, seq"""

    def first_sql(self, place: int) -> str:
        block = self.blocks[place]
        at = {name: i for i, name in enumerate(block["columns"])}
        texts = [
            f"c{at[name]} AS r{i}" if name in at else f"CAST(NULL AS VARCHAR) AS r{i}"
            for i, name in enumerate(self.columns)
        ]
        kind = f"{literal(block['source'])} AS source, {literal(block['decimal'])} AS decimal"
        return f"SELECT lead_id, known_until_us, {AT_FIRST} AS seq, {kind}, {', '.join(texts)} FROM first_{place}"

    def map_batch(self, rows: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
        """States with the values of their fields; those that no entry takes for a lead are left out."""
        columns = {name: self.read(name, rows[f"r{i}"]) for i, name in enumerate(self.columns)}
        texts = Texts(Batch(np.arange(rows.num_rows), pa.table(columns)))
        for entry, decimal, chosen in self.by_entry(rows, texts):
            source = self.settings.sources[entry.source]
            reader = Reader(
                source=entry.source,
                file="",
                zone=source.timezone or self.settings.timezone,
                dates=source.dates,
                decimal=source.decimal or decimal,
                personal=PersonalHash(b""),
                may_ask=False,
            )
            values = map_fields(texts.take(chosen), entry, self.settings, reader)
            taken = rows.filter(pa.array(chosen))
            made = {name: taken[name] for name in ("lead_id", "known_until_us", "seq")} | values
            yield pa.table([made[each.name] for each in schema], names=schema.names).cast(schema)

    def by_entry(self, rows: pa.Table, texts: Texts) -> Iterator[tuple[Mapping, str, np.ndarray]]:
        """The states (n,) of each mapping entry and decimal mark.

        A lead of this export is read as its row is; one that is absent as a row of its source would be.
        """
        source, place, decimal = (rows[name].to_numpy() for name in ("source", "entry", "decimal"))
        is_absent = np.asarray(pc.is_null(rows["entry"]).to_numpy(), dtype=bool)
        is_strange = ~np.isin(source, list(self.settings.sources))
        left = np.ones(rows.num_rows, dtype=bool)
        for name, at, entry in self.entries:
            fits = texts.select(entry.where) & ~texts.any(entry.where_not)
            own = ((source == name) | is_strange) & fits
            chosen = left & np.where(is_absent, own, (source == name) & (place == at))
            left &= ~chosen
            for mark in sorted(set(decimal[chosen])):
                yield entry, str(mark), chosen & (decimal == mark)

    def read(self, name: str, column: pa.ChunkedArray) -> pa.Array:
        """A column's texts; of hashes those that the export still shows somewhere, else missing."""
        texts = pc.fill_null(column, MISSING).combine_chunks()
        if not pc.any(pc.starts_with(texts, HASHED)).as_py():
            return texts
        known = self.words[name]
        words = Words.of(texts)
        return words.take(
            [known.get(word, MISSING) if word.startswith(HASHED) else word for word in words.texts]
        )

    def is_hashed(self, name: str) -> bool:
        """Whether some text of a column is a hash."""
        parts = [
            f"SELECT c{block['columns'].index(name)} AS text FROM first_{place}"
            for place, block in enumerate(self.blocks)
            if name in block["columns"]
        ]
        parts.append(f"""SELECT text FROM text_changes WHERE "column" = {literal(name)}""")
        sql = f"SELECT text FROM ({' UNION ALL '.join(parts)}) AS t WHERE STARTS_WITH(text, {literal(HASHED)}) LIMIT 1"
        return bool(self.engine.query(sql).num_rows)

    def known_words(self, name: str) -> dict[str, str]:
        """The texts of a column in this export by their hashes."""
        parts = [(at, part["texts"]["columns"]) for at, part in self.staged.of("leads")]
        sql = " UNION ".join(
            f"SELECT c{columns.index(name)} AS text FROM texts_{at}"
            for at, columns in parts
            if name in columns
        )
        texts = self.engine.query(sql)["text"].to_pylist() if sql else []
        return {self.personal.hash_text(text): text for text in texts}
