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
from leadscore.errors import AlarmError, SourceFormatError, UserError
from leadscore.features.account import unlearned_keys
from leadscore.features.fields import unlearned_fields
from leadscore.history.facts import KnownFacts
from leadscore.history.opening import attach_tables
from leadscore.ingest.build import Built, build_version
from leadscore.ingest.differences.delivery import Delivery
from leadscore.ingest.reject_groups import group_rejects
from leadscore.locks import locked
from leadscore.progress import Progress, silent
from leadscore.project.trail import record
from leadscore.results import Accounts, Ingested, RejectGroup, Rejects, SourceFile
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.store.attempt import read_attempt
from leadscore.store.objects import check_objects, object_path
from leadscore.store.version import StoreVersion
from leadscore.tables import REJECTS
from leadscore.times import FOREVER_US
from leadscore.wording import listed


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
    try:
        with locked(store), closing(DuckDBEngine(settings.engine)) as engine:
            built = build_version(
                settings,
                engine=engine,
                folder=store,
                accept=accept,
                delivery=Delivery(known_until_us, clock_us),
                forget_damaged=forget_damaged,
                progress=progress,
            )
    except AlarmError as e:
        record(settings, "quarantined", why=", ".join(e.names), store_version=e.version)
        raise
    except SourceFormatError as e:
        record(settings, "stopped", why=str(e))
        raise
    _record_ingest(settings, built, accept)
    return _summarise(built, settings, store)


def _record_ingest(settings: Settings, built: Built, accept: Collection[str]) -> None:
    manifest = built.version.manifest
    why = f"accepted: {', '.join(sorted(accept))}" if accept else "a new export"
    record(
        settings,
        "ingested",
        why=why,
        store_version=built.version.id,
        known_until=manifest["known_until"],
    )


def _summarise(built: Built, settings: Settings, store: Path) -> Ingested:
    """What an ingest did: where every row went, and what looks odd."""
    manifest = built.version.manifest
    rejected = _read_rejects(store, manifest["rejects"])
    return Ingested(
        project=settings.project,
        store_version=built.version.id,
        known_until=manifest["known_until"],
        known_until_from=built.moment.basis,
        files=[SourceFile.from_dict(file) for file in built.files],
        accounts=Accounts.from_dict(manifest["accounts"]),
        rejects=manifest["rejects"]["rules"],
        warned=manifest["rejects"]["warned"],
        first_rejects=_first_rejects(rejected),
        alarms=built.alarms,
        warnings=[*built.moment.warnings, *manifest["warnings"]],
        duplicates=built.duplicates,
        duplicates_file=str(settings.project_folder() / "duplicates.csv"),
        bant_not_learned_from=_find_unlearned_bant(settings, built.version),
        keys_not_learned_from=_find_unlearned_keys(settings, built.version),
    )


def _find_unlearned_bant(settings: Settings, version: StoreVersion) -> list[str]:
    """The fields of BANT that a training could not learn from, since they have no history."""
    bant = {letter.field for letter in settings.bant.values()}
    if not bant & set(unlearned_fields(settings, set())):
        return []
    changed = _read_changed_fields(settings, version)
    return sorted(bant & set(unlearned_fields(settings, changed)))


def _find_unlearned_keys(settings: Settings, version: StoreVersion) -> list[str]:
    """The mapped keys of leads that a training could not learn from, for the same reason."""
    if not unlearned_keys(settings, set()):
        return []
    return unlearned_keys(settings, _read_changed_fields(settings, version))


def _read_changed_fields(settings: Settings, version: StoreVersion) -> set[str]:
    """The fields and keys with a history."""
    with closing(DuckDBEngine(settings.engine)) as engine:
        attach_tables(engine, version)
        return set(KnownFacts(engine).changed_fields(FOREVER_US))


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


def list_rejects(settings: Settings, *, rule: str | None = None, per_rule: int = 5) -> Rejects:
    """The rows that the last ingest rejected or warned about: how many by rule, and the first of every rule.

    Args:
        settings: of the project.
        rule: only rows of this rule.
        per_rule: how many rows of every rule.

    Raises:
        UserError: no row broke that rule.
    """
    store = settings.project_folder() / "store"
    attempt = read_attempt(store, project=settings.project)
    refused = attempt["rejects"]["rules"]
    warned = attempt["rejects"]["warned"]
    known = sorted({*refused, *warned})
    if rule is not None and rule not in known:
        others = f"rows were rejected by {listed(known)}" if known else "no row was rejected at all"
        raise UserError(f"no row was rejected by the rule {rule!r}; {others}")

    chosen = known if rule is None else [rule]
    rows = _read_rejects(store, attempt["rejects"])
    rules = {}
    first = {}
    for name in chosen:
        rules[name] = refused.get(name, 0) + warned.get(name, 0)
        of_rule = rows.filter(pc.equal(rows["rule"], name))
        first[name] = of_rule.slice(0, per_rule).to_pylist()

    groups = [group for group in group_rejects(rows, settings) if group.rule in chosen]
    return Rejects(
        stopped=attempt["stopped"],
        rules=rules,
        refused=refused,
        warned=warned,
        groups=[RejectGroup(**vars(group)) for group in groups],
        first=first,
    )


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
