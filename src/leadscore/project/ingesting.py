"""Reading exports into the store, and the rows that this rejected."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import UnknownRuleError
from leadscore.ingest.build import build_version
from leadscore.ingest.differences.delivery import Delivery
from leadscore.locks import locked
from leadscore.progress import Progress, silent
from leadscore.results import Accounts, Ingested, Rejects, SourceFile
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.store.attempt import read_attempt
from leadscore.store.objects import check_objects, object_path
from leadscore.tables import REJECTS


def ingest(
    settings: Settings,
    *,
    accept: Collection[str] = (),
    known_until_us: int | None = None,
    clock_us: int | None = None,
    forget_damaged: bool = False,
    progress: Progress = silent,
) -> Ingested:
    """A new store version, read from the sources.

    Args:
        settings: name the sources.
        accept: alarms to let pass, for this delivery only.
        known_until_us: when the export was made; by default settings, columns, files or their times say so.
        clock_us: now; no export can be of later.
        forget_damaged: treat a damaged previous version as absent; the changes between exports that only it knew
            are lost.
        progress: called as the work goes on.
    """
    store = settings.project_folder() / "store"
    with locked(store), closing(DuckDBEngine(settings.engine)) as engine:
        ingested = build_version(
            settings,
            engine=engine,
            folder=store,
            accept=accept,
            delivery=Delivery(known_until_us, clock_us),
            forget_damaged=forget_damaged,
            progress=progress,
        )
    manifest = ingested.version.manifest
    return Ingested(
        project=settings.project,
        store_version=ingested.version.id,
        known_until=manifest["known_until"],
        known_until_from=ingested.moment.basis,
        files=[SourceFile.from_dict(file) for file in ingested.files],
        accounts=Accounts.from_dict(manifest["accounts"]),
        rejects=manifest["rejects"]["rules"],
        warned=manifest["rejects"]["warned"],
        first_rejects=_first_rejects(_read_rejects(store, manifest["rejects"])),
        alarms=ingested.alarms,
        warnings=[*ingested.moment.warnings, *manifest["warnings"]],
        duplicates=ingested.duplicates,
        duplicates_file=str(settings.project_folder() / "duplicates.csv"),
    )


def _first_rejects(rows: pa.Table) -> dict[str, str]:
    """For each rule where its first reject stands, without the value, which may be personal."""
    firsts = [(name, "first") for name in ("file", "line", "column")]
    by_rule = rows.group_by("rule", use_threads=False).aggregate(firsts)
    places = {}
    for row in by_rule.to_pylist():
        place = f"{row['file_first']}, line {row['line_first']}"
        if row["column_first"]:
            place += f", column {row['column_first']}"
        places[row["rule"]] = place
    return places


def list_rejects(settings: Settings, *, rule: str | None = None, each: int = 5) -> Rejects:
    """The rows that the last ingest rejected or warned about: how many by rule, and the first of every rule.

    Args:
        settings: of the project.
        rule: only rows of this rule.
        each: how many rows of every rule.

    Raises:
        UnknownRuleError: no row broke that rule.
    """
    store = settings.project_folder() / "store"
    attempt = read_attempt(store, project=settings.project)
    refused, warned = attempt["rejects"]["rules"], attempt["rejects"]["warned"]
    known = sorted({*refused, *warned})
    if rule is not None and rule not in known:
        raise UnknownRuleError(rule, known)
    chosen = known if rule is None else [rule]
    rows = _read_rejects(store, attempt["rejects"])
    return Rejects(
        stopped=attempt["stopped"],
        rules={name: refused.get(name, 0) + warned.get(name, 0) for name in chosen},
        refused=refused,
        warned=warned,
        first={name: _rows_of(rows, name).slice(0, each).to_pylist() for name in chosen},
    )


def _rows_of(rows: pa.Table, rule: str) -> pa.Table:
    return rows.filter(pc.equal(rows["rule"], rule))


def write_rejects(settings: Settings, path: Path) -> int:
    """Write all rows that the last ingest rejected or warned about to a CSV file; returns how many."""
    store = settings.project_folder() / "store"
    attempt = read_attempt(store, project=settings.project)
    rows = _read_rejects(store, attempt["rejects"])
    write_csv_for_people(path, rows)
    return int(rows.num_rows)


def _read_rejects(store: Path, rejects: dict[str, Any]) -> pa.Table:
    paths = [object_path(store, file["sha256"]) for file in rejects["files"]]
    check_objects(paths)
    tables = [pq.ParquetFile(path).read(use_threads=False) for path in paths]
    return pa.concat_tables(tables) if tables else REJECTS.empty_table()
