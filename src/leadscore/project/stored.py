"""Ingest, what it rejected, the versions of the store, and which fields can be trusted."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.audit.people import find_people
from leadscore.audit.verdict import FieldVerdict, left_out
from leadscore.audit.verdict import audit as run_audit
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import CorruptFileError, DamagedFileError, UnknownRuleError
from leadscore.features.fields import unlearned_fields
from leadscore.features.people import unasked_fields
from leadscore.files import list_manifests
from leadscore.ingest.build import build_version
from leadscore.ingest.differences.export_moment import Delivery
from leadscore.ingest.reps import read_rep_names
from leadscore.json_files import read_json
from leadscore.locks import locked
from leadscore.progress import Progress, silent
from leadscore.project.opened import open_store
from leadscore.publish.pruning import ListLimits, PrunedLists, prune_lists
from leadscore.publish.published import Listed
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.store import upkeep
from leadscore.store.version import check_objects, object_path, read_attempt, read_current
from leadscore.tables import REJECTS


def ingest(
    settings: Settings,
    *,
    accept: Collection[str] = (),
    known_until_us: int | None = None,
    clock_us: int | None = None,
    forget_damaged: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Read the sources into a new store version; returns its id, files, accounts, rejects by rule and warnings.

    `accept` names alarms to let pass, for this delivery only. `known_until_us` is when the export was made: by default
    settings, columns, files or their times say so, none of them later than the clock. With `forget_damaged` a version
    before that is damaged counts as absent: changes that were seen between exports are lost with it.
    """
    delivery = Delivery(known_until_us, clock_us)
    store = settings.project_folder() / "store"
    with locked(store), closing(DuckDBEngine(settings.engine)) as engine:
        ingested = build_version(
            settings,
            engine=engine,
            folder=store,
            accept=accept,
            delivery=delivery,
            forget_damaged=forget_damaged,
            progress=progress,
        )
    manifest = ingested.version.manifest
    return {
        "project": settings.project,
        "store_version": ingested.version.id,
        "known_until": manifest["known_until"],
        "known_until_from": ingested.moment.basis,
        "files": ingested.files,
        "accounts": manifest["accounts"],
        "rejects": manifest["rejects"]["rules"],
        "warned": manifest["rejects"]["warned"],
        "first_rejects": _first_rejects(_read_rejects(store, manifest["rejects"])),
        "alarms": ingested.alarms,
        "warnings": [*ingested.moment.warnings, *manifest["warnings"]],
        "duplicates": ingested.duplicates,
        "duplicates_file": str(settings.project_folder() / "duplicates.csv"),
    }


def _first_rejects(rows: pa.Table) -> dict[str, str]:
    """For each rule the place of its first reject; without the value, which may be personal."""
    kept = ["file", "line", "column"]
    first = (
        rows.group_by("rule", use_threads=False)
        .aggregate([(name, "first") for name in kept])
        .to_pylist()
    )
    return {
        row["rule"]: f"{row['file_first']}, line {row['line_first']}"
        + (f", column {row['column_first']}" if row["column_first"] else "")
        for row in first
    }


def list_rejects(settings: Settings, *, rule: str | None = None, each: int = 5) -> dict[str, Any]:
    """The rows that the last ingest rejected or warned of: how many by rule, and the first `each` of every rule.

    `stopped` says why that ingest ended without a version, if it did.
    """
    store = settings.project_folder() / "store"
    attempt = read_attempt(store, project=settings.project)
    counts = {
        said: attempt["rejects"][key] for said, key in (("refused", "rules"), ("warned", "warned"))
    }
    known = sorted({name for by_rule in counts.values() for name in by_rule})
    if rule is not None and rule not in known:
        raise UnknownRuleError(rule, known)
    rules = {
        name: sum(by_rule.get(name, 0) for by_rule in counts.values())
        for name in known
        if rule in {None, name}
    }
    rows = _read_rejects(store, attempt["rejects"])
    first = {
        name: rows.filter(pc.equal(rows["rule"], name)).slice(0, each).to_pylist() for name in rules
    }
    return {"stopped": attempt["stopped"], "rules": rules, **counts, "first": first}


def write_rejects(settings: Settings, path: Path) -> int:
    """Write all rows that the last ingest rejected or warned of to a CSV file; returns how many there are."""
    store = settings.project_folder() / "store"
    rows = _read_rejects(store, read_attempt(store, project=settings.project)["rejects"])
    write_csv_for_people(path, rows)
    return int(rows.num_rows)


def _read_rejects(store: Path, part: dict[str, Any]) -> pa.Table:
    paths = [object_path(store, file["sha256"]) for file in part["files"]]
    check_objects(paths)
    tables = [pq.ParquetFile(path).read(use_threads=False) for path in paths]
    return pa.concat_tables(tables) if tables else REJECTS.empty_table()


def list_store(settings: Settings) -> dict[str, Any]:
    """The versions of the store, every file checked; `referred`: something was published or trained from it."""
    versions = upkeep.list_versions(
        settings.project_folder() / "store", project=settings.project, checked=True
    )
    referred = set(_read_referred(settings).values())
    return {"versions": [each | {"referred": each["version"] in referred} for each in versions]}


def rollback_store(settings: Settings, version: str) -> dict[str, Any]:
    """Make an earlier store version the current one."""
    found = upkeep.rollback(settings.project_folder() / "store", version, project=settings.project)
    return {"version": found.id, "known_until": found.manifest["known_until"]}


def prune_store(
    settings: Settings, *, keep: int, really: bool, lists: ListLimits | None = None
) -> dict[str, Any]:
    """Remove store versions that nothing was published or trained from, but for the latest `keep`.

    With `lists` old lists are removed first, as far as they are settled; a dry run takes them for still there.
    """
    folder = settings.project_folder() / "store"
    _read_referred(settings)  # what cannot be read stops it before anything goes
    pruned = PrunedLists((), (), 0)
    if lists is not None:
        pruned = prune_lists(
            settings.project_folder() / "scores",
            folder,
            limits=lists,
            really=really,
            known_until_us=read_current(folder, project=settings.project).known_until_us,
            horizon_days=lambda each: horizon_of(settings, each),
        )
    told = upkeep.prune(
        folder,
        project=settings.project,
        keep=keep,
        referred=lambda: _find_referred(settings),
        really=really,
    )
    asked = {"keep": keep, "lists": asdict(lists) if lists else None}
    return told | {"lists": asdict(pruned), "asked": asked}


def horizon_of(settings: Settings, listed: Listed) -> int | None:
    """The horizon of a list in days, the longer of its own and that of the settings now; None if it does not say.

    Where the settings now leave it to the data, the list's own is that of the model that made it. Of a list that is
    damaged only its name is left: there is nothing in it to settle.
    """
    if listed.manifest is None:
        return 0
    then: int = (
        json.loads(listed.manifest.get("settings", "{}")).get("target", {}).get("horizon_days", 0)
    )
    return max(settings.target.horizon_days, then) if then else None


def _read_referred(settings: Settings) -> dict[Path, str | None]:
    """The store version that each publication and training names; None if its manifest is damaged."""
    folders = (settings.project_folder() / "scores", settings.models_folder / settings.project)
    manifests = [path for folder in folders for path in list_manifests(folder)]
    named: dict[Path, str | None] = {}
    for path in manifests:
        try:
            named[path] = read_json(path, {"store_version": str})["store_version"]
        except CorruptFileError:
            named[path] = None
    return named


def _find_referred(settings: Settings) -> set[str]:
    """The store versions that publications and trainings name.

    Raises:
        DamagedFileError: one does not say which, so that no version could be removed safely.
    """
    named = _read_referred(settings)
    for path, version in named.items():
        if version is None:
            raise DamagedFileError(
                path,
                "it does not say which version it needs",
                cure="restore it, or remove its folder, which cannot be used any more; then prune again",
            )
    return {version for version in named.values() if version is not None}


def audit(settings: Settings) -> dict[str, Any]:
    """Whether each field can be trusted at scoring time, by all that is known until now, and what training makes of it.

    `use` is "learned", "left out" (a leak), "kept" (a leak that the settings keep), or "shown" (nothing says when it
    was known, so it is not learned from whatever the verdict).
    """
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        found = run_audit(history, known_us=known_us)
        people = find_people(history, known_us=known_us, reps=read_rep_names(settings))
        unlearned = {
            *unlearned_fields(settings, history.facts.changed_fields(known_us)),
            *unasked_fields(settings),
            *people,
        }
        version = history.version
    leave_out = left_out(found.fields, settings)

    def use(each: FieldVerdict) -> str:
        if each.field in unlearned:
            return "shown"
        return (
            "left out"
            if each.field in leave_out
            else "kept"
            if each.verdict == "leak"
            else "learned"
        )

    return {
        "project": settings.project,
        "store_version": version.id,
        "known_until": version.manifest["known_until"],
        "fields": [asdict(each) | {"use": use(each)} for each in found.fields],
        "findings": [asdict(each) for each in found.findings],
    }
