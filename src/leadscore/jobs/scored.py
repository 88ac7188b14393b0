"""Scoring the open leads, and leading readers to the list."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.config import Settings
from leadscore.errors import UnknownVersionError
from leadscore.files import read_json
from leadscore.history.split import History
from leadscore.jobs.opened import checked_as_of, open_store
from leadscore.model.apply import WinModel
from leadscore.model.registry import Registry
from leadscore.progress import Progress, silent
from leadscore.publish.publication import publish as publish_scores
from leadscore.publish.publication import write_publication
from leadscore.scoring.change import Previous
from leadscore.scoring.score import score_open_leads
from leadscore.store.receipts import read_receipts
from leadscore.times import parse_moment


def score(settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Score the leads open at a moment (default: known_until) with the champion; `publish` leads readers there."""
    with open_store(settings) as history:
        moment = checked_as_of(history, as_of_us)
        model, model_manifest, model_version = Registry(settings).load_champion()
        progress("scoring", 0, 1)
        known_us, published_us = model_manifest["known_until_us"], history.published_us(moment)
        previous = find_previous(settings, as_of_us=published_us)
        scores = score_list(
            history, model, model_version=model_version, known_us=known_us, as_of_us=moment, previous=previous
        )
        counts = _counts(history, moment, scores.num_rows)
        basis = {
            "settings": json.dumps(settings.public(), ensure_ascii=False),  # as text: the order of its keys counts
            "model_known_us": known_us,
            "previous": previous.publication_id if previous else None,
        }
        publication = write_publication(
            scores, folder=settings.project_folder() / "scores", as_of_us=published_us, model_version=model_version,
            store_version=history.version.id, project=settings.project, counts=counts, basis=basis,
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


def score_list(
    history: History, model: WinModel, *, model_version: str, known_us: int, as_of_us: int, previous: Previous | None
) -> pa.Table:
    """The scores of all leads open at a moment: the same arguments give the same bytes, now and when replayed."""
    return score_open_leads(
        history, model, model_version=model_version, known_us=known_us, as_of_us=as_of_us, previous=previous
    )


def find_previous(settings: Settings, *, as_of_us: int | None) -> Previous | None:
    """The latest published list of before a moment, back from the current one; None without one, or without dates."""
    folder = settings.project_folder() / "scores"
    if as_of_us is None or not (folder / "current.json").exists():
        return None
    which = read_json(folder / "current.json")["publication_id"]
    while which:
        manifest = read_json(folder / which / "manifest.json")
        if manifest["as_of"] is not None and parse_moment(manifest["as_of"], zone="UTC") < as_of_us:
            return read_previous(settings, which)
        which = manifest.get("previous")
    return None


def read_previous(settings: Settings, publication_id: str) -> Previous:
    """A published list, with the model that made it if that is still kept."""
    folder = settings.project_folder()
    manifest = read_json(folder / "scores" / publication_id / "manifest.json")
    receipts = read_receipts(folder / "store", publication_id=publication_id)
    try:
        model = Registry(settings).load(manifest["model_version"])[0]
    except UnknownVersionError:
        model = None
    return Previous(publication_id, parse_moment(manifest["as_of"], zone="UTC"), receipts, model)


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
