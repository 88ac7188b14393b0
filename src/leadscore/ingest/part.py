"""What one file gave, kept in the store: its mapped rows in the order of their values, and where each came from.

A part depends on the file's bytes and on how it is read, on nothing else: a file that is as it was is not read again.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_pointer
from leadscore.engine import Engine
from leadscore.engine.protocol import identifier
from leadscore.errors import CorruptFileError, DecimalMarkError
from leadscore.files import hash_bytes, hash_file, list_below
from leadscore.ingest.differences.source_text import (
    entries_of,
    keep_texts,
    keeps_text,
    named_once,
    text_rows,
    text_schema,
)
from leadscore.ingest.mapping.breaks import ROW_REJECTS, reject_rows
from leadscore.ingest.mapping.entries import PLACE, map_rows, staged_schema, table_of
from leadscore.ingest.mapping.numbers import detect_decimal
from leadscore.ingest.mapping.once import once
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.typed import Reader
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.ingest.readers.beside import Beside, ahead
from leadscore.ingest.readers.sources import (
    Batch,
    Dialect,
    SourceFile,
    detect_dialect,
    read_file,
    read_names,
)
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import scratch
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings
from leadscore.store.objects import FILES, is_whole, object_path, write_columns, write_rows
from leadscore.tables import PERSONAL, TABLES

FORMAT = 4  # of parts; a change makes every file be read again
SIDE = pa.schema(PLACE)
IGNORED = pa.schema([(name, pa.string()) for name in ("lead_id", "name")])
BATCH_ROWS = 250_000
WORDS_OF_FIELD = {"label", "learn"}  # they decide nothing that a file gives
Part = dict[str, Any]
SEAL = "content_sha256"  # of all else in a part's JSON, so that no damage to it is taken for what a file gave
ACCOUNT = {"read": int, "used": int, "ignored": int, "rejected": int, "ignored_by": {str: int}}
COUNTS = dict.fromkeys(("selected", "refused", "duplicates"), int)
PART = {
    "key": str,
    "source": str,
    "file": str,
    "sha256": str,
    "account": ACCOUNT,
    "tables": {str: COUNTS | {"rows": FILES, "side": FILES}},
    "rejects": FILES,
}


def reading_of(source: str, settings: Settings) -> dict[str, Any]:
    """All in the settings that decides what a file of this source gives, as JSON."""
    told = settings.public()
    read = {key: value for key, value in told["sources"][source].items() if key != "path"}
    entries = [entry for entry in told["mapping"] if entry["source"] == source]
    named = {
        key: told[key] for key in ("time", "timezone", "stages", "kinds", "money", "pass_through")
    }
    named["fields"] = {name: _without_words(field) for name, field in told["fields"].items()}
    severity = told["validation"]["severity"]
    return {
        "format": FORMAT,
        "source": source,
        "read": read,
        "entries": entries,
        "severity": severity,
    } | named


def _without_words(field: dict[str, Any]) -> dict[str, Any]:
    """What of a field decides how it is read."""
    return {key: value for key, value in field.items() if key not in WORDS_OF_FIELD}


def read_part(file: SourceFile, settings: Settings, *, engine: Engine, folder: Path) -> Part:
    """The part of a file: found in the store at `folder` if the file was read so before, else read now and kept there.

    A part is JSON: `key`, `source`, `file`, `sha256` of the file, `dialect`, `account` (read, used, ignored, rejected,
    ignored_by), `tables` (for each table: selected, refused, duplicates, repeated, and the objects `rows` and
    `side`), `rejects`, `ignored_leads` (the ids of leads whose row was ignored, and the name under which it was),
    `stated_us`, the latest moment in its `known_until_column`, if any, `decimal`, the mark before decimals, and
    `texts`, the columns and objects of the source text of leads. `unchanged` says whether it was there already.

    Raises:
        UserError: the file cannot be read.
    """
    sha256 = hash_tree(file.path)
    key = part_key(sha256, file.name, file.source, settings)
    home = part_path(folder, key)
    kept = read_kept_part(home)
    if kept is not None and all(is_whole(object_path(folder, each)) for each in part_objects(kept)):
        return kept | {"unchanged": True}
    with scratch() as staging:
        personal = _personal(file.source, settings, folder)
        part = _Reading(file, settings, staging, personal).read(engine, folder)
    if personal.salt_id or part["texts"]["is_hashed"]:
        part |= {"salt": PersonalHash.of_store(folder).salt_id}
    part |= {"source": file.source, "file": file.name, "sha256": sha256, "key": key}
    write_pointer(home, canonical_json(part | {SEAL: hash_bytes(canonical_json(part))}))
    return part | {"unchanged": False}


def _personal(source: str, settings: Settings, folder: Path) -> PersonalHash:
    """The store's own salt, made when a personal column is first read."""
    read = {
        name for entry in settings.mapping if entry.source == source for name in entry.targets()
    }
    return (
        PersonalHash.of_store(folder)
        if read & set(PERSONAL) - set(settings.fields)
        else PersonalHash(b"")
    )


def part_key(sha256: str, name: str, source: str, settings: Settings) -> str:
    """The key of the part of a file with that content and name, as the settings read it."""
    reading = canonical_json(
        {"sha256": sha256, "name": name, "reading": reading_of(source, settings)}
    )
    return hash_bytes(reading)[:32]


def part_path(folder: Path, key: str) -> Path:
    """Where the store at `folder` keeps what is known of a part."""
    return folder / "parts" / f"{key}.json"


def read_kept_part(path: Path) -> Part | None:
    """What is known of a part; None if it is gone or damaged, so that its file is read again."""
    try:
        part = read_json(path, PART)
    except CorruptFileError:
        return None
    seal = part.pop(SEAL, None)  # parts of an earlier format have none
    is_whole_part = seal is None or seal == hash_bytes(canonical_json(part))
    return part if is_whole_part else None


def part_objects(part: Part) -> list[str]:
    """The SHA-256 of every object of a part."""
    told = [part["rejects"], part["ignored_leads"], part["texts"]]
    told += [each[kind] for each in part["tables"].values() for kind in ("rows", "side")]
    return [file["sha256"] for each in told for file in each["files"]]


def hash_tree(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files below a folder."""
    if path.is_file():
        return hash_file(path)
    return hash_bytes(
        canonical_json(
            {file.relative_to(path).as_posix(): hash_file(file) for file in list_below(path)}
        )
    )


class _Reading:
    """A file while it is read: mapped rows wait on disk until they can be put in order."""

    def __init__(
        self, file: SourceFile, settings: Settings, staging: Path, personal: PersonalHash
    ) -> None:
        self.file, self.settings, self.staging, self.personal = file, settings, staging, personal
        self.source = settings.sources[file.source]
        self.entries = [entry for entry in settings.mapping if entry.source == file.source]
        self.tables = [
            name for name in TABLES if any(entry.table == name for entry in self.entries)
        ]
        self.account: Counter[str] = Counter({"read": 0, "used": 0, "ignored": 0, "rejected": 0})
        self.ignored = Counter(dict.fromkeys(self.source.ignore, 0))
        self.selected: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.rejects: list[pa.Table] = [ROW_REJECTS.empty_table()]
        self.stated_us: int | None = None
        self.ignored_leads: list[pa.Table] = [IGNORED.empty_table()]
        self.text_columns: list[str] | None = None  # of sources whose text is kept

    def read(self, engine: Engine, folder: Path) -> Part:
        dialect = detect_dialect(self.file, self.source)
        columns = self.columns(dialect)
        reader: Reader | None = None
        with ExitStack() as stack:
            paths = {name: self.staging / f"{name}.parquet" for name in self.tables}
            writers = {
                name: stack.enter_context(self.writer(name, path)) for name, path in paths.items()
            }
            if self.text_columns is not None:
                schema = text_schema(len(self.text_columns))
                whole = pq.ParquetWriter(self.staging / "texts.parquet", schema, compression="lz4")
                writers["texts"] = stack.enter_context(whole)
            beside = stack.enter_context(Beside())
            for batch in ahead(read_file(self.file, self.source, columns=columns, dialect=dialect)):
                texts = Texts(batch)
                reader = reader or self.reader(texts, batch.typed)
                self.note_moment(texts, reader)
                for name, rows in self.stage(batch, texts, reader).items():
                    beside.run(writers[name].write_table, rows)
        rejects = pa.concat_tables(self.rejects)
        tables = {name: self.keep(name, paths[name], engine, folder) for name in self.tables}
        ignored = (
            pa.concat_tables(self.ignored_leads)
            .group_by(IGNORED.names)
            .aggregate([])
            .sort_by("lead_id")
        )
        return {
            "dialect": f"{dialect}, {reader.decimal!r} before decimals"
            if dialect and reader
            else None,
            "account": {**self.account, "ignored_by": dict(self.ignored)},
            "tables": tables,
            "texts": self.keep_texts(engine, folder),
            "decimal": reader.decimal if reader else ".",
            "rejects": write_rows(folder, ROW_REJECTS, rejects.to_batches()),
            "stated_us": self.stated_us,
            "ignored_leads": write_rows(folder, IGNORED, ignored.to_batches()),
        }

    def note_moment(self, texts: Texts, reader: Reader) -> None:
        """Keep the latest moment in the column that states when the export was made; a bare date is its 00:00."""
        column = self.source.known_until_column
        if column is None:
            return
        text = texts.columns[column]
        us, ok = reader.moments(text, column)
        if (unread := ~ok & ~is_missing(text)).any():
            value = text.filter(pa.array(unread))[0].as_py()
            raise self.file.refusal(
                f"its known_until_column {column!r} holds {value!r}, which is no time"
            )
        begins = reader.day_begins(text, pa.array(us)).to_numpy()
        if ok.any():
            latest = int(begins[ok].max())
            self.stated_us = latest if self.stated_us is None else max(self.stated_us, latest)

    def columns(self, dialect: Dialect | None) -> list[str]:
        """The columns to read: those that are mapped, and of leads all others, too."""
        asked = {name for entry in self.entries for name in entry.sources()}
        asked |= {name for match in self.source.ignore.values() for name in match}
        asked |= {self.source.known_until_column} if self.source.known_until_column else set()
        if keeps_text(self.file.source, self.settings):
            self.text_columns = sorted(
                asked.union(named_once(read_names(self.file, self.source, dialect=dialect)))
            )
        return self.text_columns or sorted(asked)

    def keep_texts(self, engine: Engine, folder: Path) -> dict[str, Any]:
        """The source text of leads as an object of the store."""
        if self.text_columns is None:
            return {"columns": [], "is_hashed": False, "rows": 0, "files": []}
        path = self.staging / "texts.parquet"
        source = self.file.source
        return keep_texts(
            path, self.text_columns, source, settings=self.settings, engine=engine, folder=folder
        )

    def writer(self, name: str, path: Path) -> pq.ParquetWriter:
        return pq.ParquetWriter(path, staged_schema(name, self.settings), compression="lz4")

    def reader(self, texts: Texts, typed: frozenset[str]) -> Reader:
        """How the file writes numbers and times; the decimal mark is told by the first rows, if not by the settings."""
        numbers = {name for entry in self.entries for name in self.number_columns(entry)}
        written = {name: texts.columns[name] for name in sorted(numbers - typed)}
        stored = {name: texts.columns[name] for name in sorted(numbers & typed)}
        try:
            found = None if self.source.decimal else detect_decimal(written, typed=stored)
        except DecimalMarkError as e:
            raise self.file.refusal(str(e)) from e
        return Reader(
            source=self.file.source,
            file=self.file.name,
            zone=self.source.timezone or self.settings.timezone,
            dates=self.source.dates,
            decimal=self.source.decimal or found or ".",
            personal=self.personal,
            is_only_file=self.file.name == self.source.path.as_posix(),
        )

    def number_columns(self, entry: Mapping) -> list[str]:
        """The columns of the source that an entry reads numbers from."""
        numbers = {
            column.name
            for column in table_of(entry.table, self.settings).columns
            if column.type == "number"
        }
        return [column for name, column in entry.columns.items() if name in numbers]

    def stage(self, batch: Batch, texts: Texts, reader: Reader) -> dict[str, pa.Table]:
        """The mapped rows of a batch by table; what becomes of every row is counted."""
        left = np.ones(texts.n, dtype=bool)
        for rule, match in self.source.ignore.items():
            matched = texts.select(match) & left
            self.ignored[rule] += int(matched.sum())
            self.note_ignored_leads(rule, matched, texts)
            left &= ~matched
        used = np.zeros(texts.n, dtype=bool)
        rows: dict[str, list[pa.Table]] = {}
        for entry in self.entries:
            chosen = left & texts.select(entry.where) & ~texts.any(entry.where_not)
            used |= chosen
            lines, taken = batch.lines[chosen], texts.take(chosen)
            mapped = map_rows(lines, taken, entry, self.settings, reader)
            rows.setdefault(entry.table, []).append(mapped.rows)
            if entry.table == "leads" and self.text_columns is not None:
                place = entries_of(self.file.source, self.settings).index(entry)
                whole = text_rows(mapped.lead_ids, lines, place, taken, self.text_columns)
                rows.setdefault("texts", []).append(whole)
            self.rejects.append(mapped.rejects)
            self.selected[entry.table] += mapped.selected
            self.refused[entry.table] += mapped.refused
        self.count(batch, texts, left, used)
        return {name: pa.concat_tables(parts) for name, parts in rows.items()}

    def note_ignored_leads(self, rule: str, rows: np.ndarray, texts: Texts) -> None:
        """Keep the ids of leads whose row is ignored, so that their facts can be ignored with them."""
        for entry in self.entries:
            if entry.table != "leads" or "lead_id" not in entry.columns:
                continue
            ids = texts.columns[entry.columns["lead_id"]]
            of_leads = rows & ~is_missing(ids)
            if self.is_log(entry):
                of_leads &= texts.select(entry.where)
            ignored = ids.filter(pa.array(of_leads)).unique()
            names = pa.repeat(pa.scalar(rule), len(ignored))
            self.ignored_leads.append(pa.table([ignored, names], schema=IGNORED))

    def is_log(self, leads: Mapping) -> bool:
        """Whether the source holds events beside its leads, the two told apart by the values of a column."""
        events = [entry for entry in self.entries if entry.table not in {"leads", "outcomes"}]
        return any(
            set(leads.where[column]).isdisjoint(entry.where[column])
            for entry in events
            for column in leads.where
            if column in entry.where
        )

    def count(self, batch: Batch, texts: Texts, left: np.ndarray, used: np.ndarray) -> None:
        """Account for every row of a batch; an unselected one shows the value of the first column that selects."""
        where, unselected = (self.file.source, self.file.name), left & ~used
        malformed = np.array([line for line, _ in batch.malformed], dtype=np.int64)
        wrong = [problem for _, problem in batch.malformed]
        by = next(
            (name for entry in self.entries for name in (*entry.where, *entry.where_not)), None
        )
        values = texts.columns[by].filter(pa.array(unselected)).to_pylist() if by else None
        lines = batch.lines[unselected]
        self.rejects.append(reject_rows(*where, lines, rule="unselected", column=by, values=values))
        self.rejects.append(reject_rows(*where, malformed, rule="columns", values=wrong))
        self.account["read"] += len(left) + len(malformed)
        self.account["used"] += int(used.sum())
        self.account["ignored"] += int((~left).sum())
        self.account["rejected"] += int(unselected.sum()) + len(malformed)

    def keep(self, name: str, path: Path, engine: Engine, folder: Path) -> dict[str, Any]:
        """Put a table's staged rows in order, each once, and keep them: what is in the table apart from the rest."""
        schema = staged_schema(name, self.settings)
        engine.add_files("staged", [path], schema=schema)
        own = {"line"}
        if name == "leads" and self.settings.ordered_by_line(self.file.source):
            own |= {
                "event_us",
                "available_us",
            }  # the line again: a row that comes twice is one lead, at its first place
        columns = [each for each in schema.names if each not in own]
        order = ", ".join(
            map(identifier, sorted(columns, key=lambda each: each not in {"lead_id", "event_us"}))
        )
        ordered = engine.stream(f"SELECT * FROM staged ORDER BY {order}, line", rows=BATCH_ROWS)
        counts: Counter[str] = Counter()
        apart = [schema] if name == "leads" else [table_of(name, self.settings).schema(), SIDE]
        kept = write_columns(folder, apart, once(ordered, columns, counts))
        told = {
            "selected": self.selected[name],
            "refused": self.refused[name],
            "duplicates": counts["duplicates"],
            "repeated": counts["repeated"],
        }
        return told | {
            "rows": kept[0],
            "side": kept[1] if len(kept) > 1 else {"rows": 0, "files": []},
        }
