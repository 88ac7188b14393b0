"""The jobs, each the rooms in order: ingest, train, score, back-test. Plain functions; the clock is not read here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.config import Settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import AsOfError
from leadscore.files import canonical_json, hash_bytes, write_folder
from leadscore.history.split import History, open_history
from leadscore.ingest.build import build_version
from leadscore.model.backtest import BacktestResult, run_backtest, spread_dates
from leadscore.model.files import read_current_model, write_model, write_no_signal
from leadscore.model.train import fit_model
from leadscore.progress import Progress, silent
from leadscore.publish.publication import publish_scores
from leadscore.scoring.score import score_open_leads
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import DAY_US, format_us


def ingest(settings: Settings, *, progress: Progress = silent) -> dict[str, Any]:
    """Read the sources into a new store version; returns its id, accounts, rejects by rule and warnings."""
    engine = DuckDBEngine(settings.engine)
    try:
        store = settings.project_folder() / "store"
        version = build_version(settings, engine=engine, folder=store, progress=progress)
    finally:
        engine.close()
    manifest = version.manifest
    return {
        "project": settings.project,
        "store_version": version.id,
        "known_until": manifest["known_until"],
        "accounts": manifest["accounts"],
        "rejects": manifest["rejects"]["rules"],
        "first_rejects": _first_rejects(version),
        "rejects_files": [str(path) for path in version.files("rejects")],
        "warnings": manifest["warnings"],
    }


def _first_rejects(version: StoreVersion) -> dict[str, str]:
    """For each rule the place of its first reject; without the value, which may be personal."""
    if not (files := version.files("rejects")):
        return {}
    kept = ["source", "line", "column"]
    rows = pa.concat_tables([pq.read_table(path, columns=["rule", *kept]) for path in files])
    first = rows.group_by("rule", use_threads=False).aggregate([(name, "first") for name in kept]).to_pylist()
    return {
        row["rule"]: f"{row['source_first']}, line {row['line_first']}"
        + (f", column {row['column_first']}" if row["column_first"] else "")
        for row in first
    }


def train(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Train as of a moment (default: known_until) and keep the model if there is a signal."""
    with _history(settings) as history:
        known_us = _checked_as_of(history, as_of_us)
        result = fit_model(history, known_us=known_us, progress=progress)
        folder = settings.models_folder / settings.project
        version = None
        if result.no_signal:
            write_no_signal(folder, result)
        else:
            version = write_model(folder, result, settings=settings, store_version=history.version.id)
    return {
        "project": settings.project,
        "model_version": version,
        "no_signal": result.no_signal,
        "folder": str(folder / version) if version else None,
        "store_version": history.version.id,
        "evaluation": result.evaluation,
    }


def score(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Score the leads open at a moment (default: known_until) with the current model, and publish the list."""
    with _history(settings) as history:
        moment = _checked_as_of(history, as_of_us)
        folder = settings.models_folder / settings.project
        model, model_manifest, model_version = read_current_model(folder, project=settings.project)
        progress("scoring", 0, 2)
        scores = score_open_leads(
            history,
            model,
            model_version=model_version,
            known_us=model_manifest["known_until_us"],
            as_of_us=moment,
        )
        counts = _counts(history, moment, scores.num_rows)
        progress("publishing", 1, 2)
        project_folder = settings.project_folder()
        publication = publish_scores(
            scores, folder=project_folder / "scores", store_folder=project_folder / "store", as_of_us=moment,
            model_version=model_version, store_version=history.version.id, project=settings.project, counts=counts,
        )  # fmt: skip
    tiers = pc.value_counts(scores["tier"]).to_pylist() if scores.num_rows else []
    return {
        "project": settings.project,
        "publication_id": publication.id,
        "folder": str(publication.folder),
        "as_of": format_us(moment),
        "model_version": model_version,
        "store_version": history.version.id,
        "counts": counts,
        "tiers": {row["values"]: row["counts"] for row in sorted(tiers, key=lambda row: row["values"])},
        "mean_win_probability": pc.mean(scores["win_probability"]).as_py(),
        "top": scores.slice(0, 10).drop_columns(["as_of"]).to_pylist(),
    }


def backtest(
    settings: Settings,
    *,
    from_us: int | None = None,
    to_us: int | None = None,
    dates: int = 6,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Replay training and scoring at past dates, settle by what is known by now, and write the evidence."""
    with _history(settings) as history:
        moments = spread_dates(history, from_us=from_us, to_us=to_us, dates=dates)
        for moment in moments:
            _checked_as_of(history, moment)
        if not moments:
            raise AsOfError(
                "there is no date to back-test at: history is shorter than three horizons, or --to is before --from"
            )
        result = run_backtest(history, moments, progress=progress)
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
