"""Scoring the open leads, and leading readers to the list."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from leadscore.config import Settings
from leadscore.history.split import History
from leadscore.jobs.opened import checked_as_of, open_store
from leadscore.model.registry import Registry
from leadscore.progress import Progress, silent
from leadscore.publish.publication import publish as publish_scores
from leadscore.publish.publication import write_publication
from leadscore.scoring.score import score_open_leads


def score(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Score the leads open at a moment (default: known_until) with the champion; `publish` leads readers there."""
    with open_store(settings) as history:
        moment = checked_as_of(history, as_of_us)
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
