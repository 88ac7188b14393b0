"""From exported files to a store version: read, map, judge, account for every row, write."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.config import Mapping, Settings
from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.errors import LeadscoreError, NoLeadsError, SourceFormatError, listed
from leadscore.ingest.mapping import map_batch, read_texts, reject_rows, select_rows, table_of
from leadscore.ingest.sources import Batch, read_source
from leadscore.ingest.validate import (
    count_duplicates,
    judge_leads,
    placed,
    read_placed,
    read_refused,
    read_stored,
    staged_schema,
    standing,
)
from leadscore.progress import Progress
from leadscore.store.version import StoreVersion, write_rows, write_version
from leadscore.tables import REJECTS, TABLES, Table
from leadscore.times import format_us, name_moment


class AccountsError(LeadscoreError):
    """Rows that were neither stored, ignored nor rejected: our mistake, never the user's."""


def build_version(settings: Settings, *, engine: Engine, folder: Path, progress: Progress) -> StoreVersion:
    """Read all sources into the store at `folder` and make the result its current version.

    Raises:
        UserError: a source is missing or unreadable, or not one lead could be stored; the store is as it was.
    """
    tables = [table_of(name, settings) for name in TABLES]
    with tempfile.TemporaryDirectory(prefix="leadscore-") as name:
        staging = _Staging(Path(name), tables)
        with staging.open():
            for done, source in enumerate(settings.sources):
                progress(f"reading {source}", done, len(settings.sources))
                _stage_source(source, settings, staging)
        staging.attach(engine)
        return _write(settings, staging, engine, folder, progress)


class _Staging:
    """Mapped rows and rejects on disk, and how many rows each source and table saw."""

    def __init__(self, folder: Path, tables: list[Table]) -> None:
        self.folder = folder
        self.tables = {table.name: table for table in tables}
        self.schemas = {f"staged_{t.name}": staged_schema(t) for t in tables} | {
            "row_rejects": REJECTS.append(pa.field("closes", pa.bool_()))
        }
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.sources: dict[str, Counter[str]] = {}
        self.ignored: dict[str, Counter[str]] = {}
        self.selected: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    @contextmanager
    def open(self) -> Iterator[None]:
        self.writers = {
            name: pq.ParquetWriter(self.folder / f"{name}.parquet", schema) for name, schema in self.schemas.items()
        }
        try:
            yield
        finally:
            for writer in self.writers.values():
                writer.close()

    def add(self, name: str, rows: pd.DataFrame) -> None:
        if len(rows):
            schema = self.schemas[name]
            self.writers[name].write_table(pa.Table.from_pandas(rows[schema.names], schema, preserve_index=False))

    def attach(self, engine: Engine) -> None:
        for name, schema in self.schemas.items():
            engine.add_files(name, [self.folder / f"{name}.parquet"], schema=schema)


def _stage_source(name: str, settings: Settings, staging: _Staging) -> None:
    source = settings.sources[name]
    entries = [entry for entry in settings.mapping if entry.source == name]
    columns = sorted({*(c for e in entries for c in e.sources()), *(c for m in source.ignore.values() for c in m)})
    account = staging.sources[name] = Counter({"read": 0, "used": 0, "ignored": 0, "rejected": 0})
    staging.ignored[name] = Counter(dict.fromkeys(source.ignore, 0))
    for batch in read_source(name, source, folder=settings.input_folder, columns=columns):
        _stage_batch(name, batch, entries, settings, staging)
    if not account["read"]:
        raise SourceFormatError(name, settings.input_folder / source.path, "has a header but no rows")


def _stage_batch(name: str, batch: Batch, entries: list[Mapping], settings: Settings, staging: _Staging) -> None:
    texts = read_texts(batch)
    open_rows = np.ones(len(texts), dtype=bool)
    for rule, match in settings.sources[name].ignore.items():
        matched = select_rows(texts, match) & open_rows
        staging.ignored[name][rule] += int(matched.sum())
        open_rows &= ~matched
    used = np.zeros(len(texts), dtype=bool)
    for entry in entries:
        chosen = open_rows & select_rows(texts, entry.where) & ~_any(texts, entry)
        used |= chosen
        mapped = map_batch(batch, texts, entry, chosen, settings)
        staging.add(f"staged_{entry.table}", mapped.rows)
        staging.add("row_rejects", mapped.rejects)
        staging.selected[entry.table] += mapped.selected
        staging.rejected[entry.table] += len(mapped.rejects)
    unselected = open_rows & ~used
    malformed = pd.DataFrame(batch.malformed, columns=["line", "value"])
    staging.add("row_rejects", reject_rows(name, batch.lines[unselected], rule="unselected"))
    staging.add("row_rejects", reject_rows(name, malformed["line"], rule="columns", value=malformed["value"]))
    rejected = int(unselected.sum()) + len(malformed)
    ignored = len(texts) - int(open_rows.sum())
    staging.sources[name].update(
        read=len(texts) + len(malformed), used=int(used.sum()), ignored=ignored, rejected=rejected
    )


def _any(texts: pd.DataFrame, entry: Mapping) -> np.ndarray:
    """Which rows (n,) hold, in any column of `where_not`, one of its values."""
    found = np.zeros(len(texts), dtype=bool)
    for column, values in entry.where_not.items():
        found |= select_rows(texts, {column: values})
    return found


def _write(settings: Settings, staging: _Staging, engine: Engine, folder: Path, progress: Progress) -> StoreVersion:
    judge_leads(engine, staging.tables["leads"], settings.stages)
    known_until, warnings = _known_until(settings, staging, engine)
    parts, accounts, refused = {}, {}, []
    for done, table in enumerate(staging.tables.values()):
        progress(f"storing {table.name}", done, len(staging.tables))
        parts[table.name] = write_rows(folder, table.schema(), _stored(settings, staging, engine, table, known_until))
        refused.append(read_refused(engine, table).cast(REJECTS))
        accounts[table.name] = {
            "selected": staging.selected[table.name],
            "stored": parts[table.name]["rows"],
            "rejected": staging.rejected[table.name] + refused[-1].num_rows,
            "duplicates": count_duplicates(engine, table),
        }
    engine.add_rows("rule_rejects", pa.concat_tables(refused))
    if not parts["leads"]["rows"]:
        raise NoLeadsError(rejected=_by_rule(engine))
    all_accounts = {"sources": _source_accounts(staging), "tables": accounts}
    _check(all_accounts)
    manifest = {
        "format": 1,
        "project": settings.project,
        "time": settings.time,
        "known_until": name_moment(known_until, time=settings.time),
        "known_until_us": known_until,
        "first_us": _first_us(settings, engine, staging.tables["leads"], known_until),
        "tables": parts,
        "rejects": {
            **write_rows(folder, REJECTS, engine.stream(_REJECTS_SQL, rows=100_000)),
            "rules": _by_rule(engine),
        },
        "accounts": all_accounts,
        "warnings": warnings + _unlisted_levels(engine, staging, settings),
    }
    return write_version(folder, manifest)


def _place(settings: Settings) -> str:
    """SQL of a staged lead's place where no column gives it: its line, or the same one for all."""
    return "line" if settings.time == "ordered" else "0"


def _stored(
    settings: Settings, staging: _Staging, engine: Engine, table: Table, known_until: int
) -> Iterator[pa.RecordBatch]:
    if settings.is_dated:
        return read_stored(engine, table, creation_us=known_until - 1)
    return read_placed(engine, table, leads=staging.tables["leads"], place=_place(settings))


def _places(settings: Settings, engine: Engine, leads: Table) -> tuple[int, int]:
    """The first place and the last."""
    sql = f"SELECT MIN(place) AS first, MAX(place) AS last FROM ({placed(leads, _place(settings))}) AS p"
    found = engine.query(sql).to_pylist()[0]
    return found["first"] or 0, found["last"] or 0


def _first_us(settings: Settings, engine: Engine, leads: Table, known_until: int) -> int:
    """When the first lead was known; without any dated lead known_until, so that there is no past to learn from."""
    if not settings.is_dated:
        return _places(settings, engine, leads)[0]
    sql = f"SELECT MIN(available_us) AS us FROM ({standing(leads)}) AS t WHERE event_us IS NOT NULL"
    first = engine.query(sql)["us"][0].as_py()
    return known_until if first is None else int(first)


_COLUMNS = ", ".join(map(identifier, REJECTS.names))
_ALL_REJECTS = f"(SELECT {_COLUMNS} FROM row_rejects UNION ALL SELECT {_COLUMNS} FROM rule_rejects) AS r"
_REJECTS_SQL = f'SELECT * FROM {_ALL_REJECTS} ORDER BY source, line, "table", rule, "column", value'


def _by_rule(engine: Engine) -> dict[str, int]:
    counts = engine.query(f"SELECT rule, COUNT(*) AS n FROM {_ALL_REJECTS} GROUP BY rule ORDER BY rule")
    return dict(zip(counts["rule"].to_pylist(), counts["n"].to_pylist(), strict=True))


def _known_until(settings: Settings, staging: _Staging, engine: Engine) -> tuple[int, list[str]]:
    """The moment up to which the export tells everything, and what to warn of."""
    if assumption := settings.assumption():
        return _places(settings, engine, staging.tables["leads"])[1] + 1, [assumption]
    stated = settings.known_until_us()
    if stated is not None:
        return stated, _warnings(engine, staging, stated)
    facts = " UNION ALL ".join(
        f"SELECT available_us FROM ({standing(table)}) AS t" for table in staging.tables.values()
    )
    latest = int(engine.query(f"SELECT MAX(available_us) AS us FROM ({facts}) AS facts")["us"][0].as_py() or 0)
    return latest + 1, [
        f"known_until is not set: it was taken as {format_us(latest + 1)}, just after the latest fact; "
        "set it to the moment of the export",
        *_warnings(engine, staging, latest + 1),
    ]


def _warnings(engine: Engine, staging: _Staging, known_until: int) -> list[str]:
    found = []
    undated = engine.query(
        f"SELECT COUNT(*) AS n FROM ({standing(staging.tables['leads'])}) AS t WHERE event_us IS NULL"
    )["n"][0].as_py()
    if undated:
        found.append(f"{undated} leads have no creation date: they are scored, but never learned from")
    for name, table in staging.tables.items():
        sql = f"SELECT COUNT(*) AS n FROM ({standing(table)}) AS t WHERE available_us >= {known_until}"
        late = engine.query(sql)["n"][0].as_py()
        if late:
            found.append(
                f"{late} rows of {name} are dated at or after known_until: they count once an as_of reaches them"
            )
    return found


def _unlisted_levels(engine: Engine, staging: _Staging, settings: Settings) -> list[str]:
    """Answers that no level of their BANT letter lists: they stay in the store, and count as unknown."""
    found = []
    mapped = {name for entry in settings.mapping if entry.table == "leads" for name in entry.targets()}
    for letter, bant in settings.bant.items():
        if not bant.levels:
            continue
        levels = ", ".join(literal(level) for level in bant.levels)
        parts = [f"SELECT value FROM ({standing(staging.tables['changes'])}) AS t WHERE field = {literal(bant.field)}"]
        if bant.field in mapped:
            parts.append(f"SELECT {identifier(bant.field)} AS value FROM ({standing(staging.tables['leads'])}) AS t")
        sql = f"SELECT value, COUNT(*) AS n FROM ({' UNION ALL '.join(parts)}) AS answers WHERE value NOT IN ({levels})"
        unlisted = engine.query(f"{sql} GROUP BY value ORDER BY value")
        if unlisted.num_rows:
            n, words = sum(unlisted["n"].to_pylist()), listed(unlisted["value"].to_pylist(), most=5)
            found.append(f"{n} answers to {letter} are not among bant.{letter}.levels and count as unknown: {words}")
    return found


def _source_accounts(staging: _Staging) -> dict[str, Any]:
    return {name: {**account, "ignored_by": dict(staging.ignored[name])} for name, account in staging.sources.items()}


def _check(accounts: dict[str, Any]) -> None:
    for name, a in accounts["sources"].items():
        if a["read"] != a["used"] + a["ignored"] + a["rejected"]:
            raise AccountsError(f"source {name!r}: {a} do not add up")
    for name, a in accounts["tables"].items():
        if a["selected"] != a["stored"] + a["rejected"] + a["duplicates"]:
            raise AccountsError(f"table {name!r}: {a} do not add up")
