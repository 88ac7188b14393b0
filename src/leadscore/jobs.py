"""The jobs, each the rooms in order; plain functions that do not read the clock.

`train` and `score` write files that nobody is led to yet; `register` and `publish` make them count. Each can be
repeated, so a flow may retry it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.audit.verdict import FieldVerdict, audit_learned, left_out
from leadscore.audit.verdict import audit as run_audit
from leadscore.config import Settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import AsOfError, FollowUpError, TooFewOutcomesError, UnknownRuleError
from leadscore.features.fields import unlearned_fields
from leadscore.files import canonical_json, hash_bytes, read_json, write_bytes, write_folder
from leadscore.history.split import History, open_history
from leadscore.ingest.build import build_version, write_csv
from leadscore.model.backtest import BacktestResult, run_backtest, spread_dates
from leadscore.model.files import write_model
from leadscore.model.horizon import choose_horizon
from leadscore.model.registry import CHAMPION, Registry, Who, hide_password
from leadscore.model.train import fit_model, fit_scorecard
from leadscore.progress import Progress, silent
from leadscore.publish.publication import publish as publish_scores
from leadscore.publish.publication import write_publication
from leadscore.report.card import build_card
from leadscore.report.figures import build_figures
from leadscore.scoring.score import score_open_leads
from leadscore.store import upkeep
from leadscore.store.version import StoreVersion, locked, object_path, read_attempt, read_current
from leadscore.tables import REJECTS
from leadscore.times import DAY_US, format_us


def ingest(settings: Settings, *, accept: Collection[str] = (), progress: Progress = silent) -> dict[str, Any]:
    """Read the sources into a new store version; returns its id, files, accounts, rejects by rule and warnings.

    `accept` names alarms that shall not stop it this once.
    """
    store = settings.project_folder() / "store"
    with locked(store), closing(DuckDBEngine(settings.engine)) as engine:
        ingested = build_version(settings, engine=engine, folder=store, accept=accept, progress=progress)
    manifest = ingested.version.manifest
    return {
        "project": settings.project,
        "store_version": ingested.version.id,
        "known_until": manifest["known_until"],
        "files": ingested.files,
        "accounts": manifest["accounts"],
        "rejects": manifest["rejects"]["rules"],
        "warned": manifest["rejects"]["warned"],
        "first_rejects": _first_rejects(_read_rejects(store, manifest["rejects"])),
        "alarms": ingested.alarms,
        "warnings": manifest["warnings"],
        "duplicates": ingested.duplicates,
        "duplicates_file": str(settings.project_folder() / "duplicates.csv"),
    }


def _first_rejects(rows: pa.Table) -> dict[str, str]:
    """For each rule the place of its first reject; without the value, which may be personal."""
    kept = ["file", "line", "column"]
    first = rows.group_by("rule", use_threads=False).aggregate([(name, "first") for name in kept]).to_pylist()
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
    counts = {said: attempt["rejects"][key] for said, key in (("refused", "rules"), ("warned", "warned"))}
    known = sorted({name for by_rule in counts.values() for name in by_rule})
    if rule is not None and rule not in known:
        raise UnknownRuleError(rule, known)
    rules = {name: sum(by_rule.get(name, 0) for by_rule in counts.values()) for name in known if rule in {None, name}}
    rows = _read_rejects(store, attempt["rejects"])
    first = {name: rows.filter(pc.equal(rows["rule"], name)).slice(0, each).to_pylist() for name in rules}
    return {"stopped": attempt["stopped"], "rules": rules, **counts, "first": first}


def write_rejects(settings: Settings, path: Path) -> int:
    """Write all rows that the last ingest rejected or warned of to a CSV file; returns how many there are."""
    store = settings.project_folder() / "store"
    rows = _read_rejects(store, read_attempt(store, project=settings.project)["rejects"])
    write_csv(path, rows)
    return int(rows.num_rows)


def _read_rejects(store: Path, part: dict[str, Any]) -> pa.Table:
    tables = [pq.read_table(object_path(store, file["sha256"]), use_threads=False) for file in part["files"]]
    return pa.concat_tables(tables) if tables else REJECTS.empty_table()


def list_store(settings: Settings) -> dict[str, Any]:
    """The versions of the store; `referred`: something was published or trained from it."""
    versions = upkeep.list_versions(settings.project_folder() / "store", project=settings.project)
    referred = _referred(settings)
    return {"versions": [each | {"referred": each["version"] in referred} for each in versions]}


def rollback_store(settings: Settings, version: str) -> dict[str, Any]:
    """Make an earlier store version the current one."""
    found = upkeep.rollback(settings.project_folder() / "store", version, project=settings.project)
    return {"version": found.id, "known_until": found.manifest["known_until"]}


def prune_store(settings: Settings, *, keep: int, really: bool) -> dict[str, Any]:
    """Remove store versions that nothing was published or trained from, but for the latest `keep`."""
    folder = settings.project_folder() / "store"
    return upkeep.prune(folder, project=settings.project, keep=keep, referred=_referred(settings), really=really)


def _referred(settings: Settings) -> set[str]:
    """The store versions that publications and trainings name."""
    folders = (settings.project_folder() / "scores", settings.models_folder / settings.project)
    manifests = [path for folder in folders for path in folder.glob("*/manifest.json")]
    return {read_json(path)["store_version"] for path in manifests}


def audit(settings: Settings) -> dict[str, Any]:
    """Whether each field can be trusted at scoring time, by all that is known until now, and what training makes of it.

    `use` is "learned", "left out" (a leak), "kept" (a leak that the settings keep), or "shown" (nothing says when it
    was known, so it is not learned from whatever the verdict).
    """
    with _history(settings) as history:
        known_us = history.version.known_until_us
        found = run_audit(history, known_us=known_us)
        unlearned = unlearned_fields(settings, history.changed_fields(known_us))
        version = history.version
    leave_out = left_out(found.fields, settings)

    def use(each: FieldVerdict) -> str:
        if each.field in unlearned:
            return "shown"
        return "left out" if each.field in leave_out else "kept" if each.verdict == "leak" else "learned"

    return {
        "project": settings.project,
        "store_version": version.id,
        "known_until": version.manifest["known_until"],
        "fields": [asdict(each) | {"use": use(each)} for each in found.fields],
        "findings": [asdict(each) for each in found.findings],
    }


def train(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Train as of a moment (default: known_until), and keep model and card as files; `register` makes it count.

    Leaking fields are left out, unless the settings keep them; `evaluation["audit"]` tells of every field.
    """
    with _history(settings) as opened:
        known_us = _checked_as_of(opened, as_of_us)
        history, horizon_why = choose_horizon(opened, known_us=known_us)
        settings = history.settings
        progress("auditing", 0, 1)
        verdicts = audit_learned(history, known_us=known_us)
        leave_out = left_out(verdicts, settings)
        try:
            result = fit_model(history, known_us=known_us, progress=progress, leave_out=leave_out)
        except (FollowUpError, TooFewOutcomesError) as e:
            result = fit_scorecard(history, known_us=known_us, why=str(e), leave_out=leave_out)
        told = [_told(each, leave_out) for each in verdicts]
        result = replace(result, evaluation=result.evaluation | {"audit": told, "horizon_why": horizon_why})
        folder = settings.models_folder / settings.project
        home = write_model(folder, result, settings=settings, store_version=history.version.id)
    figures = build_figures(result.evaluation)
    card = build_card(
        evaluation=result.evaluation, features=result.features, manifest=read_json(home / "manifest.json"),
        settings=settings, figures=figures, version=None if result.no_signal else home.name,
    )  # fmt: skip
    files = {"card.html": card, **{f"figures/{name}": svg for name, svg in figures.items()}}
    described = [{"name": f.name, "unit": f.unit, "direction": f.direction, "group": f.group} for f in result.features]
    files["features.json"] = canonical_json({"features": described}).decode()
    for name, text in files.items():
        write_bytes(_card_folder(home) / name, text.encode())
    return {
        "project": settings.project,
        "model_version": None if result.no_signal else home.name,
        "no_signal": result.no_signal,
        "folder": str(home),
        "card": str(_card_folder(home) / "card.html"),
        "store_version": history.version.id,
        "evaluation": result.evaluation,
    }


def _told(verdict: FieldVerdict, leave_out: frozenset[str]) -> dict[str, Any]:
    return {
        "field": verdict.field,
        "verdict": verdict.verdict,
        "evidence": verdict.evidence,
        "left_out": verdict.field in leave_out,
    }


def register(settings: Settings, folder: Path, *, who: Who, promote: bool = False) -> dict[str, Any]:
    """Log what `train` kept in `folder` with MLflow; the first model becomes champion, a later one challenger.

    With `promote` it becomes champion whatever was before. Repeating it changes nothing.
    """
    registry = Registry(settings)
    beside = _card_folder(folder)
    paths = sorted(path for path in beside.rglob("*") if path.is_file())
    files = {path.relative_to(beside).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    version = registry.register(folder, files=files, who=who)
    if version and promote and CHAMPION not in version.aliases:
        version = registry.promote(str(version.number), who)
    champion = next((each for each in registry.versions() if CHAMPION in each.aliases), None)
    return {
        "registered": asdict(version) if version else None,
        "champion": asdict(champion) if champion else None,
        "registered_model": registry.name,
        "tracking_uri": hide_password(settings.tracking_uri()),
    }


def _card_folder(home: Path) -> Path:
    return home.parent / "cards" / home.name


def score(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Score the leads open at a moment (default: known_until) with the champion; `publish` leads readers there."""
    with _history(settings) as history:
        moment = _checked_as_of(history, as_of_us)
        model, model_manifest, model_version = Registry(settings).load_champion()
        progress("scoring", 0, 1)
        scores = score_open_leads(
            history,
            model,
            model_version=model_version,
            known_us=model_manifest["known_until_us"],
            as_of_us=moment,
        )
        counts = _counts(history, moment, scores.num_rows)
        published_us = history.published_us(moment)
        publication = write_publication(
            scores, folder=settings.project_folder() / "scores", as_of_us=published_us, model_version=model_version,
            store_version=history.version.id, project=settings.project, counts=counts,
        )  # fmt: skip
    tiers = pc.value_counts(scores["tier"]).to_pylist() if scores.num_rows else []
    return {
        "project": settings.project,
        "publication_id": publication.id,
        "folder": str(publication.folder),
        "as_of": publication.manifest["as_of"],
        "model_version": model_version,
        "store_version": history.version.id,
        "counts": counts,
        "tiers": {row["values"]: row["counts"] for row in sorted(tiers, key=lambda row: row["values"])},
        "mean_win_probability": pc.mean(scores["win_probability"]).as_py(),
        "top": scores.slice(0, 10).drop_columns(["as_of"]).to_pylist(),
    }


def publish(settings: Settings, publication_id: str) -> dict[str, Any]:
    """Lead readers to a publication that `score` wrote. Repeating it changes nothing."""
    folder = settings.project_folder()
    publication = publish_scores(publication_id, folder=folder / "scores", store_folder=folder / "store")
    return {"publication_id": publication.id, "folder": str(publication.folder), "manifest": publication.manifest}


def backtest(
    settings: Settings,
    *,
    from_us: int | None = None,
    to_us: int | None = None,
    dates: int = 6,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Replay training and scoring at past dates, settle by what is known by now, and write the evidence."""
    with _history(settings) as opened:
        history, _ = choose_horizon(opened, known_us=from_us or opened.version.known_until_us)
        moments = spread_dates(history, from_us=from_us, to_us=to_us, dates=dates)
        for moment in moments if settings.is_dated else []:
            _checked_as_of(history, moment)
        if not moments:
            raise AsOfError(
                "there is no date to back-test at: history is shorter than three horizons, or --to is before --from"
                if settings.is_dated
                else "there is no place to back-test at: no lead has closed"
            )

        def leave_out(moment: int) -> frozenset[str]:
            return left_out(audit_learned(history, known_us=moment), settings)

        result = run_backtest(history, moments, progress=progress, leave_out=leave_out)
        report = result.report | {"project": settings.project, "store_version": history.version.id}
    return report | {"folder": _write_backtest(settings, report, result)}


def _write_backtest(settings: Settings, report: dict[str, Any], result: BacktestResult) -> str:
    data = canonical_json(report)
    folder = settings.project_folder() / "backtests" / hash_bytes(data)[:16]
    predictions = result.predictions.to_csv(index=False, lineterminator="\n").encode()
    write_folder(folder, {"backtest.json": data, "predictions.csv": predictions})
    return str(folder)


@contextmanager
def _history(settings: Settings) -> Iterator[History]:
    """The current store version, opened for looking back."""
    version: StoreVersion = read_current(settings.project_folder() / "store", project=settings.project)
    engine = DuckDBEngine(settings.engine)
    try:
        yield open_history(settings, version, engine)
    finally:
        engine.close()


def _checked_as_of(history: History, as_of_us: int | None) -> int:
    """The moment to look from, by default known_until, if the stored data can answer for it."""
    version = history.version
    if as_of_us is None:
        return version.known_until_us
    if not history.settings.is_dated:
        raise AsOfError(f"time = {history.settings.time}: nothing is dated, so leave out --as-of")
    stale_days = history.settings.max_staleness_days
    if as_of_us > version.known_until_us + stale_days * DAY_US:
        raise AsOfError(
            f"as_of {format_us(as_of_us)} is more than {stale_days:g} days after known_until "
            f"{version.manifest['known_until']}: nobody knows which leads were still open then; "
            "ingest a newer export, or raise max_staleness_days"
        )
    if as_of_us <= version.first_us:
        raise AsOfError(
            f"as_of {format_us(as_of_us)} is before all data: the first lead is of {format_us(version.first_us)}"
        )
    return as_of_us


def _counts(history: History, as_of_us: int, scored: int) -> dict[str, int]:
    """Scored + closed + not_yet_created + refused = leads, the refused ones being those that ingest rejected."""
    stored = history.engine.query("SELECT COUNT(*) AS n FROM leads")["n"][0].as_py()
    created = history.spells(as_of_us)["lead_id"].nunique()
    refused = history.version.manifest["accounts"]["tables"]["leads"]["rejected"]
    return {
        "leads": stored + refused,
        "scored": scored,
        "closed": created - scored,
        "not_yet_created": stored - created,
        "refused": refused,
    }
