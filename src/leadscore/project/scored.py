"""Scoring the open leads, and leading readers to the list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import CorruptFileError, UnknownVersionError
from leadscore.history.absences import seen_until
from leadscore.history.split import History
from leadscore.ingest.overrides import read_overrides
from leadscore.ingest.reps import read_reps
from leadscore.model.apply import WinModel
from leadscore.model.target import check_target, with_horizon_of
from leadscore.progress import Progress, silent
from leadscore.project.opened import checked_as_of, open_store
from leadscore.publish.publication import read_publication, read_shift, write_publication
from leadscore.publish.published import (
    Before,
    find_before,
    find_standing,
    read_as_of,
    read_current_id,
)
from leadscore.publish.published import publish as publish_scores
from leadscore.publish.unlike import Pair, find_unlike
from leadscore.registry.registry import Registry
from leadscore.routing.assign import assign
from leadscore.scoring.change import Previous
from leadscore.scoring.score import score_open_leads
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.tables import REPS
from leadscore.times import DAY_US, FOREVER_US


def score(
    settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Score the leads open at a moment (default: known_until) with the champion; `publish` leads readers there."""
    with open_store(settings) as opened:
        moment = checked_as_of(opened, as_of_us)
        model, model_manifest, model_version = Registry(settings).load_champion()
        check_target(settings, model_manifest, version=model_version)
        settings = with_horizon_of(settings, model_manifest)
        history = replace(opened, settings=settings)
        progress("scoring", 0, 1)
        known_us, published_us = model_manifest["known_until_us"], history.published_us(moment)
        previous, doubts = find_previous(settings, as_of_us=published_us)
        inputs = read_inputs(settings)
        scores, facts = score_list(
            history,
            model,
            model_version=model_version,
            known_us=known_us,
            as_of_us=moment,
            previous=previous,
            inputs=inputs,
        )
        facts["warnings"] = [*doubts, *facts["warnings"]]
        counts = _counts(history, moment, scores.num_rows)
        basis = {
            "settings": json.dumps(
                settings.public(), ensure_ascii=False
            ),  # as text: the order of its keys counts
            "model_known_us": known_us,
            "known_until_us": history.version.known_until_us,
            "previous": previous.publication_id if previous else None,
            "returned": _count_returned(history, scores, previous),
            **facts,
        }
        publication = write_publication(
            scores,
            folder=settings.project_folder() / "scores",
            as_of_us=published_us,
            model_version=model_version,
            store_version=history.version.id,
            project=settings.project,
            counts=counts,
            basis=basis,
            inputs=inputs,
        )
    tiers = pc.value_counts(scores["tier"]).to_pylist() if scores.num_rows else []
    return {
        "project": settings.project,
        "publication_id": publication.id,
        "folder": str(publication.folder),
        "as_of": publication.manifest["as_of"],
        "model_version": model_version,
        "store_version": history.version.id,
        "counts": counts,
        "tiers": {
            row["values"]: row["counts"] for row in sorted(tiers, key=lambda row: row["values"])
        },
        "mean_win_probability": pc.mean(scores["win_probability"]).as_py(),
        **facts,
        "top": scores.slice(0, 10).drop_columns(["as_of"]).to_pylist(),
    }


def read_inputs(settings: Settings) -> dict[str, Any]:
    """What scoring reads besides the store, as JSON: the list of reps, and what people decided by hand."""
    found: dict[str, Any] = {}
    if settings.qualification.overrides is not None:
        found["overrides"] = read_overrides(settings)
    if settings.routing is not None:
        reps = read_reps(settings.routing, settings)[0].to_pylist()
        found["reps"] = [
            rep | {"name": None} for rep in reps
        ]  # routing asks for ids only, and this is kept
    return found


def score_list(
    history: History,
    model: WinModel,
    *,
    model_version: str,
    known_us: int,
    as_of_us: int,
    previous: Previous | None,
    inputs: Mapping[str, Any],
) -> tuple[pa.Table, dict[str, Any]]:
    """The scores of all leads open at a moment, routed, and the facts of the run.

    The same arguments give the same bytes, now and when replayed.
    """
    scored = score_open_leads(
        history,
        model,
        model_version=model_version,
        known_us=known_us,
        as_of_us=as_of_us,
        previous=previous,
        overrides=inputs.get("overrides", ()),
        tiers=_with_places(history.settings.tiers, inputs),
    )
    if history.settings.routing is None:
        return scored.scores, scored.facts | {"routing": None}
    scores, routing = route_list(
        history, scored.scores, as_of_us=as_of_us, previous=previous, inputs=inputs
    )
    return scores, scored.facts | {
        "routing": routing,
        "warnings": [*scored.facts["warnings"], *routing["warnings"]],
    }


def route_list(
    history: History,
    scores: pa.Table,
    *,
    as_of_us: int,
    previous: Previous | None,
    inputs: Mapping[str, Any],
) -> tuple[pa.Table, dict[str, Any]]:
    """The scores with who should call each lead, by what was known of it at `as_of_us`, and the facts of the routing.

    Raises:
        RuntimeError: the settings have no section `routing`.
    """
    settings = history.settings
    if settings.routing is None:
        raise RuntimeError("the settings have no section routing")
    names = list(dict.fromkeys(["owner_id", *settings.routing.match.columns().values()]))
    fields = history.known_values(names, as_of_us=as_of_us)
    excluded = pc.equal(scores["qualification"], "disqualified")
    given = scores.filter(pc.invert(excluded))  # nobody calls who is disqualified
    reps = pa.Table.from_pylist(inputs["reps"], schema=REPS)
    told = (
        {}
        if previous is None
        else dict(
            zip(
                previous.receipts["lead_id"].to_pylist(),
                previous.receipts["rep_id"].to_pylist(),
                strict=True,
            )
        )
    )
    before = {lead: rep for lead, rep in told.items() if rep is not None}
    routing = assign(
        given,
        fields,
        reps,
        settings.routing,
        as_of_us=as_of_us,
        seed=settings.seed,
        previous=before,
    )
    place = pc.index_in(scores["lead_id"], routing.routes["lead_id"].combine_chunks())
    for name, otherwise in (
        ("rep_id", None),
        ("route_reason", "disqualified"),
        ("exploration_probability", None),
    ):
        field = routing.routes.schema.field(name)
        told = (
            pc.fill_null(routing.routes[name].take(place), otherwise)
            if otherwise
            else routing.routes[name].take(place)
        )
        scores = scores.add_column(scores.num_columns - 1, field, told)  # log_odds stays the last
    return scores, routing.facts


def _with_places(tiers: Tiers, inputs: Mapping[str, Any]) -> Tiers:
    """Tiers whose capacity is, unless stated, what the reps can still take."""
    if tiers.by != "capacity" or tiers.capacity is not None:
        return tiers
    places = sum(max(rep["capacity"] - rep["load"], 0) for rep in inputs["reps"])
    return tiers.model_copy(update={"capacity": max(places, 1)})


def find_previous(settings: Settings, *, as_of_us: int | None) -> tuple[Previous | None, list[str]]:
    """The latest published list of before a moment, None without one or without dates; and what is doubtful of it."""
    folder = settings.project_folder()
    before = find_before(folder / "scores", folder / "store", as_of_us=as_of_us)
    return read_previous(settings, before)


def read_previous(settings: Settings, before: Before) -> tuple[Previous | None, list[str]]:
    """A published list, with the model that made it if that is still there and whole; and warnings."""
    warnings = list(before.warnings)
    if before.publication is None or before.receipts is None:
        return None, warnings
    manifest = before.publication.manifest
    model = None
    try:
        model = Registry(settings).load(manifest["model_version"])[0]
    except UnknownVersionError:
        pass
    except CorruptFileError as e:
        warnings.append(f"no change can be explained: the model of the list before is damaged: {e}")
    as_of_us = read_as_of(manifest) or 0
    return Previous(
        before.publication.id, as_of_us, before.receipts, model, read_shift(manifest)
    ), warnings


def publish(
    settings: Settings,
    publication_id: str,
    *,
    replace_newer: bool = False,
    even_if_unlike: bool = False,
) -> dict[str, Any]:
    """Lead readers to a publication that `score` wrote, unless they are led to a newer one. Repeating changes nothing.

    `published` says whether they are led there, `newer` which list they stay with if not, and its as_of. `withheld`
    says by what the list differs too much from the one before it, unless it may be published `even_if_unlike`; then the
    published list stands.
    """
    folder = settings.project_folder()
    withheld = [] if even_if_unlike else find_withheld(settings, publication_id)
    if withheld:
        standing = find_standing(folder / "scores", folder / "store")
        return {
            "publication_id": publication_id,
            "folder": str(folder / "scores" / publication_id),
            "published": False,
            "newer": None,
            "withheld": withheld,
            "previous_as_of": standing.manifest["as_of"]
            if standing and standing.manifest
            else "unknown",
        }
    done = publish_scores(
        publication_id,
        folder=folder / "scores",
        store_folder=folder / "store",
        replace_newer=replace_newer,
    )
    newer = None
    if done.newer is not None:
        as_of = done.newer.manifest["as_of"] if done.newer.manifest else None
        newer = {"publication_id": done.newer.id, "as_of": as_of}
    return {
        "publication_id": done.publication.id,
        "folder": str(done.publication.folder),
        "published": newer is None,
        "newer": newer,
        "withheld": [],
    }


def find_withheld(settings: Settings, publication_id: str) -> list[str]:
    """Why a list may not be published without a person's word; nothing for the current one, and without one before."""
    folder = settings.project_folder() / "scores"
    publication, scores = read_publication(publication_id, folder=folder)
    manifest = publication.manifest
    if publication_id == read_current_id(folder) or not manifest.get("previous"):
        return []
    try:
        before, scores_before = read_publication(manifest["previous"], folder=folder)
    except CorruptFileError:
        return []
    days = ((read_as_of(manifest) or 0) - (read_as_of(before.manifest) or 0)) / DAY_US
    same_model = manifest["model_version"] == before.manifest["model_version"]
    pair = Pair(scores_before, scores, days, manifest.get("returned", 0), same_model)
    return find_unlike(pair, settings.publication)


def _count_returned(history: History, scores: pa.Table, previous: Previous | None) -> int:
    """How many leads of the list existed when the list before was made, and were not on it."""
    if previous is None:
        return 0
    existed = history.facts.lead_ids(previous.as_of_us)
    listed = set(scores["lead_id"].to_pylist()) - set(previous.receipts["lead_id"].to_pylist())
    return len(listed & existed)


def _counts(history: History, as_of_us: int, scored: int) -> dict[str, int]:
    """Scored + closed + absent + not_yet_created + refused = leads, the refused ones being those that ingest rejected.

    Absent are open leads of earlier exports that the latest one known at `as_of_us` does not have.
    """
    stored = history.facts.count_leads(FOREVER_US)
    spells = history.spells(as_of_us)
    created = spells["lead_id"].nunique()
    absent = int((seen_until(spells) < as_of_us).sum())
    refused = history.version.manifest["accounts"]["tables"]["leads"]["rejected"]
    return {
        "leads": stored + refused,
        "scored": scored,
        "closed": created - scored - absent,
        "absent": absent,
        "not_yet_created": stored - created,
        "refused": refused,
    }
